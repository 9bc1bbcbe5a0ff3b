"""Up to which record each intake log is in the index."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, insert, select, update

from dicom_listener.archive import tables

_TABLE = tables.indexed_logs
_SELECT = select(_TABLE.c.position).where(_TABLE.c.log == bindparam("key"))
_UPDATE = update(_TABLE).where(_TABLE.c.log == bindparam("key")).values(position=bindparam("reached"))


def position_of(connection: Connection, log: str) -> int:
    """Return the number of the last record of `log` that is in the index; 0 for an unknown log."""
    position = connection.execute(_SELECT, {"key": log}).scalar_one_or_none()
    return 0 if position is None else int(position)


def advance(connection: Connection, positions: Mapping[str, int]) -> None:
    """Write positions into the transaction that indexes the records up to them."""
    for log, position in positions.items():
        if not connection.execute(_UPDATE, {"key": log, "reached": position}).rowcount:
            connection.execute(insert(_TABLE), {"log": log, "position": position})
