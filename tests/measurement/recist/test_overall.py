from itertools import product

import pytest

from measurement.recist.overall import NO_DISEASE, OVERALL, TABLE_1, TABLE_2, overall_response
from measurement.recist.responses import NewLesionFinding, NonTargetResponse, OverallResponse, TargetResponse
from tests.measurement.known_answers import known_answers


@pytest.mark.parametrize("row", known_answers("recist/overall_response.csv"))
def test_overall_response(row: dict[str, str]) -> None:
    overall = overall_response(
        TargetResponse(row["target"]),
        NonTargetResponse(row["non_target"]),
        NewLesionFinding(row["new_lesion"]),
    )
    assert overall is OverallResponse(row["expected"])


def test_every_combination_has_a_row() -> None:
    assert set(OVERALL) == set(product(TargetResponse, NonTargetResponse, NewLesionFinding))


def test_no_combination_has_two_rows() -> None:
    rows = (*TABLE_1, *TABLE_2, *NO_DISEASE)
    covered = [each for row in rows for each in product(row.targets, row.non_targets, row.new_lesions)]
    assert len(covered) == len(set(covered)) == len(OVERALL)
