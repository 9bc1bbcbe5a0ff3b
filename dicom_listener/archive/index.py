"""Write the index: the rows that say what an object is and who sent it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Table, bindparam, delete, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dicom_listener.archive import changes, receipts, tables
from dicom_listener.archive.header import Header
from dicom_listener.archive.kept import KeptObject
from dicom_listener.archive.provenance import Provenance
from dicom_listener.archive.records import ChangeKind, Digest, FindingCode, Outcome, Receipt


def _names(text: str) -> tuple[str, ...]:
    """Return the columns that are copied from a header."""
    return tuple(text.split())


_STUDY = _names("""
    study_instance_uid patient_id issuer_of_patient_id patient_name patient_birth_date patient_sex
    study_date study_time study_id study_description accession_number referring_physician_name
    clinical_trial_protocol_id clinical_trial_subject_id
""")
_SERIES = _names("""
    series_instance_uid study_instance_uid modality series_number series_description series_date
    body_part_examined manufacturer manufacturer_model_name frame_of_reference_uid
""")
_INSTANCE = _names("""
    sop_instance_uid sop_class_uid series_instance_uid study_instance_uid patient_id instance_number
    rows columns number_of_frames acquired_on transfer_syntax_uid
""")


_UID: BindParameter[str] = bindparam("uid")
_KEPT_DIGEST = select(tables.instances.c.digest).where(tables.instances.c.sop_instance_uid == _UID)
_KEPT_AS = select(tables.instances.c.digest, tables.instances.c.transfer_syntax_uid).where(
    tables.instances.c.sop_instance_uid == _UID
)
_PATIENT_OF_STUDY = select(tables.studies.c.patient_id).where(tables.studies.c.study_instance_uid == _UID)
_STUDY_OF_SERIES = select(tables.series.c.study_instance_uid).where(
    tables.series.c.series_instance_uid == _UID
)
_IS_SETTLED = select(tables.studies.c.settled_at.is_not(None)).where(
    tables.studies.c.study_instance_uid == _UID
)
_TOUCH = (
    update(tables.studies)
    .where(tables.studies.c.study_instance_uid == _UID)
    .values({name: bindparam(name) for name in ("last_received_at", "last_receipt", "settled_at")})
)


_KNOWN = select(tables.instances.c.sop_instance_uid).where(
    tables.instances.c.sop_instance_uid.in_(bindparam("uids", expanding=True))
)
_ADD_INSTANCES = insert(tables.instances)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A kept object that is to be indexed."""

    header: Header
    kept: KeptObject
    provenance: Provenance
    is_new: bool  # its arrival put it into the object store


def _is_kept(connection: Connection, header: Header, kept: KeptObject) -> bool:
    """Tell whether the very instance is kept: the same bytes, said to be of the same transfer syntax."""
    found = connection.execute(_KEPT_AS, {"uid": header.sop_instance_uid}).one()
    return (found.digest, found.transfer_syntax_uid) == (kept.digest, header.transfer_syntax_uid)


def kept_digest(connection: Connection, sop_instance_uid: str) -> Digest | None:
    """Return the digest of what is kept under a SOP Instance UID, or None."""
    digest = connection.execute(_KEPT_DIGEST, {"uid": sop_instance_uid}).scalar_one_or_none()
    return None if digest is None else Digest(digest)


def add(connection: Connection, header: Header, kept: KeptObject, provenance: Provenance) -> Outcome:
    """Index one kept object and file its receipt, in the caller's transaction.

    The primary key decides which of two contents under one SOP Instance UID was first; the other is
    entered as a conflict and the first stays as it is.

    Returns
    -------
    Outcome
        ``STORED``, ``ALREADY_STORED`` or ``CONFLICT_KEPT``.
    """
    outcome = enter(connection, header, kept, provenance)
    addition = Addition(header=header, kept=kept, provenance=provenance, is_new=False)
    sequence = receipts.append(connection, _receipt(addition, outcome))
    if outcome is Outcome.STORED:
        _touch_study(connection, header.study_instance_uid, sequence, provenance.received_at)
    return outcome


def add_all(connection: Connection, additions: Sequence[Addition]) -> list[Outcome]:
    """Index kept objects and file their receipts, in their order and as `add` does.

    Instances that nobody has seen before, which is nearly all of them, are entered together.
    """
    uids = {addition.header.sop_instance_uid for addition in additions}
    seen = set(connection.execute(_KNOWN, {"uids": list(uids)}).scalars()) if uids else set()
    outcomes: list[Outcome] = []
    together: list[Addition] = []
    for addition in additions:
        uid = addition.header.sop_instance_uid
        if uid not in seen:
            seen.add(uid)
            together.append(addition)
            continue
        outcomes += _add_new(connection, together)
        together = []
        outcome = add(connection, addition.header, addition.kept, addition.provenance)
        if addition.is_new and outcome is Outcome.ALREADY_STORED:
            replace_object(connection, addition.kept)  # it had been lost from the store
        outcomes.append(outcome)
    return outcomes + _add_new(connection, together)


def _add_new(connection: Connection, additions: Sequence[Addition]) -> list[Outcome]:
    """Index instances none of which is known, with one statement for all rows of a kind."""
    if not additions:
        return []
    connection.execute(_ADD_INSTANCES, [_instance_values(each) for each in additions])
    for addition in _distinct(additions, "study_instance_uid"):
        _enter_study(connection, addition.header, addition.provenance)
    for addition in _distinct_senders(additions):
        _add_source(connection, addition.header, addition.provenance)
    for addition in _distinct(additions, "series_instance_uid"):
        _insert_new(connection, tables.series, {name: getattr(addition.header, name) for name in _SERIES})
    known = _known_parents(connection, additions)
    for addition in additions:
        header = addition.header
        for code, sentence in _doubts(known, header):
            _raise_finding(connection, header, code, sentence, addition.provenance.received_at)
    sequence = receipts.append_all(connection, [_receipt(each, Outcome.STORED) for each in additions])
    latest = {each.header.study_instance_uid: each.provenance.received_at for each in additions}
    for uid, at in latest.items():
        _touch_study(connection, uid, sequence, at)
    return [Outcome.STORED] * len(additions)


def _distinct(additions: Sequence[Addition], name: str) -> list[Addition]:
    """Return the first addition of each study, or of each series."""
    first: dict[str, Addition] = {}
    for addition in additions:
        first.setdefault(getattr(addition.header, name), addition)
    return list(first.values())


def _distinct_senders(additions: Sequence[Addition]) -> list[Addition]:
    """Return the first addition of each study over each association."""
    first: dict[tuple[str, ...], Addition] = {}
    for addition in additions:
        by = addition.provenance
        key = (addition.header.study_instance_uid, by.site_id, by.calling_ae, by.association_id, by.process)
        first.setdefault(key, addition)
    return list(first.values())


def enter(connection: Connection, header: Header, kept: KeptObject, provenance: Provenance) -> Outcome:
    """Write the rows of one kept object without a receipt; a rebuild has the receipts already."""
    addition = Addition(header=header, kept=kept, provenance=provenance, is_new=False)
    if not _insert_new(connection, tables.instances, _instance_values(addition)):
        if _is_kept(connection, header, kept):
            _add_source(connection, header, provenance)
            return Outcome.ALREADY_STORED
        return _enter_conflict(connection, header, kept, provenance)
    _enter_study(connection, header, provenance)
    _insert_new(connection, tables.series, {name: getattr(header, name) for name in _SERIES})
    for code, sentence in _doubts(_known_parents(connection, [addition]), header):
        _raise_finding(connection, header, code, sentence, provenance.received_at)
    return Outcome.STORED


def replace_object(connection: Connection, kept: KeptObject) -> None:
    """Describe an instance's object anew, after it was lost and has come again."""
    table = tables.instances
    connection.execute(update(table).where(table.c.digest == kept.digest).values(_object_values(kept)))


def clear(connection: Connection) -> None:
    """Remove every row that `enter` can write again from the objects."""
    for table in (
        tables.instances,
        tables.series,
        tables.sources,
        tables.studies,
        tables.conflicts,
        tables.findings,
    ):
        connection.execute(delete(table))


def _receipt(addition: Addition, outcome: Outcome) -> Receipt:
    return addition.provenance.receipt(
        outcome=outcome,
        sop_instance_uid=addition.header.sop_instance_uid,
        study_instance_uid=addition.header.study_instance_uid,
        digest=addition.kept.digest,
        size=addition.kept.size,
    )


def _instance_values(addition: Addition) -> dict[str, Any]:
    values = {name: getattr(addition.header, name) for name in _INSTANCE} | _object_values(addition.kept)
    return values | {"received_at": addition.provenance.received_at}


def _object_values(kept: KeptObject) -> dict[str, Any]:
    return {name: getattr(kept, name) for name in kept.__slots__}


def _enter_study(connection: Connection, header: Header, provenance: Provenance) -> None:
    at = provenance.received_at
    values = {name: getattr(header, name) for name in _STUDY}
    _insert_new(
        connection, tables.studies, values | {"received_at": at, "last_received_at": at, "last_receipt": 0}
    )
    _add_source(connection, header, provenance)


def _add_source(connection: Connection, header: Header, provenance: Provenance) -> None:
    _insert_new(
        connection,
        tables.sources,
        {
            "study_instance_uid": header.study_instance_uid,
            "site_id": provenance.site_id,
            "calling_ae": provenance.calling_ae,
        },
    )
    if provenance.association_id and provenance.process:
        _insert_new(
            connection,
            tables.open_studies,
            {
                "association_id": provenance.association_id,
                "study_instance_uid": header.study_instance_uid,
                "process": provenance.process,
            },
        )


def _touch_study(connection: Connection, uid: str, sequence: int, at: datetime) -> None:
    """Note the newest arrival; a settled study is open again."""
    was_settled = connection.execute(_IS_SETTLED, {"uid": uid}).scalar_one()
    touched = {"uid": uid, "last_received_at": at, "last_receipt": sequence, "settled_at": None}
    connection.execute(_TOUCH, touched)
    if was_settled:
        changes.append(connection, kind=ChangeKind.STUDY_REOPENED, study_instance_uid=uid, at=at)


def _enter_conflict(
    connection: Connection, header: Header, kept: KeptObject, provenance: Provenance
) -> Outcome:
    values = _object_values(kept) | {
        "sop_instance_uid": header.sop_instance_uid,
        "study_instance_uid": header.study_instance_uid,
        "transfer_syntax_uid": header.transfer_syntax_uid,
        "site_id": provenance.site_id,
        "calling_ae": provenance.calling_ae,
        "received_at": provenance.received_at,
    }
    if not _insert_new(connection, tables.conflicts, values):
        return Outcome.CONFLICT_KEPT
    study = _study_of(connection, header.sop_instance_uid)
    sentence = "Other content came under the SOP Instance UID of an instance that is already kept."
    _raise_finding(connection, header, FindingCode.CONTENT_CONFLICT, sentence, provenance.received_at)
    for uid in {study, header.study_instance_uid}:
        changes.append(
            connection, kind=ChangeKind.CONFLICT_KEPT, study_instance_uid=uid, at=provenance.received_at
        )
    return Outcome.CONFLICT_KEPT


def _study_of(connection: Connection, sop_instance_uid: str) -> str:
    table = tables.instances
    uid = connection.execute(
        select(table.c.study_instance_uid).where(table.c.sop_instance_uid == sop_instance_uid)
    ).scalar_one()
    return str(uid)


@dataclass(frozen=True, slots=True)
class _Parents:
    """What the index says of the studies and series of additions."""

    patient_of_study: Mapping[str, str]
    study_of_series: Mapping[str, str]


def _known_parents(connection: Connection, additions: Sequence[Addition]) -> _Parents:
    studies = {addition.header.study_instance_uid for addition in additions}
    series = {addition.header.series_instance_uid for addition in additions}
    return _Parents(
        {uid: connection.execute(_PATIENT_OF_STUDY, {"uid": uid}).scalar_one() for uid in studies},
        {uid: connection.execute(_STUDY_OF_SERIES, {"uid": uid}).scalar_one() for uid in series},
    )


def _doubts(known: _Parents, header: Header) -> Iterator[tuple[FindingCode, str]]:
    """Compare a new instance with what its study and series already say."""
    if known.patient_of_study[header.study_instance_uid] != header.patient_id:
        yield (
            FindingCode.PATIENT_MISMATCH,
            "The instance names another PatientID than the first instance of its study.",
        )
    if known.study_of_series[header.series_instance_uid] != header.study_instance_uid:
        yield (FindingCode.STUDY_MISMATCH, "The instance's series belongs to another study.")
    if header.has_unreadable_study_date:
        yield (FindingCode.STUDY_DATE_UNREADABLE, "StudyDate is not a date; wanted YYYYMMDD (PS3.5 DA).")


def _raise_finding(
    connection: Connection, header: Header, code: FindingCode, sentence: str, at: datetime
) -> None:
    uid = header.study_instance_uid
    values = {
        "study_instance_uid": uid,
        "sop_instance_uid": header.sop_instance_uid,
        "code": code.value,
        "sentence": sentence,
        "at": at,
    }
    if _insert_new(connection, tables.findings, values) and code is FindingCode.PATIENT_MISMATCH:
        changes.append(connection, kind=ChangeKind.PATIENT_MISMATCH, study_instance_uid=uid, at=at)


def _insert_new(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert a row unless its key is taken; tell whether it is new."""
    return connection.execute(_inserting(connection.dialect.name, table), values).first() is not None


@cache
def _inserting(dialect_name: str, table: Table) -> Any:  # noqa: ANN401 - a statement of either dialect
    """Return a statement that is made once: making it costs more than running it."""
    dialect = sqlite if dialect_name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing().returning(literal(1))
