"""The tables at the end of the demo, as plain text."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from imaging_service.demo.results import EndingResult, OccasionResult, StrayResult, SubjectResult

_TIMEPOINT_HEAD = (
    "subject",
    "imaged on",
    "placement",
    "sum mm",
    "baseline %",
    "nadir %",
    "target",
    "non-target",
    "new",
    "overall",
)
_SUBJECT_HEAD = ("subject", "site", "best response", "progression-free survival", "readers")


def timepoint_table(subjects: Sequence[SubjectResult]) -> str:
    """Return subject x timepoint; where the two readers differ, both stand there: ``SD | PD``."""
    rows = [
        (subject.subject_id if first else "", *_timepoint_row(occasion))
        for subject in subjects
        for first, occasion in _with_first(subject.occasions)
    ]
    return _table(_TIMEPOINT_HEAD, rows)


def subject_table(subjects: Sequence[SubjectResult]) -> str:
    """Return best response and progression-free survival of each subject."""
    rows = [
        (
            subject.subject_id,
            subject.site_id,
            _both({slot: ending.best_response for slot, ending in subject.endings.items()}),
            _both({slot: _survival(ending) for slot, ending in subject.endings.items()}),
            "discordant" if subject.is_discordant else "agree",
        )
        for subject in subjects
    ]
    return _table(_SUBJECT_HEAD, rows)


def stray_table(strays: Sequence[StrayResult]) -> str:
    """Return what belongs to no subject, each with its reason."""
    return _table(("what", "reason"), [(stray.what, stray.reason) for stray in strays])


def _with_first(occasions: Sequence[OccasionResult]) -> Iterator[tuple[bool, OccasionResult]]:
    return ((number == 0, occasion) for number, occasion in enumerate(occasions))


def _timepoint_row(occasion: OccasionResult) -> tuple[str, ...]:
    answers = occasion.by_reader
    return (
        occasion.imaged_on.isoformat(),
        occasion.placement.replace("_", " "),
        _both({slot: _number(answer.sum_mm) for slot, answer in answers.items()}),
        _both({slot: _change(answer.from_baseline) for slot, answer in answers.items()}),
        _both({slot: _change(answer.from_nadir) for slot, answer in answers.items()}),
        _both({slot: answer.target or "-" for slot, answer in answers.items()}),
        _both({slot: answer.non_target or "-" for slot, answer in answers.items()}),
        _both({slot: "yes" if answer.new else "no" for slot, answer in answers.items()}),
        _both({slot: answer.overall or "-" for slot, answer in answers.items()}),
    )


def _both(by_reader: Mapping[str, str]) -> str:
    """Return what all readers say, or each one's word in the order of their slots."""
    said = [by_reader[slot] for slot in sorted(by_reader)]
    return said[0] if len(set(said)) == 1 else " | ".join(said)


def _number(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _change(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:+.1f}"


def _survival(ending: EndingResult) -> str:
    what = "event" if ending.is_event else "censored"
    days = "" if ending.progression_free_days is None else f" (day {ending.progression_free_days})"
    return f"{what} on {ending.progression_free_on}{days}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return columns as wide as their widest cell.

    Examples
    --------
    >>> print(_table(("a", "b"), [("1", "22")]))
    a  b
    -  --
    1  22
    """
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
