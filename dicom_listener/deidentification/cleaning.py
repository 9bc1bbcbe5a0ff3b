"""Texts without what tells who: a word stays when it is a known one, everything else goes (PS3.15 E.3.5)."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

_DATE = re.compile(
    r"""(?<![0-9])(?:
        [0-9]{1,4}\s?[-/.]\s?[0-9]{1,2}\s?[-/.]\s?[0-9]{1,4}   # 2024-01-31, 31.1.24, 1/31/2024
      | [0-9]{1,2}[-/. ]?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-/. ,]*[0-9]{0,4}
      | (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s[0-9]{1,2}(?:[a-z]{2})?,?\s[0-9]{2,4}
      | [0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?
    )(?![0-9])""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_TOKEN = re.compile(r"[^\W_]+(?:[.'][^\W_]+)*")
_NUMBER = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?", re.ASCII)
_MEASURE = re.compile(
    r"(?:[tb]?[0-9]{1,4}(?:\.[0-9]{1,2})?(?:mm|cm|ms|s|sec|min|ml|deg|hz|t|d|x|ch|w|sl|nex|dir|phase)|[bt][0-9]{1,4}|[0-9]d|[0-9]{1,3}x[0-9]{1,3}"
    r"|[0-9]{1,2}(?:st|nd|rd|th))",
    re.ASCII,
)
_SHORTEST_KNOWN = 2


@cache
def words() -> frozenset[str]:
    """Return the words that may stay, in lower case."""
    text = files(__package__).joinpath("words.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return frozenset(" ".join(lines).split())


def cleaned(text: str, known: Iterable[str] = ()) -> str:
    """Return a text without dates, without the names and numbers of its subject, without unknown words.

    Parameters
    ----------
    text
        A description or a comment.
    known
        What the data set itself says of the people in it: it goes even when it is a usual word.

    Examples
    --------
    >>> cleaned("T1 ax dyn post Gd, SMITH born 1964-02-03, seen by Dr. Martin on 3 May 2021")
    'T1 ax dyn post Gd, on'
    >>> cleaned("DWI_b50_b800_tra 3mm breast MRN 4711882", known=["Breast"])
    'DWI_b50_b800_tra 3mm'
    """
    names = {each.casefold() for each in known}
    kept = _TOKEN.sub(lambda match: _kept(match.group(), names), _DATE.sub(" ", text))
    return _tidied(kept)


def _kept(token: str, names: set[str]) -> str:
    low = token.casefold()
    if low in names:
        return ""
    is_known = low in words() or _NUMBER.fullmatch(low) or _MEASURE.fullmatch(low)
    return token if is_known else ""


_BLANKS = re.compile(r"\s+")


def _tidied(text: str) -> str:
    """Remove the marks that stood between words that are gone."""
    text = re.sub(r"(?:^|\s)[^\w\s]+(?=\s|$)", " ", text)
    text = re.sub(r"[-/^=+]{2,}", " ", text)
    text = _BLANKS.sub(" ", re.sub(r"_{2,}", "_", text))
    return re.sub(r"^[\s_,.;:^=/+-]+|[\s_,;:^=/+-]+$", "", text)


def names_in(value: str) -> Iterable[str]:
    """Give the words of a name or an identifier that would tell whose it is.

    Examples
    --------
    >>> sorted(names_in("Roe^Mary Ann"))
    ['Ann', 'Mary', 'Roe']
    """
    for each in re.split(r"[\s^=\\,;/]+", value):
        if (len(each) >= _SHORTEST_KNOWN and not each.isdigit()) or len(each) > 3:
            yield each


def scrubbed(text: str, known: Iterable[str]) -> str:
    """Return a coded text without the names that are known; its other words stay.

    Examples
    --------
    >>> scrubbed("Coil of Roe-7", ["Roe"])
    'Coil of -7'
    """
    listed = sorted({re.escape(each) for each in known if len(each) >= 3}, key=len, reverse=True)
    if not listed:
        return text
    pattern = rf"(?<![^\W_])(?:{'|'.join(listed)})(?![^\W_])"
    return re.sub(pattern, "", text, flags=re.IGNORECASE)
