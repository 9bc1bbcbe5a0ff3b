"""Write the derived data sets in the formats that are asked for."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from imaging_service.cdisc.adrs import ADRS, adrs_rows
from imaging_service.cdisc.adtr import ADTR, adtr_rows
from imaging_service.cdisc.adtte import ADTTE, adtte_rows
from imaging_service.cdisc.data_set import DataSet, Row, Sink
from imaging_service.cdisc.evaluator import Evaluator
from imaging_service.cdisc.rs import RS, Response, responses_of, rs_rows
from imaging_service.cdisc.scored import ScoredSubject
from imaging_service.cdisc.sums import SUMDIAM, sum_rows
from imaging_service.cdisc.write_csv import CsvSink
from imaging_service.cdisc.write_dataset_json import DatasetJsonSink, NdjsonSink, OldDatasetJsonSink
from imaging_service.cdisc.write_xport import XportSink


class Format(StrEnum):
    """How a data set is written."""

    CSV = "csv"
    XPORT = "xpt"
    DATASET_JSON = "json"
    NDJSON = "ndjson"
    DATASET_JSON_1_0 = "json-1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a file says of its making.

    Attributes
    ----------
    study_id
        The trial.
    created_at
        When it was written.
    """

    study_id: str
    created_at: datetime


_SINKS: Mapping[Format, Callable[[Path, DataSet, Stamp], Sink]] = MappingProxyType(
    {
        Format.CSV: lambda path, data_set, _: CsvSink(path, data_set),
        Format.XPORT: lambda path, data_set, stamp: XportSink(path, data_set, stamp.created_at),
        Format.DATASET_JSON: lambda path, data_set, stamp: DatasetJsonSink(
            path, data_set, stamp.study_id, stamp.created_at
        ),
        Format.NDJSON: lambda path, data_set, stamp: NdjsonSink(
            path, data_set, stamp.study_id, stamp.created_at
        ),
        Format.DATASET_JSON_1_0: lambda path, data_set, stamp: OldDatasetJsonSink(
            path, data_set, stamp.study_id, stamp.created_at
        ),
    }
)

OUTPUTS: Mapping[str, DataSet] = MappingProxyType(
    {"rs": RS, "sumdiam": SUMDIAM, "adrs": ADRS, "adtr": ADTR, "adtte": ADTTE}
)
"""What is written, by the name that its file has."""


def open_sink(path: Path, data_set: DataSet, written_as: Format, stamp: Stamp) -> Sink:
    """Begin a file.

    Parameters
    ----------
    path
        The file.
    data_set
        What is written.
    written_as
        In which format.
    stamp
        What the file says of its making.
    """
    return _SINKS[written_as](path, data_set, stamp)


class DataSetWriter:
    """Writes the derived data sets of one subject after the other."""

    def __init__(
        self, folder: Path, formats: Iterable[Format], suffixes: Mapping[Evaluator, str], stamp: Stamp
    ) -> None:
        """Begin all files.

        Parameters
        ----------
        folder
            Where they are written.
        formats
            In which formats.
        suffixes
            What is added to a parameter's code, by evaluator.
        stamp
            What the files say of their making.
        """
        self._suffixes = suffixes
        self._closing = ExitStack()
        self._sinks: dict[str, list[Sink]] = {}
        for name, data_set in OUTPUTS.items():
            for each in dict.fromkeys(formats):
                ending = "v1-0.json" if each is Format.DATASET_JSON_1_0 else each.value
                sink = open_sink(folder / f"{name}.{ending}", data_set, each, stamp)
                self._closing.callback(sink.close)
                self._sinks.setdefault(name, []).append(sink)

    def write(self, subject: ScoredSubject) -> list[Response]:
        """Add a subject to every file.

        Parameters
        ----------
        subject
            The subject.

        Returns
        -------
        list of Response
            Its derived responses.

        Raises
        ------
        ValueTooLongError
            If a text does not fit a SAS transport file.
        """
        responses = responses_of(subject)
        self._add("rs", rs_rows(subject, responses))
        self._add("sumdiam", sum_rows(subject))
        self._add("adrs", adrs_rows(subject, responses, self._suffixes))
        self._add("adtr", adtr_rows(subject, self._suffixes))
        self._add("adtte", adtte_rows(subject, responses, self._suffixes))
        return responses

    def _add(self, name: str, rows: Iterable[Row]) -> None:
        for row in rows:
            for sink in self._sinks.get(name, ()):
                sink.write(row)

    def close(self) -> None:
        """Complete all files."""
        self._closing.close()
