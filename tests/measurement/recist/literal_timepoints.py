"""The response at each timepoint once more, slow and literal, to check the product against.

Nothing here is shared with the product but the type of its input. Lengths are fractions, and each
question is answered by looking at all timepoints again. E09 is Eisenhauer 2009, FAQ the RECIST
Working Group's answers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from measurement.lesions.lesion import NonTargetObservation, TargetObservation
from measurement.recist.observations import TimepointObservations


@dataclass(frozen=True)
class Switches:
    """The choices that the text leaves to the trial."""

    pr_hold: bool = True
    reappearance_after_cr: bool = True
    partial_sum_pd: bool = True


@dataclass(frozen=True)
class Answer:
    """What the rules say of one timepoint."""

    target: str
    non_target: str
    new_lesion: str
    overall: str
    sum_mm: Fraction | None
    progression_on: date | None


def answers(timepoints: Sequence[TimepointObservations], switches: Switches) -> list[Answer]:
    """Return the answer for each timepoint after the first, which is a sound baseline."""
    given: list[Answer] = []
    for index in range(1, len(timepoints)):
        given.append(_answer(timepoints[: index + 1], given, switches))
    return given


def _answer(
    timepoints: Sequence[TimepointObservations], before: Sequence[Answer], switches: Switches
) -> Answer:
    baseline, now = timepoints[0], timepoints[-1]
    if now.not_done:
        return Answer(
            "NE" if baseline.targets else "NA", "NE" if baseline.non_targets else "NA", "N", "NE", None, None
        )
    target = _target(timepoints, before, switches)
    non_target = _non_target(baseline, now, before, switches)
    new_lesion = _new_lesion(now)
    overall = _overall(target, non_target, new_lesion)
    return Answer(
        target,
        non_target,
        new_lesion,
        overall,
        _complete(_sizes(baseline, now)),
        _progression_on(timepoints, target, non_target) if overall == "PD" else None,
    )


def _size(seen: TargetObservation | None) -> Fraction | None:
    """Return what a target measures in mm; nothing when it was not seen or cannot be evaluated."""
    if seen is None or seen.state == "not_evaluable":
        return None
    if seen.diameter is not None:  # "actual measurements recorded, even when very small" (E09 4.3.2)
        return Fraction(seen.diameter)
    if seen.state == "too_small":  # "a default value of 5 mm should be assigned" (E09 4.3.2)
        return Fraction(5)
    if seen.state == "split":  # "the diameters of the fragmented portions should be added together"
        return sum((Fraction(each) for each in seen.fragments), Fraction(0))
    return Fraction(0)  # absent, or measured as part of the lesion that it merged into


def _sizes(baseline: TimepointObservations, now: TimepointObservations) -> list[Fraction | None]:
    return [_size(_of(each.lesion_id, now.targets)) for each in baseline.targets]


def _of(lesion_id: str, seen: Iterable[TargetObservation]) -> TargetObservation | None:
    return next((each for each in seen if each.lesion_id == lesion_id), None)


def _complete(sizes: Sequence[Fraction | None]) -> Fraction | None:
    known = [each for each in sizes if each is not None]
    return sum(known, Fraction(0)) if known and len(known) == len(sizes) else None


def _is_disease(seen: TargetObservation, *, is_node: bool) -> bool:
    """Whether a target that was assessed is there: above 0 mm, or as a node at least 10 mm."""
    size = _size(seen)
    if size is None or not is_node:
        return bool(size)
    return size >= 10 if not seen.fragments else max(Fraction(each) for each in seen.fragments) >= 10


def _remaining(baseline: TimepointObservations, now: TimepointObservations) -> bool:
    pairs = [(each, _of(each.lesion_id, now.targets)) for each in baseline.targets]
    return any(seen is not None and _is_disease(seen, is_node=each.is_nodal) for each, seen in pairs)


def _has_grown(timepoints: Sequence[TimepointObservations]) -> bool:
    """E09 4.3.1: at least 20 % and at least 5 mm above the smallest sum on study."""
    baseline, now = timepoints[0], timepoints[-1]
    sums = [_complete(_sizes(baseline, each)) for each in timepoints[:-1] if not each.not_done]
    nadir = min(each for each in sums if each is not None)
    seen = sum((each for each in _sizes(baseline, now) if each is not None), Fraction(0))
    return seen >= nadir + 5 and seen >= nadir * Fraction(120, 100)


def _target(  # noqa: PLR0911 - one return a sentence of the text
    timepoints: Sequence[TimepointObservations], before: Sequence[Answer], switches: Switches
) -> str:
    baseline, now = timepoints[0], timepoints[-1]
    if not baseline.targets:
        return "NA"
    total, at_baseline = _complete(_sizes(baseline, now)), _complete(_sizes(baseline, baseline))
    assert at_baseline is not None
    remaining = _remaining(baseline, now)
    if total is not None and not remaining:
        return "CR"
    # FAQ: once CR was assigned to the subject, the reappearance of any lesion is PD
    if remaining and switches.reappearance_after_cr and "CR" in [each.overall for each in before]:
        return "PD"
    if _has_grown(timepoints) and (total is not None or switches.partial_sum_pd):
        return "PD"
    if total is None:
        return "NE"
    if total <= at_baseline * Fraction(70, 100):
        return "PR"
    # FAQ: a PR continues unless the criteria for PD are met
    since_pd = [each.target for each in before]
    if "PD" in since_pd:
        since_pd = since_pd[len(since_pd) - since_pd[::-1].index("PD") :]
    if switches.pr_hold and ("PR" in since_pd or "CR" in since_pd):
        return "PR"
    return "SD"


def _is_there(seen: NonTargetObservation) -> bool:
    if seen.short_axis is not None:  # "all lymph nodes must be non-pathological in size (<10 mm)"
        return Fraction(seen.short_axis) >= 10
    return seen.state == "present"


def _non_target(
    baseline: TimepointObservations,
    now: TimepointObservations,
    before: Sequence[Answer],
    switches: Switches,
) -> str:
    followed = [each.lesion_id for each in baseline.non_targets]
    if not followed:
        return "NA"
    seen = [each for each in now.non_targets if each.lesion_id in followed]
    if any(each.state == "progressed" for each in seen):
        return "PD"
    there = [each for each in seen if each.state != "not_evaluable" and _is_there(each)]
    # A node is there again only when "unequivocally progressed (non-target lesion)" (FAQ)
    again = [each for each in there if not each.is_nodal]
    if again and switches.reappearance_after_cr and "CR" in [each.overall for each in before]:
        return "PD"
    if len(seen) < len(followed) or any(each.state == "not_evaluable" for each in seen):
        return "NE"
    return "NON-CR/NON-PD" if there else "CR"


def _new_lesion(now: TimepointObservations) -> str:
    states = [each.state for each in now.new_lesions]
    if "unequivocal" in states:
        return "Y"
    return "EQUIVOCAL" if "equivocal" in states else "N"


def _overall(target: str, non_target: str, new_lesion: str) -> str:
    """E09 Tables 1 and 2, row by row from the top."""
    if "PD" in (target, non_target) or new_lesion == "Y":
        return "PD"
    if target == "NA":
        return "NED" if non_target == "NA" else non_target
    if target == "CR":
        return "CR" if non_target in {"CR", "NA"} else "PR"
    return target


def _progression_on(timepoints: Sequence[TimepointObservations], target: str, non_target: str) -> date:
    """FDA, PFS appendix: the first scan of a new lesion, or the last that contributes to the sum."""
    now = timepoints[-1]
    assert now.imaged_on is not None
    days: list[date] = []
    if target == "PD":
        days.append(max(each.imaged_on or now.imaged_on for each in now.targets if _size(each) is not None))
    if non_target == "PD":
        progressed = [each for each in now.non_targets if each.state == "progressed"]
        if not progressed:
            progressed = [each for each in now.non_targets if _is_there(each) and not each.is_nodal]
        days += [each.imaged_on or now.imaged_on for each in progressed]
    for certain in now.new_lesions:
        if certain.state == "unequivocal":
            days.append(_first_seen(certain.lesion_id, timepoints))
    return min(days)


def _first_seen(lesion_id: str, timepoints: Sequence[TimepointObservations]) -> date:
    """Return the day of "the initial scan showing the new lesion" (E09 4.3.5); a refuted one never was."""
    first: date | None = None
    for timepoint in timepoints:
        for each in timepoint.new_lesions:
            if each.lesion_id != lesion_id:
                continue
            if each.state == "refuted":
                first = None
            elif first is None:
                first = each.imaged_on or timepoint.imaged_on
    assert first is not None
    return first
