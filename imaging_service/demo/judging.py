"""Compare what the service answered with the answers that the story has worked out by hand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from fixtures.demo.readers import Drawing, readings_of
from fixtures.demo.story import Story, Stray, Subject, Timepoint
from imaging_service.demo.results import (
    EndingResult,
    OccasionResult,
    StrayResult,
    SubjectResult,
    TimepointResult,
)

LARGEST_ERROR_PIXELS = 1.0
_ROUNDING_MM = 0.05  # a diameter is reported to 0.1 mm
_ROUNDING_PERCENT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One reader's read of one timepoint, as the story tells it."""

    story: Story
    subject: Subject
    timepoint: Timepoint
    slot: str

    def __str__(self) -> str:
        return f"{self.subject.subject_id} on {self.timepoint.imaged_on}, reader {self.slot}"

    @property
    def drawings(self) -> Mapping[tuple[str, int], Drawing]:
        """What the reader draws, by lesion and fragment (0 for the whole lesion)."""
        return {
            (reading.lesion_id, number if reading.state == "split" else 0): drawing
            for reading in readings_of(self.story, self.subject, self.timepoint, self.slot)
            for number, drawing in enumerate(reading.drawings, start=1)
        }

    @property
    def sum_mm(self) -> float:
        return self.timepoint.sum or 0.0

    @property
    def slack_mm(self) -> float:
        """How far the sum may be off: a pixel for every diameter in it."""
        return sum(
            LARGEST_ERROR_PIXELS * drawing.reported.pixel_mm + _ROUNDING_MM
            for drawing in self.drawings.values()
        )

    @property
    def earlier(self) -> Sequence["_Read"]:
        """The reads of this reader before this one that have a complete sum."""
        return [
            replace(self, timepoint=timepoint)
            for timepoint in self.subject.timepoints
            if timepoint.imaged_on < self.timepoint.imaged_on and timepoint.sum is not None
        ]


def differences(story: Story, results: Sequence[SubjectResult]) -> Iterator[str]:
    """Yield a sentence for everything that is not as the story expects."""
    found = {result.subject_id: result for result in results}
    for subject in story.subjects:
        result = found.pop(subject.subject_id, None)
        if result is None:
            yield f"{subject.subject_id} has no answers."
        else:
            yield from _differences_of_subject(story, subject, result)
    yield from (f"{subject_id} is answered about and not in the story." for subject_id in found)


def stray_differences(strays: Sequence[Stray], results: Sequence[StrayResult]) -> Iterator[str]:
    """Yield a sentence if the stray studies did not all end where they should."""
    expected = sorted(stray.unmatched_code for stray in strays)
    found = sorted(result.code for result in results)
    yield from _unlike("The strays", "ends ('' is refused)", found, expected)


def largest_error_pixels(story: Story, results: Sequence[SubjectResult]) -> float:
    """Return how far the server's diameters are from the phantom's truth at most, in pixels."""
    return max(
        abs(float(measured) - drawing.reported.truth.length_mm) / drawing.reported.pixel_mm
        for measured, drawing in _measured(story, results)
    )


def _measured(story: Story, results: Sequence[SubjectResult]) -> Iterator[tuple[Decimal, Drawing]]:
    subjects = {subject.subject_id: subject for subject in story.subjects}
    for result in results:
        subject = subjects[result.subject_id]
        for timepoint, occasion in zip(subject.timepoints, result.occasions, strict=True):
            for slot, answer in occasion.by_reader.items():
                read = _Read(story=story, subject=subject, timepoint=timepoint, slot=slot)
                for key, drawing in read.drawings.items():
                    yield answer.diameters_mm[key], drawing


def _differences_of_subject(story: Story, subject: Subject, result: SubjectResult) -> Iterator[str]:
    where = subject.subject_id
    yield from _unlike(where, "site", result.site_id, subject.site_id)
    yield from _unlike(where, "discordance of the readers", result.is_discordant, subject.is_discordant)
    imaged = [str(occasion.imaged_on) for occasion in result.occasions]
    expected = [str(timepoint.imaged_on) for timepoint in subject.timepoints]
    yield from _unlike(where, "list of imaging days", imaged, expected)
    if imaged == expected:
        for timepoint, occasion in zip(subject.timepoints, result.occasions, strict=True):
            where = f"{subject.subject_id} on {timepoint.imaged_on}"
            yield from _unlike(where, "placement", occasion.placement, timepoint.placement)
            for reader in story.readers:
                read = _Read(story=story, subject=subject, timepoint=timepoint, slot=reader.slot)
                yield from _differences_of_read(read, occasion)
    for reader in story.readers:
        yield from _differences_at_the_end(subject, reader.slot, result.endings.get(reader.slot))


def _differences_of_read(read: _Read, occasion: OccasionResult) -> Iterator[str]:
    answer = occasion.by_reader.get(read.slot)
    if answer is None:
        yield f"{read}: there is no answer."
        return
    yield from _unlike_responses(read, answer)
    yield from _unlike_numbers(read, answer)


def _unlike_responses(read: _Read, answer: TimepointResult) -> Iterator[str]:
    expected = read.timepoint.answer_of(read.slot)
    if expected is None:
        yield from _unlike(read, "overall response at baseline", answer.overall, None)
        return
    yield from _unlike(read, "target response", answer.target, expected.target)
    yield from _unlike(read, "non-target response", answer.non_target, expected.non_target)
    yield from _unlike(read, "presence of a new lesion", answer.new, expected.new)
    yield from _unlike(read, "overall response", answer.overall, expected.overall)


def _unlike_numbers(read: _Read, answer: TimepointResult) -> Iterator[str]:
    """Compare the sum, and the changes by as much as the sums behind them may be off."""
    yield from _apart(read, "sum of diameters in mm", answer.sum_mm, read.timepoint.sum, read.slack_mm)
    if not read.earlier:
        return
    nadir = min(read.earlier, key=lambda each: each.sum_mm)
    changes = (
        ("change from baseline in %", answer.from_baseline, read.timepoint.from_baseline, read.earlier[0]),
        ("change from nadir in %", answer.from_nadir, read.timepoint.from_nadir, nadir),
    )
    for what, found, expected, against in changes:
        ratio = 1 + (expected or 0.0) / 100
        slack_mm = read.slack_mm + ratio * against.slack_mm
        slack = 100 * slack_mm / (against.sum_mm - against.slack_mm) + _ROUNDING_PERCENT
        yield from _apart(read, what, found, expected, slack)


def _differences_at_the_end(subject: Subject, slot: str, ending: EndingResult | None) -> Iterator[str]:
    where = f"{subject.subject_id}, reader {slot}"
    if ending is None:
        yield f"{where}: there is no outcome."
        return
    expected = subject.ending_of(slot)
    survival = expected.progression_free
    yield from _unlike(where, "best overall response", ending.best_response, expected.best_response)
    yield from _unlike(where, "progression (true) or censoring (false)", ending.is_event, survival.is_event)
    yield from _unlike(where, "end of progression-free survival", ending.progression_free_on, survival.on)


def _unlike(where: object, what: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{where}: the {what} is {found}; {expected} was expected."


def _apart(
    where: object, what: str, found: Decimal | None, expected: float | None, slack: float
) -> Iterator[str]:
    if found is None or expected is None:
        yield from _unlike(where, what, found, expected)
    elif abs(float(found) - expected) > slack:
        yield f"{where}: the {what} is {found}; {expected} within {slack:.1f} was expected."
