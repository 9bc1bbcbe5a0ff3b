"""Who assessed: SDTM's --EVAL and --EVALID, and how analysis parameters name them."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from imaging_service.cdisc.record import Record

_READER = re.compile(r"(?:RADIOLOGIST|READER|ASSESSOR)\D*(\d)")


class Evaluator(NamedTuple):
    """An evaluator of images.

    Attributes
    ----------
    role
        --EVAL in upper case: INVESTIGATOR, INDEPENDENT ASSESSOR; empty when the data does not say.
    identifier
        --EVALID in upper case: RADIOLOGIST 1; empty when there is one evaluator of that role.
    """

    role: str
    identifier: str

    @classmethod
    def of(cls, record: Record, domain: str) -> "Evaluator":
        """Return the evaluator of a record of TU, TR or RS."""
        return cls(record.word(f"{domain}EVAL"), record.word(f"{domain}EVALID"))

    @property
    def label(self) -> str:
        """What the evaluator is called in tables: ``Investigator``, ``Radiologist 1``."""
        return (self.identifier or self.role or "All assessments").capitalize()

    @property
    def is_adjudicator(self) -> bool:
        """Whether only subjects in dispute are assessed."""
        return "ADJUDICAT" in f"{self.role} {self.identifier}"

    def is_named(self, wanted: str) -> bool:
        """Whether a person means this evaluator by a word."""
        return " ".join(wanted.upper().split()) in {self.role, self.identifier, self.label.upper()}


def in_order(evaluators: Iterable[Evaluator]) -> list[Evaluator]:
    """Return evaluators by name, the investigator first."""
    return sorted(set(evaluators), key=lambda each: (each.role != "INVESTIGATOR", each))


def suffixes(evaluators: Iterable[Evaluator]) -> dict[Evaluator, str]:
    """Return what is added to a parameter's code, so that each evaluator has parameters of its own.

    Parameters
    ----------
    evaluators
        All evaluators of a trial.

    Returns
    -------
    dict
        Nothing for a sole evaluator and for the investigator; ``R1`` for the first radiologist and ``B`` for
        a blinded review without radiologists, as admiralonco names them; a number for any other.

    Examples
    --------
    >>> site, reader = Evaluator("INVESTIGATOR", ""), Evaluator("INDEPENDENT ASSESSOR", "RADIOLOGIST 2")
    >>> list(suffixes([site, reader]).values()), list(suffixes([reader]).values())
    (['', 'R2'], [''])
    """
    ordered = in_order(evaluators)
    if len(ordered) == 1:
        return {ordered[0]: ""}
    given: dict[Evaluator, str] = {}
    for number, evaluator in enumerate(ordered, start=1):
        suffix = _suffix(evaluator)
        given[evaluator] = f"X{number}" if suffix is None or suffix in given.values() else suffix
    return given


def _suffix(evaluator: Evaluator) -> str | None:
    if evaluator.is_adjudicator:
        return "A"
    if evaluator.identifier:
        reader = _READER.search(evaluator.identifier)
        return f"R{reader.group(1)}" if reader else None
    if evaluator.role == "INVESTIGATOR":
        return ""
    return "B" if evaluator.role == "INDEPENDENT ASSESSOR" else None
