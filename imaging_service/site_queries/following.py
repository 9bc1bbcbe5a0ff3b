"""Who follows the questions about a timepoint: a higher chapter, whose state depends on them."""

from collections.abc import Callable

from imaging_service.accounts.act import Act

Follower = Callable[[Act, str], None]
"""Takes the act and the timepoint about which a question was opened or closed."""


class Followers:
    """Tells whatever the chapter of quality has left here, in the same transaction."""

    def __init__(self) -> None:
        """Know nobody."""
        self._followers: list[Follower] = []

    def add(self, follower: Follower) -> None:
        """Tell `follower` too from now on."""
        self._followers.append(follower)

    def tell(self, act: Act, timepoint_id: str) -> None:
        """Say that a question about a timepoint was opened or closed."""
        for follower in self._followers:
            follower(act, timepoint_id)
