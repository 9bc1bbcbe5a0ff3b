"""The blinded reading id (0012,0042): the only name under which a reader knows a subject."""

import secrets

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0, 1, I, L and O, which are confused when read aloud."""
_LENGTH = 7


def new_reading_id() -> str:
    """Draw a reading id that follows from nothing: not from the subject, the site or the order.

    31 to the power of 7 names leave a trial of 10,000 subjects a chance below 1 in 500 of any repeat;
    whoever stores it draws again then.
    """
    return "R-" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
