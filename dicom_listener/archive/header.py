"""The attributes of a data set that the index keeps."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What an instance says of itself; text is decoded and trimmed, an absent value is empty or None."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: str
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    patient_name: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    study_date: date | None = None
    has_unreadable_study_date: bool = False
    study_time: str = ""
    study_id: str = ""
    study_description: str = ""
    accession_number: str = ""
    referring_physician_name: str = ""
    clinical_trial_protocol_id: str = ""
    clinical_trial_subject_id: str = ""
    modality: str = ""
    series_number: int | None = None
    series_description: str = ""
    series_date: date | None = None
    body_part_examined: str = ""
    manufacturer: str = ""
    manufacturer_model_name: str = ""
    frame_of_reference_uid: str = ""
    instance_number: int | None = None
    rows: int | None = None
    columns: int | None = None
    number_of_frames: int = 1
    acquired_on: date | None = None
