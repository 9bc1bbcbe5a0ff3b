"""The gate at which instances lose their subject's identity before they are kept."""

import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Lock

from dicom_listener.archive import receipts, senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.contents import Bytes
from dicom_listener.archive.header import Header
from dicom_listener.archive.kept import digest_of
from dicom_listener.archive.provenance import Provenance
from dicom_listener.archive.records import Digest, Outcome
from dicom_listener.archive.scan import inflate
from dicom_listener.archive.senders import Deidentify, Sender
from dicom_listener.archive.syntaxes import EXPLICIT_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from dicom_listener.deidentification import filing
from dicom_listener.deidentification.engine import Deidentified, TrialWords, deidentify
from dicom_listener.deidentification.filing import Original, OriginalState
from dicom_listener.deidentification.key import Key
from dicom_listener.deidentification.originals import Originals
from dicom_listener.errors import HeldForPersonError, KeyMissingError
from dicom_listener.intake.checks import Arrival

_IDENTITY_REMOVED = 0x00120062
_IN_MEMORY = 4 * 2**20
_CHUNK = 2**20
_REMEMBERED = 256
_STRICTNESS = (Deidentify.OFF, Deidentify.ON, Deidentify.REQUIRED)


class DeidentificationGate:
    """De-identifies what comes from a sender that is registered so; the original is kept apart first.

    What may show who somebody is in its pixels, or cannot be cleaned, is held: its original is durable and
    in the book, and nobody gets a copy before a person has decided.
    """

    def __init__(
        self,
        archive: Archive,
        originals: Originals,
        key: Callable[[], Key | None],
        *,
        maximum_inflated: int,
    ) -> None:
        """Guard `archive` with the secret that `key` gives."""
        self._archive = archive
        self._originals = originals
        self._key = key
        self._maximum_inflated = maximum_inflated
        self._registered: OrderedDict[tuple[str, ...], Sender | None] = OrderedDict()
        self._lock = Lock()

    def __call__(self, arrival: Arrival, header: Header) -> Arrival:
        """Return the arrival as it is kept.

        Raises
        ------
        HeldForPersonError
            Its original is kept; no copy may be made yet.
        KeyMissingError
            There is no secret; nothing is kept.
        OutOfResourcesError
            The originals or the database cannot be written to; nothing is kept.
        """
        sender = self._sender(arrival.provenance)
        if sender is None or sender.deidentify is Deidentify.OFF:
            return arrival
        if (key := self._key()) is None:
            raise KeyMissingError
        words = _words(arrival.provenance, sender)
        return self._through(arrival, header, key, words, may_pass=sender.deidentify is Deidentify.ON)

    def let_pass(self, arrival: Arrival, header: Header) -> Arrival:
        """De-identify an original that a person has released, whoever is registered now."""
        if (key := self._key()) is None:
            raise KeyMissingError
        words = _words(arrival.provenance, self._sender(arrival.provenance))
        return self._through(arrival, header, key, words, may_pass=False)

    def _through(
        self, arrival: Arrival, header: Header, key: Key, words: TrialWords, *, may_pass: bool
    ) -> Arrival:
        digest = arrival.digest or digest_of(arrival.data_set)
        result, sentence = self._worked(arrival, key, words)
        if may_pass and result is not None and result.values.get(_IDENTITY_REMOVED, "").strip() == "YES":
            return arrival
        self._originals.keep(digest, (arrival.file_meta(), arrival.data_set))
        with self._archive.database.read() as connection:
            before = filing.found(connection, digest)
        is_released = before is not None and before.state is OriginalState.RELEASED
        if result is None or (sentence and not is_released):
            self._hold(arrival, _entry(arrival, header, key, digest, result, sentence=sentence))
            raise HeldForPersonError(sentence)
        copied = self._copied(arrival, key, result, digest)
        original = _entry(arrival, header, key, digest, result, copy=copied.digest or "")
        with self._archive.database.write() as connection:
            if not filing.enter(connection, original):
                filing.note_copy(connection, digest, original.copy_digest)
        return copied

    def _worked(self, arrival: Arrival, key: Key, words: TrialWords) -> tuple[Deidentified | None, str]:
        """De-identify, and say why a person must look at it; nothing where nobody must."""
        # Looking at pixels brings numpy and the codecs, which a listener without a key goes without.
        from dicom_listener.deidentification.burned_in import looks_written_on, said_by  # noqa: PLC0415
        from dicom_listener.deidentification.frames import UnreadableFrameError, sampled  # noqa: PLC0415

        syntax = TRANSFER_SYNTAXES[arrival.transfer_syntax_uid]
        data_set: Bytes = arrival.data_set
        if syntax.is_deflated:
            data_set, syntax = (
                inflate(data_set, self._maximum_inflated),
                TRANSFER_SYNTAXES[EXPLICIT_LITTLE_ENDIAN],
            )
        try:
            result = deidentify(data_set, syntax, key, words)
            sentence = said_by(result.values)
            frames = () if sentence else sampled(result.header, result.pixels, syntax, result.numbers)
            if any(map(looks_written_on, frames)):
                sentence = "Its pixels look as if text stood in them."
        except UnreadableFrameError as error:
            return result, f"{error} A person must see whether text stands in them."
        except Exception as error:  # noqa: BLE001  what hostile bytes do here ends with a person, never lost
            return None, f"It cannot be de-identified ({type(error).__name__})."
        return result, sentence

    def _hold(self, arrival: Arrival, original: Original) -> None:
        receipt = arrival.provenance.receipt(
            outcome=Outcome.HELD,
            reason="held",
            sop_instance_uid=original.sop_instance_uid,
            study_instance_uid=original.study_instance_uid,
            size=original.size,
        )
        with self._archive.database.write() as connection:
            filing.enter(connection, original)
            receipts.append(connection, replace(receipt, original_digest=original.digest))

    def _copied(self, arrival: Arrival, key: Key, result: Deidentified, original: Digest) -> Arrival:
        """Return the arrival of the de-identified copy; a long one is written to disk on the way."""
        copied = replace(
            arrival,
            sop_instance_uid=key.uid(arrival.sop_instance_uid),
            provenance=replace(arrival.provenance, original_digest=original),
            digest=None,
            draft=None,
        )
        if TRANSFER_SYNTAXES[arrival.transfer_syntax_uid].is_deflated:
            content = _deflated(b"".join((result.header, result.pixels)))
            return replace(copied, data_set=content, digest=digest_of(content))
        draft = None
        if result.length > _IN_MEMORY:
            draft = self._archive.objects.draft(copied.file_meta())
        if draft is None:
            content = b"".join((result.header, result.pixels))
            return replace(copied, data_set=content, digest=digest_of(content))
        sha256 = hashlib.sha256()
        try:
            for part in _chunks(result):
                draft.write(part)
                sha256.update(part)
        except BaseException:
            draft.discard()
            raise
        return replace(copied, data_set=draft.data_set(), digest=Digest(sha256.hexdigest()), draft=draft)

    def _sender(self, provenance: Provenance) -> Sender | None:
        """Return the registration by which an instance is treated, read once for each association."""
        key = (provenance.association_id, provenance.calling_ae, provenance.called_ae, provenance.site_id)
        with self._lock:
            if provenance.association_id and key in self._registered:
                return self._registered[key]
        with self._archive.database.read() as connection:
            found = _registration(senders.all_of(connection), provenance)
        with self._lock:
            self._registered[key] = found
            while len(self._registered) > _REMEMBERED:
                self._registered.popitem(last=False)
        return found


def _registration(registered: Sequence[Sender], provenance: Provenance) -> Sender | None:
    """Return the sender's registration; for a door without AE titles the strictest of the site's senders."""
    titles = (provenance.calling_ae, provenance.called_ae)
    for each in registered:
        if (each.calling_ae, each.called_ae) == titles:
            return each
    of_site = [each for each in registered if each.site_id == provenance.site_id]
    return max(of_site, key=lambda each: _STRICTNESS.index(each.deidentify), default=None)


def _words(provenance: Provenance, sender: Sender | None) -> TrialWords:
    return TrialWords(
        site_id=provenance.site_id,
        sponsor="" if sender is None else sender.trial_sponsor,
        protocol="" if sender is None else sender.trial_protocol,
    )


def _entry(  # noqa: PLR0913  what the book says of an original
    arrival: Arrival,
    header: Header,
    key: Key,
    digest: Digest,
    result: Deidentified | None,
    *,
    copy: str = "",
    sentence: str = "",
) -> Original:
    return Original(
        digest=digest,
        copy_digest=copy,
        original_sop_instance_uid=arrival.sop_instance_uid,
        sop_instance_uid=key.uid(arrival.sop_instance_uid),
        study_instance_uid=key.uid(header.study_instance_uid),
        days_moved=0 if result is None else result.moved_by.days,
        state=OriginalState.COPIED if copy else OriginalState.HELD,
        sentence=sentence,
        site_id=arrival.provenance.site_id,
        size=len(arrival.data_set),
        received_at=arrival.provenance.received_at,
    )


def _chunks(result: Deidentified) -> Iterator[Bytes]:
    yield result.header
    view = memoryview(result.pixels)
    for begin in range(0, len(view), _CHUNK):
        yield view[begin : begin + _CHUNK]


def _deflated(data_set: bytes) -> bytes:
    stream = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    content = stream.compress(data_set) + stream.flush()
    return content + bytes(len(content) % 2)
