"""One request, one transaction, committed at the edge.

A route that writes asks for the request's session. Its answer is held back here until the transaction
is committed; an answer of 400 and above, or an exception, rolls it back.
"""

from datetime import timedelta

from anyio import CancelScope, CapacityLimiter, WouldBlock, fail_after
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imaging_service.clock import Clock
from imaging_service.database import Database
from imaging_service.errors import BusyError
from imaging_service.http import idempotency
from imaging_service.http.idempotency import Answer, Claim


class Turns:
    """Who may be at the database now: so many readers, so many writers (one, for SQLite).

    A request waits for its turn here and not in a thread. If waiting requests filled the thread pool,
    the one that holds the database would find no thread to go on with.
    """

    def __init__(self, database: Database) -> None:
        """Give as many turns as there are connections."""
        self._wait_seconds = database.wait_seconds
        self._readers = database.connections
        self._writers = 1 if database.is_sqlite else database.connections
        self._limiters: RunVar[dict[str, CapacityLimiter]] = RunVar(f"turns-{id(self)}")

    async def take(self, kind: str, holder: object) -> CapacityLimiter:
        """Wait for a turn of kind ``"read"`` or ``"write"``; the caller releases it on behalf of `holder`.

        Raises
        ------
        BusyError
            No turn came in time.
        """
        limiter = self._limiter(kind)
        try:
            with fail_after(self._wait_seconds):
                await limiter.acquire_on_behalf_of(holder)
        except TimeoutError:
            message = (
                f"The database was busy for {self._wait_seconds:g} s; nothing was changed, please try again."
            )
            raise BusyError(message) from None
        return limiter

    def take_now(self, kind: str, holder: object) -> CapacityLimiter | None:
        """Return a turn that is free at this moment, or ``None``; released as the one of `take`."""
        limiter = self._limiter(kind)
        try:
            limiter.acquire_on_behalf_of_nowait(holder)
        except WouldBlock:
            return None
        return limiter

    def _limiter(self, kind: str) -> CapacityLimiter:
        limiters = self._limiters.get(None)
        if limiters is None:
            limiters = {"read": CapacityLimiter(self._readers), "write": CapacityLimiter(self._writers)}
            self._limiters.set(limiters)
        return limiters[kind]


class AnswerRepeatedError(Exception):
    """Not an error: the request was carried out before, and this was its answer."""

    def __init__(self, answer: Answer) -> None:
        """Carry the answer to the edge."""
        super().__init__()
        self.answer = answer


class Transaction:
    """The write transaction of one request; it begins when the route first asks for its session."""

    def __init__(self, database: Database, turns: Turns, clock: Clock, remembered_for: timedelta) -> None:
        """Do nothing yet."""
        self._database = database
        self._turns = turns
        self._clock = clock
        self._remembered_for = remembered_for
        self._limiter: CapacityLimiter | None = None
        self._claim: Claim | None = None
        self.session: Session | None = None
        self.holds_secret = False
        """Whether the answer must not be kept; set by a route that gives out a secret."""

    async def begin(self, wanted: Claim | None) -> Session:
        """Return the session, begun; the first time with `wanted` claimed.

        Raises
        ------
        AnswerRepeatedError
            The key was used before, with the same request.
        BusyError
            The database had no place in time.
        """
        if self.session is None:
            self._limiter = await self._turns.take("write", self)
            self.session = self._database.writing_session()
            self._claim = wanted
            earlier = await run_sync(self._start)
            if earlier is not None:
                raise AnswerRepeatedError(earlier)
        return self.session

    def _start(self) -> Answer | None:
        assert self.session is not None  # noqa: S101  begin() made it
        self.session.connection()  # SQLite takes the write lock here
        if self._claim is None:
            return None
        return idempotency.claim(self.session, self._claim, self._clock.now(), self._remembered_for)

    async def commit(self, answer: Answer) -> None:
        """Commit what the route did, with its answer kept for the same key."""
        await run_sync(self._commit, answer)

    def _commit(self, answer: Answer) -> None:
        assert self.session is not None  # noqa: S101  only a begun transaction is committed
        if self._claim is not None and not self.holds_secret:
            idempotency.keep(self.session, self._claim, answer)
        self.session.commit()

    async def close(self) -> None:
        """Roll back what is not committed, and let the next one have its turn."""
        session, limiter = self.session, self._limiter
        try:
            if session is not None:
                with CancelScope(shield=True):
                    await run_sync(session.close)
        finally:
            if limiter is not None:
                limiter.release_on_behalf_of(self)


class TransactionMiddleware:
    """Gives every request its `Transaction`, and commits it before the answer leaves."""

    def __init__(
        self, app: ASGIApp, *, database: Database, turns: Turns, clock: Clock, remembered_for: timedelta
    ) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._database = database
        self._turns = turns
        self._clock = clock
        self._remembered_for = remembered_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        transaction = Transaction(self._database, self._turns, self._clock, self._remembered_for)
        scope.setdefault("state", {})["transaction"] = transaction
        try:
            await self._answer(transaction, scope, receive, send)
        finally:
            await transaction.close()

    async def _answer(self, transaction: Transaction, scope: Scope, receive: Receive, send: Send) -> None:
        held: list[Message] = []

        async def hold(message: Message) -> None:
            if transaction.session is None:
                await send(message)
            else:
                held.append(message)

        try:
            await self._app(scope, receive, hold)
        except AnswerRepeatedError as repeated:
            await _send(repeated.answer, send)
            return
        if held and held[0]["status"] < 400:
            await transaction.commit(_answer_of(held))
        for message in held:
            await send(message)


def _answer_of(messages: list[Message]) -> Answer:
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in messages[0]["headers"]
    )
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return Answer(status=messages[0]["status"], headers=headers, body=body)


async def _send(answer: Answer, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers += [
        (b"content-length", str(len(answer.body)).encode()),
        (b"idempotency-replayed", b"true"),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
