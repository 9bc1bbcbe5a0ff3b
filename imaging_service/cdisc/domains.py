"""Which data sets are read, and the columns without which each says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from imaging_service.cdisc.data_set import Source
from imaging_service.cdisc.errors import ColumnMissingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """An input data set.

    Attributes
    ----------
    title
        What it holds.
    columns
        Each group needs at least one of its columns.
    """

    title: str
    columns: tuple[tuple[str, ...], ...]


DOMAINS: Mapping[str, Domain] = MappingProxyType(
    {
        "tu": Domain(
            title="lesion identification",
            columns=(("USUBJID",), ("TULNKID",), ("TUORRES", "TUSTRESC")),
        ),
        "tr": Domain(
            title="lesion results",
            columns=(
                ("USUBJID",),
                ("TRLNKID",),
                ("TRTESTCD",),
                ("TRSTRESN", "TRSTRESC", "TRORRES"),
                ("TRDTC",),
            ),
        ),
        "rs": Domain(
            title="submitted responses, compared with the derived ones",
            columns=(("USUBJID",), ("RSTESTCD",), ("RSSTRESC", "RSORRES")),
        ),
        "dm": Domain(title="subjects and their dates", columns=(("USUBJID",),)),
        "ex": Domain(title="doses", columns=(("USUBJID",), ("EXSTDTC",))),
        "ds": Domain(title="disposition", columns=(("USUBJID",), ("DSDECOD",), ("DSSTDTC",))),
        "ae": Domain(title="adverse events", columns=(("USUBJID",), ("AEDECOD", "AETERM"), ("AESTDTC",))),
        "dates": Domain(title="dates that no data set holds", columns=(("USUBJID",),)),
    }
)
"""By the name that a file of it has."""


def require_columns(name: str, source: Source) -> None:
    """Refuse a data set that lacks a column.

    Parameters
    ----------
    name
        A key of `DOMAINS`.
    source
        The data set.

    Raises
    ------
    ColumnMissingError
        Naming the first column that is missing.
    """
    for group in DOMAINS[name].columns:
        if not any(column in source.columns for column in group):
            raise ColumnMissingError(source.file, group, source.columns)
