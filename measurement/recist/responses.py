"""The words in which RECIST 1.1 answers, as CDISC spells them."""

from enum import StrEnum


class TargetResponse(StrEnum):
    """Response of the target lesions (TRGRESP); NA when there were none at baseline."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NE = "NE"
    NA = "NA"


class NonTargetResponse(StrEnum):
    """Response of the non-target lesions (NTRGRESP); NA when there were none at baseline."""

    CR = "CR"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    NE = "NE"
    NA = "NA"


class NewLesionFinding(StrEnum):
    """Whether there is a new lesion (NEWLIND). An equivocal one does not count yet."""

    NONE = "N"
    EQUIVOCAL = "EQUIVOCAL"
    UNEQUIVOCAL = "Y"


class OverallResponse(StrEnum):
    """Overall response at a timepoint (OVRLRESP); NED when there was no disease at baseline."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    NE = "NE"
    NED = "NED"


class BestResponse(StrEnum):
    """Best overall response of a subject (BESTRSP)."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    NED = "NED"
    PD = "PD"
    NE = "NE"
    MISSING = "MISSING"
