"""Write the JSON Schema of a trial protocol beside the protocols.

Run as ``python tools/protocol_schema.py`` after a parameter or its description has changed. A test
compares the file with the types.
"""

import json
from pathlib import Path

from measurement.protocol.trial import protocol_schema

PUBLISHED = Path(__file__).parents[1] / "fixtures" / "protocols" / "protocol.schema.json"


def main() -> None:
    """Write the file."""
    PUBLISHED.write_text(json.dumps(protocol_schema(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
