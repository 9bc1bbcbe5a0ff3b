"""The words of TU and TR, and what each means for the rules.

Controlled terms come from CDISC's codelists for lesion results and from the RECIST 1.1 supplement; beside
them stand spellings that data sets have in practice. A word that is not here is never guessed at: it becomes
a query.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from measurement.lesions.lesion import Method, Nature, Role

_NOT_A_WORD = re.compile(r"[^A-Z0-9]+")


def bare(text: str) -> str:
    """Return a text in upper case with single spaces and nothing but letters and digits.

    Examples
    --------
    >>> bare("Non-CR/Non-PD ")
    'NON CR NON PD'
    """
    return _NOT_A_WORD.sub(" ", text.upper()).strip()


class State(StrEnum):
    """How a lesion was found, before its role says what that means."""

    PRESENT = "present"
    ABSENT = "absent"
    TOO_SMALL = "too_small"
    NOT_EVALUABLE = "not_evaluable"
    EQUIVOCAL = "equivocal"
    UNEQUIVOCAL = "unequivocal"
    REFUTED = "refuted"
    NO = "no"
    SPLIT = "split"
    MERGED = "merged"


_STATES = {
    State.PRESENT: (
        "PRESENT", "STABLE", "UNCHANGED", "IMPROVED", "NON CR NON PD", "INCOMPLETE RESPONSE",
        "PATHOLOGICAL", "PATHOLOGIC", "ABNORMAL",
    ),
    State.ABSENT: (
        "ABSENT", "DISAPPEARED", "RESOLVED", "GONE", "NOT PRESENT", "CR",
        "NON PATHOLOGICAL", "NONPATHOLOGICAL", "NON PATHOLOGIC", "NONPATHOLOGIC", "NORMAL",
    ),
    State.TOO_SMALL: ("TOO SMALL TO MEASURE", "TOO SMALL", "TSTM", "BELOW MEASURABLE LIMIT"),
    State.NOT_EVALUABLE: (
        "NOT EVALUABLE", "NE", "UNEVALUABLE", "INEVALUABLE", "NOT ASSESSABLE", "NOT ASSESSED", "NOT DONE",
        "UNKNOWN", "UNABLE TO ASSESS", "NOT IMAGED",
    ),
    State.EQUIVOCAL: ("EQUIVOCAL", "EQUIVOCAL PROGRESSION", "PRESENT EQUIVOCAL"),
    State.UNEQUIVOCAL: (
        "UNEQUIVOCAL", "UNEQUIVOCAL PROGRESSION", "PRESENT UNEQUIVOCAL", "PRESENT UNEQUIVOCAL PROGRESSION",
        "PROGRESSION", "PROGRESSED", "PROGRESSIVE DISEASE", "PD", "NEW", "YES", "Y",
    ),
    State.REFUTED: ("REFUTED", "NOT NEW", "NOT A LESION", "BENIGN"),
    State.NO: ("NO", "N", "NONE"),
    State.SPLIT: ("SPLIT",),
    State.MERGED: ("MERGED", "COALESCED"),
}  # fmt: skip

STATES: Mapping[str, State] = MappingProxyType(
    {word: state for state, words in _STATES.items() for word in words}
)
"""What TUMSTATE, LNSTATE, or a result in words instead of a diameter says."""

_ROLES = {
    Role.TARGET: ("TARGET", "TARGET LESION", "T"),
    Role.NON_TARGET: ("NON TARGET", "NONTARGET", "NON TARGET LESION", "NT"),
    Role.NEW: ("NEW", "NEW LESION", "NEW TARGET", "NEW NON TARGET", "NEW EQUIVOCAL", "NEW UNEQUIVOCAL"),
}

ROLES: Mapping[str, Role] = MappingProxyType({word: role for role, words in _ROLES.items() for word in words})
"""What TUSTRESC, TUORRES or TRGRPID says of a lesion's part."""

_ROLE_IN_NAME = re.compile(r"(?:^|[^A-Z])(?:(NEW|NL?)|(NT|NTL)|(T|TL))[-_ ]?\d", re.ASCII)


def role_in_name(lesion_id: str) -> Role | None:
    """Return the part that a lesion's identifier names, if any.

    Examples
    --------
    >>> role_in_name("R1-NT02"), role_in_name("INV-T01.1"), role_in_name("NEW01"), role_in_name("A")
    (<Role.NON_TARGET: 'non_target'>, <Role.TARGET: 'target'>, <Role.NEW: 'new'>, None)
    """
    found = _ROLE_IN_NAME.search(lesion_id.upper())
    if found is None:
        return None
    if found.group(1):
        return Role.NEW
    return Role.NON_TARGET if found.group(2) else Role.TARGET


_METHODS = (
    (r"\bPET\b", Method.PET_CT),
    (r"\b(MRI|MR|MAGNETIC RESONANCE)\b", Method.MRI),
    (r"\b(CT|COMPUTED TOMOGRAPHY|COMPUTERIZED TOMOGRAPHY)\b", Method.CT),
    (r"\b(CALIPER|CALIPERS|CALLIPER|CALLIPERS|PHYSICAL EXAMINATION|PHYSICAL EXAM)\b", Method.CALLIPER),
    (r"\b(X RAY|XRAY|RADIOGRAPHY)\b", Method.CHEST_X_RAY),
    (r"\b(ULTRASOUND|SONOGRAPHY|ECHOGRAPHY)\b", Method.ULTRASOUND),
)


def method_of(text: str) -> Method | None:
    """Return how a lesion was measured, from TRMETHOD or TUMETHOD.

    Examples
    --------
    >>> method_of("CT SCAN"), method_of("SCINTIGRAPHY")
    (<Method.CT: 'ct'>, None)
    """
    words = bare(text)
    return next((method for pattern, method in _METHODS if re.search(pattern, words)), None)


_NATURES = (
    ("ASCITES", Nature.ASCITES),
    ("EFFUSION", Nature.EFFUSION),
    ("LEPTOMENINGEAL", Nature.LEPTOMENINGEAL),
    ("LYMPHANGIT", Nature.LYMPHANGITIC),
)


def nature_of(location: str) -> Nature:
    """Return what a lesion is made of, as far as its location says so.

    Examples
    --------
    >>> nature_of("PLEURAL EFFUSION")
    <Nature.EFFUSION: 'effusion'>
    """
    words = bare(location)
    return next((nature for word, nature in _NATURES if word in words), Nature.SOFT_TISSUE)
