from decimal import Decimal

import pytest

from measurement.units import Millimetres, round_reported


@pytest.mark.parametrize(
    ("length", "precision", "reported"),
    [
        (12.34, "0.1", "12.3"),
        (12.35, "0.1", "12.4"),
        (12.349999999999998, "0.1", "12.3"),
        (0.05, "0.1", "0.1"),
        (0.0, "0.1", "0.0"),
        (9.95, "0.1", "10.0"),
        (9.949999, "0.1", "9.9"),
        (10.3, "0.5", "10.5"),
        (10.25, "0.5", "10.5"),
        (10.24, "0.5", "10.0"),
        (10.5, "1", "11"),
        (12.345, "0.01", "12.35"),
    ],
)
def test_a_length_is_rounded_half_up_to_the_precision(length: float, precision: str, reported: str) -> None:
    assert round_reported(Millimetres(length), Decimal(precision)) == Decimal(reported)


@pytest.mark.parametrize("length", [-0.1, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(length: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        round_reported(Millimetres(length))


@pytest.mark.parametrize("precision", ["0", "-0.1", "NaN"])
def test_a_precision_without_steps_is_refused(precision: str) -> None:
    with pytest.raises(ValueError, match="must be greater than 0 mm"):
        round_reported(Millimetres(1.0), Decimal(precision))
