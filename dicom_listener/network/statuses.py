"""What the sender is told for each outcome (PS3.4 Table B.2-1, PS3.8 Table 9-21)."""

from types import MappingProxyType

from dicom_listener.archive.records import Outcome

C_STORE_STATUS = MappingProxyType(
    {
        Outcome.STORED: 0x0000,
        Outcome.ALREADY_STORED: 0x0000,
        Outcome.CONFLICT_KEPT: 0x0000,  # it is kept, beside the first: nothing for the sender to repeat
        Outcome.REFUSED_UID_CONFLICT: 0xC001,
        Outcome.REFUSED_MISMATCH: 0xA900,
        Outcome.REFUSED_NOT_UNDERSTOOD: 0xC000,
        Outcome.REFUSED_OUT_OF_RESOURCES: 0xA700,
    }
)

ASSOCIATION_REJECTION = MappingProxyType(
    {
        # result, source, reason: rejected permanently by the service user
        Outcome.REFUSED_CALLING_AE: (0x01, 0x01, 0x03),  # calling AE title not recognised
        Outcome.REFUSED_CALLED_AE: (0x01, 0x01, 0x07),  # called AE title not recognised
        Outcome.REFUSED_NETWORK: (0x01, 0x01, 0x03),
        # rejected for the moment by the service provider: temporary congestion
        Outcome.REFUSED_OUT_OF_RESOURCES: (0x02, 0x03, 0x01),
    }
)
