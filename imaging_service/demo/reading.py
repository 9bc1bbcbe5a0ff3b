"""A reader at work: take what is on the worklist, draw, say what is seen, sign; until nothing is left."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fixtures.demo.readers import Drawing, DrawnAxis, Reading, readings_of
from fixtures.demo.story import Story, Subject
from imaging_service.demo.progress import Progress
from imaging_service.demo.rest import Caller

MEANING = "I confirm this read."
_REASONS = {"not_evaluable": "Motion hides the lesion.", "progressed": "Unequivocal growth in every plane."}


def read_everything(
    reader: Caller, slot: str, story: Story, subjects: Mapping[str, Subject], progress: Progress
) -> None:
    """Read every timepoint that waits for this reader, in the order in which they open.

    Parameters
    ----------
    reader
        The caller.
    slot
        The reader's slot, which decides what this reader sees and how steady the hand is.
    story
        The story.
    subjects
        The story's subject behind each blinded reading id, which is all that the worklist shows.
    progress
        Where to say how far it is.
    """
    total = sum(len(subject.timepoints) for subject in story.subjects)
    signed = total - _waiting(reader, story, subjects)
    progress.count(signed, total, f"timepoints signed by {reader.account}")
    while worklist := list(reader.items("/worklist")):
        for entry in worklist:
            _read_one(reader, slot, story, subjects[entry["reading_id"]], entry)
            signed += 1
            progress.count(signed, total, f"timepoints signed by {reader.account}")


def lesion_payload(reading: Reading) -> Mapping[str, Any]:
    """Return what a reader submits about one lesion: points, never millimetres that count."""
    is_split = reading.state == "split"
    axes = [_axes(drawing) for drawing in reading.drawings]
    return {
        "role": reading.role,
        "location": reading.location,
        "is_nodal": reading.is_nodal,
        "state": reading.state,
        **({"reason": _REASONS[reading.state]} if reading.state in _REASONS else {}),
        **({"fragments": axes} if is_split else axes[0] if axes else {}),
    }


def _waiting(reader: Caller, story: Story, subjects: Mapping[str, Subject]) -> int:
    """Return how many timepoints this reader has still to sign: the listed ones and those behind them."""
    del story
    return sum(
        sum(
            str(timepoint.imaged_on) >= entry["imaged_on"]
            for timepoint in subjects[entry["reading_id"]].timepoints
        )
        for entry in reader.items("/worklist")
    )


def _read_one(reader: Caller, slot: str, story: Story, subject: Subject, entry: Mapping[str, Any]) -> None:
    timepoint = next(each for each in subject.timepoints if str(each.imaged_on) == entry["imaged_on"])
    read = reader.write("POST", f"/timepoints/{entry['timepoint_id']}/reads")
    address = f"/reads/{read['read_id']}"
    for reading in readings_of(story, subject, timepoint, slot):
        reader.write("PUT", f"{address}/lesions/{reading.lesion_id}", lesion_payload(reading))
    reader.write("POST", f"{address}/signature", {"password": reader.password, "meaning": MEANING})


def _axes(drawing: Drawing) -> Mapping[str, Any]:
    return {
        "long_axis": _axis(drawing, drawing.long_axis),
        "short_axis": _axis(drawing, drawing.short_axis),
    }


def _axis(drawing: Drawing, drawn: DrawnAxis) -> Mapping[str, Any]:
    length_mm = float(np.hypot(*np.subtract(drawn.end, drawn.start))) * drawn.pixel_mm
    return {
        "sop_instance_uid": str(drawing.sop_instance_uid),
        "frame": drawing.frame_number,
        "points": [list(drawn.start), list(drawn.end)],
        "claimed_mm": round(length_mm, 1),  # what the reader's screen shows; the server computes its own
    }
