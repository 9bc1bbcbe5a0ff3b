"""Which lesions an evaluator follows, from TU and TR: their part, place, and whether they are lymph nodes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from imaging_service.cdisc.record import Place, Record
from imaging_service.cdisc.words import ROLES, bare, role_in_name
from measurement.lesions.lesion import Role
from measurement.lesions.organs import LYMPH_NODES, ORGANS, organ_of

_CHANGES_OF_FORM = frozenset({"TUSPLIT", "TUMERGE", "SPLIT", "MERGE"})
"""Identification tests of a lesion that broke up or grew together with another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedLesion:
    """A lesion as one evaluator identified it.

    Attributes
    ----------
    lesion_id
        TULNKID and TRLNKID in upper case.
    role
        Its part.
    location
        TULOC, or TRLOC.
    is_nodal
        Whether it is a lymph node.
    method
        TUMETHOD.
    identified
        Its records in TU.
    parent
        The lesion that TU says it split from or merged with; empty when TU says nothing.
    """

    lesion_id: str
    role: Role
    location: str = ""
    is_nodal: bool = False
    method: str = ""
    identified: tuple[Record, ...] = ()
    parent: str = ""

    @property
    def place(self) -> Place | None:
        """Where it was first identified."""
        return self.identified[0].place if self.identified else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something about a lesion that somebody must look at."""

    code: str
    lesion_id: str
    sentence: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All lesions of one subject and evaluator."""

    lesions: Mapping[str, TrackedLesion]
    doubts: tuple[Doubt, ...] = field(default=())


def catalogue_of(tu: Sequence[Record], tr: Sequence[Record]) -> Catalogue:
    """Say what each lesion is.

    Parameters
    ----------
    tu
        Records of TU of one subject and evaluator.
    tr
        Records of TR of the same.

    Returns
    -------
    Catalogue
        The part comes from TU, else TRGRPID, else the identifier. A lymph node is what its location says, or
        what is only ever measured across. What contradicts itself, or has no part at all, is a doubt.
    """
    identified = _by_lesion(tu, "TULNKID")
    measured = _by_lesion(tr, "TRLNKID")
    lesions: dict[str, TrackedLesion] = {}
    doubts: list[Doubt] = []
    for lesion_id in sorted({*identified, *measured}):
        records, results = identified.get(lesion_id, []), measured.get(lesion_id, [])
        role, doubt = _role(lesion_id, records, results)
        doubts.extend(doubt)
        if role is None:
            continue
        if tu and not records:
            sentence = f"{lesion_id} has results but no identification: is it a {_words(role)}?"
            doubts.append(
                Doubt(
                    code="lesion_not_identified",
                    lesion_id=lesion_id,
                    sentence=sentence,
                    place=results[0].place,
                )
            )
        location = _first(records, "TULOC") or _first(results, "TRLOC")
        is_nodal, doubt = _nodal(lesion_id, location, results)
        doubts.extend(doubt)
        lesions[lesion_id] = TrackedLesion(
            lesion_id=lesion_id,
            role=role,
            location=location,
            is_nodal=is_nodal,
            method=_first(records, "TUMETHOD"),
            identified=tuple(records),
            parent=_parent(records, lesion_id),
        )
    return Catalogue(lesions=lesions, doubts=tuple(doubts))


def lesion_id_of(record: Record, column: str) -> str:
    """Return a lesion's identifier as it is compared."""
    return record.word(column)


def is_change_of_form(record: Record) -> bool:
    """Whether a record of TU tells of a split or a merger instead of a lesion first seen."""
    return record.word("TUTESTCD") in _CHANGES_OF_FORM


def _by_lesion(records: Iterable[Record], column: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        lesion_id = lesion_id_of(record, column)
        if lesion_id:
            found.setdefault(lesion_id, []).append(record)
    return found


def _first(records: Iterable[Record], column: str) -> str:
    return next((record.text(column) for record in records if record.text(column)), "")


def _role(
    lesion_id: str, records: Sequence[Record], results: Sequence[Record]
) -> tuple[Role | None, list[Doubt]]:
    said = list(_roles_said(records, results))
    place = (records or results)[0].place
    if not said:
        named = role_in_name(lesion_id)
        if named:
            return named, []
        sentence = f"{lesion_id} is called neither target, non-target nor new: what is it? It is left out."
        return None, [Doubt(code="role_unknown", lesion_id=lesion_id, sentence=sentence, place=place)]
    role, where = said[0]
    for other, elsewhere in said:
        if other is not role:
            sentence = (
                f"{lesion_id} is a {_words(role)} in {where.file}, row {where.row}, and a {_words(other)} in "
                f"{elsewhere.file}, row {elsewhere.row}: which one is it? The first is used."
            )
            return role, [
                Doubt(code="role_contradicted", lesion_id=lesion_id, sentence=sentence, place=elsewhere)
            ]
    return role, []


def _roles_said(records: Sequence[Record], results: Sequence[Record]) -> Iterator[tuple[Role, Place]]:
    for record in records:
        for column in ("TUSTRESC", "TUORRES"):
            role = ROLES.get(bare(record.text(column)))
            if role:
                yield role, record.place
                break
    for record in results:
        role = ROLES.get(bare(record.text("TRGRPID")))
        if role:
            yield role, record.place


def _nodal(lesion_id: str, location: str, results: Sequence[Record]) -> tuple[bool, list[Doubt]]:
    if location and organ_of(location) == LYMPH_NODES:
        return True, []
    tests = {record.word("TRTESTCD") for record in results}
    across = tests & {"LPERP", "SAXIS", "LNSTATE"}
    if not across or tests & {"LDIAM", "DIAMETER"}:
        return False, []
    if organ_of(location) in ORGANS:
        sentence = (
            f"{lesion_id} in {location} has short axes only, as a lymph node: where is it? "
            "It is taken for a lymph node."
        )
        doubt = Doubt(code="short_axis_only", lesion_id=lesion_id, sentence=sentence, place=results[0].place)
        return True, [doubt]
    return True, []


def _parent(records: Sequence[Record], lesion_id: str) -> str:
    for record in records:
        if is_change_of_form(record):
            for column in ("TUGRPID", "TULNKGRP"):
                if record.text(column) and record.word(column) != lesion_id:
                    return record.word(column)
    return ""


def _words(role: Role) -> str:
    return role.value.replace("_", "-") if role is not Role.NEW else "new lesion"
