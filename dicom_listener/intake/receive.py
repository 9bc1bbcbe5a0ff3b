"""The one way into the archive: check, keep, index, receipt."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from dicom_listener.archive import index, receipts
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.header import Header
from dicom_listener.archive.kept import KeptObject, describe, digest_of
from dicom_listener.archive.records import Digest, Outcome
from dicom_listener.archive.segment_log import LONGEST, SegmentLog
from dicom_listener.archive.segments import Entry
from dicom_listener.archive.uids import is_uid
from dicom_listener.choices import ConflictPolicy
from dicom_listener.errors import (
    ArchiveError,
    DataSetError,
    HeldForPersonError,
    MismatchedDataSetError,
    Reason,
)
from dicom_listener.intake.checks import Arrival, check
from dicom_listener.intake.group_commit import GroupCommit

_OUTCOMES = {
    Reason.UID_CONFLICT: Outcome.REFUSED_UID_CONFLICT,
    Reason.UID_MISMATCH: Outcome.REFUSED_MISMATCH,
    Reason.SOP_CLASS_MISMATCH: Outcome.REFUSED_MISMATCH,
    Reason.STUDY_MISMATCH: Outcome.REFUSED_MISMATCH,
}

Gate = Callable[[Arrival, Header], Arrival]
"""Returns an arrival as it is, or another to keep in its place; it may raise `DataSetError`, or
`HeldForPersonError` where it has kept the arrival itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What became of an arrival."""

    outcome: Outcome
    sentence: str = ""  # why it was refused, without identifiers of a patient
    reason: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The pipeline behind every door: C-STORE today, STOW-RS beside it.

    When `receive` returns ``STORED``, ``ALREADY_STORED`` or ``CONFLICT_KEPT``, the instance survives a
    power cut: either the bytes, the name that finds them and the index row do, or the log does that they
    are made from. With a log ``STORED`` says no more than that; the receipt tells what became of it.
    In every other case the archive is as before.
    """

    archive: Archive
    conflicts: ConflictPolicy = ConflictPolicy.KEEP
    maximum_inflated: int = 64 * 2**20
    gates: tuple[Gate, ...] = ()
    commits: GroupCommit = field(default_factory=GroupCommit)
    log: SegmentLog | None = None  # without one, each instance is indexed before it is acknowledged

    def receive(self, arrival: Arrival) -> Reception:
        """Take one instance through the pipeline; never raises for what was sent or for a full disk."""
        given = arrival
        try:
            header = check(arrival, maximum_inflated=self.maximum_inflated)
            for gate in self.gates:
                passed = gate(arrival, header)
                if passed is not arrival:
                    arrival = passed
                    header = check(arrival, maximum_inflated=self.maximum_inflated)
            return self._keep(arrival, header)
        except HeldForPersonError as error:
            return Reception(outcome=Outcome.HELD, reason="held", sentence=str(error))
        except DataSetError as error:
            return self._refuse(arrival, error)
        except ArchiveError as error:
            return Reception(
                outcome=Outcome.REFUSED_OUT_OF_RESOURCES, reason="out_of_resources", sentence=str(error)
            )
        finally:
            if arrival.draft is not None and arrival.draft is not given.draft:
                arrival.draft.discard()  # a gate has written it

    def _keep(self, arrival: Arrival, header: Header) -> Reception:
        digest = arrival.digest or digest_of(arrival.data_set)
        if self.log is not None and self._is_for_log(arrival):
            return _append(self.log, arrival, digest)
        self.archive.catch_up()  # what was acknowledged before came first
        if self.conflicts is ConflictPolicy.REFUSE:
            self._refuse_conflict(header, digest)
        kept, is_new = self._put(arrival, digest)

        def enter(connection: Connection) -> Outcome:
            outcome = index.add(connection, header, kept, arrival.provenance)
            if is_new and outcome is Outcome.ALREADY_STORED:
                index.replace_object(connection, kept)  # it had been lost from the store
            return outcome

        outcome = self.commits.run(self.archive.database, enter)
        self.archive.objects.mark_indexed(digest)
        return Reception(outcome=outcome, size=kept.size)

    def _is_for_log(self, arrival: Arrival) -> bool:
        """Tell whether nothing but the log is needed to answer the sender."""
        is_short = arrival.draft is None and len(arrival.data_set) <= LONGEST
        return is_short and self.conflicts is ConflictPolicy.KEEP

    def _refuse_conflict(self, header: Header, digest: Digest) -> None:
        with self.archive.database.read() as connection:
            present = index.kept_digest(connection, header.sop_instance_uid)
        if present not in (None, digest):
            raise MismatchedDataSetError(
                Reason.UID_CONFLICT, "Other content is kept under its SOP Instance UID."
            )

    def _put(self, arrival: Arrival, digest: Digest) -> tuple[KeptObject, bool]:
        """Keep the object; tell what is in the store now, and whether this arrival put it there."""
        objects = self.archive.objects
        if arrival.draft is None:
            meta = arrival.file_meta()
            is_new = objects.put(digest, (meta, arrival.data_set))
        else:
            meta = arrival.draft.before
            is_new = objects.put_draft(digest, arrival.draft)
        if is_new:
            return KeptObject.of(digest, meta, len(arrival.data_set)), True
        kept, present = describe(objects, digest, len(arrival.data_set))
        if (
            self.conflicts is ConflictPolicy.REFUSE
            and present.transfer_syntax_uid != arrival.transfer_syntax_uid
        ):
            raise MismatchedDataSetError(
                Reason.UID_CONFLICT, "The same bytes are kept already, under another transfer syntax."
            )
        return kept, False

    def _refuse(self, arrival: Arrival, error: DataSetError) -> Reception:
        """File the receipt of a refusal; without it the refusal still stands."""
        outcome = _OUTCOMES.get(error.reason, Outcome.REFUSED_NOT_UNDERSTOOD)
        receipt = arrival.provenance.receipt(
            outcome=outcome,
            reason=error.reason.value,
            sop_instance_uid=arrival.sop_instance_uid if is_uid(arrival.sop_instance_uid) else "",
            size=len(arrival.data_set),
        )
        with contextlib.suppress(ArchiveError), self.archive.database.write() as connection:
            receipts.append(connection, receipt)
        return Reception(outcome=outcome, reason=error.reason.value, sentence=str(error))


def _append(log: SegmentLog, arrival: Arrival, digest: Digest) -> Reception:
    """Make an arrival durable in the log; its place and its row follow."""
    before = arrival.file_meta()
    log.append(Entry(before=before, data_set=arrival.data_set, digest=digest, provenance=arrival.provenance))
    return Reception(outcome=Outcome.STORED, size=len(before) + len(arrival.data_set))
