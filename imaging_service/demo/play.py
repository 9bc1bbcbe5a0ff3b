"""Play the story from the first process to the last table."""

import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import typer

from fixtures.demo.story import Story, Subject, load_story
from imaging_service.demo.answers import results_of, strays_of
from imaging_service.demo.arriving import push_everything
from imaging_service.demo.judging import (
    LARGEST_ERROR_PIXELS,
    differences,
    largest_error_pixels,
    stray_differences,
)
from imaging_service.demo.matching import arrived_studies, wait_until_matched
from imaging_service.demo.people import ADMINISTRATOR, COORDINATOR, Person, everybody, readers_of
from imaging_service.demo.preparing import enrol_subjects, ensure_administrator, prepare_trial
from imaging_service.demo.progress import Progress
from imaging_service.demo.reading import read_everything
from imaging_service.demo.rest import Caller
from imaging_service.demo.results import StrayResult, SubjectResult
from imaging_service.demo.running import Installation, check_port, running
from imaging_service.demo.senders import register_senders
from imaging_service.demo.table import stray_table, subject_table, timepoint_table

Push: TypeAlias = Callable[[Installation, Story, Collection[str], Progress], Sequence[StrayResult]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What the service answered when the story was over."""

    subjects: Sequence[SubjectResult]
    strays: Sequence[StrayResult]


def play_and_print(installation: Installation, *, ends: bool) -> bool:
    """Play the story, print the tables, and return whether every answer is the expected one.

    Parameters
    ----------
    installation
        Where the service keeps its data and listens.
    ends
        Whether to stop the service at the end, or to stay until Ctrl-C.

    Raises
    ------
    DemoError
        When a step could not be done.
    """
    story = load_story()
    check_port(installation.http_port, "--port")
    check_port(installation.dicom_port, "--dicom-port")
    progress = Progress()
    with running(installation) as service:
        progress.say(f"The service is up: {installation.address}, DICOM port {installation.dicom_port}.")
        played = play(installation, story, progress)
        is_as_expected = show(story, played)
        _tell_where_to_look(installation, story)
        if not ends:
            _stay(service)
    return is_as_expected


def play(
    installation: Installation, story: Story, progress: Progress, push: Push = push_everything
) -> Played:
    """Do everything that the story tells, against a running service, and fetch the answers."""
    ensure_administrator(installation)
    with caller_of(installation, ADMINISTRATOR) as administrator:
        prepare_trial(administrator, story, progress)
    register_senders(installation, story, progress)
    with caller_of(installation, COORDINATOR) as coordinator:
        enrol_subjects(coordinator, story, progress)
        refused = push(installation, story, arrived_studies(coordinator, story), progress)
        wait_until_matched(coordinator, story, progress)
        read_in_parallel(installation, story, blinded_subjects(coordinator, story), progress)
        return Played(
            subjects=results_of(coordinator, story),
            strays=[*strays_of(coordinator, story), *refused],
        )


def show(story: Story, played: Played) -> bool:
    """Print the tables and what is not as expected; return whether nothing is."""
    typer.echo("\nTimepoints (where the two readers differ: reader 1 | reader 2)\n")
    typer.echo(timepoint_table(played.subjects))
    typer.echo("\nSubjects\n")
    typer.echo(subject_table(played.subjects))
    if played.strays:
        typer.echo("\nNot matched to any subject\n")
        typer.echo(stray_table(played.strays))
    wrong = [*differences(story, played.subjects), *stray_differences(story.strays, played.strays)]
    if not wrong:
        error = largest_error_pixels(story, played.subjects)
        typer.echo(f"\nMeasured against the phantoms' truth: off by {error:.2f} pixels at most.")
        if error > LARGEST_ERROR_PIXELS:
            wrong.append(
                f"A diameter is off by {error:.2f} pixels; at most {LARGEST_ERROR_PIXELS:g} was wanted."
            )
    typer.echo("\n".join(wrong) or "Every answer is the one that was worked out by hand.")
    return not wrong


def caller_of(installation: Installation, person: Person) -> Caller:
    """Return a caller of the running service who signs in as ``person``."""
    return Caller(installation.address, person.account, person.password)


def blinded_subjects(coordinator: Caller, story: Story) -> Mapping[str, Subject]:
    """Return who is behind each blinded reading id; the readers themselves are never told."""
    subjects = {subject.subject_id: subject for subject in story.subjects}
    enrolled = coordinator.items(f"/trials/{story.trial_id}/subjects")
    return {entry["reading_id"]: subjects[entry["subject_id"]] for entry in enrolled}


def read_in_parallel(
    installation: Installation, story: Story, subjects: Mapping[str, Subject], progress: Progress
) -> None:
    """Let both readers work at the same time, neither knowing of the other."""

    def read(slot: str, person: Person) -> None:
        with caller_of(installation, person) as reader:
            read_everything(reader, slot, story, subjects, progress)

    with ThreadPoolExecutor(len(story.readers)) as room:
        readings = [
            room.submit(read, reader.slot, person)
            for reader, person in zip(story.readers, readers_of(story), strict=True)
        ]
        for reading in readings:
            reading.result()


def _tell_where_to_look(installation: Installation, story: Story) -> None:
    pages = f"{installation.address}/viewer/"
    typer.echo(f"\nWeb address: {pages} (reading room and office; every route is at /docs)")
    for person in everybody(story):
        typer.echo(f"  {person.account:<18} {person.role:<14} password: {person.password}")
    typer.echo(f"Data and log: {installation.folder}")


def _stay(service: subprocess.Popen[bytes]) -> None:
    """Wait until Ctrl-C, or until the service ends by itself."""
    typer.echo("\nThe service stays up. Ctrl-C ends it.")
    try:
        service.wait()
    except KeyboardInterrupt:
        typer.echo("")
