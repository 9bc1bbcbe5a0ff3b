"""How well the readers of a trial agree, from the reviews of its subjects as they stand."""

from collections.abc import Iterator, Sequence

from imaging_service.adjudication.figures import EstimateAnswer, ShareAnswer, estimate, response_kappa, share
from imaging_service.adjudication.review import FIRST, SECOND, Review
from imaging_service.adjudication.schemas import (
    LengthAgreementAnswer,
    ReaderFiguresAnswer,
    StatisticRow,
    StatisticsAnswer,
    VariableRateAnswer,
)
from imaging_service.assessments.repository import Response
from measurement.endpoints.agreement import (
    Estimate,
    ReaderRecord,
    intraclass_correlation,
    limits_of_agreement,
)
from measurement.endpoints.proportion import Proportion
from measurement.protocol.trial import TrialProtocol


def statistics(trial_id: str, protocol: TrialProtocol, reviews: Sequence[Review]) -> StatisticsAnswer:
    """Return the figures of a trial, or of a part of it.

    Parameters
    ----------
    trial_id
        The trial.
    protocol
        Names the adjudication variables.
    reviews
        Reviews of the subjects. Rates count subjects that both readers have finished; agreement
        of responses and of sums counts every timepoint that both have signed.
    """
    compared = [each for each in reviews if each.is_finished and SECOND in each.courses]
    differing = [each for each in compared if each.differences]
    decided = [each for each in differing if each.decision is not None]
    both = [pair for each in reviews for pair in _pairs(each)]
    responses = [
        (one.overall_response, other.overall_response)
        for one, other in both
        if one.overall_response is not None and other.overall_response is not None
    ]
    return StatisticsAnswer(
        trial_id=trial_id,
        subjects=len(reviews),
        finished=len(compared),
        adjudication_rate=share(len(differing), len(compared)),
        variables=[
            VariableRateAnswer(
                variable=each.value, differing=share(_count(differing, each.value), len(compared))
            )
            for each in protocol.readers.adjudication_variables
        ],
        decided=share(len(decided), len(differing)),
        readers=[_reader(slot, len(compared), decided) for slot in range(FIRST, protocol.readers.count + 1)],
        response_agreement=share(sum(one == other for one, other in responses), len(responses)),
        response_kappa=response_kappa(responses),
        baseline_sums=_lengths([pair for pair in both if pair[0].number == 0]),
        later_sums=_lengths([pair for pair in both if pair[0].number != 0]),
    )


def _pairs(review: Review) -> Iterator[tuple[Response, Response]]:
    """Yield both readers' answers about the same timepoints."""
    if SECOND not in review.courses:
        return
    other = {each.timepoint_id: each for each in review.courses[SECOND].answers}
    for each in review.courses[FIRST].answers:
        if each.timepoint_id in other:
            yield each, other[each.timepoint_id]


def _count(differing: Sequence[Review], variable: str) -> int:
    return sum(any(each.variable == variable for each in review.differences) for review in differing)


def _reader(slot: int, finished: int, decided: Sequence[Review]) -> ReaderFiguresAnswer:
    overruled = sum(each.acceptance.slot != slot for each in decided)
    record = ReaderRecord(cases_read=finished, adjudicated=len(decided), overruled=overruled)
    return ReaderFiguresAnswer(
        reader=slot,
        acceptance_rate=_share(record.acceptance_rate),
        disagreement_index=_share(record.disagreement_index),
    )


def _share(found: Proportion) -> ShareAnswer:
    return share(found.count, found.of)


def _lengths(both: Sequence[tuple[Response, Response]]) -> LengthAgreementAnswer:
    """Compare complete sums of diameters; an incomplete one has no length."""
    pairs = [
        (float(one.sum_mm), float(other.sum_mm))
        for one, other in both
        if one.sum_mm is not None and other.sum_mm is not None
    ]
    count = len(pairs)
    if count < 2:
        none = estimate(Estimate(), count)
        return LengthAgreementAnswer(
            bias_mm=none,
            standard_deviation_mm=None,
            lower_limit_mm=none,
            upper_limit_mm=none,
            intraclass_correlation=none,
        )
    limits = limits_of_agreement(pairs)
    return LengthAgreementAnswer(
        bias_mm=estimate(limits.bias, count),
        standard_deviation_mm=limits.standard_deviation,
        lower_limit_mm=estimate(limits.lower_limit, count),
        upper_limit_mm=estimate(limits.upper_limit, count),
        intraclass_correlation=estimate(intraclass_correlation(pairs), count),
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
        yield _of_estimate("bias_mm", lengths.bias_mm, name)
        yield _of_estimate("lower_limit_mm", lengths.lower_limit_mm, name)
        yield _of_estimate("upper_limit_mm", lengths.upper_limit_mm, name)
        yield _of_estimate("intraclass_correlation", lengths.intraclass_correlation, name)


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
