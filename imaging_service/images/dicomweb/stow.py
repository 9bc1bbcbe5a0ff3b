"""Store what a site sends (STOW-RS, PS3.18 section 10.5), through the same intake as C-STORE."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus

from dicom_listener.archive.header import Header
from dicom_listener.archive.objects import Draft
from dicom_listener.archive.provenance import Provenance
from dicom_listener.archive.records import Outcome
from dicom_listener.archive.uids import is_uid
from dicom_listener.errors import MismatchedDataSetError, Reason
from dicom_listener.intake.checks import Arrival
from dicom_listener.intake.receive import Intake, Reception
from dicom_listener.network.statuses import C_STORE_STATUS
from imaging_service.accounts.principal import Principal
from imaging_service.errors import BadRequestError, ForbiddenError
from imaging_service.images.dicomweb.attributes import Json, attribute, tag_of
from imaging_service.images.dicomweb.incoming_file import IncomingFile, NotDicomError
from imaging_service.images.dicomweb.parts import PartEnd, PartHead, PartReader, read_media_type

DICOM = "application/dicom"
CALLING, CALLED = "STOW-RS", "DICOMWEB"
"""What stands for the AE titles of an instance that came over DICOMweb."""

_CLASS_NOT_SUPPORTED = 0x0122  # PS3.7 C.5.6
_SYNTAX_NOT_SUPPORTED = 0xC122  # PS3.18 Table I.2-2
_NOT_UNDERSTOOD = 0xC000
_OUT_OF_RESOURCES = 0xA700
_MOST_OTHERS = 100
"""Parts that are no DICOM, after which a body is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of one part."""

    status: int  # 0 when it is kept; otherwise a failure reason (PS3.18 Table I.2-2)
    sentence: str = ""
    sop_class_uid: str = ""  # empty where the part names none
    sop_instance_uid: str = ""
    kept_as: Header | None = None  # what is in the archive, where something is

    @property
    def is_kept(self) -> bool:
        """Whether it survives a power cut now."""
        return self.status == 0


def site_of(principal: Principal) -> str:
    """Return the site that a caller stores for: the one of its grants.

    Raises
    ------
    ForbiddenError
        It stands for no site, or for several.
    """
    sites = sorted({grant.site_id for grant in principal.scope.grants if grant.site_id is not None})
    if len(sites) != 1:
        found = f"the sites {', '.join(sites)[:200]}" if sites else "no site"
        message = f"Storing needs an account that stands for one site; this one stands for {found}."
        raise ForbiddenError(message, code="no_single_site")
    return sites[0]


class Store:
    """One request: its parts go into the archive one by one, as they come.

    Each part that is answered as kept has survived a power cut, whatever becomes of the rest of the body.
    """

    def __init__(  # noqa: PLR0913  what a request brings
        self,
        intake: Intake,
        reader: PartReader,
        *,
        classes: Collection[str],
        site_id: str,
        peer_address: str,
        study: str | None,
    ) -> None:
        """Keep the instances of `classes` that `reader` finds; all are of `study` where one is named."""
        self.results: list[Stored] = []
        self._intake = replace(intake, gates=(self._look, *intake.gates, self._note))
        self._reader = reader
        self._classes = classes
        self.site_id = site_id
        self._peer_address = peer_address
        self._study = study
        self._file: IncomingFile | None = None
        self._trouble = ""
        self._header: Header | None = None

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body.

        Raises
        ------
        BadRequestError
            It cannot be followed.
        """
        for event in self._reader.feed(data):
            if isinstance(event, PartHead):
                self._begin(event)
            elif isinstance(event, PartEnd):
                self._end()
            elif self._file is not None and not self._trouble:
                try:
                    self._file.write(event)
                except NotDicomError as error:
                    self._trouble = str(error)

    def close(self) -> None:
        """Note that the body is whole.

        Raises
        ------
        BadRequestError
            It is not, or had no part.
        """
        self._reader.close()
        if not self.results:
            message = "The body has no part; it must have one for each instance."
            raise BadRequestError(message, code="parts_none")

    def leave(self) -> None:
        """Forget the part that is not whole."""
        if self._file is not None:
            self._file.__exit__()
            self._file = None

    def _begin(self, head: PartHead) -> None:
        media_type, _ = read_media_type(head.headers.get("content-type", DICOM))
        encoding = head.headers.get("content-transfer-encoding", "binary").lower()
        self._trouble = ""
        if media_type != DICOM:
            self._trouble = f"Part {head.number} is {media_type[:60]!r}; a part must be {DICOM}."
        elif encoding not in {"binary", "8bit", "7bit"}:
            self._trouble = f"Part {head.number} is coded as {encoding[:40]!r}; a part must be binary."
        self._file = IncomingFile(self._announce, self._draft)

    def _announce(self, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> Arrival:
        provenance = Provenance(
            calling_ae=CALLING,
            called_ae=CALLED,
            peer_address=self._peer_address,
            site_id=self.site_id,
            received_at=datetime.now(UTC),
        )
        return Arrival(
            sop_class_uid=sop_class_uid,
            sop_instance_uid=sop_instance_uid,
            transfer_syntax_uid=transfer_syntax_uid,
            data_set=b"",
            provenance=provenance,
        )

    def _draft(self, arrival: Arrival) -> Draft | None:
        return self._intake.archive.objects.draft(arrival.file_meta())

    def _end(self) -> None:
        assert self._file is not None  # noqa: S101  a part ends after it began
        try:
            self.results.append(self._received(self._file))
        finally:
            self.leave()
        others = sum(not each.sop_instance_uid for each in self.results)
        if others > _MOST_OTHERS:
            message = f"More than {_MOST_OTHERS} parts are no DICOM instances: {self.results[-1].sentence}"
            raise BadRequestError(message, code="parts_not_dicom")

    def _received(self, file: IncomingFile) -> Stored:
        if self._trouble:
            return Stored(status=_NOT_UNDERSTOOD, sentence=self._trouble)
        try:
            arrival, incoming = file.finish()
        except NotDicomError as error:
            return Stored(status=_NOT_UNDERSTOOD, sentence=str(error))
        if not is_uid(arrival.sop_class_uid) or not is_uid(arrival.sop_instance_uid):
            return Stored(
                status=_NOT_UNDERSTOOD, sentence="A UID of the file meta information is none (PS3.5 9.1)."
            )
        if incoming.refusal is not None:
            return _refused(arrival, _OUT_OF_RESOURCES, str(incoming.refusal))
        if arrival.sop_class_uid not in self._classes:
            return _refused(arrival, _CLASS_NOT_SUPPORTED, "Instances of its SOP class are not received.")
        whole = replace(arrival, data_set=incoming.data_set(), digest=incoming.digest, draft=incoming.draft)
        self._header = None
        return self._told(arrival, self._intake.receive(whole))

    def _look(self, arrival: Arrival, header: Header) -> Arrival:
        """Refuse an instance of another study than the path names, before anything is kept."""
        if self._study is not None and header.study_instance_uid != self._study:
            raise MismatchedDataSetError(
                Reason.STUDY_MISMATCH, "The instance is of another study than the address names."
            )
        return arrival

    def _note(self, arrival: Arrival, header: Header) -> Arrival:
        """Remember what is kept: de-identified, it has other UIDs than it came with."""
        self._header = header
        return arrival

    def _told(self, arrival: Arrival, reception: Reception) -> Stored:
        status = C_STORE_STATUS[reception.outcome]
        if reception.reason == Reason.TRANSFER_SYNTAX:
            status = _SYNTAX_NOT_SUPPORTED
        if status:
            return _refused(arrival, status, reception.sentence)
        return Stored(
            status=0,
            sentence=_NOTES.get(reception.outcome, ""),
            sop_class_uid=arrival.sop_class_uid,
            sop_instance_uid=arrival.sop_instance_uid,
            kept_as=self._header,
        )


_NOTES: Mapping[Outcome, str] = {
    Outcome.CONFLICT_KEPT: "Other content is kept under its SOP Instance UID; this one is kept apart.",
    Outcome.HELD: "It is kept, and held until a person has looked at it.",
}


def _refused(arrival: Arrival, status: int, sentence: str) -> Stored:
    return Stored(
        status=status,
        sentence=sentence,
        sop_class_uid=arrival.sop_class_uid,
        sop_instance_uid=arrival.sop_instance_uid,
    )


def status_of(results: Sequence[Stored]) -> HTTPStatus:
    """Return the HTTP status of an answer (PS3.18 10.5.3.1).

    Examples
    --------
    >>> status_of([Stored(status=0), Stored(status=0xA900)])
    <HTTPStatus.ACCEPTED: 202>
    """
    if all(each.is_kept and not each.sentence for each in results):
        return HTTPStatus.OK
    if any(each.is_kept for each in results):
        return HTTPStatus.ACCEPTED
    if all(each.status == _OUT_OF_RESOURCES for each in results):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.CONFLICT


def answer(results: Sequence[Stored], base: str) -> Json:
    """Return the Store Instances Response (PS3.18 Table I.2-1).

    Parameters
    ----------
    results
        What became of each part.
    base
        Web address of the DICOMweb service.
    """
    kept = [each for each in results if each.is_kept]
    failed = [each for each in results if not each.is_kept and each.sop_instance_uid]
    others = [each for each in results if not each.is_kept and not each.sop_instance_uid]
    said: Json = {}
    studies = {each.kept_as.study_instance_uid for each in kept if each.kept_as is not None}
    if len(studies) == 1:
        said |= _one("RetrieveURL", f"{base}/studies/{studies.pop()}")
    said |= _sequence("FailedSOPSequence", [_reference(each) | _reason(each) for each in failed])
    said |= _sequence("ReferencedSOPSequence", [_reference(each) | _place(each, base) for each in kept])
    said |= _sequence("OtherFailuresSequence", [_reason(each) for each in others])
    return dict(sorted(said.items()))


def _one(keyword: str, value: str | int) -> Json:
    return {tag_of(keyword): attribute(keyword, value)}


def _sequence(keyword: str, items: Sequence[Json]) -> Json:
    return {tag_of(keyword): {"vr": "SQ", "Value": list(items)}} if items else {}


def _reference(stored: Stored) -> Json:
    found = _one("ReferencedSOPClassUID", stored.sop_class_uid)
    return found | _one("ReferencedSOPInstanceUID", stored.sop_instance_uid)


def _reason(stored: Stored) -> Json:
    return _one("FailureReason", stored.status)


def _place(stored: Stored, base: str) -> Json:
    kept = stored.kept_as
    if kept is None:
        return {}
    place = f"{base}/studies/{kept.study_instance_uid}/series/{kept.series_instance_uid}"
    return _one("RetrieveURL", f"{place}/instances/{kept.sop_instance_uid}")


def sentences_of(results: Sequence[Stored]) -> Sequence[str]:
    """Return each different sentence once, for people; at most ten."""
    return list(dict.fromkeys(each.sentence for each in results if each.sentence))[:10]
