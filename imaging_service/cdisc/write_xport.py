"""Write a data set as a SAS transport file, version 5.

The layout is SAS's published one (TS-140, "The Record Layout of a Data Set in SAS Transport (XPORT) Format"):
records of 80 bytes, a header each for library, member and variables, then the observations one after the
other; numbers are IBM System/360 floats. Texts are UTF-8. Written here because pyreadstat, which reads these
files, writes them only from a whole data frame in memory and stamps them with the present time.
"""

import struct
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from imaging_service.cdisc.data_set import DataSet, Kind, Row, Value, Variable
from imaging_service.cdisc.errors import ValueTooLongError

_RECORD = 80
_NUMBER_BYTES = 8
_MISSING = b"." + bytes(_NUMBER_BYTES - 1)
_SAS_EPOCH = date(1960, 1, 1)


class XportSink:
    """A SAS transport file that is being written row by row."""

    def __init__(self, path: Path, data_set: DataSet, created_at: datetime) -> None:
        """Write the headers."""
        self._variables = data_set.variables
        self._stream = path.open("wb")
        self._written = 0
        self._put(_headers(data_set, created_at.strftime("%d%b%y:%H:%M:%S").upper().encode()))

    def write(self, row: Row) -> None:
        """Add a row.

        Raises
        ------
        ValueTooLongError
            If a text does not fit: nothing is ever cut off.
        """
        self._put(b"".join(_cell(row.get(variable.name), variable) for variable in self._variables))

    def close(self) -> None:
        """Fill the last record with blanks."""
        self._put(b" " * (-self._written % _RECORD))
        self._stream.close()

    def _put(self, content: bytes) -> None:
        self._written += len(content)
        self._stream.write(content)


def _width(variable: Variable) -> int:
    return variable.length if variable.kind is Kind.TEXT else _NUMBER_BYTES


def _cell(value: Value, variable: Variable) -> bytes:
    if variable.kind is Kind.TEXT:
        text = "" if value is None else str(value)
        content = text.encode()
        if len(content) > variable.length:
            raise ValueTooLongError(variable.name, text, variable.length)
        return content.ljust(variable.length)
    if isinstance(value, date):
        return ibm_float((value - _SAS_EPOCH).days)
    return _MISSING if value is None else ibm_float(float(Decimal(value)))


def ibm_float(number: float) -> bytes:
    """Return a number as an eight-byte IBM float: sign, power of 16 in excess 64, and 56 bits of fraction.

    Examples
    --------
    >>> ibm_float(1.0).hex(), ibm_float(-118.625).hex(), ibm_float(0.0).hex()
    ('4110000000000000', 'c276a00000000000', '0000000000000000')
    """
    if number == 0:
        return bytes(_NUMBER_BYTES)
    fraction, exponent = _frexp16(abs(number))
    sign = 0x80 if number < 0 else 0
    return struct.pack(">Q", (sign | (exponent + 64)) << 56 | int(fraction * 2**56))


def _frexp16(number: float) -> tuple[float, int]:
    """Return a fraction from 1/16 to below 1 and the power of 16 that goes with it; both are exact."""
    exponent = 0
    while number >= 1:
        number /= 16
        exponent += 1
    while number < 1 / 16:
        number *= 16
        exponent -= 1
    return number, exponent


def _headers(data_set: DataSet, stamp: bytes) -> bytes:
    """Return everything before the first observation."""
    variables = b"".join(_namestr(data_set.variables, index) for index in range(len(data_set.variables)))
    variables += b" " * (-len(variables) % _RECORD)
    return b"".join(
        (
            _header("LIBRARY"),
            b"SAS     SAS     SASLIB  9.4     " + b"".ljust(8) + b" " * 24 + stamp,
            stamp.ljust(_RECORD),
            _header("MEMBER ", "0160", "0140"),
            _header("DSCRPTR"),
            b"SAS     "
            + data_set.name.encode().ljust(8)
            + b"SASDATA 9.4     "
            + b"".ljust(8)
            + b" " * 24
            + stamp,
            stamp + b" " * 16 + data_set.label.encode().ljust(40) + b" " * 8,
            f"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!000000{len(data_set.variables):04d}".encode()
            .ljust(78, b"0")
            .ljust(_RECORD),
            variables,
            _header("OBS    "),
        )
    )


def _header(name: str, first: str = "0000", last: str = "0000") -> bytes:
    zeros = "0" * 16
    numbers = f"{zeros}{first}{'0' * 6}{last}" if first != "0000" else "0" * 30
    return f"HEADER RECORD*******{name} HEADER RECORD!!!!!!!{numbers}".encode().ljust(_RECORD)


def _namestr(variables: tuple[Variable, ...], index: int) -> bytes:
    """Return the 140 bytes that describe a variable."""
    variable = variables[index]
    is_text = variable.kind is Kind.TEXT
    format_name = b"DATE" if variable.kind is Kind.DATE else b""
    position = sum(_width(each) for each in variables[:index])
    return struct.pack(
        ">hhhh8s40s8shhh2s8shhl52s",
        2 if is_text else 1,
        0,
        _width(variable),
        index + 1,
        variable.name.encode().ljust(8),
        variable.label.encode().ljust(40),
        format_name.ljust(8),
        9 if format_name else 0,
        0,
        0 if is_text else 1,
        b"",
        b" " * 8,
        0,
        0,
        position,
        b"",
    )
