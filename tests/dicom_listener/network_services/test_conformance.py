"""The conformance statement says what the code does."""

import re
from enum import IntEnum
from pathlib import Path

import pytest

from dicom_listener.archive.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_listener.archive.matching import ATTRIBUTES, UNIQUE_KEYS
from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES
from dicom_listener.network.contexts import SERVICE_CLASSES, VERIFICATION, storage_uids, supported_contexts
from dicom_listener.network.find import MAXIMUM_ANSWERS
from dicom_listener.network.statuses import (
    ASSOCIATION_REJECTION,
    C_STORE_STATUS,
    CommitmentStatus,
    FailureReason,
    QueryStatus,
    RetrieveStatus,
)
from dicom_listener.network.transcoder import can_transcode
from dicom_listener.settings import FurtherModality, ListenerSettings

STATEMENT = (Path(__file__).parents[3] / "docs/conformance.md").read_text()


def table(heading: str, occurrence: int = 0) -> list[list[str]]:
    """Return the cells of the table whose header begins with `heading`, without its header."""
    tables = re.findall(rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", STATEMENT, re.MULTILINE)
    rows = tables[occurrence].splitlines()
    return [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]


def test_every_sop_class_is_listed_once() -> None:
    assert [row[1] for row in table("SOP class", 0)] == list(storage_uids(frozenset()))
    further = set(storage_uids(frozenset(FurtherModality))) - set(storage_uids(frozenset()))
    assert {row[1] for row in table("SOP class", 1)} == further
    assert {row[2] for row in table("SOP class", 1)} == set(FurtherModality)
    assert {row[1]: row[0] for row in table("SOP class", 2)} == SERVICE_CLASSES | {
        VERIFICATION: "Verification"
    }


def test_the_listed_sop_classes_are_those_that_are_accepted() -> None:
    listed = {row[1] for occurrence in range(3) for row in table("SOP class", occurrence)}
    accepted = {str(context.abstract_syntax) for context in supported_contexts(frozenset(FurtherModality))}
    assert listed == accepted


def test_the_transfer_syntaxes_are_listed_in_the_order_of_preference() -> None:
    rows = table("transfer syntax")
    assert [row[1] for row in rows] == list(TRANSFER_SYNTAXES)
    assert {row[1]: "uncompressed" in row[2] for row in rows} == {
        uid: can_transcode(uid) for uid in TRANSFER_SYNTAXES
    }


@pytest.mark.parametrize(
    ("heading", "statuses"),
    [
        ("C-FIND status", QueryStatus),
        ("C-GET and C-MOVE status", RetrieveStatus),
        ("N-ACTION status", CommitmentStatus),
        ("failure reason", FailureReason),
    ],
)
def test_every_status_is_listed(heading: str, statuses: type[IntEnum]) -> None:
    assert [int(row[0], 16) for row in table(heading)] == [int(status) for status in statuses]


def test_every_status_of_c_store_is_listed() -> None:
    processing_failure = 0x0110
    listed = [int(row[0], 16) for row in table("C-STORE status")]
    assert listed == [*C_STORE_STATUS.values(), processing_failure]


def test_every_rejection_is_listed() -> None:
    listed = [tuple(int(cell) for cell in row[1:]) for row in table("cause")]
    assert listed == list(ASSOCIATION_REJECTION.values())


def test_every_key_is_listed_with_its_level_and_matching() -> None:
    expected = [
        [f"{name} (unique)" if name in UNIQUE_KEYS.values() else name, each.level, each.match]
        for name, each in ATTRIBUTES.items()
    ]
    assert table("key") == expected
    assert f"At most {MAXIMUM_ANSWERS} answers" in STATEMENT


def test_the_policies_are_the_settings() -> None:
    values = {name: field.default for name, field in ListenerSettings.model_fields.items()}
    for name in re.findall(r"`DICOM_LISTENER_([A-Z_]+)`", STATEMENT):
        assert name.lower() in values
    for number, name in (
        (r"at the same time \| (\d+),", "maximum_associations"),
        (r"of one sender (\d+);", "maximum_associations_each"),
        (r"maximum PDU received \| (\d+) bytes", "maximum_pdu_bytes"),
        (r"to ask for an association \| (\d+) s", "association_seconds"),
        (r"without a message \| (\d+) s", "idle_seconds"),
        (r"by default port (\d+) of", "port"),
    ):
        match = re.search(number, STATEMENT)
        assert match is not None, number
        assert float(match[1]) == float(str(values[name]))
    for identity in (IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME):
        assert f"`{identity}`" in STATEMENT
