"""Fetch what the service answers, as a coordinator may see it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from fixtures.demo.story import Story
from imaging_service.demo.rest import LONG_PAGE, Caller, Json
from imaging_service.demo.results import (
    EndingResult,
    OccasionResult,
    StrayResult,
    SubjectResult,
    TimepointResult,
)

_Measured: TypeAlias = Mapping[tuple[str, int], Decimal]  # (lesion, fragment or 0) -> mm
_NEW_LESION = "Y"  # NEWLIND
_SURVIVAL = "PFS"


def results_of(coordinator: Caller, story: Story) -> Sequence[SubjectResult]:
    """Return the answers about every enrolled subject."""
    trial = f"/trials/{story.trial_id}"
    discordant = {entry["subject_id"] for entry in coordinator.items(f"{trial}/reads/discordant", LONG_PAGE)}
    return [
        _subject_result(coordinator, trial, subject, is_discordant=subject["subject_id"] in discordant)
        for subject in coordinator.items(f"{trial}/subjects", LONG_PAGE)
    ]


def strays_of(coordinator: Caller, story: Story) -> Sequence[StrayResult]:
    """Return the studies that wait for a coordinator, each with its reason."""
    waiting = coordinator.items(f"/trials/{story.trial_id}/studies/unmatched", LONG_PAGE)
    return [
        StrayResult(
            what=f"study of {', '.join(study['patient_ids'])} on {study['study_date']}",
            reason=study["reason"],
            code=study["code"],
        )
        for study in waiting
    ]


def _subject_result(coordinator: Caller, trial: str, subject: Json, *, is_discordant: bool) -> SubjectResult:
    subject_id = subject["subject_id"]
    by_reader = {
        str(reader["slot"]): reader
        for reader in coordinator.get(f"{trial}/subjects/{subject_id}/outcomes")["readers"]
    }
    imaged = [
        timepoint
        for timepoint in coordinator.items(f"{trial}/timepoints", {**LONG_PAGE, "subject": subject_id})
        if timepoint["imaged_on"] is not None
    ]
    diameters = _diameters(coordinator, trial, subject_id)
    return SubjectResult(
        subject_id=subject_id,
        site_id=subject["site_id"],
        occasions=[
            OccasionResult(
                imaged_on=date.fromisoformat(timepoint["imaged_on"]),
                placement=timepoint["placement"],
                by_reader={
                    slot: answer
                    for slot, reader in by_reader.items()
                    for answer in _answers(reader, timepoint["timepoint_id"], diameters)
                },
            )
            for timepoint in sorted(imaged, key=lambda each: str(each["imaged_on"]))
        ],
        endings={slot: _ending(reader) for slot, reader in by_reader.items()},
        is_discordant=is_discordant,
    )


def _answers(
    reader: Json, timepoint_id: str, diameters: Mapping[tuple[str, str], _Measured]
) -> Iterator[TimepointResult]:
    """Yield the reader's answer at the timepoint, if there is one."""
    measured = diameters.get((str(reader["slot"]), timepoint_id), {})
    baseline = reader["baseline"]
    if baseline is not None and baseline["timepoint_id"] == timepoint_id:
        yield TimepointResult(
            sum_mm=_sum_mm(baseline),
            from_baseline=None,
            from_nadir=None,
            target=None,
            non_target=None,
            new=False,
            overall=None,
            diameters_mm=measured,
        )
    for verdict in reader["timepoints"]:
        if verdict["timepoint_id"] == timepoint_id:
            yield TimepointResult(
                sum_mm=_sum_mm(verdict),
                from_baseline=_decimal(verdict["change_from_baseline_percent"]),
                from_nadir=_decimal(verdict["change_from_nadir_percent"]),
                target=verdict["target_response"],
                non_target=verdict["non_target_response"],
                new=verdict["new_lesion"] == _NEW_LESION,
                overall=verdict["overall_response"],
                diameters_mm=measured,
            )


def _diameters(coordinator: Caller, trial: str, subject_id: str) -> Mapping[tuple[str, str], _Measured]:
    """Return what the server measured, by reader's slot and timepoint."""
    history = coordinator.get(f"{trial}/subjects/{subject_id}/history")
    return {
        (str(read["slot"]), timepoint["timepoint_id"]): _measured(read)
        for timepoint in history["timepoints"]
        for read in timepoint["reads"]
        if read["status"] == "signed"
    }


def _measured(read: Json) -> _Measured:
    """Return the diameters that count: the short axis of a node, the longest diameter of everything else."""
    return {
        (lesion["lesion_id"], axis["fragment"]): Decimal(str(axis["reported_mm"]))
        for lesion in read["lesions"]
        for axis in lesion["axes"]
        if axis["axis"] == ("short" if lesion["is_nodal"] else "long")
    }


def _ending(reader: Json) -> EndingResult:
    (survival,) = [time for time in reader["times"] if time["endpoint"] == _SURVIVAL]
    return EndingResult(
        best_response=reader["confirmed_best_overall"]["response"],
        is_event=survival["is_event"],
        progression_free_on=date.fromisoformat(survival["ends_on"]),
        progression_free_days=survival["days"],
    )


def _sum_mm(verdict: Json) -> Decimal | None:
    total = verdict["sum_of_diameters"]
    return None if total is None else _decimal(total["mm"])


def _decimal(value: Json) -> Decimal | None:
    return None if value is None else Decimal(str(value))
