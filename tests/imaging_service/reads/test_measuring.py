"""Points become millimetres by the frame's own geometry, or are refused with the reason."""

from typing import Any

import pytest

from imaging_service.reads.errors import TimepointWithoutImagesError
from imaging_service.reads.measuring import Drawing, measure
from imaging_service.reads.read import Axis
from tests.builders.reading import (
    PROTOCOL,
    Imaged,
    ReadingRoom,
    long_axis,
    measured,
    node,
    reading_room,
    short_axis,
    state,
)
from tests.builders.service import running_service


def test_the_server_computes_the_millimetres_on_anisotropic_pixels(room: ReadingRoom) -> None:
    room.enrol("A-1")
    baseline = room.image("A-1", 0)
    read_id = room.open("reader1", baseline)
    # 30 columns of 0.5 mm and 20 rows of 1 mm: the hypotenuse of 15 and 20
    axis = {"sop_instance_uid": baseline.instance, "frame": 2, "points": [[10, 10], [40, 30]]}
    answer = room.enter(
        "reader1", read_id, "T01", {"state": "measured", "location": "liver", "long_axis": axis}
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["axes"][0]["length_mm"] == pytest.approx(25.0)
    assert answer.json()["diameter_mm"] == "25.0"
    assert answer.json()["organ"] == "liver"


def test_a_node_is_measured_by_the_short_axis_that_was_drawn(
    quick_room: ReadingRoom, baseline: Imaged, read_id: str
) -> None:
    answer = quick_room.enter("reader1", read_id, "T01", node(baseline, 16.0, "axillary lymph node"))
    assert answer.json()["diameter_mm"] == "16.0"
    assert [axis["length_mm"] for axis in answer.json()["axes"]] == [20.0, 16.0]


def test_a_length_that_the_client_computed_otherwise_is_a_finding_and_never_used(
    quick_room: ReadingRoom, baseline: Imaged, read_id: str
) -> None:
    body = measured(baseline, 30.0, "liver", long_axis=long_axis(baseline, 30.0, claimed_mm=60.0))
    answer = quick_room.enter("reader1", read_id, "T01", body).json()
    assert answer["diameter_mm"] == "30.0"
    (finding,) = answer["findings"]
    assert finding["code"] == "claim_swaps_spacings"
    assert "60.00 mm" in finding["sentence"]
    assert "30.00 mm" in finding["sentence"]


def test_the_protocol_says_how_far_a_claim_may_differ(sqlite_url: str) -> None:
    lax = PROTOCOL.read_text().replace("claim_tolerance_mm = 0.1", "claim_tolerance_mm = 2.0")
    with running_service(sqlite_url) as running:
        room = reading_room(running, lax.encode())
        room.enrol("A-1")
        baseline = room.image("A-1", 0)
        read_id = room.open("reader1", baseline)
        body = measured(baseline, 30.0, "liver", long_axis=long_axis(baseline, 30.0, claimed_mm=31.9))
        assert room.enter("reader1", read_id, "T01", body).json()["findings"] == []
        body = measured(baseline, 30.0, "liver", long_axis=long_axis(baseline, 30.0, claimed_mm=32.1))
        (finding,) = room.enter("reader1", read_id, "T02", body).json()["findings"]
        assert finding["code"] == "claim_differs"


def test_a_claim_within_a_tenth_of_a_millimetre_is_no_finding(
    quick_room: ReadingRoom, baseline: Imaged, read_id: str
) -> None:
    body = measured(baseline, 30.0, "liver", long_axis=long_axis(baseline, 30.0, claimed_mm=30.09))
    assert quick_room.enter("reader1", read_id, "T01", body).json()["findings"] == []


def test_a_small_target_is_kept_with_its_finding_beside_it(
    quick_room: ReadingRoom, baseline: Imaged, read_id: str
) -> None:
    answer = quick_room.enter("reader1", read_id, "T01", measured(baseline, 9.5, "liver"))
    assert answer.status_code == 201
    (finding,) = answer.json()["findings"]
    assert finding["code"] == "too_small"
    assert "9.5 mm" in finding["sentence"]
    assert "10 mm" in finding["sentence"]


def off(axis: dict[str, Any], **change: Any) -> dict[str, Any]:
    return {"state": "measured", "location": "liver", "long_axis": {**axis, **change}}


@pytest.mark.parametrize(
    ("change", "code", "found", "wanted"),
    [
        pytest.param(
            {"points": [[20, 100], [255.6, 100]]}, "point_outside_image", "255.6", "256 columns", id="outside"
        ),
        pytest.param({"frame": 3}, "frame_unknown", "Frame 3", "1 to 2", id="frame the instance has not"),
        pytest.param(
            {"sop_instance_uid": "1.2.3"},
            "instance_elsewhere",
            "1.2.3",
            "its own images",
            id="foreign instance",
        ),
        pytest.param({"points": [[5, 5], [5, 5]]}, "zero_length", "5", "two", id="no length"),
    ],
)
def test_points_that_cannot_be_measured_are_refused(  # noqa: PLR0917  a table row has as many columns
    quick_room: ReadingRoom,
    baseline: Imaged,
    read_id: str,
    change: dict[str, Any],
    code: str,
    found: str,
    wanted: str,
) -> None:
    answer = quick_room.enter("reader1", read_id, "T01", off(long_axis(baseline, 30.0), **change))
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == code
    assert found in answer.json()["detail"]
    assert wanted in answer.json()["detail"]
    kept = quick_room.service.get(f"/reads/{read_id}", "reader1").json()
    assert kept["lesions"] == []
    assert kept["version"] == 0


def test_a_frame_without_calibrated_spacing_is_refused(
    quick_room: ReadingRoom, baseline: Imaged, read_id: str
) -> None:
    change = {"sop_instance_uid": baseline.uncalibrated}
    answer = quick_room.enter("reader1", read_id, "T01", off(long_axis(baseline, 30.0), **change))
    assert answer.status_code == 422
    assert answer.json()["code"] == "frame_unmeasurable"
    assert "no calibrated pixel spacing" in answer.json()["detail"]


def test_an_instance_of_another_timepoint_is_refused(
    quick_room: ReadingRoom, subject: str, read_id: str
) -> None:
    later = quick_room.image(subject, 1)
    answer = quick_room.enter("reader1", read_id, "T01", measured(later, 30.0, "liver"))
    assert answer.status_code == 422
    assert answer.json()["code"] == "instance_elsewhere"


def test_axes_on_two_frames_are_refused(quick_room: ReadingRoom, baseline: Imaged, read_id: str) -> None:
    body = node(baseline, 16.0, "axillary lymph node", short_axis=short_axis(baseline, 16.0, frame=2))
    answer = quick_room.enter("reader1", read_id, "T01", body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "axes_on_different_frames"
    assert "frame 1" in answer.json()["detail"]
    assert "frame 2" in answer.json()["detail"]


def test_a_point_on_a_third_coordinate_is_no_point(
    quick_room: ReadingRoom, baseline: Imaged, read_id: str
) -> None:
    axis = long_axis(baseline, 30.0, points=[[20, 100, 1], [80, 100, 2]])
    answer = quick_room.enter("reader1", read_id, "T01", off(axis))
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


def test_a_node_without_a_short_axis_is_refused(
    quick_room: ReadingRoom, baseline: Imaged, read_id: str
) -> None:
    body = measured(baseline, 20.0, "axillary lymph node", is_nodal=True)
    answer = quick_room.enter("reader1", read_id, "T01", body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "axis_missing"
    assert "short axis drawn" in answer.json()["detail"]
    assert "found a long axis" in answer.json()["detail"]


def test_axes_that_do_not_cross_are_refused(quick_room: ReadingRoom, baseline: Imaged, read_id: str) -> None:
    apart = short_axis(baseline, 16.0, points=[[24, 10], [24, 26]])
    answer = quick_room.enter("reader1", read_id, "T01", node(baseline, 16.0, "axilla", short_axis=apart))
    assert answer.status_code == 422
    assert answer.json()["code"] == "axes_do_not_cross"


def test_a_malformed_uid_is_refused(quick_room: ReadingRoom, baseline: Imaged, read_id: str) -> None:
    body = off(long_axis(baseline, 30.0), sop_instance_uid="1.02.../etc/passwd")
    answer = quick_room.enter("reader1", read_id, "T01", body)
    assert answer.status_code == 422
    assert answer.json()["findings"][0]["at"][-1] == "sop_instance_uid"


def test_a_present_non_target_needs_no_axis(quick_room: ReadingRoom, read_id: str) -> None:
    answer = quick_room.enter("reader1", read_id, "NT01", state("present", "pleura"))
    assert answer.status_code == 201
    assert answer.json()["diameter_mm"] is None


def test_a_measurement_for_a_timepoint_without_an_image_is_refused() -> None:
    drawing = Drawing(
        axis=Axis.LONG,
        fragment=0,
        sop_instance_uid="1.2.3",
        frame=1,
        start=(0.0, 0.0),
        end=(9.0, 0.0),
        claimed_mm=None,
    )
    with pytest.raises(TimepointWithoutImagesError) as refused:
        measure([drawing], {}, instance_count=0)
    assert refused.value.status == 422
    assert refused.value.detail == (
        "The timepoint has 0 images; a measurement is drawn on one of its images."
    )
