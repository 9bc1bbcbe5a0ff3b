"""The gate as a table: what is let in, and what is refused with which code."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging_service.errors import BadRequestError
from imaging_service.http.gate import MAX_DEPTH, read_json

REFUSED = {
    "NaN": (b'{"a": NaN}', "json_not_finite"),
    "infinity": (b'{"a": -Infinity}', "json_not_finite"),
    "a number beyond a float": (b'{"a": 1e999}', "json_number_range"),
    "a number of a thousand digits": (b'{"a": 0.%s}' % (b"1" * 1000), "json_number_range"),
    "an integer of 65 bits": (b'{"a": 9223372036854775808}', "json_integer_range"),
    "a negative integer of 65 bits": (b'{"a": -9223372036854775809}', "json_integer_range"),
    "an integer of a million digits": (b'{"a": %s}' % (b"9" * 1_000_000), "json_integer_range"),
    "a key twice": (b'{"a": 1, "a": 2}', "json_duplicate_key"),
    "a key twice, deep inside": (b'[[{"b": {"a": 1, "\\u0061": 2}}]]', "json_duplicate_key"),
    "a lone high surrogate": (b'{"a": "\\ud800"}', "json_bad_character"),
    "a lone low surrogate as a key": (b'{"\\udc00": 1}', "json_bad_character"),
    "surrogates in the wrong order": (b'"\\udc00\\ud800"', "json_bad_character"),
    "an escaped NUL": (b'{"a": "\\u0000"}', "json_bad_character"),
    "an escaped control character": (b'{"a": "\\u001b[2J"}', "json_bad_character"),
    "a C1 control character": (b'{"a": "\\u0085"}', "json_bad_character"),
    "a raw control character": (b'{"a": "\x01"}', "json_malformed"),
    "nesting too deep": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "json_too_deep"),
    "a hundred thousand open brackets": (b"[" * 100_000, "json_too_deep"),
    "a hundred thousand open objects": (b'{"a":' * 100_000, "json_too_deep"),
    "a broken end": (b'{"a": 1', "json_malformed"),
    "an unclosed text": (b'{"a": "' + b"x" * 100_000, "json_malformed"),
    "two values": (b"1 2", "json_malformed"),
    "nothing but a space": (b" ", "json_malformed"),
    "a comment": (b'{"a": 1} // no', "json_malformed"),
    "a trailing comma": (b'{"a": 1,}', "json_malformed"),
    "single quotes": (b"{'a': 1}", "json_malformed"),
    "a byte order mark": (b'\xef\xbb\xbf{"a": 1}', "json_malformed"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "json_not_utf8"),
    "Latin-1": ('{"a": "é"}'.encode("latin-1"), "json_not_utf8"),
    "an encoded surrogate": (b'{"a": "\xed\xa0\x80"}', "json_not_utf8"),
}


@pytest.mark.parametrize(("body", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_gate_refuses(body: bytes, code: str):
    with pytest.raises(BadRequestError) as refusal:
        read_json(body)
    assert refusal.value.code == code
    assert len(refusal.value.detail) < 300


ACCEPTED = {
    "brackets inside a text": b'{"a": "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}',
    "an escaped quote before brackets": b'{"a": "\\"[[[[[[[[[[[[[[[[[[[[[[[[[["}',
    "a line break in a text": b'{"reason": "first line\\nsecond line\\t."}',
    "a surrogate pair": b'{"a": "\\ud83e\\ude7a"}',
    "the greatest integer": b"9223372036854775807",
    "the least integer": b"-9223372036854775808",
    "the deepest nesting": b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
    "many brackets side by side": b"[" + b"[]," * 1000 + b"[]]",
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_the_gate_lets_in_is_read_as_json_is(body: bytes):
    assert read_json(body) == json.loads(body)


visible = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | visible,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(visible, inner, max_size=5),
    max_leaves=12,
)


@given(values)
def test_every_plain_value_passes_unchanged(value: object):
    assert read_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_either_read_or_refused(body: bytes):
    try:
        value = read_json(body)
    except BadRequestError as refusal:
        sentence = refusal.detail
    else:
        sentence = "." if value == json.loads(body) else "read otherwise than JSON is"
    assert sentence.endswith(".")
