"""When tissue counts as enhancing, in dynamic series with contrast agent."""

from dataclasses import dataclass
from decimal import Decimal

from measurement.protocol.criteria import require


@dataclass(frozen=True, slots=True, kw_only=True)
class EnhancementThresholds:
    """Thresholds of functional tumour volume, an exploratory value (I-SPY 2 breast MRI).

    Attributes
    ----------
    early_phase_seconds
        Time of the early phase after contrast.
    late_phase_seconds
        Time of the late phase after contrast.
    min_percentage_enhancement
        Least rise of the signal from before contrast to the early phase, in percent.
    min_signal_enhancement_ratio
        Least ratio of early to late rise.
    background_percentile
        Percentile of the signal before contrast from which tissue is told from air and fat.
    background_fraction
        Part of that percentile that tissue must reach.
    min_neighbours
        Fewest of a voxel's 26 neighbours that must enhance as well.
    """

    early_phase_seconds: int = 150
    late_phase_seconds: int = 450
    min_percentage_enhancement: Decimal = Decimal(70)
    min_signal_enhancement_ratio: Decimal = Decimal(0)
    background_percentile: Decimal = Decimal(95)
    background_fraction: Decimal = Decimal("0.6")
    min_neighbours: int = 4

    def __post_init__(self) -> None:
        """Refuse thresholds that nothing or everything would pass by mistake."""
        early, late = self.early_phase_seconds, self.late_phase_seconds
        require(early > 0, "early_phase_seconds", early, "above 0")
        require(late > early, "late_phase_seconds", late, f"after the early phase at {early} s")
        percent = self.min_percentage_enhancement
        require(percent > 0, "min_percentage_enhancement", percent, "above 0")
        percentile, fraction = self.background_percentile, self.background_fraction
        require(0 <= percentile <= 100, "background_percentile", percentile, "from 0 to 100")
        require(0 <= fraction <= 1, "background_fraction", fraction, "from 0 to 1")
        require(0 <= self.min_neighbours <= 26, "min_neighbours", self.min_neighbours, "from 0 to 26")
