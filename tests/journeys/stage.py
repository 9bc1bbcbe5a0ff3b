"""What the journeys share: a whole service on free ports, and parts of the demo's story."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from fixtures.demo.story import Story, load_story
from imaging_service.demo.judging import differences, largest_error_pixels
from imaging_service.demo.play import Played
from imaging_service.demo.running import Installation, running
from tests.builders.peers import free_port


def installation_in(folder: Path) -> Installation:
    """Return where a service of one's own lives."""
    return Installation(
        folder=folder, http_port=free_port(), dicom_port=free_port(), quiet_period_seconds=1.0
    )


@contextmanager
def service_in(folder: Path) -> Iterator[tuple[Installation, Popen[bytes]]]:
    """Start the whole service with its data in ``folder``."""
    installation = installation_in(folder)
    with running(installation) as process:
        yield installation, process


def story_of(*subject_ids: str) -> Story:
    """Return the part of the demo's story that is about some subjects."""
    story = load_story()
    subjects = tuple(subject for subject in story.subjects if subject.subject_id in subject_ids)
    assert len(subjects) == len(subject_ids)
    return story.model_copy(update={"subjects": subjects, "strays": ()})


def assert_as_expected(story: Story, played: Played) -> None:
    """Every answer is the one worked out by hand, every diameter within a pixel of the truth."""
    assert list(differences(story, played.subjects)) == []
    assert largest_error_pixels(story, played.subjects) <= 1
