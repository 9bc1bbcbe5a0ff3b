"""What the fuzzer is told about a world: real values for the parameters of paths, given as JSON."""

import json
import os
from typing import Any

import schemathesis

VALUES = "FUZZ_VALUES"
_VALUES: dict[str, str] = json.loads(os.environ.get(VALUES, "{}"))


@schemathesis.serializer("application/toml")
def as_toml(_context: Any, value: Any) -> bytes:
    """Send a text as it is, and anything else as JSON, which is seldom TOML."""
    written = value if isinstance(value, str) else json.dumps(value)
    return written.encode("utf-8", "surrogatepass")


@schemathesis.hook
def map_path_parameters(_context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Ask for things that exist, so that more than the absence of things is tried."""
    if path_parameters is None:
        return None
    return {name: _VALUES.get(name, value) for name, value in path_parameters.items()}
