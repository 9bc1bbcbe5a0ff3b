"""Draw the demo's tables as an SVG picture.

`imaging-service demo --exit | python tools/picture.py > docs/demo.svg`; progress lines and what follows the
tables are left out.
"""

import sys
from html import escape

_WIDTH, _HEIGHT, _MARGIN = 7.25, 17, 18  # of a character, of a line, round the text; px
_SPACE = "&#160;"  # a plain space would be folded


def tables(text: str) -> list[str]:
    """Return the lines from the first heading to the sentence that ends the tables."""
    lines = text.rstrip().splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("Timepoints"))
    last = next(index for index, line in enumerate(lines) if line.startswith("Every answer"))
    return lines[first : last + 1]


def picture(lines: list[str]) -> str:
    """Return the SVG of some lines of text, in the reader's own monospace font."""
    width = max(map(len, lines)) * _WIDTH + 2 * _MARGIN
    height = len(lines) * _HEIGHT + 2 * _MARGIN
    rows = "\n".join(
        f'<text x="{_MARGIN}" y="{_MARGIN + (index + 0.75) * _HEIGHT:.0f}">{_escaped(line)}</text>'
        for index, line in enumerate(lines)
        if line.strip()
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" \
width="{width:.0f}" role="img" aria-label="The demo's result table">
<rect width="100%" height="100%" rx="8" fill="#14181f"/>
<g fill="#d7dde6" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="12">
{rows}
</g>
</svg>
"""


def _escaped(line: str) -> str:
    return escape(line).replace(" ", _SPACE)


if __name__ == "__main__":
    sys.stdout.write(picture(tables(sys.stdin.read())))
