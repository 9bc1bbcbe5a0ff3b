"""What a peer may ask of the listener."""

from dataclasses import dataclass

from dicom_listener.network.pdus import ASSOCIATE_AC, ASSOCIATE_RQ, DATA, PDU_TYPES

PDU_SECONDS = 15.0
_SHORTEST_DATA = 6  # one fragment of nothing (PS3.8 Table 9-22)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds of the monotonic clock."""

    pdu: int  # longest P-DATA-TF that is announced to peers (PS3.8 Annex D.1)
    data_set: int  # longest data set of one C-STORE
    request_seconds: float  # from the connection to the whole association request
    idle_seconds: float  # an association without a word
    pdu_seconds: float = PDU_SECONDS  # from the first byte of a PDU to its last
    linger_seconds: float = 1.0  # for the peer to close a connection that has ended
    command: int = 64 * 1024  # the whole command set of a message
    command_fragments: int = 64  # that it may come in
    identifier: int = 4 * 2**20  # a data set that is no C-STORE's
    association_request: int = 256 * 1024  # 128 contexts of 20 transfer syntaxes
    slack: int = 1024  # by which a PDU may be longer than was announced
    patience_seconds: float = 60.0  # after which a data set must have come at a rate
    slowest: int = 1024  # of so many bytes a second
    messages: int = 2  # that wait while another is served; then TCP holds the peer back

    def longest(self, pdu_type: int) -> int:
        """Return how long a PDU may say that it is (PS3.8 section 9.3)."""
        if pdu_type == DATA:
            return self.pdu + self.slack
        return self.association_request if pdu_type in (ASSOCIATE_RQ, ASSOCIATE_AC) else self.slack

    def allow(self, pdu_type: int, length: int) -> bool:
        """Tell whether a PDU may say this of itself, before any more of it is read."""
        shortest = _SHORTEST_DATA if pdu_type == DATA else 0
        return pdu_type in PDU_TYPES and shortest <= length <= self.longest(pdu_type)

    def is_too_slow(self, length: int, seconds: float) -> bool:
        """Tell whether a peer drips a data set, of which `length` bytes came in `seconds`."""
        return seconds > self.patience_seconds and length < self.slowest * seconds
