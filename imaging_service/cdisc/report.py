"""The report: every query, finding, difference and note, as text for people and JSON for programs."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any

from imaging_service.cdisc.cohort import lines_of, rates
from imaging_service.cdisc.remark import Remark, RemarkKind
from imaging_service.cdisc.safety import safety_lines, safety_mapping
from measurement.endpoints.adverse_events import SafetyTable
from measurement.endpoints.outcomes import CohortOutcomes
from measurement.protocol.mapping import to_mapping
from measurement.protocol.trial import TrialProtocol
from measurement.recist.assess import RULES_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a report stands on.

    Attributes
    ----------
    protocol
        What judges.
    as_of
        The data cut; ``None`` for everything known.
    files
        How many records each file has, by its name.
    """

    protocol: TrialProtocol
    as_of: date | None
    files: Mapping[str, int]

    def lines(self) -> list[str]:
        """Return it as text."""
        protocol = self.protocol
        known = f"as of {self.as_of}" if self.as_of else "everything known"
        return [
            f"Trial {protocol.trial_id}, protocol version {protocol.version}, rules {RULES_VERSION}, {known}",
            *(f"  {name}: {count} records" for name, count in self.files.items()),
            "Choices: " + "; ".join(choices(protocol)),
        ]


def choices(protocol: TrialProtocol) -> list[str]:
    """Return the parameters that change an answer, with their values."""
    rules, endpoints, switches = (
        protocol.criteria.confirmation,
        protocol.endpoints,
        protocol.criteria.switches,
    )
    return [
        f"{name} {value}"
        for group in (switches, rules, endpoints)
        for name, value in to_mapping(group).items()
    ]


@dataclass(slots=True)
class Report:
    """A report that is being written: remarks go to the files as they come."""

    folder: Path
    header: Header
    counts: Counter[RemarkKind] = field(default_factory=Counter)
    _text: IO[str] = field(init=False)
    _json: IO[str] = field(init=False)

    def __post_init__(self) -> None:
        """Write what the report stands on."""
        self._text = (self.folder / "report.txt").open("w", encoding="utf-8", newline="\n")
        self._json = (self.folder / "report.json").open("w", encoding="utf-8", newline="\n")
        self._text.write("\n".join(self.header.lines()) + "\n\n")
        about = {
            "rules_version": RULES_VERSION,
            "data_cut": self.header.as_of.isoformat() if self.header.as_of else None,
            "files": dict(self.header.files),
            "protocol": to_mapping(self.header.protocol),
        }
        self._json.write(json.dumps(about, ensure_ascii=False)[:-1] + ', "remarks": [')

    def add(self, remarks: Iterable[Remark]) -> None:
        """Write remarks."""
        for remark in remarks:
            before = "," if self.counts.total() else ""
            self.counts[remark.kind] += 1
            self._json.write(f"{before}\n{json.dumps(_mapping(remark), ensure_ascii=False)}")
            self._text.write(f"{line_of(remark)}\n")

    def give_up(self) -> None:
        """Close both files as they are; nothing happens to complete ones."""
        self._text.close()
        self._json.close()

    @property
    def open_remarks(self) -> int:
        """How many remarks somebody has to do something about."""
        return self.counts.total() - self.counts[RemarkKind.NOTE]

    def close(
        self, cohorts: Sequence[tuple[str, CohortOutcomes]] = (), safety: SafetyTable | None = None
    ) -> list[str]:
        """Write the cohort's figures and complete both files.

        Parameters
        ----------
        cohorts
            Figures by evaluator.
        safety
            Adverse events, when there were any given.

        Returns
        -------
        list of str
            The lines of the summary.
        """
        protocol = self.header.protocol
        lines = [f"{self.counts[kind]} {_PLURALS[kind]}" for kind in RemarkKind]
        summary = [", ".join(lines)]
        for label, cohort in cohorts:
            summary.extend(lines_of(label, cohort, protocol))
        if safety is not None:
            summary.extend(safety_lines(safety, protocol.adverse_events.days_after_last_dose))
        self._text.write("\n" + "\n".join(summary) + "\n")
        self._text.close()
        rest = {
            "counts": {kind.value: self.counts[kind] for kind in RemarkKind},
            "cohorts": [_cohort(label, cohort) for label, cohort in cohorts],
            "adverse_events": safety_mapping(safety) if safety else None,
        }
        self._json.write("\n], " + json.dumps(rest, ensure_ascii=False)[1:] + "\n")
        self._json.close()
        return summary


_PLURALS = {
    RemarkKind.QUERY: "queries",
    RemarkKind.FINDING: "findings",
    RemarkKind.DIFFERENCE: "differences",
    RemarkKind.NOTE: "notes",
}


def line_of(remark: Remark) -> str:
    """Return a remark as one line of text."""
    about = ", ".join(part for part in (remark.subject_id, remark.evaluator, remark.visit) if part)
    where = f" [{remark.place.file}, row {remark.place.row}]" if remark.place else ""
    return f"{remark.kind.value.upper()} {about or 'all'}: {remark.sentence}{where}"


def _mapping(remark: Remark) -> dict[str, Any]:
    return {
        "kind": remark.kind.value,
        "code": remark.code,
        "sentence": remark.sentence,
        "subject_id": remark.subject_id,
        "evaluator": remark.evaluator,
        "visit": remark.visit,
        "lesion_id": remark.lesion_id,
        "file": remark.place.file if remark.place else None,
        "row": remark.place.row if remark.place else None,
        "source": remark.source,
    }


def _cohort(label: str, cohort: CohortOutcomes) -> dict[str, Any]:
    shares = {
        name.lower(): {
            "count": share.count,
            "of": share.of,
            "estimate": share.estimate,
            "limits": share.limits,
        }
        for name, share in rates(cohort)
    }
    curves = {
        endpoint.value.lower(): {
            "subjects": curve.subjects,
            "events": curve.events,
            "quantiles": [
                {"probability": each.probability, "days": each.time, "limits": tuple(each.limits)}
                for each in curve.quartiles
            ],
        }
        for endpoint, curve in cohort.curves.items()
    }
    return {"evaluator": label, "subjects": cohort.subjects, **shares, "times": curves}
