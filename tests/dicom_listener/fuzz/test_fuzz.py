"""Fuzzing in short: mutations of valid inputs from a fixed seed, and the fuzzer itself in a campaign."""

import os
import random
import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread

from dicom_listener.archive.header import read_header
from dicom_listener.errors import DataSetError
from tests.dicom_listener.fuzz.targets import TARGETS, seeds
from tests.dicom_listener.instances import EXPLICIT_LE, IMPLICIT_LE, encoded, mr_instance
from tests.dicom_listener.test_hostile import mutated

ROOT = Path(__file__).parents[3]
MUTATIONS = 1500


@pytest.mark.parametrize("target", TARGETS)
def test_mutations_of_valid_input_are_read_or_refused(target: str) -> None:
    source, read = random.Random(7), TARGETS[target]()  # noqa: S311 - a fuzzer that can be repeated
    for seed in seeds(target):
        read(seed)
        for _ in range(MUTATIONS):
            read(mutated(source, seed))


@pytest.mark.campaign
@pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'")
@pytest.mark.parametrize("target", TARGETS)
def test_ten_million_runs_of_the_fuzzer_raise_nothing_else(target: str, tmp_path: Path) -> None:
    module = "tests.dicom_listener.fuzz.campaign"
    runs = os.environ.get("FUZZ_RUNS", "10000000")
    done = subprocess.run(
        [sys.executable, "-m", module, target, f"-runs={runs}", str(tmp_path)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\\^="), max_size=60)
NUMBER = st.integers(min_value=0, max_value=2**31 - 1)


@settings(deadline=None, max_examples=100)
@given(
    values=st.fixed_dictionaries(
        {
            "PatientID": TEXT,
            "StudyDescription": TEXT,
            "SeriesDescription": TEXT,
            "AccessionNumber": TEXT.map(lambda text: text[:16]),
            "SeriesNumber": NUMBER,
            "InstanceNumber": NUMBER,
            "StudyDate": st.dates().map(lambda day: f"{day:%Y%m%d}".zfill(8)),
        }
    ),
    syntax=st.sampled_from([EXPLICIT_LE, IMPLICIT_LE]),
)
def test_the_header_scan_reads_what_pydicom_reads(values: dict[str, object], syntax: str) -> None:
    content = encoded(mr_instance(SOPInstanceUID="1.2.3", **values), syntax)
    try:
        header = read_header(content, syntax)
    except DataSetError as error:
        pytest.fail(str(error))
    read = _as_pydicom_reads(content, syntax)
    assert header.patient_id == read.get("PatientID", "").strip(" ")
    assert header.study_description == read.get("StudyDescription", "").strip(" ")
    assert header.series_description == read.get("SeriesDescription", "").strip(" ")
    assert header.accession_number == read.get("AccessionNumber", "").strip(" ")
    assert (header.series_number, header.instance_number) == (read.SeriesNumber, read.InstanceNumber)
    assert header.study_date is not None
    assert f"{header.study_date:%Y%m%d}".zfill(8) == read.StudyDate
    assert (header.rows, header.columns) == (read.Rows, read.Columns)


def _as_pydicom_reads(content: bytes, syntax: str) -> Dataset:
    padded = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = struct.pack("<HH2sH", 2, 0x0010, b"UI", len(padded)) + padded
    return dcmread(BytesIO(bytes(128) + b"DICM" + meta + content))
