"""Wait until every pushed study has settled and is matched, or waits for a coordinator."""

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
    trial = f"/trials/{story.trial_id}"
    matched = [
        study_of(story, subject, timepoint) for subject in story.subjects for timepoint in subject.timepoints
    ]
    unmatched = [stray_study(stray) for stray in story.strays if not stray.is_refused]

    def look() -> bool | None:
        found = _whole(coordinator, f"{trial}/studies", matched)
        left = _whole(coordinator, f"{trial}/studies/unmatched", unmatched)
        progress.count(found, len(matched), "studies matched")
        return True if (found, left) == (len(matched), len(unmatched)) else None

    until(look, seconds=_PATIENCE_SECONDS, what="every study to be matched")


def _whole(coordinator: Caller, path: str, plans: list[StudyPlan]) -> int:
    """Return how many of the studies are listed there with all their instances."""
    listed = {study["study_instance_uid"]: study["instances"] for study in coordinator.items(path, LONG_PAGE)}
    return sum(listed.get(str(plan.study_instance_uid)) == plan.instance_count for plan in plans)
