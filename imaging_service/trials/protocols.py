"""A protocol as it is handed in: text, digest, and the value that `measurement` reads out of it."""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from imaging_service.errors import RefusedError
from measurement.errors import ProtocolError
from measurement.protocol.trial import TrialProtocol, protocol_from_mapping

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class MediaType(StrEnum):
    """The forms in which a protocol may be handed in."""

    JSON = "application/json"
    TOML = "application/toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolText:
    """A protocol in writing; the text is kept for ever as it is."""

    media_type: MediaType
    text: str

    @classmethod
    def of_mapping(cls, mapping: Mapping[str, Any]) -> "ProtocolText":
        """Return the one JSON text of a mapping: sorted keys, no blanks."""
        text = json.dumps(mapping, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return cls(media_type=MediaType.JSON, text=text)

    @property
    def sha256(self) -> str:
        """Digest of the text in UTF-8, lower-case hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def mapping(self) -> Mapping[str, Any]:
        """Read the text.

        Raises
        ------
        RefusedError
            It is not TOML, or not JSON.
        """
        try:
            if self.media_type is MediaType.TOML:
                return tomllib.loads(self.text)
            loaded = json.loads(self.text)
        except (tomllib.TOMLDecodeError, json.JSONDecodeError, RecursionError) as error:
            message = f"The protocol cannot be read as {self.media_type.name}: {error}."
            raise RefusedError(message, code="protocol_unreadable") from None
        if not isinstance(loaded, dict):
            message = f"The protocol is a {type(loaded).__name__}; a mapping of its parameters was wanted."
            raise RefusedError(message, code="protocol_unreadable")
        return loaded

    def protocol(self) -> TrialProtocol:
        """Read the protocol's value.

        Raises
        ------
        RefusedError
            A parameter is unknown, missing or contradicts another; the sentence names it.
        """
        try:
            protocol = protocol_from_mapping(self.mapping())
        except ProtocolError as error:
            raise RefusedError(str(error), code="protocol_invalid") from error
        for name, value in (("trial_id", protocol.trial_id), ("version", protocol.version)):
            if not _KEY.fullmatch(value):
                message = (
                    f"The protocol's {name} is {value!r}; 1 to 64 letters, digits, dots, hyphens and "
                    "underlines were wanted, a letter or digit first."
                )
                raise RefusedError(message, code="protocol_invalid")
        return protocol
