"""Open a data set by the ending of its file name: CSV, SAS transport, Dataset-JSON or its NDJSON form."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from imaging_service.cdisc.data_set import Source
from imaging_service.cdisc.errors import FileUnreadableError
from imaging_service.cdisc.read_csv import CsvSource
from imaging_service.cdisc.read_dataset_json import dataset_json_source, ndjson_source
from imaging_service.cdisc.read_xport import XportSource

READERS: Mapping[str, Callable[[Path], Source]] = MappingProxyType(
    {".csv": CsvSource, ".xpt": XportSource, ".json": dataset_json_source, ".ndjson": ndjson_source}
)
"""Reader by the ending of a file name."""


def open_source(path: Path) -> Source:
    """Open a data set for reading.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    FileUnreadableError
        If it does not exist, is in no known format, or is not what its ending says.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        endings = ", ".join(READERS)
        raise FileUnreadableError(
            path.name, f"its name ends in {path.suffix or 'nothing'!r}; wanted is one of {endings}"
        )
    try:
        source = reader(path)
    except OSError as error:
        raise FileUnreadableError(path.name, (error.strerror or str(error)).lower()) from None
    repeated = sorted({name for name in source.columns if list(source.columns).count(name) > 1})
    if repeated:
        raise FileUnreadableError(path.name, f"the column {repeated[0]} is there more than once")
    return source
