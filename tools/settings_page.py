"""Write docs/settings.md from the settings themselves: `python tools/settings_page.py`."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from dicom_listener.settings import ListenerSettings
from imaging_service.settings import ServiceSettings

PAGE = Path(__file__).parents[1] / "docs/settings.md"
INTRODUCTION = """# Settings

Each process reads its settings from environment variables; a value that cannot be used is refused by name,
with the value found and the value wanted. Every setting has a default that works on one machine.
"""


def settings_page() -> str:
    """Return the page: one table a process, one row a setting, in the order of the code."""
    parts = [INTRODUCTION]
    for command, settings in (("imaging-service", ServiceSettings), ("dicom-listener", ListenerSettings)):
        parts.append(f"\n## `{command}`\n\n| variable | default | what it is |\n|---|---|---|\n")
        parts += _rows(settings)
    return "".join(parts)


def _rows(settings: type[BaseSettings]) -> Iterator[str]:
    prefix = str(settings.model_config.get("env_prefix", ""))
    for name, field in settings.model_fields.items():
        yield f"| `{prefix}{name.upper()}` | {_default(field.default)} | {field.description} |\n"


def _default(value: Any) -> str:  # noqa: ANN401 - whatever a setting may hold
    if value is PydanticUndefined or value in (None, frozenset(), ()):
        return ""
    return f"`{value.value if isinstance(value, Enum) else value}`"


if __name__ == "__main__":
    PAGE.write_text(settings_page())
