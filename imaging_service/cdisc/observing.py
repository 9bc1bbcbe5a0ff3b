"""From visits to what the rules take: observations of targets, non-targets and new lesions."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from imaging_service.cdisc.forms import members_of, whole_of
from imaging_service.cdisc.lesions import Catalogue, Doubt, TrackedLesion, is_change_of_form, lesion_id_of
from imaging_service.cdisc.record import Place, Record
from imaging_service.cdisc.result import LENGTHS, STATE_TESTS, result_of
from imaging_service.cdisc.seeing import Seen, fragment_length, look, target_state
from imaging_service.cdisc.visits import Days, Occasions, Visit, visit_key
from imaging_service.cdisc.words import State, bare, method_of
from measurement.lesions.lesion import (
    NewLesionObservation,
    NewLesionState,
    NonTargetObservation,
    NonTargetState,
    Role,
    TargetObservation,
    TargetState,
)
from measurement.protocol.criteria import SumThresholds
from measurement.recist.observations import TimepointObservations


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Everything that one evaluator saw of a subject.

    Attributes
    ----------
    timepoints
        What the rules take.
    doubts
        By the identifier of the timepoint.
    places
        Where the record of a lesion at a timepoint stands.
    """

    timepoints: tuple[TimepointObservations, ...]
    doubts: tuple[tuple[str, Doubt], ...]
    places: Mapping[tuple[str, str], Place]


def observe(occasions: Occasions, catalogue: Catalogue, day_of: Days, sums: SumThresholds) -> Observed:
    """Turn visits into observations.

    Parameters
    ----------
    occasions
        The visits of one subject and evaluator.
    catalogue
        Its lesions.
    day_of
        The day of a record.
    sums
        The protocol's numbers.
    """
    desk = _Desk(catalogue.lesions, day_of, sums)
    timepoints: list[TimepointObservations] = []
    if occasions.baseline:
        timepoints.append(desk.baseline(occasions.baseline))
    timepoints.extend(desk.follow_up(visit) for visit in occasions.follow_ups)
    return Observed(timepoints=tuple(timepoints), doubts=tuple(desk.doubts), places=desk.places)


@dataclass(slots=True)
class _Desk:
    """Where one subject's records are sorted, visit by visit."""

    lesions: Mapping[str, TrackedLesion]
    day_of: Days
    sums: SumThresholds
    doubts: list[tuple[str, Doubt]] = field(default_factory=list)
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    targets: dict[str, TrackedLesion] = field(default_factory=dict)
    non_targets: dict[str, TrackedLesion] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    certain: set[str] = field(default_factory=set)

    def baseline(self, visits: Sequence[Visit]) -> TimepointObservations:
        """Return the baseline: of each lesion the last assessment, and what TU alone says of it."""
        where = visits[-1].timepoint_id
        latest: dict[str, list[Seen]] = {}
        for visit in visits:
            for name, looks in self._look(visit, where).items():
                if name not in latest or not all(_is_blank(look) for look in looks):
                    latest[name] = looks
        keys = {visit_key(record) for visit in visits for record in visit.records}
        for lesion in self.lesions.values():
            if lesion.role is not Role.NEW and (
                lesion.lesion_id in latest or _is_identified_at(lesion, keys)
            ):
                followed = self.targets if lesion.role is Role.TARGET else self.non_targets
                followed[lesion.lesion_id] = lesion
        days = [visit.last_on for visit in visits if visit.last_on]
        return TimepointObservations(
            timepoint_id=where,
            number=visits[-1].number,
            imaged_on=max(days),
            targets=tuple(self._targets(latest, where)) + tuple(self._unmeasured(latest, max(days))),
            non_targets=tuple(self._non_targets(latest, where)) + tuple(self._merely_identified(latest)),
            new_lesions=tuple(self._new_lesions(latest, visits[-1])),
        )

    def follow_up(self, visit: Visit) -> TimepointObservations:
        """Return a timepoint after baseline."""
        where = visit.timepoint_id
        seen = self._look(visit, where)
        targets = tuple(self._targets(seen, where))
        non_targets = tuple(self._non_targets(seen, where))
        new_lesions = tuple(self._new_lesions(seen, visit))
        if visit.first_on is None:
            reasons = dict.fromkeys(result_of(record).not_done for record in visit.records)
            not_done = "; ".join(sorted(filter(None, reasons))) or "no reason given"
            return TimepointObservations(timepoint_id=where, number=visit.number, not_done=not_done)
        return TimepointObservations(
            timepoint_id=where,
            number=visit.number,
            imaged_on=visit.first_on,
            targets=targets,
            non_targets=non_targets,
            new_lesions=new_lesions,
        )

    def _look(self, visit: Visit, where: str) -> dict[str, list[Seen]]:
        """Return what was seen of each lesion at a visit."""
        by_lesion: dict[str, list[Record]] = {}
        for record in visit.records:
            lesion_id = lesion_id_of(record, "TRLNKID")
            if lesion_id in self.lesions and record.word("TRTESTCD") in LENGTHS | STATE_TESTS:
                by_lesion.setdefault(lesion_id, []).append(record)
        found: dict[str, list[Seen]] = {}
        for lesion_id in sorted(by_lesion):
            is_nodal = self.lesions[lesion_id].is_nodal
            looks = look(lesion_id, by_lesion[lesion_id], self.day_of, is_nodal=is_nodal, sums=self.sums)
            found[lesion_id] = looks
            self.places[where, lesion_id] = looks[0].record.place
            for seen in looks:
                self.doubts.extend((where, doubt) for doubt in seen.doubts)
                self._require_day(seen, visit)
        return found

    def _require_day(self, seen: Seen, visit: Visit) -> None:
        """Refuse a result of a visit that has no day at all."""
        if visit.first_on is None and seen.state is not State.NOT_EVALUABLE:
            wanted = f"the day of the imaging at {visit.timepoint_id}"
            seen.record.refuse("TRDTC", wanted)

    def _doubt(self, where: str, code: str, seen: Seen, sentence: str) -> None:
        doubt = Doubt(code=code, lesion_id=seen.lesion_id, sentence=sentence, place=seen.record.place)
        self.doubts.append((where, doubt))

    # Targets

    def _targets(self, seen: Mapping[str, list[Seen]], where: str) -> Iterator[TargetObservation]:
        """Yield each followed target with its parts and mergers, and targets that are none of baseline."""
        parts, masses = self._forms(seen, Role.TARGET, self.targets)
        for name in self.targets:
            looks = seen.get(name, [])
            if name in parts:
                yield self._split(name, looks, parts[name], where)
            elif name in masses:
                yield from self._merged(name, looks, masses[name], where)
            else:
                yield from (self._target(name, look, where) for look in looks)
        used = {look.lesion_id for looks in parts.values() for look in looks}
        used |= {mass.lesion_id for mass, _ in masses.values()}
        for name, looks in seen.items():
            if self.lesions[name].role is Role.TARGET and name not in self.targets and name not in used:
                yield from (self._target(name, look, where) for look in looks)

    def _forms(
        self, seen: Mapping[str, list[Seen]], role: Role, followed: Collection[str]
    ) -> tuple[dict[str, list[Seen]], dict[str, tuple[Seen, tuple[str, ...]]]]:
        """Return the parts of each lesion that split, and the mass of each lesion that merged."""
        parts: dict[str, list[Seen]] = {}
        masses: dict[str, tuple[Seen, tuple[str, ...]]] = {}
        for name, looks in seen.items():
            if self.lesions[name].role is not role or name in followed:
                continue
            members = members_of(name, followed)
            whole = whole_of(name, followed, self.lesions)
            if members:
                masses.update(dict.fromkeys(members, (looks[0], members)))
            elif whole:
                parts.setdefault(whole, []).extend(looks[:1])
        return parts, masses

    def _target(self, name: str, seen: Seen, where: str) -> TargetObservation:
        state = TargetState.MEASURED if seen.length is not None else target_state(seen)
        if seen.record.word("TRTESTCD") == "LNSTATE" and not _is_blank(seen):
            state = (
                None  # a node that is normal is not gone: only its short axis says what it adds to the sum
            )
        merged_into = None
        if state is None and seen.state is State.MERGED:
            merged_into = self._carrier(name)
            state = TargetState.MERGED if merged_into else None
        if state is None:
            sentence = (
                f"The target {name} has no diameter at {where} "
                f"({seen.record.text('TRORRES') or seen.record.text('TRSTRESC') or 'no result'}): "
                "what is it? "
                "It is taken as not evaluable."
            )
            self._doubt(where, "diameter_missing", seen, sentence)
            state = TargetState.NOT_EVALUABLE
        return self._observation(name, seen, state, merged_into=merged_into)

    def _observation(
        self, name: str, seen: Seen, state: TargetState, *, merged_into: str | None = None
    ) -> TargetObservation:
        lesion = self.lesions[name]
        return TargetObservation(
            lesion_id=name,
            state=state,
            is_nodal=lesion.is_nodal,
            diameter=seen.length if state is TargetState.MEASURED else None,
            merged_into=merged_into,
            method=method_of(seen.method),
            imaged_on=seen.on,
            record_id=seen.record_id,
        )

    def _carrier(self, name: str) -> str | None:
        """Return the target that TU says a merged one grew into."""
        parent = self.lesions[name].parent
        return parent if parent in self.targets and parent != name else None

    def _split(
        self, name: str, looks: Sequence[Seen], parts: Sequence[Seen], where: str
    ) -> TargetObservation:
        lengths = [fragment_length(part, self.sums) for part in parts]
        days = [part.on for part in parts if part.on]
        if any(look.length for look in looks):
            sentence = (
                f"{name} has a diameter of its own at {where} beside those of {len(parts)} parts: "
                "which counts? The parts are used."
            )
            self._doubt(where, "split_and_whole", looks[0], sentence)
        known = tuple(length for length in lengths if length is not None)
        is_whole = len(known) == len(lengths)
        return TargetObservation(
            lesion_id=name,
            state=TargetState.SPLIT if is_whole else TargetState.NOT_EVALUABLE,
            is_nodal=self.lesions[name].is_nodal,
            fragments=known if is_whole else (),
            method=method_of(parts[0].method),
            imaged_on=max(days, default=None),
            record_id=parts[0].record_id,
        )

    def _merged(
        self, name: str, looks: Sequence[Seen], mass: tuple[Seen, tuple[str, ...]], where: str
    ) -> Iterator[TargetObservation]:
        """Yield a member of a mass: the first one carries its diameter."""
        seen, members = mass
        self.places.setdefault((where, name), seen.record.place)
        if any(look.length for look in looks):
            sentence = (
                f"{name} has a diameter of its own at {where} beside that of the mass {seen.lesion_id}: "
                "which counts? That of the mass is used."
            )
            self._doubt(where, "merged_and_apart", looks[0], sentence)
        if name == members[0]:
            yield self._target(name, seen, where)
        elif seen.state is State.NOT_EVALUABLE and seen.length is None:
            yield self._observation(name, seen, TargetState.NOT_EVALUABLE)
        else:
            yield self._observation(name, seen, TargetState.MERGED, merged_into=members[0])

    def _unmeasured(self, seen: Mapping[str, list[Seen]], on: date) -> Iterator[TargetObservation]:
        """Yield targets that TU identifies at baseline and TR does not measure there."""
        for name, lesion in self.targets.items():
            if name not in seen:
                yield TargetObservation(
                    lesion_id=name,
                    state=TargetState.NOT_EVALUABLE,
                    is_nodal=lesion.is_nodal,
                    imaged_on=on,
                )

    # Non-targets

    def _non_targets(self, seen: Mapping[str, list[Seen]], where: str) -> Iterator[NonTargetObservation]:
        parts, masses = self._forms(seen, Role.NON_TARGET, self.non_targets)
        for name in self.non_targets:
            looks = [*seen.get(name, []), *parts.get(name, [])]
            if name in masses:
                looks.append(masses[name][0])
            if name in parts or name in masses:
                yield _worst([self._non_target(name, look, where) for look in looks])
            else:
                yield from (self._non_target(name, look, where) for look in looks)
        used = {look.lesion_id for looks in parts.values() for look in looks}
        used |= {mass.lesion_id for mass, _ in masses.values()}
        for name, looks in seen.items():
            if (
                self.lesions[name].role is Role.NON_TARGET
                and name not in self.non_targets
                and name not in used
            ):
                yield from (self._non_target(name, look, where) for look in looks)

    def _non_target(self, name: str, seen: Seen, where: str) -> NonTargetObservation:
        is_nodal = self.lesions[name].is_nodal
        state = _NON_TARGET_STATES.get(seen.state) if seen.state else None
        if state is None and seen.length is not None:
            state = NonTargetState.PRESENT if seen.length else NonTargetState.ABSENT
        if state is None:
            sentence = (
                f"The non-target {name} has no usable state at {where}: how was it found? "
                "It is taken as not evaluable."
            )
            self._doubt(where, "state_missing", seen, sentence)
            state = NonTargetState.NOT_EVALUABLE
        return NonTargetObservation(
            lesion_id=name,
            state=state,
            is_nodal=is_nodal,
            short_axis=seen.length if is_nodal else None,
            reason=_reason(seen) if state is NonTargetState.PROGRESSED else "",
            imaged_on=seen.on,
            record_id=seen.record_id,
        )

    def _merely_identified(self, seen: Mapping[str, list[Seen]]) -> Iterator[NonTargetObservation]:
        """Yield non-targets that TU identifies at baseline: to be identified is to be present."""
        for name, lesion in self.non_targets.items():
            if name not in seen:
                yield NonTargetObservation(
                    lesion_id=name, state=NonTargetState.PRESENT, is_nodal=lesion.is_nodal
                )

    # New lesions

    def _new_lesions(self, seen: Mapping[str, list[Seen]], visit: Visit) -> Iterator[NewLesionObservation]:
        """Yield new lesions: as TR finds them, and those that only TU identifies at this visit."""
        where = visit.timepoint_id
        for name, lesion in self.lesions.items():
            if lesion.role is not Role.NEW:
                continue
            for sighting in seen.get(name, ())[:1]:
                state = self._new_state(name, sighting, where)
                if state:
                    yield self._new(lesion, state, sighting.on, sighting.record_id)
            if name not in seen:
                yield from self._only_identified(lesion, visit)

    def _only_identified(self, lesion: TrackedLesion, visit: Visit) -> Iterator[NewLesionObservation]:
        for record in visit.records:
            if lesion_id_of(record, "TULNKID") == lesion.lesion_id and not is_change_of_form(record):
                words = f"{bare(record.text('TUORRES'))} {bare(record.text('TUSTRESC'))}".split()
                state = NewLesionState.EQUIVOCAL if "EQUIVOCAL" in words else NewLesionState.UNEQUIVOCAL
                self.places[visit.timepoint_id, lesion.lesion_id] = record.place
                sequence = record.text("TUSEQ")
                yield self._new(lesion, state, self.day_of(record), f"TU {sequence}" if sequence else "")
                return

    def _new(
        self, lesion: TrackedLesion, state: NewLesionState, on: date | None, record_id: str
    ) -> NewLesionObservation:
        name = lesion.lesion_id
        if state is NewLesionState.UNEQUIVOCAL:
            self.certain.add(name)
        elif state is NewLesionState.EQUIVOCAL:
            self.doubtful.add(name)
        return NewLesionObservation(
            lesion_id=name, state=state, location=lesion.location, imaged_on=on, record_id=record_id
        )

    def _new_state(self, name: str, seen: Seen, where: str) -> NewLesionState | None:
        """Return how sure the evaluator is; ``None`` when nothing new is said."""
        state = seen.state
        if state in {State.EQUIVOCAL, State.UNEQUIVOCAL, State.REFUTED}:
            return _NEW_STATES[state]
        if state is State.ABSENT or (state is None and seen.length == 0):
            # A certain new lesion that went away was new all the same; a doubtful one never was.
            return NewLesionState.REFUTED if name in self.doubtful - self.certain else None
        if state in {State.PRESENT, State.TOO_SMALL} or (state is None and seen.length):
            if name in self.doubtful - self.certain:
                sentence = (
                    f"{name} was equivocal and is only said to be there at {where}: is it a new lesion now? "
                    "It stays equivocal."
                )
                self._doubt(where, "new_lesion_still_doubtful", seen, sentence)
                return NewLesionState.EQUIVOCAL
            return NewLesionState.UNEQUIVOCAL
        if state in {State.SPLIT, State.MERGED} or (state is None and seen.length is None):
            self._doubt(
                where,
                "state_missing",
                seen,
                f"The new lesion {name} has no usable state at {where}: how was it found?",
            )
        return None


_NON_TARGET_STATES = {
    State.PRESENT: NonTargetState.PRESENT,
    State.TOO_SMALL: NonTargetState.PRESENT,
    State.EQUIVOCAL: NonTargetState.PRESENT,
    State.SPLIT: NonTargetState.PRESENT,
    State.MERGED: NonTargetState.PRESENT,
    State.ABSENT: NonTargetState.ABSENT,
    State.UNEQUIVOCAL: NonTargetState.PROGRESSED,
    State.NOT_EVALUABLE: NonTargetState.NOT_EVALUABLE,
}

_NEW_STATES = {
    State.EQUIVOCAL: NewLesionState.EQUIVOCAL,
    State.UNEQUIVOCAL: NewLesionState.UNEQUIVOCAL,
    State.REFUTED: NewLesionState.REFUTED,
}

_WORST = (
    NonTargetState.PROGRESSED,
    NonTargetState.NOT_EVALUABLE,
    NonTargetState.PRESENT,
    NonTargetState.ABSENT,
)


def _worst(observations: Sequence[NonTargetObservation]) -> NonTargetObservation:
    """Return what counts for a non-target that is assessed in parts."""
    return min(observations, key=lambda observation: _WORST.index(observation.state))


def _is_blank(seen: Seen) -> bool:
    return seen.length is None and seen.state is State.NOT_EVALUABLE


def _reason(seen: Seen) -> str:
    """Return the evaluator's own word when it says that the progression is unequivocal."""
    text = seen.record.text("TRORRES") or seen.record.text("TRSTRESC")
    return text if "UNEQUIVOCAL" in bare(text) else ""


def _is_identified_at(lesion: TrackedLesion, keys: Iterable[tuple[str, str]]) -> bool:
    """Whether TU identifies a lesion at baseline; a record without a visit does not say otherwise."""
    return any(
        not is_change_of_form(record) and (not visit_key(record)[1] or visit_key(record) in keys)
        for record in lesion.identified
    )
