"""How well the readers of a trial agree, from the reviews of its subjects as they stand."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from imaging_service.adjudication.diameter_repository import Group
from imaging_service.adjudication.figures import EstimateAnswer, ShareAnswer, estimate, response_kappa, share
from imaging_service.adjudication.kept import KeptReview
from imaging_service.adjudication.review import FIRST, Standing
from imaging_service.adjudication.schemas import (
    DiametersAnswer,
    LengthAgreementAnswer,
    ReaderFiguresAnswer,
    StatisticRow,
    StatisticsAnswer,
    VariableRateAnswer,
)
from measurement.endpoints.agreement import (
    Estimate,
    PairSums,
    ReaderRecord,
    intraclass_correlation_of_sums,
    limits_of_sums,
)
from measurement.endpoints.proportion import Proportion
from measurement.protocol.trial import TrialProtocol


@dataclass(slots=True, kw_only=True)
class _Total:
    """What the reviews of a cohort add up to."""

    subjects: int = 0
    finished: int = 0
    differing: Counter[str] = field(default_factory=Counter)
    cases: int = 0
    decided: int = 0
    chosen: Counter[int] = field(default_factory=Counter)
    responses: Counter[tuple[str, str]] = field(default_factory=Counter)
    baseline_sums: list[PairSums] = field(default_factory=list)
    later_sums: list[PairSums] = field(default_factory=list)


def statistics(
    trial_id: str,
    protocol: TrialProtocol,
    reviews: Iterable[KeptReview],
    diameters: Mapping[Group, PairSums],
    today: date,
) -> StatisticsAnswer:
    """Return the figures of a trial, or of a part of it.

    Parameters
    ----------
    trial_id
        The trial.
    protocol
        Names the adjudication variables.
    reviews
        What is kept of the reviews of the subjects. Rates count subjects that both readers have finished;
        agreement of responses and of sums counts every timepoint that both have signed.
    diameters
        Sums over single diameters of the same lesions, by group.
    today
        The day on which it is asked.
    """
    total = _total(reviews, protocol, today)
    agreeing = sum(count for (one, other), count in total.responses.items() if one == other)
    return StatisticsAnswer(
        trial_id=trial_id,
        subjects=total.subjects,
        finished=total.finished,
        adjudication_rate=share(total.cases, total.finished),
        variables=[
            VariableRateAnswer(
                variable=each.value, differing=share(total.differing[each.value], total.finished)
            )
            for each in protocol.readers.adjudication_variables
        ],
        decided=share(total.decided, total.cases),
        readers=[_reader(slot, total) for slot in range(FIRST, protocol.readers.count + 1)],
        response_agreement=share(agreeing, total.responses.total()),
        response_kappa=response_kappa(total.responses),
        baseline_sums=_lengths(PairSums.total(total.baseline_sums)),
        later_sums=_lengths(PairSums.total(total.later_sums)),
        diameters=[
            DiametersAnswer(by=grouping, name=name, agreement=_lengths(sums))
            for (grouping, name), sums in diameters.items()
        ],
    )


def _total(reviews: Iterable[KeptReview], protocol: TrialProtocol, today: date) -> _Total:
    total = _Total()
    for each in reviews:
        total.subjects += 1
        for pair, count in each.responses.items():
            total.responses[pair] += count
        total.baseline_sums.append(each.baseline_sums)
        total.later_sums.append(each.later_sums)
        if protocol.readers.count == 1 or not each.is_finished(today):
            continue
        total.finished += 1
        if each.differing:
            total.cases += 1
            total.differing.update(each.differing)
            if each.standing is Standing.ADJUDICATED:
                total.decided += 1
                total.chosen[each.slot] += 1
    return total


def _reader(slot: int, total: _Total) -> ReaderFiguresAnswer:
    record = ReaderRecord(
        cases_read=total.finished,
        adjudicated=total.decided,
        overruled=total.decided - total.chosen[slot],
    )
    return ReaderFiguresAnswer(
        reader=slot,
        acceptance_rate=_share(record.acceptance_rate),
        disagreement_index=_share(record.disagreement_index),
    )


def _share(found: Proportion) -> ShareAnswer:
    return share(found.count, found.of)


def _lengths(sums: PairSums) -> LengthAgreementAnswer:
    """Compare lengths of which both readers have one."""
    count = sums.pairs
    if count < 2:
        none = estimate(Estimate(), count)
        return LengthAgreementAnswer(
            bias_mm=none,
            standard_deviation_mm=None,
            lower_limit_mm=none,
            upper_limit_mm=none,
            intraclass_correlation=none,
        )
    limits = limits_of_sums(sums)
    return LengthAgreementAnswer(
        bias_mm=estimate(limits.bias, count),
        standard_deviation_mm=limits.standard_deviation,
        lower_limit_mm=estimate(limits.lower_limit, count),
        upper_limit_mm=estimate(limits.upper_limit, count),
        intraclass_correlation=estimate(intraclass_correlation_of_sums(sums), count),
    )


def statistic_rows(found: StatisticsAnswer) -> Iterator[StatisticRow]:
    """Yield the figures as lines of a table."""
    yield _of_share("adjudication_rate", found.adjudication_rate)
    for variable in found.variables:
        yield _of_share("differing", variable.differing, variable.variable)
    yield _of_share("decided", found.decided)
    for reader in found.readers:
        yield _of_share("acceptance_rate", reader.acceptance_rate, f"reader {reader.reader}")
        yield _of_share("disagreement_index", reader.disagreement_index, f"reader {reader.reader}")
    yield _of_share("response_agreement", found.response_agreement)
    yield _of_estimate("response_kappa", found.response_kappa)
    for name, lengths in (("baseline_sums", found.baseline_sums), ("later_sums", found.later_sums)):
        yield from _of_lengths("", lengths, name)
    for each in found.diameters:
        yield from _of_lengths("diameter_", each.agreement, f"{each.by} {each.name}")


def _of_lengths(what: str, found: LengthAgreementAnswer, about: str) -> Iterator[StatisticRow]:
    yield _of_estimate(f"{what}bias_mm", found.bias_mm, about)
    yield _of_estimate(f"{what}lower_limit_mm", found.lower_limit_mm, about)
    yield _of_estimate(f"{what}upper_limit_mm", found.upper_limit_mm, about)
    yield _of_estimate(f"{what}intraclass_correlation", found.intraclass_correlation, about)


def _of_share(name: str, found: ShareAnswer, about: str | None = None) -> StatisticRow:
    return StatisticRow(
        statistic=name,
        about=about,
        count=found.count,
        of=found.of,
        estimate=found.estimate,
        lower=found.lower,
        upper=found.upper,
    )


def _of_estimate(name: str, found: EstimateAnswer, about: str | None = None) -> StatisticRow:
    return StatisticRow(
        statistic=name,
        about=about,
        count=None,
        of=found.pairs,
        estimate=found.value,
        lower=found.lower,
        upper=found.upper,
    )
