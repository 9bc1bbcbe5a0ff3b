"""A later read shows what the same reader signed before, with the points, and nothing of anybody else."""

from tests.builders.reading import Imaged, ReadingRoom, measured


def earlier(room: ReadingRoom, account: str, read_id: str):
    return room.service.get(f"/reads/{read_id}/earlier", account)


def images(room: ReadingRoom, subject: str, count: int) -> list[Imaged]:
    return [room.image(subject, number) for number in range(count)]


def test_a_baseline_has_nothing_before_it(quick_room: ReadingRoom, read_id: str):
    assert earlier(quick_room, "reader1", read_id).json() == []


def test_the_signed_reads_come_in_reading_order_with_their_points(quick_room: ReadingRoom, subject: str):
    first, second, third = images(quick_room, subject, 3)
    quick_room.read("reader1", first, {"T01": measured(first, 30, "liver")})
    quick_room.read("reader1", second, {"T01": measured(second, 25)})
    found = earlier(quick_room, "reader1", quick_room.open("reader1", third)).json()
    assert [each["timepoint_id"] for each in found] == [first.timepoint_id, second.timepoint_id]
    assert [each["lesions"][0]["diameter_mm"] for each in found] == ["30.0", "25.0"]
    assert found[0]["lesions"][0]["axes"][0]["points"] == [[20.0, 100.0], [80.0, 100.0]]


def test_another_reader_sees_only_what_is_its_own(quick_room: ReadingRoom, subject: str):
    first, second = images(quick_room, subject, 2)
    quick_room.read("reader1", first, {"T01": measured(first, 30, "liver")})
    mine = quick_room.open("reader1", second)
    quick_room.read("reader2", first, {"T01": measured(first, 40, "lung")})
    theirs = earlier(quick_room, "reader2", quick_room.open("reader2", second)).json()
    assert [each["lesions"][0]["location"] for each in theirs] == ["lung"]
    assert earlier(quick_room, "reader2", mine).status_code == 404
