"""The files that the PACS push, built once and kept."""

import shutil
from pathlib import Path

from fixtures.dicom.part10 import write_study
from fixtures.dicom.phantom import StudyPlan, build_study


def files_of(plan: StudyPlan, folder: Path) -> Path:
    """Return the folder with the files of a study; what an earlier run has built is used again.

    The study is built beside its place and moved there whole, so that what is there is never half.
    """
    place = folder / plan.study_instance_uid
    if not place.exists():
        unfinished = folder / f"{plan.study_instance_uid}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        write_study(build_study(plan), unfinished)
        unfinished.rename(place)
    return place
