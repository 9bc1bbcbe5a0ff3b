"""How well two readers agree: on categories, on lengths, and with the adjudicator."""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from operator import attrgetter
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.special import fdtri, stdtrit

from measurement.endpoints.proportion import Proportion
from measurement.errors import MeasurementError


class TooFewPairsError(MeasurementError):
    """Agreement is asked of fewer pairs than its formula can use."""

    def __init__(self, *, found: int, wanted: int) -> None:
        """Name the number of pairs found and the number wanted."""
        super().__init__(f"Agreement needs at least {wanted} pairs of readings here; found {found}.")


class UnknownCategoryError(MeasurementError):
    """A rating is not one of the categories."""

    def __init__(self, found: Hashable, wanted: Sequence[Hashable]) -> None:
        """Name the rating and the categories."""
        names = ", ".join(str(category) for category in wanted)
        super().__init__(f"A rating must be one of {names}; found {found}.")


class Weights(StrEnum):
    """How much a disagreement between two ordered categories counts."""

    NONE = "none"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


class IccForm(StrEnum):
    """Which intraclass correlation of single readings (McGraw and Wong, Psychol Methods 1996;1:30-46)."""

    ONE_WAY = "ICC(1)"
    AGREEMENT = "ICC(A,1)"
    CONSISTENCY = "ICC(C,1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A statistic with its interval; all ``None`` where the data leave it undefined."""

    value: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Agreement beyond chance (Cohen 1960, 1968)."""

    pairs: int
    observed: float  # share of (weighted) agreement
    expected: float  # the same by chance
    estimate: Estimate
    standard_error: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsOfAgreement:
    """Differences of two readings of the same lengths, first minus second, in mm."""

    pairs: int
    bias: Estimate
    standard_deviation: float
    lower_limit: Estimate
    upper_limit: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderRecord:
    """What the adjudicator's choices say about one reader."""

    cases_read: int
    adjudicated: int
    overruled: int  # adjudicated cases in which the other reader was chosen

    @property
    def adjudication_rate(self) -> Proportion:
        """Return the share of this reader's cases that went to adjudication."""
        return Proportion(count=self.adjudicated, of=self.cases_read)

    @property
    def acceptance_rate(self) -> Proportion:
        """Return the share of the adjudicated cases in which this reader was chosen."""
        return Proportion(count=self.adjudicated - self.overruled, of=self.adjudicated)

    @property
    def disagreement_index(self) -> Proportion:
        """Return the reader disagreement index: cases in which the adjudicator disagreed, of all cases read.

        Sharma et al., J Clin Oncol 2019;37(15 suppl):e18082.
        """
        return Proportion(count=self.overruled, of=self.cases_read)


def kappa(
    pairs: Sequence[tuple[str, str]],
    *,
    categories: Sequence[str],
    weights: Weights = Weights.NONE,
    level: float = 0.95,
) -> Kappa:
    """Measure two readers' agreement on categories beyond chance.

    Parameters
    ----------
    pairs
        First and second reader's category, one pair a case.
    categories
        All categories, in order where `weights` are given.
    weights
        None for nominal categories.
    level
        Two-sided confidence level of the interval, which uses the large-sample error of Fleiss, Cohen and
        Everitt, Psychol Bull 1969;72:323-327.

    Raises
    ------
    TooFewPairsError
        Without a pair.
    UnknownCategoryError
        When a rating is not a category.
    """
    return kappa_of_counts(Counter(pairs), categories=categories, weights=weights, level=level)


def kappa_of_counts(
    counts: Mapping[tuple[str, str], int],
    *,
    categories: Sequence[str],
    weights: Weights = Weights.NONE,
    level: float = 0.95,
) -> Kappa:
    """Measure the same of pairs that are counted already: a cohort has many cases and few pairs.

    Raises
    ------
    TooFewPairsError
        Without a pair.
    UnknownCategoryError
        When a rating is not a category.
    """
    pairs = sum(counts.values())
    if not pairs:
        raise TooFewPairsError(found=0, wanted=1)
    shares = _contingency(counts, categories) / pairs
    agreement = _agreement_weights(len(categories), weights)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed = float((agreement * shares).sum())
    expected = float(rows @ agreement @ columns)
    if math.isclose(expected, 1.0):
        return Kappa(
            pairs=pairs, observed=observed, expected=expected, estimate=Estimate(), standard_error=None
        )
    value = (observed - expected) / (1 - expected)
    margins = (agreement @ columns)[:, None] + (rows @ agreement)[None, :]
    spread = float((shares * (agreement - margins * (1 - value)) ** 2).sum())
    variance = (spread - (value - expected * (1 - value)) ** 2) / (pairs * (1 - expected) ** 2)
    error = math.sqrt(max(variance, 0.0))
    margin = NormalDist().inv_cdf((1 + level) / 2) * error
    return Kappa(
        pairs=pairs,
        observed=observed,
        expected=expected,
        estimate=Estimate(value=value, lower=max(-1.0, value - margin), upper=min(1.0, value + margin)),
        standard_error=error,
    )


def intraclass_correlation(
    readings: npt.ArrayLike, *, form: IccForm = IccForm.AGREEMENT, level: float = 0.95
) -> Estimate:
    """Measure how much of the spread of lengths is the lesions' own.

    Parameters
    ----------
    readings
        Shape (lesions, readers), in mm, none missing.
    form
        Absolute agreement by default: a reader who always draws 1 mm longer lowers it.
    level
        Two-sided confidence level of the interval (F distribution; Satterthwaite for absolute agreement).

    Raises
    ------
    TooFewPairsError
        With fewer than two lesions or two readers.
    """
    values = np.asarray(readings, dtype=np.float64)
    if values.ndim != 2 or min(values.shape) < 2:
        raise TooFewPairsError(found=min(values.shape, default=0), wanted=2)
    squares = _mean_squares(values)
    if squares.between_lesions == squares.error == squares.between_readers == 0:
        return Estimate()
    return {
        IccForm.ONE_WAY: _one_way,
        IccForm.AGREEMENT: _two_way_agreement,
        IccForm.CONSISTENCY: _two_way_consistency,
    }[form](squares, (1 + level) / 2)


def limits_of_agreement(pairs: Sequence[tuple[float, float]], *, level: float = 0.95) -> LimitsOfAgreement:
    """Return Bland and Altman's limits for two readers' lengths.

    Parameters
    ----------
    pairs
        First and second reader's length of the same lesion, in mm.
    level
        Share of differences between the limits, and two-sided level of the intervals.

    Returns
    -------
    LimitsOfAgreement
        Bias and limits with their intervals: Student's t with n - 1 degrees, standard error of the bias
        s/sqrt(n), of each limit sqrt(3 s^2 / n) (Bland and Altman, Lancet 1986;327:307-310).

    Raises
    ------
    TooFewPairsError
        With fewer than two pairs.
    """
    if len(pairs) < 2:
        raise TooFewPairsError(found=len(pairs), wanted=2)
    differences = np.asarray([first - second for first, second in pairs])
    return _limits(len(pairs), float(differences.mean()), float(differences.std(ddof=1)), level)


def _limits(count: int, bias: float, deviation: float, level: float) -> LimitsOfAgreement:
    reach = NormalDist().inv_cdf((1 + level) / 2) * deviation
    student = float(stdtrit(count - 1, (1 + level) / 2))
    error = deviation / math.sqrt(count)

    def around(value: float, margin: float) -> Estimate:
        return Estimate(value=value, lower=value - margin, upper=value + margin)

    return LimitsOfAgreement(
        pairs=count,
        bias=around(bias, student * error),
        standard_deviation=deviation,
        lower_limit=around(bias - reach, student * error * math.sqrt(3)),
        upper_limit=around(bias + reach, student * error * math.sqrt(3)),
    )


_MICROMETRES = 1000  # in a millimetre


@dataclass(frozen=True, slots=True)
class PairSums:
    """Sums over pairs of reported lengths, exact: in whole micrometres and their squares.

    Those of parts of a cohort add up to those of the whole, so that agreement over a cohort needs no pair
    of its own.
    """

    pairs: int = 0
    first: int = 0
    second: int = 0
    first_squares: int = 0
    second_squares: int = 0
    products: int = 0

    @classmethod
    def of(cls, pairs: Iterable[tuple[Decimal, Decimal]]) -> "PairSums":
        """Sum up pairs of lengths in mm; anything finer than a micrometre is rounded half to even."""
        lengths = [tuple(int((mm * _MICROMETRES).to_integral_value()) for mm in pair) for pair in pairs]
        return cls(
            pairs=len(lengths),
            first=sum(one for one, _ in lengths),
            second=sum(other for _, other in lengths),
            first_squares=sum(one * one for one, _ in lengths),
            second_squares=sum(other * other for _, other in lengths),
            products=sum(one * other for one, other in lengths),
        )

    @classmethod
    def total(cls, parts: Sequence["PairSums"]) -> "PairSums":
        """Return the sums over all parts."""
        figures = attrgetter(*cls.__slots__)
        return cls(*map(sum, zip(*map(figures, parts), strict=True)))


def limits_of_sums(sums: PairSums, *, level: float = 0.95) -> LimitsOfAgreement:
    """Return `limits_of_agreement` of pairs that are summed up already.

    Raises
    ------
    TooFewPairsError
        With fewer than two pairs.

    Examples
    --------
    >>> sums = PairSums.of([(Decimal("10"), Decimal("8")), (Decimal("12"), Decimal("11"))])
    >>> limits_of_sums(sums).bias.value
    1.5
    """
    count = sums.pairs
    if count < 2:
        raise TooFewPairsError(found=count, wanted=2)
    difference = sums.first - sums.second
    squares = sums.first_squares - 2 * sums.products + sums.second_squares
    variance = Fraction(count * squares - difference**2, count * (count - 1))
    return _limits(
        count,
        float(Fraction(difference, count * _MICROMETRES)),
        math.sqrt(variance) / _MICROMETRES,
        level,
    )


def intraclass_correlation_of_sums(sums: PairSums, *, level: float = 0.95) -> Estimate:
    """Return ICC(A,1) of pairs that are summed up already; see `intraclass_correlation`.

    Raises
    ------
    TooFewPairsError
        With fewer than two pairs.
    """
    if sums.pairs < 2:
        raise TooFewPairsError(found=sums.pairs, wanted=2)
    squares = _mean_squares_of_sums(sums)
    if squares.between_lesions == squares.error == squares.between_readers == 0:
        return Estimate()
    return _two_way_agreement(squares, (1 + level) / 2)


def _mean_squares_of_sums(sums: PairSums) -> "_MeanSquares":
    """Return the analysis of variance of two readers, in square micrometres: a correlation has no unit."""
    count, both = sums.pairs, sums.first + sums.second
    own = Fraction(both**2, 2 * count)
    by_lesion = Fraction(sums.first_squares + 2 * sums.products + sums.second_squares, 2) - own
    by_reader = Fraction(sums.first**2 + sums.second**2, count) - own
    within = Fraction(sums.first_squares - 2 * sums.products + sums.second_squares, 2)
    return _MeanSquares(
        lesions=count,
        readers=2,
        between_lesions=float(by_lesion / (count - 1)),
        between_readers=float(by_reader),
        error=float((within - by_reader) / (count - 1)),
        within_lesions=float(within / count),
    )


def _contingency(counts: Mapping[tuple[str, str], int], categories: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the number of pairs in each cell, shape (categories, categories), first reader in rows."""
    place = {category: index for index, category in enumerate(categories)}
    cells = np.zeros((len(categories), len(categories)))
    for (first, second), count in counts.items():
        for rating in (first, second):
            if rating not in place:
                raise UnknownCategoryError(rating, categories)
        cells[place[first], place[second]] += count
    return cells


def _agreement_weights(count: int, weights: Weights) -> npt.NDArray[np.float64]:
    """Return 1 on the diagonal, falling with the distance of the categories."""
    distance = np.abs(np.subtract.outer(np.arange(count), np.arange(count))) / max(count - 1, 1)
    if weights is Weights.NONE:
        return np.asarray(distance == 0, dtype=np.float64)
    return np.asarray(1 - distance ** (1 if weights is Weights.LINEAR else 2), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _MeanSquares:
    """The analysis of variance of a table of lesions by readers."""

    lesions: int
    readers: int
    between_lesions: float
    between_readers: float
    error: float
    within_lesions: float


def _mean_squares(values: npt.NDArray[np.float64]) -> _MeanSquares:
    lesions, readers = values.shape
    grand = values.mean()
    by_lesion = readers * float(((values.mean(axis=1) - grand) ** 2).sum())
    by_reader = lesions * float(((values.mean(axis=0) - grand) ** 2).sum())
    within = float(((values - values.mean(axis=1, keepdims=True)) ** 2).sum())
    return _MeanSquares(
        lesions=lesions,
        readers=readers,
        between_lesions=by_lesion / (lesions - 1),
        between_readers=by_reader / (readers - 1),
        error=max(within - by_reader, 0.0) / ((lesions - 1) * (readers - 1)),
        within_lesions=within / (lesions * (readers - 1)),
    )


def _from_ratio(ratio: float, readers: int) -> float:
    return (ratio - 1) / (ratio + readers - 1)


def _by_ratio(ratio: float, readers: int, degrees: tuple[float, float], tail: float) -> Estimate:
    """Turn a ratio of variances and its F interval into a correlation."""
    if math.isinf(ratio):
        return Estimate(value=1.0, lower=1.0, upper=1.0)
    lower = ratio / float(fdtri(*degrees, tail))
    upper = ratio * float(fdtri(*reversed(degrees), tail))
    return Estimate(
        value=_from_ratio(ratio, readers),
        lower=_from_ratio(lower, readers),
        upper=_from_ratio(upper, readers),
    )


def _one_way(squares: _MeanSquares, tail: float) -> Estimate:
    ratio = squares.between_lesions / squares.within_lesions if squares.within_lesions else math.inf
    degrees = (squares.lesions - 1, squares.lesions * (squares.readers - 1))
    return _by_ratio(ratio, squares.readers, degrees, tail)


def _two_way_consistency(squares: _MeanSquares, tail: float) -> Estimate:
    ratio = squares.between_lesions / squares.error if squares.error else math.inf
    degrees = (squares.lesions - 1, (squares.lesions - 1) * (squares.readers - 1))
    return _by_ratio(ratio, squares.readers, degrees, tail)


def _two_way_agreement(squares: _MeanSquares, tail: float) -> Estimate:
    n, k = squares.lesions, squares.readers
    rows, columns, error = squares.between_lesions, squares.between_readers, squares.error
    whole = rows + (k - 1) * error + k / n * (columns - error)
    if whole == 0:
        return Estimate()  # two lesions whose lengths the readers swap: nothing is the lesions' own
    value = (rows - error) / whole
    if value == 1:
        return Estimate(value=1.0, lower=1.0, upper=1.0)
    from_columns = k * value / (n * (1 - value)) * columns
    from_error = (1 + k * value * (n - 1) / (n * (1 - value))) * error
    spread = from_columns**2 / (k - 1) + from_error**2 / ((n - 1) * (k - 1))
    if spread == 0:
        return Estimate(value=value)
    degrees = (from_columns + from_error) ** 2 / spread
    low, high = float(fdtri(n - 1, degrees, tail)), float(fdtri(degrees, n - 1, tail))
    noise = k * columns + (k * n - k - n) * error
    return Estimate(
        value=value,
        lower=n * (rows - low * error) / (low * noise + n * rows),
        upper=n * (high * rows - error) / (noise + n * high * rows),
    )
