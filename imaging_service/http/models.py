"""The shape of payloads: strict, bounded, nothing more than declared."""

import json
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    model_validator,
)


class StrictModel(BaseModel):
    """Parent of every payload: no unknown field, no coercion, no text without a bound."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        str_max_length=4000,
    )

    @model_validator(mode="wrap")
    @classmethod
    def _read_as_json(
        cls,
        value: Any,  # noqa: ANN401  whatever the payload holds
        handler: ModelWrapValidatorHandler[Self],
        info: ValidationInfo,
    ) -> Self:
        """Read a decoded payload as JSON is read: strict, yet a date and an enumeration are texts there."""
        if info.mode == "python" and isinstance(value, dict):
            try:
                text = json.dumps(value, allow_nan=False)
            except (TypeError, ValueError):
                return handler(value)  # made by our own code, out of Python's values
            return cls.model_validate_json(text)
        return handler(value)


def _printable(text: str) -> str:
    if text != text.strip():
        message = "must not begin or end with a space"
        raise ValueError(message)
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} for character in text):
        message = "must consist of visible characters"
        raise ValueError(message)
    return text


def _bounded_day(value: date) -> date:
    if not date(1900, 1, 1) <= value <= date(2200, 1, 1):
        message = f"{value.isoformat()} is not between 1900-01-01 and 2200-01-01"
        raise ValueError(message)
    return value


def _day_of_text(value: Any) -> Any:  # noqa: ANN401  whatever the payload holds
    """Read an ISO 8601 date in strict mode; only ``YYYY-MM-DD``."""
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    message = "must be a date as YYYY-MM-DD"
    raise ValueError(message)


Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A key that people choose: trial_id, site_id, subject_id, account."""

RowId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""A key that the service chose: a UUID in lower case."""

Uid = Annotated[
    str, StringConstraints(pattern=r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$", min_length=1, max_length=64)
]
"""A DICOM UID (PS3.5 section 9.1)."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
"""One line of a person's words: a name, a title."""

Reason = Annotated[str, StringConstraints(min_length=3, max_length=2000, pattern=r"\S")]
"""Why; may run over several lines."""

Day = Annotated[date, BeforeValidator(_day_of_text), AfterValidator(_bounded_day)]
"""A calendar day, as YYYY-MM-DD."""

Instant = Annotated[
    datetime, PlainSerializer(lambda value: value.astimezone(UTC).isoformat().replace("+00:00", "Z"), str)
]
"""An instant in an answer, in UTC."""

Millimetres = Annotated[Decimal, PlainSerializer(str, str, when_used="json")]
"""A reported length in an answer: text, so that no digit is lost."""

SmallNumber = Annotated[int, Field(ge=0, le=1_000_000)]
"""A number or an index that people and frames have."""
