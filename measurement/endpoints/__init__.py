"""What a trial asks of its subjects and its cohort: time to event, rates, agreement of readers."""
