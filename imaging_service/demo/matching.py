"""Look which studies the service knows, and wait until it has decided about every one and its images."""

from collections.abc import Collection

from fixtures.demo.story import Story
from fixtures.demo.studies import stray_study, study_of
from fixtures.dicom.phantom import StudyPlan
from imaging_service.demo.progress import Progress
from imaging_service.demo.rest import LONG_PAGE, Caller
from imaging_service.demo.waiting import until

_PATIENCE_SECONDS = 180.0


def wait_until_matched(coordinator: Caller, story: Story, progress: Progress) -> None:
    """Return when the service knows every instance and has decided about every study.

    A study may settle before its last instance when the listener dies in the middle of a push; the late
    instances then follow, and nobody should read before.
    """
    total = len(_matched(story))

    def look() -> bool | None:
        found = len(_whole(coordinator, story, "studies", _matched(story)))
        progress.count(found, total, "studies matched")
        is_whole = found == total and len(arrived_studies(coordinator, story)) == _count(story)
        return True if is_whole and not _uncontrolled(coordinator, story) else None

    until(look, seconds=_PATIENCE_SECONDS, what="every study to be matched, and its images accepted")


def _uncontrolled(coordinator: Caller, story: Story) -> list[str]:
    """Return the timepoints whose images no reader may open yet."""
    controls = coordinator.items(f"/trials/{story.trial_id}/quality", LONG_PAGE)
    return [entry["timepoint_id"] for entry in controls if entry["state"] != "accepted"]


def arrived_studies(coordinator: Caller, story: Story) -> Collection[str]:
    """Return the studies of the story that the service knows with all their instances."""
    return {
        *_whole(coordinator, story, "studies", _matched(story)),
        *_whole(coordinator, story, "studies/unmatched", _unmatched(story)),
    }


def _matched(story: Story) -> list[StudyPlan]:
    return [
        study_of(story, subject, timepoint) for subject in story.subjects for timepoint in subject.timepoints
    ]


def _unmatched(story: Story) -> list[StudyPlan]:
    return [stray_study(stray) for stray in story.strays if not stray.is_refused]


def _count(story: Story) -> int:
    return len(_matched(story)) + len(_unmatched(story))


def _whole(coordinator: Caller, story: Story, path: str, plans: list[StudyPlan]) -> Collection[str]:
    """Return which of the studies are listed there with all their instances."""
    entries = coordinator.items(f"/trials/{story.trial_id}/{path}", LONG_PAGE)
    listed = {entry["study_instance_uid"]: entry["instances"] for entry in entries}
    uids = {str(plan.study_instance_uid): plan.instance_count for plan in plans}
    return {uid for uid, instances in uids.items() if listed.get(uid) == instances}
