"""The facts of a received study that a timepoint keeps: who sent it, its series, its frames' geometry.

They are copied when the study settles, so that a record does not move when the archive is re-indexed.
"""

import logging
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from io import BytesIO
from typing import Any, Protocol

from pydicom import config, dcmread
from pydicom.dataset import Dataset

from dicom_listener.archive.records import (
    Change,
    ConflictRecord,
    FindingCode,
    FindingRecord,
    InstanceRecord,
    SeriesRecord,
    StudyRecord,
)
from dicom_listener.errors import ObjectMissingError
from imaging_service.timepoints.acquisition_facts import body_part, frame_acquisition, scanning_sequences
from measurement.errors import MeasurementError
from measurement.geometry.from_dicom import plane_of
from measurement.geometry.plane import ImagePlane

# pydicom quotes a value that it does not like, in its log and in warnings, and a value may name a person.
config.settings.reading_validation_mode = config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

_MOST_FRAMES = 65_536
"""An instance that claims more is not read: a header can claim any number."""

_UNREADABLE = "The header of this instance cannot be read, so its frames have no geometry."


class StudyArchive(Protocol):
    """What is needed of the archive; `dicom_listener.archive.archive.Archive` is one."""

    def changes_after(self, sequence: int, limit: int = 100) -> Sequence[Change]:
        """Return the changes that follow `sequence`, oldest first."""
        ...

    def study(self, study_instance_uid: str) -> StudyRecord | None:
        """Return the study, or None when nothing of it was received."""
        ...

    def series_of(self, study_instance_uid: str) -> Sequence[SeriesRecord]:
        """Return the series of a study."""
        ...

    def instances_of(self, series_instance_uid: str) -> Sequence[InstanceRecord]:
        """Return the instances of a series."""
        ...

    def conflicts_of(self, study_instance_uid: str) -> Sequence[ConflictRecord]:
        """Return other contents that came under the UIDs of a study's instances."""
        ...

    def findings_of(self, study_instance_uid: str) -> Sequence[FindingRecord]:
        """Return why a person should look at a study."""
        ...

    def days_moved(self, study_instance_uid: str) -> int:
        """Return by how many days the dates of a de-identified study were moved."""
        ...

    def read(self, sop_instance_uid: str) -> bytes:
        """Return the instance as a DICOM file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFacts:
    """An instance of the archive with the geometry of its frames."""

    record: InstanceRecord
    frames: Sequence[Mapping[str, Any]]
    """For each frame ``{"plane": …}`` or ``{"refused": sentence}``, and ``"acquisition"``; frame 1 first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFacts:
    """A series of the archive with what its first instance says about the acquisition."""

    record: SeriesRecord
    coded: Mapping[str, Any]
    instances: Sequence[InstanceFacts]
    """Those that were not known before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFacts:
    """A study of the archive, as far as it was not known before."""

    record: StudyRecord
    date_is_unreadable: bool
    conflicts: int
    series: Sequence[SeriesFacts]

    @property
    def site_id(self) -> str | None:
        """The one site whose senders have sent it, or None."""
        sites = {source.site_id for source in self.record.sources}
        return sites.pop() if len(sites) == 1 else None

    @property
    def patient_ids(self) -> Sequence[str]:
        """Every PatientID in it that is not empty."""
        return [visible(value) for value in self.record.patient_ids if value]


def gather(archive: StudyArchive, study_instance_uid: str, *, known: AbstractSet[str]) -> StudyFacts | None:
    """Read a study from the archive.

    Parameters
    ----------
    archive
        Where the listener keeps what it has received.
    study_instance_uid
        The study.
    known
        SOP Instance UIDs whose facts are copied already; a kept instance never changes.
    """
    record = archive.study(study_instance_uid)
    if record is None:
        return None
    if record.study_date is not None and (days := archive.days_moved(study_instance_uid)):
        # The calendar counts real days; what a reader sees of them is another matter.
        record = replace(record, study_date=record.study_date - timedelta(days=days))
    findings = archive.findings_of(study_instance_uid)
    return StudyFacts(
        record=record,
        date_is_unreadable=any(each.code is FindingCode.STUDY_DATE_UNREADABLE for each in findings),
        conflicts=len(archive.conflicts_of(study_instance_uid)),
        series=tuple(_series(archive, study_instance_uid, known)),
    )


def _series(archive: StudyArchive, study_instance_uid: str, known: AbstractSet[str]) -> Iterator[SeriesFacts]:
    for series in archive.series_of(study_instance_uid):
        records = [
            each
            for each in archive.instances_of(series.series_instance_uid)
            if each.sop_instance_uid not in known and each.study_instance_uid == study_instance_uid
        ]
        coded: Mapping[str, Any] = {}
        instances = []
        for record in records:
            header = _header(archive, record.sop_instance_uid)
            coded = coded or _coded(header)
            instances.append(InstanceFacts(record=record, frames=tuple(_frames(header, record))))
        yield SeriesFacts(record=series, coded=coded, instances=instances)


def _header(archive: StudyArchive, sop_instance_uid: str) -> Dataset | None:
    """Read everything before the pixels, or nothing when the object is lost or no DICOM at all."""
    try:
        content = archive.read(sop_instance_uid)
    except ObjectMissingError:
        return None
    try:
        return dcmread(BytesIO(content), stop_before_pixels=True, force=True)
    except Exception:  # noqa: BLE001  hostile bytes end a parser in many ways; none may end the feed
        return None


def _frames(header: Dataset | None, record: InstanceRecord) -> Iterator[Mapping[str, Any]]:
    """Give the geometry of each frame; what has no pixels has no frames."""
    if not record.rows or not record.columns or record.number_of_frames > _MOST_FRAMES:
        return
    for number in range(1, record.number_of_frames + 1):
        yield (
            {"refused": _UNREADABLE}
            if header is None
            else _frame(header, number) | _acquisition(header, number)
        )


def _acquisition(header: Dataset, number: int) -> dict[str, Any]:
    try:
        found = frame_acquisition(header, number)
    except Exception:  # noqa: BLE001  see _header
        return {}
    return {"acquisition": dict(found)} if found else {}


def _frame(header: Dataset, number: int) -> dict[str, Any]:
    try:
        plane = plane_of(header, number)
        frame_of_reference = plane.frame_of_reference_uid
        return {
            "plane": asdict(plane)
            | {"frame_of_reference_uid": frame_of_reference and visible(frame_of_reference)}
        }
    except MeasurementError as error:
        return {"refused": visible(str(error))}
    except Exception:  # noqa: BLE001  see _header
        return {"refused": _UNREADABLE}


def visible(text: str) -> str:
    r"""Return a received text with a replacement mark for every character that is none.

    A NUL or half a surrogate pair cannot be stored by every database, and a line break ends a cell.

    Examples
    --------
    >>> visible("P-1\x00\n")
    'P-1��'
    """
    return "".join("\ufffd" if unicodedata.category(each) in _INVISIBLE else each for each in text)


_INVISIBLE = {"Cc", "Cs", "Co", "Cn"}


def stored_plane(stored: Mapping[str, Any]) -> ImagePlane:
    """Rebuild a plane from what `gather` made of it."""
    vectors = {name: tuple(stored[name]) for name in ("position", "row_direction", "column_direction")}
    return ImagePlane(**{**stored, **vectors})


def _coded(header: Dataset | None) -> Mapping[str, Any]:
    """Describe the acquisition by coded attributes and numbers only: free text may name a person."""
    if header is None:
        return {}
    facts = {
        "image_type": _texts(header, "ImageType"),
        "body_part": next(iter(_codes([body_part(header)])), None),
        "scanning_sequence": _texts(header, "ScanningSequence") or scanning_sequences(header),
        "sequence_variant": _texts(header, "SequenceVariant"),
        "mr_acquisition_type": _texts(header, "MRAcquisitionType"),
        "repetition_time_ms": _number(header, "RepetitionTime"),
        "echo_time_ms": _number(header, "EchoTime"),
        "magnetic_field_tesla": _number(header, "MagneticFieldStrength"),
        "has_contrast": any(
            header.get(keyword) for keyword in ("ContrastBolusAgent", "ContrastBolusAgentSequence")
        ),
        "is_identity_removed": _texts(header, "PatientIdentityRemoved") == ["YES"],
    }
    return {name: value for name, value in facts.items() if value not in (None, [])}


_CODE_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ")
"""Of a Code String (CS), PS3.5 Table 6.2-1."""


def _texts(header: Dataset, keyword: str) -> list[str]:
    try:
        value = header.get(keyword)
        values = [value] if isinstance(value, str) else list(value or [])
    except Exception:  # noqa: BLE001  see _header
        return []
    return _codes([str(each) for each in values])


def _codes(values: Sequence[str]) -> list[str]:
    """Return the values that can be Code Strings: anything else may be free text."""
    return [each for each in values if 0 < len(each) <= 16 and set(each) <= _CODE_CHARACTERS]


def _number(header: Dataset, keyword: str) -> float | None:
    try:
        value = header.get(keyword)
        number = None if value in (None, "") else float(value)
    except Exception:  # noqa: BLE001  see _header
        return None
    return number if number is not None and abs(number) < float("inf") else None
