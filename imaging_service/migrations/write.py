"""Writes the next revision from the difference between the newest one and the tables.

``python -m imaging_service.migrations.write "What changes"`` adds a revision. With ``--first``, as long as
there is no other, it writes the first one anew instead. The text is then for a person to read, as the
tool cannot know of a renaming, and does not see that the condition of a partial index has changed.
"""

import argparse
import tempfile
from pathlib import Path

from alembic import command
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext

from imaging_service.database import Database
from imaging_service.errors import SettingsError
from imaging_service.migrations.guards import add_guards
from imaging_service.migrations.migrate import config_for, migrate

_VERSIONS = Path(__file__).parent / "versions"
_FIRST = "0001"


def write(title: str, *, is_first: bool) -> Path:
    """Write a revision titled ``title`` and return its file.

    Raises
    ------
    SettingsError
        The first one is wanted anew and another follows it, so that databases may be at either.
    """
    if is_first:
        _forget_first()
    number = _FIRST if is_first else f"{len(list(_VERSIONS.glob('*.py'))) + 1:04d}"
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/reference.sqlite")
        if not is_first:
            migrate(database)
        with database.writer.begin() as connection:
            config = config_for(connection)
            config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            script = command.revision(
                config, message=title, autogenerate=True, rev_id=number, process_revision_directives=_complete
            )
        database.close()
    if script is None or isinstance(script, list):
        message = "Alembic wrote no revision, or more than one."
        raise RuntimeError(message)
    path = Path(script.path)
    text = "".join(line for line in path.read_text().splitlines(keepends=True) if "# ###" not in line)
    if is_first:
        text = text.replace("() -> None:\n", "() -> None:  # noqa: PLR0915  one table after the other\n")
    path.write_text(text)
    return path


def _forget_first() -> None:
    later = sorted(path.name for path in _VERSIONS.glob("*.py") if not path.name.startswith(_FIRST))
    if later:
        message = f"The first revision stays as it is, as {later[0]} follows it; leave out --first."
        raise SettingsError(message)
    for path in _VERSIONS.glob("*.py"):
        path.unlink()


def _complete(context: MigrationContext, _revision: object, scripts: list[MigrationScript]) -> None:
    assert context.connection is not None  # noqa: S101  `write` opens it
    for script in scripts:
        add_guards(script, context.connection)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("title")
    parser.add_argument("--first", action="store_true", help="write the first revision anew")
    arguments = parser.parse_args()
    print(write(arguments.title, is_first=arguments.first))  # noqa: T201  its answer
