"""Alembic's environment: runs revisions on the connection that the caller has opened."""

from alembic import context

from imaging_service.migrations.guards import render_item
from imaging_service.migrations.scope import is_ours
from imaging_service.tables import all_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=all_tables(),
    include_name=is_ours,
    render_item=render_item,
    compare_server_default=True,
    render_as_batch=True,  # SQLite changes a constraint by writing the table anew
    transactional_ddl=True,  # SQLite too: the caller's transaction holds everything
    user_module_prefix="",
)
context.run_migrations()
