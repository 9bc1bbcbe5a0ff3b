"""What is missing before a read can be signed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imaging_service.reads.read import LesionRecord, Read
from measurement.lesions.lesion import NewLesionState, Role, TargetState
from measurement.units import ReportedMillimetres


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One reason why a read cannot be signed yet."""

    code: str
    lesion_id: str
    sentence: str


def gaps(read: Read, earlier: Sequence[Read], *, confirms_no_disease: bool = False) -> Sequence[Gap]:
    """Return every gap of a draft, in the order of the lesions.

    Parameters
    ----------
    read
        The draft.
    earlier
        Signed reads of the same reader and subject, in reading order, the baseline first.
    confirms_no_disease
        Whether the reader says that there was no disease at baseline, so that nothing is followed.
    """
    if read.is_baseline:
        return tuple(_baseline_gaps(read, confirms_no_disease=confirms_no_disease))
    return (*_unanswered(read, earlier), *_open_doubts(read, earlier), *_lost_masses(read))


def followed(earlier: Sequence[Read]) -> Sequence[LesionRecord]:
    """Return the lesions of the baseline: each needs a value or a state at every later timepoint."""
    baseline = next((read for read in earlier if read.is_baseline), None)
    if baseline is None:
        return ()
    return [*baseline.of_role(Role.TARGET), *baseline.of_role(Role.NON_TARGET)]


def doubts(earlier: Sequence[Read]) -> Sequence[LesionRecord]:
    """Return the new lesions that were equivocal when last seen: each needs another look (E09 4.3.5)."""
    latest: dict[str, LesionRecord] = {}
    for read in earlier:
        latest |= {each.lesion_id: each for each in read.of_role(Role.NEW)}
    return [each for _, each in sorted(latest.items()) if each.state == NewLesionState.EQUIVOCAL]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A lesion that a read must answer, or may."""

    lesion: LesionRecord
    """As first entered."""
    last: LesionRecord
    """As last seen before the read."""
    baseline_mm: ReportedMillimetres | None


def followed_at(read: Read, earlier: Sequence[Read]) -> Sequence[Followed]:
    """Return the lesions of the baseline and all new ones, as they were before a read."""
    if read.is_baseline:
        return ()
    first: dict[str, LesionRecord] = {}
    last: dict[str, LesionRecord] = {}
    for each in earlier:
        for lesion in (*each.of_role(Role.TARGET), *each.of_role(Role.NON_TARGET), *each.of_role(Role.NEW)):
            first.setdefault(lesion.lesion_id, lesion)
            last[lesion.lesion_id] = lesion
    return [
        Followed(
            lesion=lesion,
            last=last[lesion_id],
            baseline_mm=None if lesion.role is Role.NEW else lesion.diameter,
        )
        for lesion_id, lesion in first.items()
    ]


def _baseline_gaps(read: Read, *, confirms_no_disease: bool) -> Iterator[Gap]:
    if not read.lesions and not confirms_no_disease:
        yield Gap(
            code="baseline_without_lesions",
            lesion_id="",
            sentence="The baseline has 0 lesions; at least one was wanted, "
            "or the word that there was no disease.",
        )
    if read.lesions and confirms_no_disease:
        yield Gap(
            code="disease_at_baseline",
            lesion_id="",
            sentence=f"No disease is confirmed, and the baseline has {len(read.lesions)} lesions; "
            "none was wanted.",
        )


def _unanswered(read: Read, earlier: Sequence[Read]) -> Iterator[Gap]:
    for lesion in followed(earlier):
        if read.lesion(lesion.lesion_id) is None:
            yield Gap(
                code="not_assessed",
                lesion_id=lesion.lesion_id,
                sentence=f"{lesion.lesion_id} ({lesion.location}) has nothing entered; "
                "a measurement or a state was wanted.",
            )


def _open_doubts(read: Read, earlier: Sequence[Read]) -> Iterator[Gap]:
    for lesion in doubts(earlier):
        if read.lesion(lesion.lesion_id) is None:
            yield Gap(
                code="doubt_open",
                lesion_id=lesion.lesion_id,
                sentence=f"{lesion.lesion_id} ({lesion.location}) was equivocal; "
                "equivocal, unequivocal or refuted was wanted.",
            )


def _lost_masses(read: Read) -> Iterator[Gap]:
    """Give merged targets, which add 0 mm, whose mass nobody measured."""
    for lesion in read.of_role(Role.TARGET):
        if lesion.merged_into is None:
            continue
        carrier = read.lesion(lesion.merged_into)
        if carrier is None or carrier.state != TargetState.MEASURED:
            found = "nothing entered" if carrier is None else carrier.state
            yield Gap(
                code="merged_into_unmeasured",
                lesion_id=lesion.lesion_id,
                sentence=f"{lesion.lesion_id} merged into {lesion.merged_into}, "
                f"which has {found}; a measured mass was wanted.",
            )
