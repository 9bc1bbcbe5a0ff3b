from typing import Any

import pytest

from measurement.errors import ObservationError
from measurement.lesions.lesion import NonTargetObservation, NonTargetState, TargetObservation, TargetState
from tests.measurement.recist.stories import mm

S = TargetState


@pytest.mark.parametrize(
    ("state", "values"),
    [
        (S.MEASURED, {"diameter": mm("12.5")}),
        (S.TOO_SMALL, {}),
        (S.TOO_SMALL, {"diameter": mm("4")}),
        (S.ABSENT, {}),
        (S.NOT_EVALUABLE, {}),
        (S.SPLIT, {"fragments": (mm("4"), mm("5"))}),
        (S.MERGED, {"merged_into": "T02"}),
    ],
)
def test_a_target_is_seen_in_one_way(state: TargetState, values: dict[str, Any]) -> None:
    assert TargetObservation(lesion_id="T01", state=state, **values).state is state


@pytest.mark.parametrize(
    ("state", "values", "why"),
    [
        (S.MEASURED, {}, "is measured but has no diameter."),
        (S.ABSENT, {"diameter": mm("3")}, "is absent and yet has a diameter of 3 mm."),
        (
            S.NOT_EVALUABLE,
            {"diameter": mm("3")},
            "is not_evaluable and yet has a diameter of 3 mm.",
        ),
        (S.SPLIT, {}, "is split with 0 fragments; a split lesion has some."),
        (
            S.MEASURED,
            {"diameter": mm("3"), "fragments": (mm("3"),)},
            "is measured with 1 fragments; a split lesion has some.",
        ),
        (S.MERGED, {}, "is merged and names None as the lesion it merged into."),
        (
            S.ABSENT,
            {"merged_into": "T02"},
            "is absent and names 'T02' as the lesion it merged into.",
        ),
        (S.MERGED, {"merged_into": "T01"}, "is said to have merged into itself."),
        (
            S.MEASURED,
            {"diameter": 12.5},
            "has a diameter of 12.5; a reported length is a Decimal.",
        ),
        (
            S.MEASURED,
            {"diameter": mm("-1")},
            "has a diameter of -1 mm; a length is finite and not negative.",
        ),
        (
            S.SPLIT,
            {"fragments": (mm("4"), mm("NaN"))},
            "has a fragment of NaN mm; a length is finite and not negative.",
        ),
    ],
)
def test_a_target_that_contradicts_itself_cannot_be_built(
    state: TargetState, values: dict[str, Any], why: str
) -> None:
    with pytest.raises(ObservationError) as refusal:
        TargetObservation(lesion_id="T01", state=state, **values)
    assert str(refusal.value) == f"Lesion T01 {why}"


def test_only_a_node_has_a_short_axis() -> None:
    with pytest.raises(ObservationError, match="is no lymph node and yet has a short axis"):
        NonTargetObservation(lesion_id="NT01", state=NonTargetState.PRESENT, short_axis=mm("9"))
