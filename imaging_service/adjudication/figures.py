"""Shares and estimates as the routes answer them."""

import math
from collections.abc import Mapping

from pydantic import BaseModel, Field

from measurement.endpoints.agreement import Estimate, kappa_of_counts
from measurement.endpoints.proportion import Proportion
from measurement.recist.responses import OverallResponse


class ShareAnswer(BaseModel):
    """A share with its exact (Clopper-Pearson) interval of 95 %."""

    count: int
    of: int
    estimate: float | None = Field(description="Null of nobody.")
    lower: float
    upper: float


class EstimateAnswer(BaseModel):
    """A statistic with its interval of 95 %; null where the data leave it undefined."""

    pairs: int
    value: float | None
    lower: float | None
    upper: float | None


def share(count: int, of: int) -> ShareAnswer:
    """Return `count` of `of` with the interval.

    Examples
    --------
    >>> share(1, 4).estimate
    0.25
    """
    found = Proportion(count=count, of=of)
    lower, upper = found.limits
    return ShareAnswer(count=count, of=of, estimate=found.estimate, lower=lower, upper=upper)


def estimate(found: Estimate, pairs: int) -> EstimateAnswer:
    """Return a statistic of this many pairs; what is not finite is undefined."""
    value, lower, upper = map(_finite, (found.value, found.lower, found.upper))
    return EstimateAnswer(pairs=pairs, value=value, lower=lower, upper=upper)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def response_kappa(counts: Mapping[tuple[str, str], int]) -> EstimateAnswer:
    """Return Cohen's kappa of counted pairs of overall responses, as names without an order."""
    pairs = sum(counts.values())
    if not pairs:
        return estimate(Estimate(), 0)
    categories = [each.value for each in OverallResponse]
    return estimate(kappa_of_counts(counts, categories=categories).estimate, pairs)
