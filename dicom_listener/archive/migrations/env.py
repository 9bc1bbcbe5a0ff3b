"""Run the revisions on the connection that `dicom_listener.archive.migrate` gives."""

from alembic import context

from dicom_listener.archive.tables import SCHEMA, metadata

_connection = context.config.attributes["connection"]

context.configure(
    connection=_connection,
    target_metadata=metadata,
    version_table="archive_version",
    version_table_schema=SCHEMA if _connection.dialect.name == "postgresql" else None,
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
