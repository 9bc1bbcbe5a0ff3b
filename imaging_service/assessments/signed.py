"""What the chapters above do when a read is signed, in its transaction."""

from collections.abc import Callable

from imaging_service.reads.act import ReadAct
from imaging_service.reads.read import Read

Consequence = Callable[[ReadAct, Read], None]


class Signed:
    """A door to what the assessments do not know of; nothing behind it until a chapter opens it."""

    def __init__(self) -> None:
        self._consequences: list[Consequence] = []

    def then(self, consequence: Consequence) -> None:
        """Let something follow from every signature."""
        if consequence not in self._consequences:
            self._consequences.append(consequence)

    def tell(self, act: ReadAct, read: Read) -> None:
        """Do all that follows."""
        for consequence in self._consequences:
            consequence(act, read)


SIGNED = Signed()
