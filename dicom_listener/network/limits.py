"""What a peer may ask of the listener."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds of the monotonic clock."""

    pdu: int  # longest P-DATA-TF that is announced to peers (PS3.8 Annex D.1)
    data_set: int  # longest data set of one C-STORE
    request_seconds: float  # from the connection to the whole association request
    idle_seconds: float  # an association without a word
    pdu_seconds: float = 15.0  # from the first byte of a PDU to its last
    linger_seconds: float = 1.0  # for the peer to close a connection that has ended
    command: int = 64 * 1024  # the whole command set of a message
    identifier: int = 16 * 2**20  # a data set that is no C-STORE's
    association_request: int = 256 * 1024  # 128 contexts of 20 transfer syntaxes
    slack: int = 1024  # by which a PDU may be longer than was announced
    messages: int = 2  # that wait while another is served; then TCP holds the peer back

    def longest(self, pdu_type: int) -> int:
        """Return how long a PDU may say that it is (PS3.8 section 9.3)."""
        if pdu_type == 0x04:
            return self.pdu + self.slack
        return self.association_request if pdu_type in (0x01, 0x02) else self.slack
