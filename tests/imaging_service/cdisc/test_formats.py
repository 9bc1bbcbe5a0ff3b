"""Every format says the same: read from it or written to it, the answers are the same."""

import json
import struct
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging_service.cdisc.data_set import DataSet, Kind, Variable
from imaging_service.cdisc.errors import FileUnreadableError, ValueTooLongError
from imaging_service.cdisc.numbers import decimal_of
from imaging_service.cdisc.read import open_source
from imaging_service.cdisc.write import OUTPUTS, Format, Stamp, open_sink
from imaging_service.cdisc.write_xport import ibm_float
from tests.imaging_service.cdisc.conftest import EXAMPLE, INPUTS, MADE_AT, read, score_folder

STAMP = Stamp(study_id="SCORE-EX", created_at=MADE_AT)
NUMERIC = ("SEQ", "NUM", "STRESN", "DOSE", "TOXGR")


def converted(name: str, written_as: Format, folder: Path) -> None:
    """Write a data set of the example in another format, its numbers as numbers."""
    rows = read(EXAMPLE / f"{name}.csv")
    variables = tuple(
        Variable(column, column, Kind.NUMBER if column.endswith(NUMERIC) else Kind.TEXT, 60)
        for column in rows[0]
    )
    data_set = DataSet(name=name.upper(), label=name, variables=variables)
    sink = open_sink(folder / f"{name}.{written_as.value.removesuffix('-1.0')}", data_set, written_as, STAMP)
    for row in rows:
        sink.write(
            {
                variable.name: decimal_of(row[variable.name])
                if variable.kind is Kind.NUMBER
                else row[variable.name]
                for variable in variables
            }
        )
    sink.close()


@pytest.mark.parametrize("written_as", [each for each in Format if each is not Format.CSV])
def test_data_sets_in_any_format_give_the_same_answers(scored, tmp_path, written_as):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    for name in INPUTS:
        converted(name, written_as, data)
    score_folder(data, out)
    for name in OUTPUTS:
        assert (out / f"{name}.csv").read_text() == (scored / f"{name}.csv").read_text(), name


@pytest.fixture(scope="module")
def in_all_formats(tmp_path_factory):
    out = tmp_path_factory.mktemp("formats")
    score_folder(EXAMPLE, out, formats=tuple(Format))
    return out


@pytest.mark.parametrize("ending", ["xpt", "json", "ndjson", "v1-0.json"])
@pytest.mark.parametrize("name", OUTPUTS)
def test_answers_read_back_from_any_format_as_they_are_in_csv(in_all_formats, name, ending):
    found, plain = (
        open_source(in_all_formats / f"{name}.{ending}"),
        open_source(in_all_formats / f"{name}.csv"),
    )
    assert found.columns == plain.columns
    assert [[same(cell) for cell in row] for row in found] == [[same(cell) for cell in row] for row in plain]


def same(cell: str) -> object:
    number = decimal_of(cell)
    return cell if number is None else number


def test_a_transport_file_has_labels_and_days_that_another_program_understands(in_all_formats):
    columns, about = pyreadstat.read_xport(in_all_formats / "adtte.xpt", output_format="dict")
    assert about.table_name == "ADTTE"
    assert about.column_names_to_labels["CNSR"] == "Censor"
    assert columns["ADT"][0] == date(2026, 5, 11)
    assert columns["AVAL"][0] == 127.0


def test_dataset_json_says_what_its_columns_are(in_all_formats):
    document = json.loads((in_all_formats / "adtte.json").read_text())
    assert (document["datasetJSONVersion"], document["itemGroupOID"]) == ("1.1.0", "IG.ADTTE")
    assert document["records"] == len(document["rows"])
    by_name = {column["name"]: column for column in document["columns"]}
    assert by_name["ADT"]["dataType"] == "date"
    assert by_name["AVAL"] == {
        "itemOID": "IT.ADTTE.AVAL",
        "name": "AVAL",
        "label": "Analysis Value",
        "dataType": "integer",
    }
    first = (in_all_formats / "adtte.ndjson").read_text().splitlines()[0]
    assert json.loads(first)["records"] == document["records"]
    old = json.loads((in_all_formats / "adtte.v1-0.json").read_text())
    assert old["clinicalData"]["itemGroupData"]["IG.ADTTE"]["records"] == document["records"]


def test_the_same_data_gives_the_same_bytes(in_all_formats, tmp_path):
    score_folder(EXAMPLE, tmp_path, formats=tuple(Format))
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in in_all_formats.iterdir()}


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (1.0, "4110000000000000"),
        (-1.0, "c110000000000000"),
        (0.1, "401999999999999a"),
        (100.0, "4264000000000000"),
        (-118.625, "c276a00000000000"),
    ],
)
def test_numbers_are_ibm_floats_as_the_layout_says(number, wanted):
    assert ibm_float(number).hex() == wanted


@given(st.floats(min_value=1e-6, max_value=1e9) | st.floats(min_value=-1e9, max_value=-1e-6))
def test_an_ibm_float_denotes_the_same_number(number):
    (bits,) = struct.unpack(">Q", ibm_float(number))
    sign, exponent, fraction = bits >> 63, (bits >> 56 & 0x7F) - 64, bits & (2**56 - 1)
    assert (-1) ** sign * fraction * 2.0 ** (4 * exponent - 56) == number


def test_no_value_is_cut_off_to_fit_a_transport_file(tmp_path):
    data_set = DataSet(name="XX", label="", variables=(Variable("VISIT", "Visit", length=5),))
    sink = open_sink(tmp_path / "xx.xpt", data_set, Format.XPORT, STAMP)
    sink.write({"VISIT": "WEEK6"})
    with pytest.raises(ValueTooLongError, match="holds 5 bytes of VISIT; found are 7: 'WEEK 12'"):
        sink.write({"VISIT": "WEEK 12"})
    sink.close()


@pytest.mark.parametrize("written_as", Format)
def test_texts_of_any_language_survive_in_any_format(tmp_path, written_as):
    data_set = DataSet(
        name="XX",
        label="",
        variables=(Variable("A", "A"), Variable("B", "B", Kind.NUMBER), Variable("C", "C")),
    )
    path = tmp_path / f"xx.{written_as.value.removesuffix('-1.0')}"
    sink = open_sink(
        path, data_set, written_as, Stamp(study_id="ü", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    )
    texts = ["肝臓", 'say "a, b"', "=1+1", "Läsion"]
    for text in texts:
        sink.write({"A": text, "B": Decimal("12.60"), "C": None})
    sink.close()
    rows = [list(row) for row in open_source(path)]
    assert [row[0] for row in rows] == texts
    assert {decimal_of(row[1]) for row in rows} == {Decimal("12.6")}
    assert {row[2] for row in rows} == {""}


def test_without_the_extra_a_transport_file_is_a_sentence(monkeypatch, in_all_formats):
    monkeypatch.setitem(__import__("sys").modules, "pyreadstat", None)
    with pytest.raises(FileUnreadableError, match=r"pip install 'imaging-service\[cdisc\]'"):
        open_source(in_all_formats / "rs.xpt")
