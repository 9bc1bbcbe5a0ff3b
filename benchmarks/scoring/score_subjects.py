"""How long the rules take: all responses and both best responses of many subjects.

Run as ``python benchmarks/scoring/score_subjects.py [subjects] [timepoints]``. Building the
observations is not counted. Memory is that of one subject at a time, as in a stream.
"""

import random
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from measurement.lesions.lesion import (
    NewLesionObservation,
    NewLesionState,
    NonTargetObservation,
    NonTargetState,
    TargetObservation,
    TargetState,
)
from measurement.recist.assess import assess_subject
from measurement.recist.observations import TimepointObservations
from measurement.units import ReportedMillimetres

START = date(2026, 1, 5)
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


def main(subjects: int = 10_000, timepoints: int = 8) -> None:
    """Print the figures."""
    answers: Counter[str] = Counter()
    spent = 0
    for observed in cohort(subjects, timepoints):
        began = time.process_time_ns()
        assessment = assess_subject(observed, anchor_on=START)
        spent += time.process_time_ns() - began
        answers[assessment.confirmed_best_overall.response.value] += 1
    each = spent / subjects / 1000
    print(f"{subjects} subjects x {timepoints} timepoints: {spent / 1e9:.3f} s of CPU, {each:.0f} us each")
    print("confirmed best overall response:", dict(sorted(answers.items())))
    tracemalloc.start()
    for observed in cohort(200, timepoints):
        assess_subject(observed, anchor_on=START)
    print(
        f"most memory held while streaming 200 subjects: {tracemalloc.get_traced_memory()[1] / 1024:.0f} KiB"
    )
    tracemalloc.stop()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
