"""A trial with one reader accepts that reader, and has nothing to adjudicate."""

from collections.abc import Iterator

import pytest

from tests.builders.adjudicating import SD, read_lengths, review
from tests.builders.reading import PROTOCOL, TRIAL, ReadingRoom, reading_room
from tests.builders.service import running_service


@pytest.fixture
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    """Amend the reference trial to one reader."""
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('single')}/room.sqlite") as running:
        room = reading_room(running)
        written = PROTOCOL.read_text()
        for old, new in SINGLE:
            assert written.count(old) == 1
            written = written.replace(old, new)
        headers = {"Content-Type": "application/toml"}
        filed = running.post("/trials", "administrator", content=written.encode(), headers=headers)
        assert filed.status_code == 201, filed.text
        yield room


SINGLE = (
    ('\nversion = "1.0"', '\nversion = "2.0"\neffective_on = 2024-02-01'),
    ("\ncount = 2\n", "\ncount = 1\n"),
)


def test_the_only_reader_is_accepted_once_finished(single: ReadingRoom) -> None:
    subject = single.someone()
    images = [single.image(subject, number) for number in range(3)]
    read_lengths(single, "reader1", images[:2], [50.0, SD])
    found = review(single, subject)
    assert (found["standing"], found["is_accepted"], found["reader"]) == ("reading", False, 1)
    single.course("reader1", images[2:], [{"T01": {"state": "too_small"}}])
    found = review(single, subject)
    assert (found["standing"], found["is_accepted"], found["differences"]) == ("single_reader", True, [])

    told = single.service.get(f"/trials/{TRIAL}/readers/statistics", "coordinator").json()
    assert (told["finished"], [each["reader"] for each in told["readers"]]) == (0, [1])
    (of_record,) = single.service.get(f"/trials/{TRIAL}/outcomes?view=accepted", "coordinator").json()[
        "readers"
    ]
    assert (of_record["subjects"], of_record["accepted"]) == (1, 1)
    assert of_record["listing"][0]["best_response"] == "PR"
