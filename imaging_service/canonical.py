"""The one text of a value, for hashes."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any


def canonical_json(value: Any) -> str:  # noqa: ANN401  any JSON value
    """Return the one text of a JSON value: keys sorted, no spaces, no escapes that are not needed.

    Dates and instants become ISO 8601, decimals keep their digits as text.

    Examples
    --------
    >>> canonical_json({"b": Decimal("12.50"), "a": date(2026, 1, 5)})
    '{"a":"2026-01-05","b":"12.50"}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
    )


def _plain(value: object) -> Any:  # noqa: ANN401
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    message = f"A hashed value consists of JSON values, dates and decimals; {type(value).__name__} is none."
    raise TypeError(message)
