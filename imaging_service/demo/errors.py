"""What can stop the demo."""


class DemoError(Exception):
    """A step of the demo failed; the message says which, what was found and what was wanted."""


class CheckoutMissingError(DemoError):
    """The demo's data is not here: it lies in a checkout of the source, never in the wheel."""

    def __init__(self, wanted: str) -> None:
        super().__init__(
            f"The demo plays the story in {wanted}, which is part of the source and not of the "
            "installed package; run it from a checkout (`make demo`)."
        )


class AnswerError(DemoError):
    """The service answered a request with a problem (RFC 9457)."""

    def __init__(self, *, method: str, path: str, account: str, status: int, detail: str) -> None:
        super().__init__(f"{method} {path} by {account} was answered {status}: {detail}")
        self.status = status
