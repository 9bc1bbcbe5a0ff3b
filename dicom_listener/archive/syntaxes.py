"""Transfer syntaxes that are received, and how each writes a data set (PS3.5 section 10, PS3.6 Table A-1)."""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSyntax:
    """How a data set is written."""

    uid: str
    is_explicit: bool = True  # value representations are written out
    is_big_endian: bool = False
    is_deflated: bool = False
    is_encapsulated: bool = False  # pixel data come as fragments, each frame compressed


EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"

_ENCAPSULATED = (
    "1.2.840.10008.1.2.5",  # RLE Lossless
    "1.2.840.10008.1.2.4.70",  # JPEG Lossless, Non-Hierarchical, First-Order Prediction
    "1.2.840.10008.1.2.4.57",  # JPEG Lossless, Non-Hierarchical
    "1.2.840.10008.1.2.4.80",  # JPEG-LS Lossless
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 (Lossless Only)
    "1.2.840.10008.1.2.4.201",  # High-Throughput JPEG 2000 (Lossless Only)
    "1.2.840.10008.1.2.4.202",  # High-Throughput JPEG 2000 with RPCL (Lossless Only)
    "1.2.840.10008.1.2.4.81",  # JPEG-LS Lossy
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.4.203",  # High-Throughput JPEG 2000
    "1.2.840.10008.1.2.4.50",  # JPEG Baseline
    "1.2.840.10008.1.2.4.51",  # JPEG Extended
)

TRANSFER_SYNTAXES = MappingProxyType(
    {
        syntax.uid: syntax
        for syntax in (
            TransferSyntax(uid=EXPLICIT_LITTLE_ENDIAN),
            TransferSyntax(uid=IMPLICIT_LITTLE_ENDIAN, is_explicit=False),
            TransferSyntax(uid="1.2.840.10008.1.2.1.99", is_deflated=True),
            TransferSyntax(uid="1.2.840.10008.1.2.2", is_big_endian=True),
            *(TransferSyntax(uid=uid, is_encapsulated=True) for uid in _ENCAPSULATED),
        )
    }
)
"""In the order of preference: lossless before lossy, uncompressed first."""
