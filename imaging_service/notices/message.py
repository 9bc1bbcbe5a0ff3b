"""What a receiver gets: a body without a person's data, and a signature over it."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from imaging_service.canonical import canonical_json
from imaging_service.notices.records import Delivery

DELIVERY = "Imaging-Delivery"
TIMESTAMP = "Imaging-Timestamp"
SIGNATURE = "Imaging-Signature"


def body_of(delivery: Delivery) -> bytes:
    """Return what a receiver is told: keys alone; the subject under its blinded name, no site and no date.

    Whoever wants more asks the REST interface with these keys, and gets what its account may see.
    """
    notice = delivery.notice
    told = {
        "delivery_id": delivery.delivery_id,
        "notice_id": notice.notice_id,
        "sequence": notice.sequence,
        "kind": notice.kind.value,
        "trial_id": notice.trial_id,
        "reading_id": notice.reading_id,
        "timepoint_id": notice.timepoint_id,
        "reference": notice.reference,
        "at": notice.at,
    }
    return canonical_json(told).encode()


def headers_of(delivery: Delivery, body: bytes, secret: str, at: datetime) -> Mapping[str, str]:
    """Return the headers of one attempt."""
    timestamp = str(int(at.timestamp()))
    return {
        "Content-Type": "application/json",
        "User-Agent": "imaging-service",
        DELIVERY: delivery.delivery_id,
        TIMESTAMP: timestamp,
        SIGNATURE: f"sha256={signature(secret, timestamp, body)}",
    }


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return HMAC-SHA256 (RFC 2104) over the timestamp, a full stop and the body, in lower-case hex.

    A receiver computes the same, compares in constant time, refuses a timestamp that is old, and leaves out
    a delivery whose id it has seen.

    Examples
    --------
    >>> signature("key", "1767600000", b"{}")[:16]
    '0b53c73204f483c5'
    """
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
