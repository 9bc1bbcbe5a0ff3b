"""De-identify one instance: its header is written anew, its pixels stay the bytes they are."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from pydicom.charset import python_encoding

from dicom_listener.archive.contents import Bytes
from dicom_listener.archive.syntaxes import TransferSyntax
from dicom_listener.deidentification.cleaning import cleaned, names_in, scrubbed
from dicom_listener.deidentification.elements import Element, Split, read, write
from dicom_listener.deidentification.key import Key
from dicom_listener.deidentification.profile import METHODS, Action, SafePrivate, actions, safe_private

_LONG_TEXTS = frozenset({"LT", "ST", "UT"})
_SHORT_TEXTS = frozenset({"LO", "SH", "UC"})
_TEXTS = _LONG_TEXTS | _SHORT_TEXTS
_BULK = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_WELL_KNOWN = "1.2.840.10008."
_CLASS_UIDS = frozenset(
    {
        *(0x00080016, 0x0008001A, 0x0008001B, 0x00080062, 0x0008115A),  # SOP classes
        *(0x00081150, 0x00041510, 0x00041512, 0x00081151),
        *(0x0008010C, 0x00080117, 0x00080118),  # coding schemes, contexts and mappings
        *(0x04000010, 0x04000510),  # transfer syntaxes
    }
)
"""Attributes whose UIDs name a kind of thing; no instance of it."""

_DROPPED_GROUPS = frozenset({0xFFFA, 0xFFFC})
_CODE_STRING = re.compile(r"[A-Z0-9_ ]{0,16}", re.ASCII)
_DAY = re.compile(r"([0-9]{4})\.?([0-9]{2})\.?([0-9]{2})", re.ASCII)
_INSTANT = re.compile(
    r"([0-9]{4})([0-9]{2})?([0-9]{2})?([0-9]{0,6}(?:\.[0-9]{1,6})?)([+-][0-9]{4})?", re.ASCII
)
_DUMMIES = dict.fromkeys(_TEXTS | {"PN", "CS", "AE"}, b"REMOVED") | {
    "AS": b"000Y",
    "DS": b"0",
    "IS": b"0",
    "DA": b"19000101",
    "DT": b"19000101",
    "TM": b"000000",
}

_CHARACTER_SET, _FRAMES = 0x00080005, 0x00280008
_STUDY, _PATIENT_ID, _ISSUER = 0x0020000D, 0x00100020, 0x00100021
_PATIENT_NAME, _BIRTH_DATE = 0x00100010, 0x00100030
_IDENTITY_REMOVED = 0x00120062
_SPONSOR, _PROTOCOL, _PROTOCOL_NAME = 0x00120010, 0x00120020, 0x00120021
_SITE, _SITE_NAME, _SUBJECT, _READING = 0x00120030, 0x00120031, 0x00120040, 0x00120042
_METHOD, _METHOD_CODES = 0x00120063, 0x00120064
_DATES_MODIFIED = 0x00280303
_IDENTIFIERS = frozenset(
    {_PATIENT_ID, 0x00101000, 0x00080050, 0x00101001, 0x00102160, 0x00081040, 0x00080080, 0x00080081}
    | {0x00101040, 0x00102154, 0x00380010, 0x00402016, 0x00402017, 0x00200010, 0x00101060, 0x00101005}
    | {0x00080094, 0x00080092, 0x00380060, 0x00321020, 0x00080082}
)
"""Attributes whose words tell whose images these are, wherever else they stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialWords:
    """What the clinical-trial modules say of where the images go (PS3.3 C.7.1.3)."""

    site_id: str = ""
    sponsor: str = ""
    protocol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deidentified:
    """An instance without its subject's identity."""

    header: bytes  # encoded, up to the pixels
    pixels: Bytes  # with their head, as they came
    values: Mapping[int, str]  # texts of the outermost level as they were
    numbers: Mapping[int, int]  # of the image pixel module
    moved_by: timedelta

    @property
    def length(self) -> int:
        """Bytes of the data set."""
        return len(self.header) + len(self.pixels)


def subject_of(patient_id: str, issuer: str) -> str:
    """Return what a subject's new name and dates are derived from."""
    return f"{issuer.strip()}\0{patient_id.strip()}"


def deidentify(data_set: Bytes, syntax: TransferSyntax, key: Key, words: TrialWords) -> Deidentified:
    """Return a data set without its subject's identity; the same in gives the same out.

    Parameters
    ----------
    data_set
        Encoded in `syntax`, inflated, as `archive.scan` has let it pass.
    syntax
        How it is written, and how the result is.
    key
        The operator's secret.
    words
        What is entered of the trial.
    """
    split = read(data_set, syntax)
    work = _Work(split, key, words)
    return Deidentified(
        header=write(work.run(), syntax),
        pixels=split.pixels,
        values=work.outermost,
        numbers=_numbers(split.elements, "big" if syntax.is_big_endian else "little"),
        moved_by=work.moved_by,
    )


@dataclass(slots=True)
class _Work:
    """One data set on its way through the profile."""

    split: Split
    key: Key
    words: TrialWords
    outermost: Mapping[int, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    subject: str = ""
    moved_by: timedelta = timedelta()

    def run(self) -> list[Element]:
        """Return the elements that stay."""
        elements = self.split.elements
        codecs = _codecs(elements, ("latin-1",))
        self.outermost = {
            each.tag: _text(each, codecs) for each in elements if each.items is None and each.vr not in _BULK
        }
        self.known = frozenset(_known(elements, codecs))
        self.subject = self._subject()
        self.moved_by = self.key.moved_by(self.subject)
        kept = self._elements(elements, codecs)
        return sorted([*self._trial({each.tag: each for each in kept}).values()], key=lambda each: each.tag)

    def _subject(self) -> str:
        found = self.outermost
        if found.get(_PATIENT_ID, "").strip():
            return subject_of(found[_PATIENT_ID], found.get(_ISSUER, ""))
        named = found.get(_PATIENT_NAME, "").strip()
        return f"{named}\0{found.get(_BIRTH_DATE, '')}" if named else found.get(_STUDY, "")

    def _elements(self, elements: list[Element], codecs: tuple[str, ...]) -> list[Element]:
        codecs = _codecs(elements, codecs)
        creators = _creators(elements, codecs)
        kept: list[Element] = []
        for element in elements:
            group = element.tag >> 16
            if group in _DROPPED_GROUPS or 0x5000 <= group <= 0x50FF or 0x6000 <= group <= 0x60FF:
                continue  # signatures, padding, curves and overlays
            if element.tag & 0xFFFF == 0:
                continue  # a group length, which would be wrong now
            if group & 1:
                kept += self._private(element, creators, codecs)
            elif (changed := self._standard(element, codecs)) is not None:
                kept.append(changed)
        return _without_lonely_creators(kept)

    def _private(
        self, element: Element, creators: Mapping[int, str], codecs: tuple[str, ...]
    ) -> Iterator[Element]:
        number = element.tag & 0xFFFF
        if 0x10 <= number <= 0xFF:
            creator = creators.get(element.tag, "")
            if any(each.creator == creator and each.group == element.tag >> 16 for each in safe_private()):
                yield Element(
                    element.tag, "LO", creator.encode("ascii", "replace") + b" " * (len(creator) % 2)
                )
            return
        creator = creators.get(element.tag & 0xFFFF0000 | number >> 8, "")
        for vr in {element.vr} if element.vr != "UN" else {each.vr for each in safe_private()}:
            safe = SafePrivate(creator=creator, group=element.tag >> 16, element=number & 0xFF, vr=vr)
            if safe in safe_private() and element.items is None and self._is_plain(element, vr, codecs):
                yield element
                return

    def _is_plain(self, element: Element, vr: str, codecs: tuple[str, ...]) -> bool:
        """Whether a private value is what its attribute should hold, and no text of somebody's."""
        if vr in {"FD", "FL", "SS", "US", "SL", "UL"}:
            return True
        text = _text(element, codecs)
        if vr in {"DS", "IS"}:
            return re.fullmatch(r"[-+0-9eE. \\]*", text) is not None
        return len(text) <= 64 and scrubbed(text, self.known) == text

    def _standard(self, element: Element, codecs: tuple[str, ...]) -> Element | None:
        action = actions().get(element.tag) or self._usual(element, codecs)
        if element.items is not None:
            return self._sequence(element, action, codecs)
        if action is Action.REMOVE:
            return None
        if action is Action.EMPTY:
            return Element(element.tag, element.vr)
        if element.vr == "UI" and action is not Action.KEEP:
            return self._new_uids(element)
        changes = {Action.DUMMY: self._dummy, Action.CLEAN: self._clean}
        return changes.get(action, self._kept)(element, codecs)

    def _usual(self, element: Element, codecs: tuple[str, ...]) -> Action:
        """Return the action for an attribute that the table does not name, by what kind it is."""
        vr = element.vr
        if vr == "PN":
            return Action.EMPTY
        if vr in {"DA", "DT"} or vr in _LONG_TEXTS:
            return Action.CLEAN
        if vr == "UI":
            return Action.KEEP if element.tag in _CLASS_UIDS else Action.UID
        if vr in {"UR", "AE", "UN"} or (vr == "OB" and element.tag >> 16 not in {0x0028, 0x7FE0}):
            return Action.REMOVE
        return Action.KEEP if vr != "CS" or _is_coded(_text(element, codecs)) else Action.CLEAN

    def _sequence(self, element: Element, action: Action, codecs: tuple[str, ...]) -> Element | None:
        if action is Action.REMOVE:
            return None
        items = (
            [] if action is Action.EMPTY else [self._elements(item, codecs) for item in element.items or ()]
        )
        return Element(element.tag, "SQ", items=items)

    def _new_uids(self, element: Element) -> Element:
        uids = bytes(element.value).decode("latin-1").strip("\0 ").split("\\")
        new = [
            each if not each or each.startswith(_WELL_KNOWN) else self.key.uid(each.strip("\0 "))
            for each in uids
        ]
        return Element(element.tag, "UI", _padded("\\".join(new).encode("latin-1"), b"\0"))

    def _dummy(self, element: Element, codecs: tuple[str, ...]) -> Element:
        if element.tag in {_PROTOCOL, _SUBJECT}:  # the trial's own words, which carry no identity
            return self._kept(element, codecs)
        value = _DUMMIES.get(element.vr)
        return Element(
            element.tag, element.vr, bytes(len(element.value)) if value is None else _padded(value)
        )

    def _clean(self, element: Element, codecs: tuple[str, ...]) -> Element:
        vr = element.vr
        if vr in {"DA", "DT"}:
            move = self._moved_day if vr == "DA" else self._moved_instant
            moved = [move(each.strip("\0 ")) for each in _text(element, codecs).split("\\")]
            return Element(element.tag, vr, _padded("\\".join(moved).encode("ascii")))
        if vr in _TEXTS or (vr == "CS" and not _is_coded(_text(element, codecs))):
            text = _text(element, codecs)
            parts = [text] if vr in _LONG_TEXTS else text.split("\\")
            clean = "\\".join(cleaned(each, self.known) for each in parts)
            if not clean.strip("\\") and Action.DUMMY is _plain_action(element.tag):
                clean = "REMOVED"
            return self._as_text(element, clean if clean.strip("\\") else "", codecs)
        if vr == "TM" or vr not in _BULK | {"PN", "UR", "AE"}:
            return self._kept(element, codecs)  # whole days leave the time of day as it is
        return Element(element.tag, vr)

    def _kept(self, element: Element, codecs: tuple[str, ...]) -> Element:
        """Return an element as it is, without the names that are known."""
        if element.vr not in _SHORT_TEXTS | {"CS", "AE"}:
            return element
        text = _text(element, codecs)
        return self._as_text(element, scrubbed(text, self.known), codecs) if self.known else element

    def _as_text(self, element: Element, text: str, codecs: tuple[str, ...]) -> Element:
        if text == _text(element, codecs):
            return element
        encoded = text.encode(codecs[0], "ignore") if len(codecs) == 1 else text.encode("ascii", "ignore")
        return Element(element.tag, element.vr, _padded(encoded))

    def _moved_day(self, text: str) -> str:
        match = _DAY.fullmatch(text)
        try:
            return _day(date(*map(int, match.groups())) + self.moved_by) if match else ""
        except (ValueError, OverflowError):
            return ""

    def _moved_instant(self, text: str) -> str:
        match = _INSTANT.fullmatch(text)
        if match is None:
            return ""
        year, month, day, rest, zone = match.groups(default="")
        try:
            moved = _day(date(int(year), int(month or 1), int(day or 1)) + self.moved_by)
        except (ValueError, OverflowError):
            return ""
        return moved[: len(year + month + day)] + rest + zone

    def _trial(self, kept: dict[int, Element]) -> dict[int, Element]:
        """Enter what the patient and the clinical-trial modules must say now."""
        name = self.key.name(self.subject)
        protocol = self.outermost.get(_PROTOCOL, "").strip() or self.words.protocol
        texts = {_PATIENT_NAME: ("PN", name), _PATIENT_ID: ("LO", name), _IDENTITY_REMOVED: ("CS", "YES")}
        texts[_METHOD] = ("LO", "\\".join(f"DCM {code}" for code, _ in METHODS))
        texts[_DATES_MODIFIED] = ("CS", "MODIFIED")
        if protocol:
            texts |= {_SPONSOR: ("LO", self.words.sponsor or "NOT TOLD"), _PROTOCOL_NAME: ("LO", "")}
            texts |= {_PROTOCOL: ("LO", protocol), _SITE: ("LO", self.words.site_id), _SITE_NAME: ("LO", "")}
            if not self._is_trial_name(kept.get(_SUBJECT)) and _READING not in kept:
                texts[_SUBJECT] = ("LO", name)
        for tag, (vr, text) in texts.items():
            kept[tag] = Element(tag, vr, _padded(text.encode("ascii", "replace")))
        kept[_METHOD_CODES] = Element(_METHOD_CODES, "SQ", items=[_code(*each) for each in METHODS])
        return kept

    def _is_trial_name(self, element: Element | None) -> bool:
        return element is not None and bytes(element.value).strip(b"\0 ") not in (b"", b"REMOVED")


def _known(elements: list[Element], codecs: tuple[str, ...]) -> Iterator[str]:
    """Give every word by which the data set itself names its people and places."""
    codecs = _codecs(elements, codecs)
    for element in elements:
        if element.items is not None:
            for item in element.items:
                yield from _known(item, codecs)
        elif element.vr == "PN" or element.tag in _IDENTIFIERS:
            yield from names_in(_text(element, codecs))


def _creators(elements: list[Element], codecs: tuple[str, ...]) -> Mapping[int, str]:
    return {
        each.tag: _text(each, codecs).strip("\0 ")
        for each in elements
        if each.tag >> 16 & 1 and 0x10 <= each.tag & 0xFFFF <= 0xFF and each.items is None
    }


def _without_lonely_creators(elements: list[Element]) -> list[Element]:
    """Leave out private creators of which no attribute is kept."""
    used = {each.tag & 0xFFFF0000 | (each.tag & 0xFF00) >> 8 for each in elements if each.tag >> 16 & 1}
    return [
        each
        for each in elements
        if not (each.tag >> 16 & 1 and each.tag & 0xFFFF <= 0xFF) or each.tag in used
    ]


def _plain_action(tag: int) -> Action:
    """Return what is done to an attribute of which cleaning has left nothing."""
    return Action.DUMMY if tag in _NEVER_EMPTY else Action.EMPTY


_NEVER_EMPTY = frozenset({0x0040A160, 0x00181030, 0x00620005, 0x00700080})


def _codecs(elements: list[Element], outer: tuple[str, ...]) -> tuple[str, ...]:
    """Return Python's names for the character set of a data set or an item (PS3.3 C.12.1.1.2)."""
    for element in elements:
        if element.tag == _CHARACTER_SET:
            terms = bytes(element.value).decode("latin-1").strip("\0 ").split("\\")
            found = tuple(python_encoding.get(term.strip(), "latin-1") for term in terms)
            return tuple("latin-1" if each in {"iso8859", "ascii"} else each for each in found)
        if element.tag > _CHARACTER_SET:
            break
    return outer


def _numbers(elements: list[Element], order: Literal["big", "little"]) -> Mapping[int, int]:
    """Return the unsigned shorts of the image pixel module, and how many frames there are."""
    found = {
        each.tag: int.from_bytes(each.value, order)
        for each in elements
        if each.tag >> 16 == 0x0028 and each.vr == "US" and len(each.value) == 2
    }
    frames = next((bytes(each.value) for each in elements if each.tag == _FRAMES), b"").strip(b"\0 ")
    return found | ({_FRAMES: int(frames)} if frames.isdigit() else {})


def _is_coded(text: str) -> bool:
    """Whether a text is what a code string may be (PS3.5 Table 6.2-1)."""
    return all(map(_CODE_STRING.fullmatch, text.split("\\")))


def _text(element: Element, codecs: tuple[str, ...]) -> str:
    value = bytes(element.value)
    for codec in codecs if b"\x1b" not in value else reversed(codecs):
        try:
            return value.decode(codec).rstrip("\0 ")
        except (UnicodeDecodeError, LookupError):
            continue
    return value.decode("latin-1").rstrip("\0 ")


def _day(day: date) -> str:
    return f"{day.year:04d}{day:%m%d}"


def _padded(value: bytes, padding: bytes = b" ") -> bytes:
    return value + padding if len(value) % 2 else value


def _code(value: str, meaning: str) -> list[Element]:
    return [
        Element(0x00080100, "SH", _padded(value.encode("ascii"))),
        Element(0x00080102, "SH", _padded(b"DCM")),
        Element(0x00080104, "LO", _padded(meaning.encode("ascii"))),
    ]
