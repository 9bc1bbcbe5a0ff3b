"""A share of a cohort with its exact interval (Clopper and Pearson, Biometrika 1934;26:404-413)."""

from dataclasses import dataclass
from functools import cached_property

from scipy.special import betaincinv  # scipy.stats would cost every start of the service a second

from measurement.errors import MeasurementError


class CountOutOfRangeError(MeasurementError):
    """More subjects are counted than there are."""

    def __init__(self, count: int, of: int) -> None:
        """Name both numbers."""
        super().__init__(f"A proportion needs 0 <= count <= number of subjects; found {count} of {of}.")


@dataclass(frozen=True, kw_only=True)
class Proportion:
    """`count` of `of` subjects.

    Examples
    --------
    >>> rate = Proportion(count=40, of=63)
    >>> round(rate.estimate, 4), [round(limit, 4) for limit in rate.limits]
    (0.6349, [0.504, 0.7527])
    """

    count: int
    of: int
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse a count outside the cohort."""
        if not 0 <= self.count <= self.of:
            raise CountOutOfRangeError(self.count, self.of)

    @property
    def estimate(self) -> float | None:
        """Return the share, or ``None`` of nobody."""
        return self.count / self.of if self.of else None

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Return the exact two-sided interval; of nobody, everything is possible."""
        if not self.of:
            return 0.0, 1.0
        tail, rest = (1 - self.level) / 2, self.of - self.count
        lower = betaincinv(self.count, rest + 1, tail) if self.count else 0.0
        upper = betaincinv(self.count + 1, rest, 1 - tail) if rest else 1.0
        return float(lower), float(upper)
