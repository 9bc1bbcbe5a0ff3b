"""From the push of another maker's program to the RECIST answer over REST."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from fixtures.demo.story import Story
from fixtures.demo.studies import study_of
from fixtures.dicom.part10 import part10_bytes
from fixtures.dicom.phantom import build_study
from imaging_service.demo.play import play
from imaging_service.demo.progress import Progress
from imaging_service.demo.results import StrayResult
from imaging_service.demo.running import Installation
from tests.builders.peers import Modality, orthanc
from tests.journeys.stage import assert_as_expected, service_in, story_of

NEW_LESION = "HER2-01-003"
ENHANCED = "HER2-01-002"


@pytest.mark.peer("dcmtk")
def test_storescu_pushes_a_baseline_and_a_new_lesion_and_the_answer_is_progression(tmp_path: Path) -> None:
    story = story_of(NEW_LESION)
    with service_in(tmp_path) as (installation, _):
        played = play(installation, story, Progress())
    assert_as_expected(story, played)
    (subject,) = played.subjects
    answer = subject.occasions[-1].by_reader["1"]
    assert (answer.target, answer.new, answer.overall) == ("SD", True, "PD")


@pytest.mark.peer("orthanc")
def test_orthanc_pushes_classic_and_enhanced_studies_and_the_answer_is_partial_response(
    tmp_path: Path,
) -> None:
    story = story_of(ENHANCED)

    def push_from_orthanc(
        installation: Installation, story: Story, arrived: Collection[str], progress: Progress
    ) -> Sequence[StrayResult]:
        assert not arrived
        ours = Modality(ae_title=installation.ae_title, port=installation.dicom_port)
        (subject,) = story.subjects
        pacs = story.site(subject.site_id).ae_title
        with orthanc(tmp_path / "orthanc", ae_title=pacs, modalities={"imaging": ours}) as peer:
            for number, timepoint in enumerate(subject.timepoints, start=1):
                study = build_study(study_of(story, subject, timepoint))
                kept = [peer.upload(part10_bytes(dataset)) for dataset in study.datasets]
                summary = peer.store("imaging", *kept)
                assert summary["FailedInstancesCount"] == 0
                progress.count(number, len(subject.timepoints), "studies pushed from Orthanc")
        return ()

    with service_in(tmp_path / "service") as (installation, _):
        played = play(installation, story, Progress(), push_from_orthanc)
    assert_as_expected(story, played)
    assert played.subjects[0].endings["1"].best_response == "PR"
