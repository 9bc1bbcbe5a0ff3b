"""The service's own server over a database that a benchmark has filled: ``… serving DATABASE_URL``."""

import sys

from imaging_service.app import create_app
from imaging_service.clock import FixedClock
from imaging_service.database import Database
from imaging_service.http.server import address_of, bind, make_server, settle
from imaging_service.jobs.embedded import EmbeddedQueue
from imaging_service.settings import ServiceSettings
from imaging_service.tables import all_tables
from tests.builders.service import MONDAY, QUICK


def main() -> None:
    """Serve on a free port, and say on which."""
    all_tables()
    settings = ServiceSettings(database_url=sys.argv[1], **QUICK)
    clock = FixedClock(MONDAY)
    app = create_app(settings, Database(sys.argv[1]), clock=clock, jobs=EmbeddedQueue(clock))
    app.openapi()
    listening = bind("127.0.0.1", 0)
    print(address_of(listening), flush=True)
    settle()
    make_server(app, settings).run([listening])


if __name__ == "__main__":
    main()
