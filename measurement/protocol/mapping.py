"""Frozen values from plain mappings (TOML, JSON) and back, and the JSON Schema that describes them.

The dataclasses themselves are the description: their types say what is accepted, their
docstrings what it means. Nothing unknown is accepted and nothing is guessed.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from measurement.errors import MissingParameterError, ParameterValueError, UnknownParameterError

T = TypeVar("T")

WHOLE = "The protocol"
"""What the outermost mapping is called in messages; inner ones are called by their path."""

DECIMAL_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"


def from_mapping(kind: type[T], mapping: Mapping[str, object], where: str = WHOLE) -> T:
    """Build a frozen value from a mapping of its parameters.

    Parameters
    ----------
    kind
        The dataclass.
    mapping
        Parameter names and values; a parameter left out has its default. Decimal numbers may be
        numbers or strings: ``0.3`` and ``"0.30"`` are the same exact value.
    where
        What the mapping is called in messages.

    Returns
    -------
    instance of `kind`

    Raises
    ------
    UnknownParameterError, MissingParameterError, ParameterValueError
        With the parameter, the value found and the value wanted.
    """
    if not isinstance(mapping, Mapping):
        raise ParameterValueError(where, mapping, "a table of parameters")
    known = {field.name: field for field in _fields(kind)}
    for name in mapping:
        if name not in known:
            raise UnknownParameterError(where, str(name), tuple(known))
    types = _types(cast("type[Any]", kind))
    values: dict[str, object] = {}
    for name, field in known.items():
        if name in mapping:
            path = name if where == WHOLE else f"{where}.{name}"
            values[name] = _read(types[name], mapping[name], path)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise MissingParameterError(where, name)
    return kind(**values)


def to_mapping(value: object) -> dict[str, Any]:
    """Return a frozen value as a mapping that JSON and TOML can hold.

    Parameters
    ----------
    value
        An instance of a dataclass.

    Returns
    -------
    dict
        Every parameter, in order; those that are `None` are left out. Decimal numbers and dates
        are strings, so that nothing is lost on the way.
    """
    written = {field.name: getattr(value, field.name) for field in _fields(type(value))}
    return {name: _write(each) for name, each in written.items() if each is not None}


def schema_of(kind: type) -> dict[str, Any]:
    """Return the JSON Schema of the mappings that `from_mapping` accepts.

    Parameters
    ----------
    kind
        The dataclass.
    """
    texts, types = attribute_texts(kind), _types(kind)
    properties: dict[str, Any] = {}
    required = []
    for field in _fields(kind):
        described = {"description": texts[field.name]} if field.name in texts else {}
        properties[field.name] = {**_schema(types[field.name]), **described, **_default(field)}
        if field.default is MISSING and field.default_factory is MISSING:
            required.append(field.name)
    summary = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
    return {
        "type": "object",
        "description": _one_line(summary),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def attribute_texts(kind: type) -> dict[str, str]:
    """Return what the Attributes section of a class's docstring says of each attribute.

    Parameters
    ----------
    kind
        A class documented in numpy's style.
    """
    _, _, section = inspect.cleandoc(kind.__doc__ or "").partition("Attributes\n----------\n")
    section = section.partition("\n\n")[0]
    texts: dict[str, str] = {}
    for names, text in re.findall(r"^(\S[^\n]*)\n((?:    [^\n]*\n?)+)", section, re.MULTILINE):
        texts |= dict.fromkeys(re.split(r",\s*", names), _one_line(text))
    return texts


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fields(kind: type) -> tuple[Field[Any], ...]:
    return fields(cast("Any", kind))


def _types(kind: type) -> dict[str, Any]:
    """Return the type of each parameter; a unit of length is the number that it holds."""
    return {name: getattr(hint, "__supertype__", hint) for name, hint in get_type_hints(kind).items()}


def _optional(hint: object) -> tuple[Any, bool]:
    """Return a type without None, and whether None was allowed."""
    if get_origin(hint) is UnionType:
        kept = [each for each in get_args(hint) if each is not NoneType]
        return kept[0], True
    return hint, False


def _read(hint: object, found: object, name: str) -> object:
    kind, may_be_none = _optional(hint)
    if found is None and may_be_none:
        return None
    if get_origin(kind) is tuple:
        return _read_all(get_args(kind)[0], found, name)
    if is_dataclass(kind):
        return from_mapping(cast("type[Any]", kind), cast("Mapping[str, object]", found), name)
    if issubclass(kind, StrEnum):
        return _read_word(kind, found, name)
    return _READERS[kind](found, name)


def _read_all(kind: object, found: object, name: str) -> tuple[object, ...]:
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise ParameterValueError(name, found, "a list")
    return tuple(_read(kind, each, f"{name}[{position}]") for position, each in enumerate(found))


def _read_word(kind: type[StrEnum], found: object, name: str) -> StrEnum:
    words = [word.value for word in kind]
    if not isinstance(found, str) or found not in words:
        raise ParameterValueError(name, found, f"one of {', '.join(words)}")
    return kind(found)


def _read_decimal(found: object, name: str) -> Decimal:
    wanted = "a decimal number"
    if isinstance(found, bool) or not isinstance(found, int | float | str | Decimal):
        raise ParameterValueError(name, found, wanted)
    if isinstance(found, str) and not re.fullmatch(DECIMAL_PATTERN, found):
        raise ParameterValueError(name, found, wanted)
    try:
        # repr gives the shortest text of a float, which is what its author wrote.
        number = Decimal(repr(found) if isinstance(found, float) else found)
    except InvalidOperation:
        raise ParameterValueError(name, found, wanted) from None
    if not number.is_finite():
        raise ParameterValueError(name, found, wanted)
    return number


def _read_integer(found: object, name: str) -> int:
    if isinstance(found, bool) or not isinstance(found, int):
        raise ParameterValueError(name, found, "a whole number")
    return found


def _read_truth(found: object, name: str) -> bool:
    if not isinstance(found, bool):
        raise ParameterValueError(name, found, "true or false")
    return found


def _read_text(found: object, name: str) -> str:
    if not isinstance(found, str):
        raise ParameterValueError(name, found, "a text")
    return found


def _read_date(found: object, name: str) -> date:
    if isinstance(found, date) and not isinstance(found, datetime):
        return found
    if isinstance(found, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", found):
        try:
            return date.fromisoformat(found)
        except ValueError:
            pass
    raise ParameterValueError(name, found, "a date such as 2026-01-31")


_READERS: Mapping[type, Callable[[object, str], object]] = {
    Decimal: _read_decimal,
    bool: _read_truth,
    int: _read_integer,
    str: _read_text,
    date: _read_date,
}

_SCHEMAS: Mapping[type, dict[str, Any]] = {
    Decimal: {"type": ["number", "string"], "pattern": DECIMAL_PATTERN},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    date: {"type": "string", "format": "date"},
}


def _write(value: object) -> object:
    if is_dataclass(value):
        return to_mapping(value)
    if isinstance(value, tuple):
        return [_write(each) for each in value]
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def _schema(hint: object) -> dict[str, Any]:
    kind, may_be_none = _optional(hint)
    if may_be_none:
        return {"anyOf": [_schema(kind), {"type": "null"}]}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _schema(get_args(kind)[0])}
    if is_dataclass(kind):
        return schema_of(cast("type", kind))
    if issubclass(kind, StrEnum):
        return {"enum": [word.value for word in kind]}
    return dict(_SCHEMAS[kind])


def _default(field: Field[Any]) -> dict[str, Any]:
    if field.default is MISSING or field.default is None:
        return {}
    return {"default": _write(field.default)}
