"""How long the rules take: all responses, both best responses and all endpoints of many subjects.

Run as ``python benchmarks/scoring/score_subjects.py [subjects] [timepoints]``. Building the
observations is not counted. Memory is that of one subject at a time, as in a stream. On a machine
that others use as well, processor time grows with what they do; the fastest subjects in a row say
what it is without them.
"""

import random
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from measurement.endpoints.course import Course, SubjectDates
from measurement.endpoints.outcomes import SubjectOutcomes, subject_outcomes
from measurement.lesions.lesion import (
    NewLesionObservation,
    NewLesionState,
    NonTargetObservation,
    NonTargetState,
    TargetObservation,
    TargetState,
)
from measurement.protocol.trial import TrialProtocol
from measurement.recist.assess import assess_subject
from measurement.recist.assessment import SubjectAssessment
from measurement.recist.observations import TimepointObservations
from measurement.units import ReportedMillimetres

START = date(2026, 1, 5)
RUN = 100
PROTOCOL = TrialProtocol(trial_id="BENCHMARK", version="1", title="Subjects by dice")
TARGETS = ("T01", "T02", "T03", "T04")
NON_TARGETS = ("NT01", "NT02")


def subject(number: int, timepoints: int) -> list[TimepointObservations]:
    """Return a subject whose lesions first shrink and then grow, with some not evaluable."""
    dice = random.Random(number)  # noqa: S311 - a figure, not a secret
    sizes = {name: dice.randint(100, 600) for name in TARGETS}
    slope = dice.uniform(0.6, 1.1)
    return [
        timepoint(number, index, sizes, slope if index <= timepoints // 2 else 2 - slope, dice)
        for index in range(timepoints + 1)
    ]


def timepoint(
    subject_number: int, index: int, sizes: dict[str, int], factor: float, dice: random.Random
) -> TimepointObservations:
    """Return one timepoint; changes `sizes`, which are in tenths of a mm."""
    where = f"S{subject_number}-{index}"
    for name in TARGETS if index else ():
        sizes[name] = max(0, int(sizes[name] * factor))
    has_new = index > 3 and dice.random() < 0.05
    return TimepointObservations(
        timepoint_id=where,
        number=index,
        imaged_on=START + timedelta(days=42 * index),
        targets=tuple(target(where, name, sizes[name], index, dice) for name in TARGETS),
        non_targets=tuple(
            NonTargetObservation(lesion_id=name, state=NonTargetState.PRESENT, record_id=f"{where}-{name}")
            for name in NON_TARGETS
        ),
        new_lesions=(NewLesionObservation(lesion_id="NEW01", state=NewLesionState.UNEQUIVOCAL),)
        if has_new
        else (),
    )


def target(where: str, name: str, tenths: int, index: int, dice: random.Random) -> TargetObservation:
    """Return one target observation; T01 is a lymph node."""
    is_nodal = name == "T01"
    record_id = f"{where}-{name}"
    if index and dice.random() < 0.02:
        state = TargetState.NOT_EVALUABLE
        return TargetObservation(lesion_id=name, state=state, is_nodal=is_nodal, record_id=record_id)
    return TargetObservation(
        lesion_id=name,
        state=TargetState.MEASURED,
        is_nodal=is_nodal,
        diameter=ReportedMillimetres(Decimal(tenths).scaleb(-1)),
        record_id=record_id,
    )


def cohort(subjects: int, timepoints: int) -> Iterator[list[TimepointObservations]]:
    """Yield the subjects one by one."""
    return (subject(number, timepoints) for number in range(subjects))


def dates(number: int, timepoints: int) -> SubjectDates:
    """Return the dates of a subject: some die, some are treated otherwise."""
    dice = random.Random(-number)  # noqa: S311 - a figure, not a secret
    last = START + timedelta(days=42 * timepoints)
    return SubjectDates(
        starts_on=START,
        death_on=last + timedelta(days=dice.randint(1, 60)) if dice.random() < 0.2 else None,
        new_therapy_on=START + timedelta(days=dice.randint(100, 300)) if dice.random() < 0.1 else None,
        last_alive_on=last,
    )


def outcomes(assessment: SubjectAssessment, of: SubjectDates) -> SubjectOutcomes:
    """Return all endpoints: response, benefit, control, PFS, DoR, TTR, duration of SD, survival."""
    return subject_outcomes(Course(assessment=assessment, dates=of, protocol=PROTOCOL))


def main(subjects: int = 10_000, timepoints: int = 8) -> None:
    """Print the figures."""
    answers: Counter[str] = Counter()
    rules: list[int] = []
    endpoints: list[int] = []
    for number, observed in enumerate(cohort(subjects, timepoints)):
        known = dates(number, timepoints)
        began = time.process_time_ns()
        assessment = assess_subject(observed, anchor_on=START)
        assessed = time.process_time_ns()
        outcomes(assessment, known)
        ended = time.process_time_ns()
        rules.append(assessed - began)
        endpoints.append(ended - assessed)
        answers[assessment.confirmed_best_overall.response.value] += 1
    each = [sum(both) for both in zip(rules, endpoints, strict=True)]
    undisturbed = min(sum(each[start : start + RUN]) / RUN for start in range(0, subjects - RUN + 1, RUN))
    print(f"{subjects} subjects x {timepoints} timepoints, seconds of CPU (us a subject):")
    for what, spent in (
        ("responses and best responses", sum(rules)),
        ("endpoints", sum(endpoints)),
        ("in all", sum(each)),
        (f"in all, were each as the fastest {RUN}", undisturbed * subjects),
    ):
        print(f"  {what:<36} {spent / 1e9:6.3f}  ({spent / subjects / 1000:.0f})")
    print("confirmed best overall response:", dict(sorted(answers.items())))
    tracemalloc.start()
    for number, observed in enumerate(cohort(200, timepoints)):
        outcomes(assess_subject(observed, anchor_on=START), dates(number, timepoints))
    print(
        f"most memory held while streaming 200 subjects: {tracemalloc.get_traced_memory()[1] / 1024:.0f} KiB"
    )
    tracemalloc.stop()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
