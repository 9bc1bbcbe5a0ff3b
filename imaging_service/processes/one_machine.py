"""The settings of all three programs on one machine, from one folder."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dicom_listener.settings import ListenerSettings
from imaging_service.migrations.migrate import migrate
from imaging_service.processes.operation import open_database, read_settings
from imaging_service.processes.supervisor import Address, Plan, free_or_asked, require_writable


def plan(data: Path) -> Plan:
    """Return what to run, with the database migrated and both ports proved free.

    An address that the environment sets stays; every other is inside ``data``.

    Raises
    ------
    SettingsError
        If the folder, a port or the database cannot be used.
    """
    os.environ.update({**addresses_in(data), **os.environ})
    settings = read_settings()
    nothing_else: dict[str, Any] = {}
    listener = ListenerSettings(**nothing_else)
    for folder in (settings.data, _folder_of(listener.objects)):
        if folder is not None:
            require_writable(folder)
    dicom = free_or_asked(Address(host=listener.host, port=listener.port), "DICOM_LISTENER_PORT")
    web = free_or_asked(Address(host=settings.host, port=settings.port), "IMAGING_SERVICE_PORT")
    web = replace(web, is_tls=settings.tls_certificate is not None)
    with open_database(settings) as database:
        migrate(database)
    ports = {
        "DICOM_LISTENER_AE_TITLE": listener.ae_title,
        "DICOM_LISTENER_PORT": str(dicom.port),
        "IMAGING_SERVICE_PORT": str(web.port),
    }
    where = (str(settings.data.resolve()), listener.objects)
    return Plan(where=where, dicom=dicom, web=web, environment={**os.environ, **ports})


def _folder_of(objects: str) -> Path | None:
    return None if "://" in objects else Path(objects)


def addresses_in(data: Path) -> Mapping[str, str]:
    """Return the settings of listener and service that keep everything inside ``data``."""
    archive_index = f"sqlite:///{data}/archive/index.sqlite"
    archive_objects = f"{data}/archive/objects"
    return {
        "DICOM_LISTENER_DATABASE_URL": archive_index,
        "DICOM_LISTENER_OBJECTS": archive_objects,
        "DICOM_LISTENER_ORIGINALS": f"{data}/archive/originals",
        "IMAGING_SERVICE_DATA": f"{data}/service",
        "IMAGING_SERVICE_DATABASE_URL": f"sqlite:///{data}/service/service.sqlite",
        "IMAGING_SERVICE_ARCHIVE_DATABASE_URL": archive_index,
        "IMAGING_SERVICE_ARCHIVE_OBJECTS": archive_objects,
        "IMAGING_SERVICE_AUDIT_WITNESS": f"{data}/service/audit-heads.jsonl",
    }
