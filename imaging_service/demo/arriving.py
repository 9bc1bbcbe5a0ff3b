"""Everything that the PACS push: the subjects' studies in the order of their days, and the strays."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fixtures.demo.story import Story, Stray
from fixtures.demo.studies import stray_study, study_of
from fixtures.dicom.phantom import StudyPlan
from imaging_service.demo.images import files_of
from imaging_service.demo.progress import Progress
from imaging_service.demo.pushing import Pacs, sender_name
from imaging_service.demo.results import StrayResult
from imaging_service.demo.running import HOST, Installation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Push:
    """One study and the PACS that has it."""

    plan: StudyPlan
    ae_title: str


def push_everything(
    installation: Installation, story: Story, arrived: Collection[str], progress: Progress
) -> Sequence[StrayResult]:
    """Push every study of the story that has not arrived, and try what is to be refused.

    Parameters
    ----------
    installation
        Where to push, and where the files are kept.
    story
        The story.
    arrived
        Study Instance UIDs that the service knows with all their instances, from an earlier run.
    progress
        Where to say how far it is.

    Returns
    -------
    sequence of StrayResult
        Which senders were refused, and in which words.
    """
    pushes = [push for push in _pushes(story) if push.plan.study_instance_uid not in arrived]
    with ThreadPoolExecutor(1) as workshop:  # builds the next studies while one is pushed
        folders = workshop.map(lambda push: files_of(push.plan, installation.studies), pushes)
        for number, (push, folder) in enumerate(zip(pushes, folders, strict=True), start=1):
            _pacs(installation, push.ae_title).push(folder)
            progress.count(number, len(pushes), f"studies built and pushed with {sender_name()}")
    return [_refused(installation, stray, progress) for stray in story.strays if stray.is_refused]


def build_files(installation: Installation, story: Story) -> Sequence[Path]:
    """Build the files of every study beforehand and return their folders."""
    return [files_of(push.plan, installation.studies) for push in _pushes(story)]


def _pushes(story: Story) -> Sequence[_Push]:
    """Return what is pushed, in the order of the days."""
    expected = [
        _Push(plan=study_of(story, subject, timepoint), ae_title=story.site(subject.site_id).ae_title)
        for subject in story.subjects
        for timepoint in subject.timepoints
    ]
    strays = [
        _Push(plan=stray_study(stray), ae_title=stray.ae_title)
        for stray in story.strays
        if not stray.is_refused
    ]
    return sorted(expected + strays, key=lambda push: push.plan.study_on)


def _refused(installation: Installation, stray: Stray, progress: Progress) -> StrayResult:
    folder = files_of(stray_study(stray), installation.studies)
    reason = _pacs(installation, stray.ae_title).is_refused(folder)
    progress.say(f"{stray.ae_title} is no registered sender and was refused.")
    return StrayResult(what=f"sender {stray.ae_title}", reason=f"association rejected. {reason}", code="")


def _pacs(installation: Installation, ae_title: str) -> Pacs:
    return Pacs(
        ae_title=ae_title,
        host=HOST,
        port=installation.dicom_port,
        called_ae_title=installation.ae_title,
    )
