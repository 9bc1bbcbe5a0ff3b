"""A set in which every place for an identity is filled comes out without one, as its answers say."""

import re
import shutil
import subprocess
from collections import Counter, defaultdict
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES
from dicom_listener.deidentification.engine import TrialWords, deidentify
from dicom_listener.deidentification.key import Key
from tests.dicom_listener.deidentification.seeded import Seeded, found, seeded_instances
from tests.dicom_listener.instances import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, encoded

KEY = Key(secret=b"a secret of thirty-two bytes here")
WORDS = TrialWords(site_id="S1", sponsor="Sponsor", protocol="TRIAL-7")
DEMANDED = 0.999


def out_of(seeded: Seeded, syntax: str = EXPLICIT_LE) -> tuple[bytes, Dataset]:
    """Return the de-identified bytes, and the same read by another library."""
    result = deidentify(encoded(seeded.dataset, syntax), TRANSFER_SYNTAXES[syntax], KEY, WORDS)
    content = result.header + bytes(result.pixels)
    return content, _read(content, syntax)


def _read(content: bytes, syntax: str) -> Dataset:
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = b"\x02\x00\x10\x00UI" + len(uid).to_bytes(2, "little") + uid
    head = bytes(128) + b"DICM\x02\x00\x00\x00UL\x04\x00" + len(meta).to_bytes(4, "little")
    return dcmread(BytesIO(head + meta + content))


@pytest.fixture(scope="module")
def everything() -> list[tuple[Seeded, bytes, Dataset]]:
    """Return every seeded instance with what came out."""
    return [(each, *out_of(each)) for each in seeded_instances()]


def test_at_least_999_of_1000_actions_are_as_the_answers_say(
    everything: list[tuple[Seeded, bytes, Dataset]],
) -> None:
    wrong: Counter[str] = Counter()
    total = 0
    for seeded, _, out in everything:
        for seed in seeded.seeds:
            total += 1
            if not is_right(seed.expected, seed.value, found(out, seed.place), seeded.person.number):
                wrong[f"{seed.place}: {seed.expected} of {seed.value!r}, {found(out, seed.place)!r}"] += 1
    assert total >= 1500
    assert 1 - wrong.total() / total >= DEMANDED, wrong.most_common(20)


def is_right(expected: str, before: str, after: str | None, person: int) -> bool:
    """Tell whether a place is as it must be."""
    kind, _, wanted = expected.partition(":")
    if kind == "gone":
        words = [each for each in re.split(r"\W+", before) if len(each) > 3 and not each.islower()]
        return not after or (after != before and not any(word in after for word in words))
    if kind == "changed":
        return bool(after) and after != before
    if kind == "mapped":
        return after == KEY.uid(before) and after.startswith("2.25.")
    if kind == "shifted":
        return after == shifted(before, person)
    return after == {"kept": before, "text": wanted, "is": wanted}[kind]


def shifted(before: str, person: int) -> str:
    """Return a date as one subject's dates move; by how much is read off its studies elsewhere."""
    day = date.fromisoformat(f"{before[:4]}-{before[4:6]}-{before[6:8]}") + OFFSETS[person]
    return f"{day:%Y%m%d}{before[8:]}"


class _Offsets(dict[int, timedelta]):
    """How far each person's dates have moved, as the first study says."""

    def __missing__(self, person: int) -> timedelta:
        for seeded in seeded_instances(studies=1, instances=1):
            out = out_of(seeded)[1]
            self[seeded.person.number] = (
                date.fromisoformat(f"{out.StudyDate[:4]}-{out.StudyDate[4:6]}-{out.StudyDate[6:]}")
                - seeded.study_on
            )
        return self[person]


OFFSETS = _Offsets()


def test_no_seeded_string_is_anywhere_in_the_bytes(everything: list[tuple[Seeded, bytes, Dataset]]) -> None:
    for seeded, content, _ in everything:
        low = content.lower()
        leaked = [each for each in seeded.secrets if each.lower().encode() in low]
        assert leaked == []


def test_every_subject_has_one_offset_into_the_past_and_no_two_the_same(
    everything: list[tuple[Seeded, bytes, Dataset]],
) -> None:
    offsets = defaultdict(set)
    for seeded, _, out in everything:
        day = date.fromisoformat(f"{out.StudyDate[:4]}-{out.StudyDate[4:6]}-{out.StudyDate[6:]}")
        offsets[seeded.person.number].add(day - seeded.study_on)
    assert all(len(each) == 1 for each in offsets.values())
    days = [each.pop().days for each in offsets.values()]
    assert len(set(days)) == 3
    assert all(-3650 <= each < 0 for each in days)


def test_references_follow_their_instances(everything: list[tuple[Seeded, bytes, Dataset]]) -> None:
    instances = {out.SOPInstanceUID for _, _, out in everything}
    for seeded, _, out in everything:
        assert out.ReferencedImageSequence[0].ReferencedSOPInstanceUID in instances
        assert out.SourceImageSequence[0].ReferencedSOPInstanceUID in instances
        assert out.StudyInstanceUID != seeded.dataset.StudyInstanceUID
    assert len(instances) == len(everything)


def test_the_pixels_stay_the_bytes_they_are(everything: list[tuple[Seeded, bytes, Dataset]]) -> None:
    for seeded, _, out in everything:
        assert out.PixelData == seeded.dataset.PixelData


@pytest.mark.parametrize("syntax", [IMPLICIT_LE, EXPLICIT_BE])
def test_another_encoding_comes_out_the_same(syntax: str) -> None:
    seeded = next(seeded_instances())
    for name in ("OverlayData", "CurveData"):
        seeded.dataset.pop({"OverlayData": 0x60003000, "CurveData": 0x50003000}[name])
    plain, other = out_of(seeded)[1], out_of(seeded, syntax)[1]
    for out in (plain, other):
        for element in list(out):
            if element.tag.is_private and syntax == IMPLICIT_LE:
                del out[element.tag]  # an implicit data set does not say what kind a private value is
    assert other == plain


def test_the_same_in_gives_the_same_out_and_another_key_another() -> None:
    seeded = next(seeded_instances())
    data_set = encoded(seeded.dataset, EXPLICIT_LE)
    syntax = TRANSFER_SYNTAXES[EXPLICIT_LE]
    first, again = (deidentify(data_set, syntax, KEY, WORDS).header for _ in range(2))
    assert first == again
    other = deidentify(data_set, syntax, Key(secret=bytes(range(32))), WORDS).header
    assert _read(other, EXPLICIT_LE).SOPInstanceUID != _read(first, EXPLICIT_LE).SOPInstanceUID


@pytest.mark.peer("dicom3tools")
def test_dciodvfy_finds_no_new_error(tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy of dicom3tools is not installed")
    seeded = next(seeded_instances())
    before = _errors(tmp_path / "before.dcm", encoded(seeded.dataset, EXPLICIT_LE), EXPLICIT_LE)
    after = _errors(tmp_path / "after.dcm", out_of(seeded)[0], EXPLICIT_LE)
    assert after - before == set()


def _errors(path: Path, content: bytes, syntax: str) -> set[str]:
    dataset = _read(content, syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)
    told = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
    return {re.sub(r"<[^>]*>", "<>", line) for line in told.splitlines() if line.startswith("Error")}
