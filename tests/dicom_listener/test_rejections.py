from dicom_listener.network.rejections import Rejections


def test_a_flood_of_rejections_is_filed_at_the_rate_allowed_and_counted_beyond() -> None:
    now = 0.0
    rejections = Rejections(10, clock=lambda: now)
    assert [rejections.are_worth_a_receipt() for _ in range(12)] == [True] * 10 + [False] * 2
    now = 6.0  # a tenth of a minute later
    assert [rejections.are_worth_a_receipt() for _ in range(2)] == [True, False]
    now = 3600.0
    assert sum(rejections.are_worth_a_receipt() for _ in range(100)) == 10
    assert rejections.suppressed == 2 + 1 + 90
