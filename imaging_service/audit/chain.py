"""The hash chain, as a pure rule."""

import hashlib
from collections.abc import Mapping
from typing import Any

from imaging_service.canonical import canonical_json

GENESIS = "0" * 64
"""The hash before the first entry."""


def entry_hash(content: Mapping[str, Any], previous_hash: str) -> str:
    """Return the SHA-256 of an entry's content after `previous_hash`, in lower-case hex."""
    text = canonical_json({**content, "previous_hash": previous_hash})
    return hashlib.sha256(text.encode()).hexdigest()
