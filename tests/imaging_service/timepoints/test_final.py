"""What is history stays, whoever asks the database."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.builders.arrivals import TrialHouse, mr_instance


def test_history_cannot_be_changed_or_removed(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    for statement in (
        "UPDATE trial_protocols SET text = ''",
        "DELETE FROM trial_protocols",
        "UPDATE subject_versions SET reason = ''",
        "DELETE FROM subject_versions",
        "UPDATE study_decisions SET sentence = ''",
        "DELETE FROM study_decisions",
    ):
        with (
            pytest.raises(DBAPIError, match="never changes"),
            house.service.database.writer.begin() as connection,
        ):
            connection.execute(text(statement))
