"""The files that the PACS push, built once and kept."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from fixtures.dicom.part10 import write_study
from fixtures.dicom.phantom import StudyPlan, build_study
from imaging_service.demo.progress import Progress


def files_of(plans: Sequence[StudyPlan], folder: Path, progress: Progress) -> Sequence[Path]:
    """Return a folder with the files of each study; what an earlier run has built is used again."""
    folders = []
    for number, plan in enumerate(plans, start=1):
        folders.append(_files_of(plan, folder))
        progress.count(number, len(plans), "studies built")
    return folders


def _files_of(plan: StudyPlan, folder: Path) -> Path:
    """Build one study beside its place and move it there whole."""
    place = folder / plan.study_instance_uid
    if not place.exists():
        unfinished = folder / f"{plan.study_instance_uid}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        write_study(build_study(plan), unfinished)
        unfinished.rename(place)
    return place
