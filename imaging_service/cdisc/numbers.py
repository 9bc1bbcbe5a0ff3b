"""Numbers as text and back, without the noise of binary floats."""

import math
import re
from decimal import Context, Decimal

_SIGNIFICANT = 12
"""Digits that a measured or counted number may have; what a binary float adds lies behind them."""

_MAGNITUDE = 15
"""Powers of ten beyond which nothing is measured or counted in a trial."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)

_ROUND = Context(prec=_SIGNIFICANT)


def decimal_of(text: str) -> Decimal | None:
    """Return the number that a text denotes, or ``None`` when it denotes none.

    Examples
    --------
    >>> decimal_of("10.780000000000001"), decimal_of("12.60"), decimal_of("n/a")
    (Decimal('10.78'), Decimal('12.60'), None)
    """
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    if abs(number.adjusted()) > _MAGNITUDE:
        return None
    if len(number.as_tuple().digits) > _SIGNIFICANT:
        return plain(_ROUND.create_decimal(number).normalize())
    return number


def plain(number: Decimal) -> Decimal:
    """Return the same number without an exponent.

    Examples
    --------
    >>> plain(Decimal("1E+2"))
    Decimal('100')
    """
    return number if number.as_tuple().exponent in range(-99, 1) else Decimal(format(number, "f"))


def text_of_float(value: float) -> str:
    """Return the shortest text of a float's first twelve digits; nothing for a missing number.

    Examples
    --------
    >>> text_of_float(10.780000000000001), text_of_float(3.0), text_of_float(float("nan"))
    ('10.78', '3', '')
    """
    if math.isnan(value):
        return ""
    return format(Decimal(format(value, f".{_SIGNIFICANT}g")), "f")
