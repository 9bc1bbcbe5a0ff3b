"""Switches of the criteria as a table row writes them: ``pr_hold=no max_not_evaluable=1``."""

from dataclasses import fields, replace

from measurement.protocol.criteria import RECIST_1_1, Criteria
from measurement.protocol.mapping import from_mapping, to_mapping

WORDS = {"yes": True, "no": False}


def criteria_with(switches: str) -> Criteria:
    """Return RECIST 1.1 with some switches in another position."""
    criteria = RECIST_1_1
    for switch in switches.split():
        name, _, word = switch.partition("=")
        criteria = _with(criteria, name, WORDS.get(word, int(word) if word.isdigit() else word))
    return criteria


def _with(criteria: Criteria, name: str, value: object) -> Criteria:
    for group in fields(criteria):
        part = getattr(criteria, group.name)
        mapping = to_mapping(part)
        if name in mapping:
            return replace(criteria, **{group.name: from_mapping(type(part), {**mapping, name: value})})
    raise KeyError(name)
