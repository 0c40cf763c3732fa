"""How a request travels: its turn, its deadline, and what became of it.

Invariants
- A write is sent once. A read may be sent again, never past its deadline.
- A write that fails did one of three things: it never left (`Unreachable`), it was refused (`Rejected`,
  `Unauthorised`), or nobody knows (`OutcomeUnknown`).
- Every wait is bounded: for a turn by `turn_within`, for an answer by `answer_within`, in the account's own clock.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from standfast.brokers.shared.sessions import Backoff
from standfast.brokers.shared.throttle import FIRST, Budgeted
from standfast.brokers.shared.transport import Exchange, Response, Transport, TransportError
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import BrokerError, OutcomeUnknown, Unreachable, Withdrawn
from standfast.ports import Clock

READ_ATTEMPTS_MAX = 3


def over_rate(response: Response) -> bool:
    return response.status == 429


Judge = Callable[[str, Response, float | None], BrokerError]
"""The error that an answer which is no success stands for: method, answer, seconds the broker asks us to wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds of the account's clock. What waits for its turn has not left; an answer comes within the flight time.

    A close or a stop waits for two whole windows of the broker's rate and more (three hundred closes, and the first
    window spent by somebody else): giving up would only lose its place. Whether it shall still leave is asked when its
    turn comes.
    """

    urgent_turn_within: float = 130.0
    turn_within: float = 5.0
    answer_within: float = 5.0
    list_within: float = 15.0
    """For answers whose length grows with the account."""
    steady_turn_within: float = 0.0
    """Where the budget is small: how long steady reads wait for their turn beside the time for their answer."""

    def turn(self, urgency: int) -> float:
        if urgency == Urgency.READ and self.steady_turn_within:
            return self.steady_turn_within
        return self.urgent_turn_within if urgency <= Urgency.PROTECT else self.turn_within


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One read: what, out of whose budget, how urgent, how long its answer may take, and what counts as one."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    throttle: Budgeted
    within: float
    params: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)
    urgency: Urgency = Urgency.READ
    answers: frozenset[int] = frozenset({200})
    turns: int = 1
    """How many requests of the budget it counts for."""
    leaves: Callable[[], None] = lambda: None
    """Told each time it is about to leave: who joins a read must have asked before that."""


class Courier:
    def __init__(
        self,
        *,
        clock: Clock,
        transport: Transport,
        draw: random.Random,
        deadlines: Deadlines,
        judge: Judge,
        is_over_rate: Callable[[Response], bool] = over_rate,
    ) -> None:
        self._clock = clock
        self._transport = transport
        self._draw = draw
        self._deadlines = deadlines
        self._judge = judge
        self._is_over_rate = is_over_rate

    async def read(self, wanted: Wanted) -> Response:
        """The answer, asked for again while it fails in a way that may pass and the deadline allows it."""
        turn = self._own_turn(wanted.urgency)
        deadline = self._clock.monotonic() + wanted.within + turn
        backoff = Backoff(self._draw, first=0.2, longest=2.0)
        for attempt in range(1, READ_ATTEMPTS_MAX + 1):
            try:
                left = deadline - self._clock.monotonic()
                return await self._read_once(
                    wanted, min(left, wanted.within), turn or min(left, self._deadlines.turn_within)
                )
            except (Unreachable, OutcomeUnknown):
                wait = backoff.wait()
                if attempt == READ_ATTEMPTS_MAX or self._clock.monotonic() + wait >= deadline:
                    raise
                await self._clock.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _own_turn(self, urgency: Urgency) -> float:
        """How long its turn may take beside the time for its answer; 0: that covers both."""
        if urgency <= Urgency.PROTECT:  # a close waits for it: it keeps its turn as the close would
            return self._deadlines.turn(urgency)
        return self._deadlines.steady_turn_within if urgency == Urgency.READ else 0.0

    async def _read_once(self, wanted: Wanted, within: float, turn_within: float) -> Response:
        """`within` covers the turn too, unless that may take longer."""
        started = self._clock.monotonic()
        rank = FIRST if wanted.urgency <= Urgency.PROTECT else 0.0
        number = await wanted.throttle.admit(wanted.urgency, rank=rank, within=turn_within)
        for _ in range(wanted.turns - 1):
            wanted.throttle.heard(number, {}, refused=False)
            left = turn_within - (self._clock.monotonic() - started)
            number = await wanted.throttle.admit(wanted.urgency, rank=rank, within=max(left, 0.0))
        wanted.leaves()
        exchange = Exchange(
            method=wanted.method, url=wanted.url, headers=wanted.headers, params=wanted.params, body=wanted.body
        )
        waited = 0.0 if turn_within > within else self._clock.monotonic() - started
        response = await self._exchange(exchange, within - waited)
        retry_after = wanted.throttle.heard(number, response.headers, refused=self._is_over_rate(response))
        if response.status in wanted.answers:
            return response
        raise self._judge(wanted.method, response, retry_after)

    async def write(self, exchange: Exchange, throttle: Budgeted, turn: Turn, answers: frozenset[int]) -> Response:
        """Sent once, when its turn has come and if it is still wanted then."""
        within = self._deadlines.turn(turn.urgency)
        number = await throttle.admit(turn.urgency, rank=turn.rank, within=within)
        if turn.is_wanted is not None and not turn.is_wanted():
            throttle.give_back(number)
            raise Withdrawn(f"{exchange.method} {exchange.url}: not wanted any more when its turn came")
        response = await self._exchange(exchange, self._deadlines.answer_within)
        retry_after = throttle.heard(number, response.headers, refused=self._is_over_rate(response))
        if response.status in answers:
            return response
        raise self._judge(exchange.method, response, retry_after)

    async def _exchange(self, exchange: Exchange, within: float) -> Response:
        what = f"{exchange.method} {exchange.url}"
        try:
            async with self._clock.timeout(within):
                return await self._transport.request(exchange)
        except TimeoutError:
            reason = f"{what}: no answer within {within:.3g} s"
        except TransportError as error:
            reason = f"{what}: {error}"
        if exchange.left:
            raise OutcomeUnknown(reason)
        raise Unreachable(f"{reason}; it was not sent")
