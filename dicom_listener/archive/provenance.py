"""Where an instance came from."""

from dataclasses import dataclass
from datetime import datetime

from dicom_listener.archive.records import Outcome, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who sent something, over what, and when it had arrived."""

    calling_ae: str
    called_ae: str
    peer_address: str
    site_id: str  # empty where the sender is unknown
    received_at: datetime
    association_id: str = ""  # empty once the association belongs to an earlier run
    process: str = ""  # the listener process that holds the association
    original_digest: str = ""  # of the data set as it came, where it was de-identified

    def receipt(  # noqa: PLR0913 - one argument per field of a receipt
        self,
        *,
        outcome: Outcome,
        reason: str = "",
        sop_instance_uid: str = "",
        study_instance_uid: str = "",
        digest: str = "",
        size: int = 0,
    ) -> Receipt:
        """Return the receipt of what became of it."""
        return Receipt(
            outcome=outcome,
            reason=reason,
            sop_instance_uid=sop_instance_uid,
            study_instance_uid=study_instance_uid,
            digest=digest,
            size=size,
            calling_ae=self.calling_ae,
            called_ae=self.called_ae,
            peer_address=self.peer_address,
            site_id=self.site_id,
            association_id=self.association_id,
            original_digest=self.original_digest,
            received_at=self.received_at,
        )
