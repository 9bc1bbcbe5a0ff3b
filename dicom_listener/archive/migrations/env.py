"""Run the revisions on the connection that `dicom_listener.archive.migrate` gives."""

from alembic import context
from sqlalchemy import Connection

from dicom_listener.archive.tables import SCHEMA, metadata


def run(connection: Connection) -> None:
    """Run them in the connection's own transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table="archive_version",
        version_table_schema=SCHEMA if connection.dialect.name == "postgresql" else None,
        include_schemas=True,
    )
    with context.begin_transaction():
        context.run_migrations()


# Alembic sets `context.config` while it runs this file; whoever merely imports it runs nothing.
if hasattr(context, "config"):
    run(context.config.attributes["connection"])
