"""Which organ a lesion counts for (E09 3.1, 4.1; FAQ): at most two targets in each.

Paired organs are one organ, lobes and segments belong to their organ, and all lymph nodes,
wherever they are, are one organ.
"""

import re
from types import MappingProxyType

LYMPH_NODES = "lymph_nodes"

ORGANS = MappingProxyType(
    {
        "adrenal": ("adrenal", "suprarenal"),
        "bladder": ("bladder",),
        "bone": (
            "bone", "skeleton", "spine", "vertebra", "rib", "sternum", "pelvic bone", "femur", "humerus",
            "skull", "sacrum", "ilium", "iliac bone", "scapula", "clavicle",
        ),
        "brain": ("brain", "cerebellum", "cerebrum", "cerebellar", "cerebral"),
        "breast": ("breast", "mammary"),
        "chest_wall": ("chest wall", "thoracic wall"),
        "colon": ("colon", "sigmoid", "cecum", "caecum", "rectum"),
        "esophagus": ("esophagus", "oesophagus"),
        "gallbladder": ("gallbladder",),
        "heart": ("heart", "pericardium"),
        "kidney": ("kidney", "renal"),
        "liver": ("liver", "hepatic"),
        "lung": ("lung", "pulmonary"),
        "mediastinum": ("mediastinum", "mediastinal"),
        "muscle": ("muscle",),
        "ovary": ("ovary", "ovarian", "ovaries", "adnexa"),
        "pancreas": ("pancreas", "pancreatic"),
        "peritoneum": ("peritoneum", "peritoneal", "omentum", "omental", "mesentery", "mesenteric"),
        "pleura": ("pleura", "pleural"),
        "prostate": ("prostate",),
        "skin": ("skin", "subcutaneous", "subcutis"),
        "spleen": ("spleen", "splenic"),
        "stomach": ("stomach", "gastric"),
        "thyroid": ("thyroid",),
        "uterus": ("uterus", "uterine", "cervix uteri"),
    }
)  # fmt: skip
"""Organ -> words that name it or a part of it. Both sides of a paired organ share one row."""

_NODE = re.compile(r"\b(lymph|lymph nodes?|nodes?|nodal|adenopathy|lymphadenopathy)\b")
_NOT_A_LETTER = re.compile(r"[^a-z]+")
_WORDS = sorted(
    ((word, organ) for organ, words in ORGANS.items() for word in words), key=lambda pair: -len(pair[0])
)


def organ_of(location: str, *, is_nodal: bool = False) -> str:
    """Return the organ that a location counts for.

    Parameters
    ----------
    location
        In words, CDISC's (``LUNG, LEFT UPPER LOBE``) or the reader's.
    is_nodal
        Whether the lesion is a lymph node; then the location does not matter.

    Returns
    -------
    str
        A key of `ORGANS`, `LYMPH_NODES`, or the location itself in lower case when it is no
        known organ, so that two lesions at the same unknown place still count together.

    Examples
    --------
    >>> organ_of("LUNG, LEFT UPPER LOBE")
    'lung'
    >>> organ_of("Axillary lymph node, right")
    'lymph_nodes'
    """
    words = f" {_NOT_A_LETTER.sub(' ', location.lower()).strip()} "
    if is_nodal or _NODE.search(words):
        return LYMPH_NODES
    found = (organ for word, organ in _WORDS if f" {word} " in words or f" {word}s " in words)
    return next(found, "_".join(words.split()) or "unknown")
