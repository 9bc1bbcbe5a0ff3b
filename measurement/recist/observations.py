"""What one reader saw at one timepoint: the input of the rules."""

from dataclasses import dataclass
from datetime import date

from measurement.errors import ObservationError
from measurement.lesions.lesion import NewLesionObservation, NonTargetObservation, TargetObservation

BASELINE = 0
"""The number of the baseline timepoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimepointObservations:
    """Everything that one reader saw at one timepoint.

    Attributes
    ----------
    timepoint_id
        Identifier, unique within the subject.
    number
        Number of the scheduled timepoint, 0 for baseline; `None` when unscheduled.
    imaged_on
        Day of the imaging; `None` only when nothing was imaged.
    targets
        Target lesions. At baseline these define which lesions are followed.
    non_targets
        Non-target lesions. At baseline these define which lesions are followed.
    new_lesions
        Lesions that were not there at baseline, and doubts settled at this timepoint.
    not_done
        Why nothing was assessed; empty when something was.

    Raises
    ------
    ObservationError
        If nothing says when or why, or if there are observations although nothing was done.
    """

    timepoint_id: str
    number: int | None
    imaged_on: date | None = None
    targets: tuple[TargetObservation, ...] = ()
    non_targets: tuple[NonTargetObservation, ...] = ()
    new_lesions: tuple[NewLesionObservation, ...] = ()
    not_done: str = ""

    def __post_init__(self) -> None:
        """Refuse a timepoint that says neither when it was nor why it was not."""
        if self.not_done and (self.targets or self.non_targets or self.new_lesions):
            message = f"Timepoint {self.timepoint_id} was not done ({self.not_done}) but has observations."
            raise ObservationError(message)
        if self.imaged_on is None and not self.not_done:
            message = (
                f"Timepoint {self.timepoint_id} has neither a day of imaging nor a reason for having none."
            )
            raise ObservationError(message)

    @property
    def last_imaged_on(self) -> date | None:
        """Last day of the imaging, as a lesion may have a scan of its own; `None` when nothing was imaged."""
        last_on = self.imaged_on
        for role in (self.targets, self.non_targets, self.new_lesions):
            for lesion in role:
                imaged_on = lesion.imaged_on
                if imaged_on is not None and (last_on is None or imaged_on > last_on):
                    last_on = imaged_on
        return last_on
