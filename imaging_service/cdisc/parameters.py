"""What every analysis data set says of a parameter and of the evaluator that it follows from."""

from dataclasses import dataclass

from imaging_service.cdisc.data_set import Kind, Row, Variable
from imaging_service.cdisc.evaluator import Evaluator
from imaging_service.cdisc.rs import CRITERIA

PARAMETER_VARIABLES = (
    Variable("STUDYID", "Study Identifier", length=64),
    Variable("USUBJID", "Unique Subject Identifier", length=64),
    Variable("ASEQ", "Analysis Sequence Number", Kind.INTEGER),
    Variable("PARAMCD", "Parameter Code", length=8),
    Variable("PARAM", "Parameter", length=120),
    Variable("PARCAT1", "Parameter Category 1", length=40),
    Variable("PARCAT2", "Parameter Category 2", length=40),
    Variable("PARCAT3", "Parameter Category 3", length=40),
)
"""The first columns of each analysis data set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An evaluator with what its parameters are called.

    Attributes
    ----------
    evaluator
        The evaluator.
    suffix
        What is added to a parameter's code.
    """

    evaluator: Evaluator
    suffix: str

    def code(self, code: str) -> str:
        """Return a parameter's code for this evaluator."""
        return f"{code}{self.suffix}"

    def parameter(self, code: str, name: str, category: str) -> Row:
        """Return the columns that name a parameter.

        Parameters
        ----------
        code
            Its code without the evaluator, such as ``BOR``.
        name
            Its name with ``{}`` where the evaluator stands.
        category
            PARCAT1.
        """
        return {
            "PARAMCD": self.code(code),
            "PARAM": name.format(f"by {self.evaluator.label}"),
            "PARCAT1": category,
            "PARCAT2": self.evaluator.label,
            "PARCAT3": CRITERIA,
        }


def numbered(subject: Row, rows: list[Row]) -> list[Row]:
    """Return rows of a subject with their ASEQ."""
    return [{**subject, "ASEQ": number, **row} for number, row in enumerate(rows, start=1)]
