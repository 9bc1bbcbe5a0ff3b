"""What an amendment would make of the answers that follow from a subject's signed reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from imaging_service.amendments.change import Amendment, Change, ChangeKind
from imaging_service.assessments.derivation import Inputs, assess, derive, restored, told
from imaging_service.assessments.repository import Assessment
from imaging_service.subjects.records import Subject
from imaging_service.timepoints.calendar import anchor_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The answers of one reader about one subject that count now, in reading order."""

    subject: Subject
    slot: int
    answers: Sequence[Assessment]

    @property
    def last(self) -> Assessment:
        """The answer that knows all that the reader has signed."""
        return self.answers[-1]


def courses_of(subject: Subject, answers: Sequence[Assessment]) -> Sequence[Course]:
    """Return a subject's courses: of each reader the newest answers about the reads that count now."""
    found: list[Course] = []
    for slot in sorted({each.slot for each in answers}):
        of_slot = {each.read_id: each for each in answers if each.slot == slot}
        last = max(of_slot.values(), key=lambda each: (each.position, each.derived_at, each.edition))
        known = [of_slot[each] for each in last.inputs["read_ids"] if each in of_slot]
        found.append(Course(subject=subject, slot=slot, answers=known))
    return found


def amended_inputs(amendment: Amendment, subject: Subject, answer: Assessment) -> Inputs | None:
    """Return the inputs of an answer under the new version, None where it stays under its own.

    A version applies to the timepoints that are imaged from its effective day on.
    """
    inputs = restored(answer.inputs)
    own = next((each for each in inputs.observations if each.timepoint_id == inputs.timepoint_id), None)
    imaged_on = None if own is None else own.imaged_on
    effective_on = amendment.after.effective_on
    if effective_on is not None and (imaged_on is None or imaged_on < effective_on):
        return None
    baseline_on = next((each.imaged_on for each in inputs.observations if each.number == 0), None)
    anchor = anchor_on(subject, amendment.after.schedule, baseline_on)
    return replace(inputs, criteria=amendment.after.criteria, anchor_on=anchor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """An answer as it is stored, and as it would be."""

    answer: Assessment
    inputs: Inputs
    after: Mapping[str, Any]

    @property
    def number(self) -> str | None:
        """The timepoint's number, or the day of an unscheduled one."""
        own = self._own
        return None if own is None else str(own.imaged_on if own.number is None else own.number)

    @property
    def imaged_on(self) -> date | None:
        """The timepoint's day."""
        return None if self._own is None else self._own.imaged_on

    @property
    def _own(self) -> Any:  # noqa: ANN401  what was seen at the timepoint, if anything
        wanted = self.inputs.timepoint_id
        return next((each for each in self.inputs.observations if each.timepoint_id == wanted), None)


def amended(amendment: Amendment, course: Course) -> Sequence[Amended]:
    """Derive anew, under the new version, each answer of a course that it would apply to.

    Without a new lesion nothing that is seen later changes an earlier verdict, so that one derivation
    answers for the whole course; a new lesion may be confirmed or refuted later, and then each answer is
    derived from what was seen until then.
    """
    last = amended_inputs(amendment, course.subject, course.last)
    if last is None or any(each.new_lesions for each in last.observations):
        return _one_by_one(amendment, course)
    found = assess(last)
    effective_on = amendment.after.effective_on
    days = {each.timepoint_id: each.imaged_on for each in last.observations}
    verdicts = {each.timepoint_id: each for each in found.timepoints}
    amended: list[Amended] = []
    for answer in course.answers:
        day = days.get(answer.timepoint_id)
        if effective_on is not None and (day is None or day < effective_on):
            continue
        verdict = verdicts.get(answer.timepoint_id)
        is_same = verdict is not None and verdict.overall_response == answer.overall_response
        after: Mapping[str, Any] = answer.answer
        if answer.read_id == course.last.read_id or not is_same:
            after = told(found, answer.timepoint_id)
        inputs = replace(last, timepoint_id=answer.timepoint_id)
        amended.append(Amended(answer=answer, inputs=inputs, after=after))
    return amended


def _one_by_one(amendment: Amendment, course: Course) -> Sequence[Amended]:
    found: list[Amended] = []
    for answer in course.answers:
        inputs = amended_inputs(amendment, course.subject, answer)
        if inputs is not None:
            found.append(Amended(answer=answer, inputs=inputs, after=derive(inputs)))
    return found


def changes_of(amendment: Amendment, course: Course, derived: Sequence[Amended]) -> Iterator[Change]:
    """Yield what would change in a course: responses, then what is said about the subject."""
    for each in derived:
        yield from _response(amendment, course, each)
    if derived and derived[-1].answer.read_id == course.last.read_id:
        yield from _about_subject(amendment, course, derived[-1])


def _response(amendment: Amendment, course: Course, found: Amended) -> Iterator[Change]:
    before = (found.answer.answer["timepoint"] or {}).get("overall_response")
    verdict = found.after["timepoint"] or {}
    after = verdict.get("overall_response")
    if before != after:
        yield _change(amendment, ChangeKind.RESPONSE, course, found, (before, after), _sentence(verdict))


def _about_subject(amendment: Amendment, course: Course, found: Amended) -> Iterator[Change]:
    before, after = found.answer.answer, found.after
    for kind, name in (
        (ChangeKind.BEST_RESPONSE, "best_overall"),
        (ChangeKind.CONFIRMED_BEST_RESPONSE, "confirmed_best_overall"),
    ):
        values = (before[name]["response"], after[name]["response"])
        if values[0] != values[1]:
            yield _change(amendment, kind, course, replace(found), values, _sentence(after[name]))
    days = tuple(
        None if each["progression"] is None else each["progression"]["progressed_on"]
        for each in (before, after)
    )
    if days[0] != days[1]:
        sentence = _sentence(after["progression"] or {})
        yield _change(amendment, ChangeKind.PROGRESSION, course, found, (days[0], days[1]), sentence)


def _sentence(said: Mapping[str, Any]) -> str:
    reasons = said.get("reasons") or []
    return str(reasons[0]["sentence"]) if reasons else ""


def _change(  # noqa: PLR0913, PLR0917  a change has this many sides
    amendment: Amendment,
    kind: ChangeKind,
    course: Course,
    found: Amended,
    values: tuple[Any, Any],
    sentence: str,
) -> Change:
    is_of_timepoint = kind is ChangeKind.RESPONSE
    return Change(
        kind=kind,
        subject_id=course.subject.subject_id,
        site_id=course.subject.site_id,
        slot=course.slot,
        timepoint=found.number if is_of_timepoint else None,
        imaged_on=str(found.imaged_on) if is_of_timepoint else None,
        before=str(values[0] or "none"),
        after=str(values[1] or "none"),
        why=amendment.why(kind, sentence),
    )
