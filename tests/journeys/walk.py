"""Walks an endpoint down to the receipts, and computes each number anew from those below it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from imaging_service.audit import receipts
from measurement.geometry.plane import ImagePlane
from measurement.lesions.lesion import (
    NewLesionObservation,
    NewLesionState,
    TargetObservation,
    TargetState,
)
from measurement.protocol.trial import TrialProtocol, protocol_from_mapping
from measurement.recist.assess import assess_subject
from measurement.recist.observations import TimepointObservations
from measurement.units import Millimetres, ReportedMillimetres, round_reported
from tests.journeys.two_years import TwoYears

Answer = Mapping[str, Any]
EVENTS = {"Documented progression": "PD", "First response": ("PR", "CR")}


@dataclass(kw_only=True)
class Walk:
    """One walk through many endpoints; what a link answers is kept."""

    journey: TwoYears
    links: int = 0
    """How many links another route has answered."""
    _kept: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        house = self.journey.house
        while receipts.enter(house.service.database, house.archive, house.service.clock):
            continue

    def provenance(self, subject_id: str, endpoint: str, **query: str) -> Any:
        """Return where an endpoint comes from."""
        path = f"/subjects/{subject_id}/outcomes/{endpoint}/provenance"
        return self.journey.ok("GET", path, "sponsor", params=query)

    def get(self, path: str, account: str = "coordinator", **query: Any) -> Any:
        """Follow a link; anything but success ends the walk."""
        key = (path, str(sorted(query.items())))
        if key not in self._kept:
            self._kept[key] = self.journey.any("GET", path, account, params=query)
        self.links += 1
        return self._kept[key]

    def protocol(self, found: Answer, version: str) -> TrialProtocol:
        """Return a version of the protocol."""
        path = f"/trials/{found['trial_id']}/protocol"
        return protocol_from_mapping(self.get(path, version=version)["protocol"])

    def of_subject(self, found: Answer) -> None:
        """Walk everything that an answer holds."""
        for reader in found["readers"]:
            self._time(found, reader)
            if reader["judged_under"] is None:
                assert reader["timepoints"] == []
                continue
            protocol = self.protocol(found, reader["judged_under"])
            for step in reader["timepoints"]:
                self._step(found, step, protocol)
            _responses(reader, protocol, found["as_of"])
        self._site(found)

    def _time(self, found: Answer, side: Answer) -> None:
        """Count the days from both ends, and follow each end to the record that says it."""
        if side["time"] is None:
            return
        starts, ends, time = side["starts"], side["ends"], side["time"]
        counted = (date.fromisoformat(ends["on"]) - date.fromisoformat(starts["on"])).days + 1
        assert (starts["on"], ends["on"], counted) == (time["starts_on"], time["ends_on"], time["days"])
        for end in (starts, ends):
            if end["timepoint_id"] is None:
                path = f"/trials/{found['trial_id']}/subjects/{found['subject_id']}"
                said = [
                    each[end["what"]]
                    for each in self.get(f"{path}/versions")
                    if each["version"] == end["subject_version"]
                ]
                assert said == [end["on"]]
                after = self.entry(end["audit"])["after"]
                assert after[end["what"]] == end["on"]
            else:
                assert self.get(_timepoint(found, end))["imaged_on"] == end["on"]

    def entry(self, link: Answer) -> Any:
        """Return the audit's entry behind a link."""
        query = {name: link[name] for name in ("entity", "entity_id", "action")}
        entries = self.get("/audit", "administrator", limit=500, **query)["items"]
        (entry,) = [each for each in entries if each["sequence"] == link["sequence"]]
        assert entry["hash"] == link["hash"]
        return entry

    def _step(self, found: Answer, step: Answer, protocol: TrialProtocol) -> None:
        timepoint = self.get(_timepoint(found, step))
        assert (timepoint["number"], timepoint["imaged_on"]) == (step["number"], step["imaged_on"])
        assert [each["study_instance_uid"] for each in step["studies"]] == timepoint["study_instance_uids"]
        for each in step["studies"]:
            assert self.entry(each["audit"])["after"]["timepoint_id"] == step["timepoint_id"]
        read = self.get(f"/reads/{step['read']['read_id']}")
        assert read["signature"]["record_hash"] == step["read"]["record_hash"]
        signed = self.entry(step["read"]["signed"])
        assert signed["after"]["record_hash"] == step["read"]["record_hash"]
        derived = self.entry(step["read"]["derived"])
        assert derived["after"]["inputs_sha256"] == step["read"]["inputs_sha256"]
        assert self.get(f"/reads/{read['read_id']}/assessment")["edition"] == derived["after"]["edition"]
        counted = [each["counted_mm"] for each in step["lesions"] if each["role"] == "target"]
        if step["sum_of_diameters"] is not None and None not in counted:
            assert sum(map(Decimal, counted)) == Decimal(step["sum_of_diameters"]["mm"])
        for lesion in step["lesions"]:
            self._lesion(found, step, lesion, protocol)

    def _lesion(self, found: Answer, step: Answer, lesion: Answer, protocol: TrialProtocol) -> None:
        precision = Decimal(protocol.measurement.precision_mm)
        counted = [each for each in lesion["axes"] if each["is_counted"]]
        if lesion["diameter_mm"] is not None:
            (axis,) = counted
            assert Decimal(lesion["diameter_mm"]) == round_reported(Millimetres(axis["length_mm"]), precision)
        images = self.get(f"/timepoints/{step['timepoint_id']}/series")
        for axis in lesion["axes"]:
            plane, (start, end) = axis["plane"], axis["points"]
            across = (end[0] - start[0]) * plane["column_spacing"]
            down = (end[1] - start[1]) * plane["row_spacing"]
            assert math.isclose(math.hypot(across, down), axis["length_mm"], rel_tol=1e-12)
            assert math.isclose(_in_patient(plane, start, end), axis["length_mm"], rel_tol=1e-9)
            (frame,) = [
                frame
                for series in images["series"]
                for instance in series["instances"]
                for frame in instance["frames"]
                if instance["sop_instance_uid"] == axis["sop_instance_uid"]
                and series["series_instance_uid"] == axis["series_instance_uid"]
                and frame["frame"] == axis["frame"]
            ]
            assert {name: frame[name] for name in plane} == plane
            self._receipts(found, axis)

    def _receipts(self, found: Answer, axis: Answer) -> None:
        (instance,) = [
            each for each in found["instances"] if each["sop_instance_uid"] == axis["sop_instance_uid"]
        ]
        assert instance["receipts"]
        for each in instance["receipts"]:
            assert each["digest"] == axis["object_sha256"]
            assert each["site_id"] == found["site_id"]
            assert each["calling_ae"]
            said = self.entry(each["audit"])["after"]["receipts"]
            assert [each["sequence"], each["fingerprint"][:16]] in said

    def _site(self, found: Answer) -> None:
        """Date the site's progression by its first evaluation that says so."""
        site = found["site"]
        self._time(found, site)
        told = self.get(f"/trials/{found['trial_id']}/evaluations", subject=found["subject_id"])["items"]
        stored = {(each["timepoint_id"], each["edition"]): each for each in told if each["is_current"]}
        for each in site["evaluations"]:
            evaluated = stored[each["timepoint_id"], each["edition"]]
            assert evaluated["overall_response"] == each["overall_response"]
            assert self.entry(each["audit"])["after"]["edition"] == each["edition"]
        progressed = [each["imaged_on"] for each in site["evaluations"] if each["has_progressed"]]
        if site["time"] is not None and site["time"]["ending"] == "Documented progression":
            assert site["time"]["ends_on"] == min(progressed)


def _in_patient(plane: Answer, start: list[float], end: list[float]) -> float:
    """Return the distance of two points in the patient, by their positions."""
    side = 100_000
    frame = ImagePlane(
        position=tuple(plane["position"]),
        row_direction=tuple(plane["row_direction"]),
        column_direction=tuple(plane["column_direction"]),
        row_spacing=plane["row_spacing"],
        column_spacing=plane["column_spacing"],
        rows=side,
        columns=side,
    )
    one, other = frame.to_patient([start, end])
    return math.dist(one, other)


def _responses(reader: Answer, protocol: TrialProtocol, as_of: str | None) -> None:
    """Feed the rules with nothing but what the answer holds: they answer the same."""
    observed = [_observed(each) for each in reader["timepoints"]]
    starts = reader["starts"]
    anchor_on = date.fromisoformat(starts["on"]) if starts and starts["timepoint_id"] is None else None
    anew = assess_subject(observed, protocol.criteria, anchor_on=anchor_on)
    verdicts = {each.timepoint_id: each for each in anew.timepoints}
    for step in reader["timepoints"]:
        said = step["verdict"]
        if said is None:
            assert "baseline" in step["parts"]
            continue
        found = verdicts[step["timepoint_id"]]
        assert (found.overall_response, found.target_response) == (
            said["overall_response"],
            said["target_response"],
        )
        assert found.nadir_mm == (None if said["nadir_mm"] is None else Decimal(said["nadir_mm"]))
        if as_of is not None:
            assert step["imaged_on"] <= as_of
    ends = {each["timepoint_id"]: each for each in reader["timepoints"] if "ends" in each["parts"]}
    time = reader["time"]
    if time is not None and time["ending"] in EVENTS:
        (step,) = ends.values()
        assert step["verdict"]["overall_response"] in EVENTS[time["ending"]]
        assert time["record_id"] == step["timepoint_id"]
    if time is not None and time["ending"] == "Documented progression":
        assert anew.progression is not None
        assert str(anew.progression.progressed_on) == time["ends_on"]
        (nadir,) = [each for each in reader["timepoints"] if "nadir" in each["parts"]]
        assert nadir["sum_of_diameters"]["mm"] == step["verdict"]["nadir_mm"]


def _observed(step: Answer) -> TimepointObservations:
    on = date.fromisoformat(step["imaged_on"])
    return TimepointObservations(
        timepoint_id=step["timepoint_id"],
        number=step["number"],
        imaged_on=on,
        targets=tuple(
            TargetObservation(
                lesion_id=each["lesion_id"],
                state=TargetState(each["state"]),
                is_nodal=each["is_nodal"],
                diameter=None
                if each["diameter_mm"] is None
                else ReportedMillimetres(Decimal(each["diameter_mm"])),
                imaged_on=on,
                record_id=each["record_id"],
            )
            for each in step["lesions"]
            if each["role"] == "target"
        ),
        new_lesions=tuple(
            NewLesionObservation(
                lesion_id=each["lesion_id"],
                state=NewLesionState(each["state"]),
                location=each["location"],
                imaged_on=on,
                record_id=each["record_id"],
            )
            for each in step["lesions"]
            if each["role"] == "new"
        ),
    )


def _timepoint(found: Answer, at: Answer) -> str:
    return f"/trials/{found['trial_id']}/timepoints/{at['timepoint_id']}"
