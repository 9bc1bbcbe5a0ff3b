"""The shape of payloads: strict, bounded, nothing more than declared."""

import json
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    StringConstraints,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import CoreSchema, core_schema


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

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        """Read a decoded payload by JSON's rules: strict, yet a date and an enumeration are texts there.

        FastAPI hands over decoded values, for which strictness would want Python's own dates and tuples.
        """
        schema = handler(source)

        def read(value: Any, build: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401
            if isinstance(value, dict) and (text := _json_text(value)) is not None:
                payload = cls.model_validate_json(text)
                value = {name: getattr(payload, name) for name in payload.model_fields_set}
            return build(value)

        return core_schema.json_or_python_schema(
            json_schema=schema, python_schema=core_schema.no_info_wrap_validator_function(read, schema)
        )


def _json_text(value: Any) -> str | None:  # noqa: ANN401  whatever the payload holds
    """Return `value` as JSON, or ``None`` when our own code made it out of Python's values."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return None


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
