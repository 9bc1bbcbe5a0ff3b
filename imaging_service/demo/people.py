"""The demo's accounts. Their passwords are printed: the demo listens on this machine only."""

from collections.abc import Sequence
from dataclasses import dataclass

from fixtures.demo.story import Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who signs in."""

    account: str
    name: str
    role: str

    @property
    def password(self) -> str:
        """A password that nobody has to look up."""
        return f"{self.account} plays the demo"


ADMINISTRATOR = Person(account="demo.admin", name="Dr Cleo Administrator", role="administrator")
COORDINATOR = Person(account="demo.coordinator", name="Dana Coordinator", role="coordinator")
SPONSOR = Person(account="demo.sponsor", name="Eli Sponsor", role="sponsor")


def readers_of(story: Story) -> Sequence[Person]:
    """Return the readers in the order of their slots."""
    return [Person(account=reader.account, name=reader.name, role="reader") for reader in story.readers]


def everybody(story: Story) -> Sequence[Person]:
    """Return every account of the demo."""
    return [ADMINISTRATOR, COORDINATOR, SPONSOR, *readers_of(story)]
