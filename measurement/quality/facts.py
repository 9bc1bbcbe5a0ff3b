"""What is known of acquired series: numbers and codes from their headers, no pixel."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from measurement.geometry.plane import ImagePlane


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFacts:
    """One frame of an instance.

    Attributes
    ----------
    sop_instance_uid, frame
        Which one; frames count from 1.
    plane
        Where it lies in the patient; None when its header does not say.
    temporal_position
        Temporal Position Identifier (0020,0100), or Index (0020,9128) of a multi-frame image.
    acquired_at_seconds
        When its acquisition began: seconds on one clock for the whole study, from any origin.
    b_value
        Diffusion b-value (0018,9087), s/mm².
    """

    sop_instance_uid: str
    frame: int = 1
    plane: ImagePlane | None = None
    temporal_position: int | None = None
    acquired_at_seconds: float | None = None
    b_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquiredSeries:
    """A series with the facts that acquisition rules ask for.

    Attributes
    ----------
    series_instance_uid, number
        Which one; Series Number (0020,0011).
    modality, description, body_part
        (0008,0060), (0008,103E) and (0018,0015); empty where there is none.
    scanning_sequences
        Scanning Sequence (0018,0020).
    acquisition_type
        MR Acquisition Type (0018,0023).
    has_contrast
        Whether a contrast agent is named (0018,0010).
    field_tesla
        Magnetic Field Strength (0018,0087).
    contrast_at_seconds
        Contrast Bolus Start Time (0018,1042), on the clock of the frames.
    frames
        Its frames that have pixels, in any order.
    """

    series_instance_uid: str
    number: int | None = None
    modality: str = ""
    description: str = ""
    body_part: str = ""
    scanning_sequences: Sequence[str] = ()
    acquisition_type: str | None = None
    has_contrast: bool = False
    field_tesla: float | None = None
    contrast_at_seconds: float | None = None
    frames: Sequence[FrameFacts] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        """How sentences call it: by its number, never by words that somebody typed."""
        return f"Series {self.number}" if self.number is not None else "A series without a number"
