"""Who goes next: every request to one broker waits here for its turn.

Invariants
- A close never waits behind a read or an opening: turns go by (urgency, rank, arrival).
- Steady reads (`Urgency.READ`) keep to their share, and when that is used up others pass them; those that a decision
  waits behind go with the others.
- Verification, reads and openings leave a reserve of the budget to what is more urgent.
- Closes come in company: what is less urgent than protecting stands back for a moment after each, as long as a burst
  of them may last, so that it does not take the requests the next of them needs.
- Where closes have had to wait for the broker's next window, the read that sizes the rest of them goes first and is
  answered before they leave: a deeper one is not left for the window after that.
- Who waits past the deadline gets `Unreachable`: it never left.
- Nothing here draws a number or reads a clock of its own: same calls, same clock, same order.
"""

import asyncio
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from standfast.brokers.shared.budget import WINDOW, Budget
from standfast.model.effects import Urgency
from standfast.model.errors import Unreachable
from standfast.ports import Clock

RESERVED = {Urgency.VERIFY: 0.1, Urgency.READ: 0.1, Urgency.OPEN: 0.25}
"""Share of the budget a class leaves untouched; closing and protecting may use the last request."""

COMPANY, COMPANY_IN_NEED = 0.15, 1.0
"""Seconds after a close has left or was answered in which more of them are to be expected: longer where closes have
had to wait for a turn, because the next of them have to be read about and decided first."""
NEED = 1.0
"""Seconds of waiting after which a close has had to wait."""
BURST = 3.0
"""Seconds for which closes, however they follow each other, may hold up the rest."""

FAR, FIRST = float("inf"), float("-inf")
"""`FIRST`: the rank of a read that sizes closes: those it is for may have to go before those that are sized already."""
SIZED, SIZED_AT_MOST = 0.3, 1.0
"""Seconds for which closes stand back after such a read, if it had to wait for its turn: so long after its answer as it
takes to decide by it, and so long after it left. A window's requests are few when closes have waited for them."""

RESET_SLACK = 1.0
"""Seconds added to a reset the broker states in whole seconds."""

CLOSED_DEFAULT = 5.0
"""Seconds without a request after a refusal for rate that names no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The headers in which a broker tells its window, names in lower case."""

    limit: str = "x-ratelimit-limit"
    remaining: str = "x-ratelimit-remaining"
    reset: str = "x-ratelimit-reset"
    """When the window ends: an epoch, in these units of a second."""
    units: int = 1


@dataclass(slots=True, order=True)
class _Waiter:
    urgency: int
    rank: float
    arrival: int
    since: float = field(compare=False)
    turn: "asyncio.Future[int]" = field(compare=False)
    is_steady: bool = field(compare=False)
    """Counted with its share, also where it does not wait for that any more."""


class Budgeted(Protocol):
    """What gives a request its turn."""

    async def admit(self, urgency: int, *, rank: float = 0.0, within: float) -> int: ...

    def heard(self, number: int, headers: Mapping[str, str], *, refused: bool) -> float | None: ...

    def give_back(self, number: int) -> None: ...


class Throttle:
    """One broker account's request budget, shared by all who send."""

    def __init__(
        self,
        clock: Clock,
        *,
        requests_per_minute: int,
        rate_share: float,
        told: Told = Told(),
        window: float = WINDOW,
    ) -> None:
        """`window`: where a broker counts by other stretches than the minute, requests in each of those."""
        self._clock = clock
        self._told = told
        self._budget = Budget(limit=requests_per_minute, steady_share=rate_share, window=window)
        self._steady: list[_Waiter] = []
        self._others: list[_Waiter] = []
        self._arrivals = 0
        self._closing: set[int] = set()
        """Closes that have left and have no answer yet."""
        self._company = COMPANY
        self._close_at = self._burst_at = float("-inf")
        """When a close last left or was answered, and when the first of that burst left."""
        self._sizing = 0
        """The read that closes stand back for."""
        self._sized_at = float("-inf")
        """Until when."""

    @property
    def waiting(self) -> int:
        return len(self._steady) + len(self._others)

    async def admit(self, urgency: int, *, rank: float = 0.0, within: float) -> int:
        """Wait for a turn, at most `within` seconds; the request's number, to be given back to `heard`.

        Raises Unreachable when the turn does not come in time.
        """
        deadline = self._clock.monotonic() + within
        waiter = self._queue(urgency, rank)
        try:
            while not waiter.turn.done():
                now = self._clock.monotonic()
                if now >= deadline:
                    raise Unreachable(f"no turn within {within:g} s under the broker's request limit: it was not sent")
                await self._wait(waiter, min(self._next_change(now), deadline) - now)
            return waiter.turn.result()
        finally:
            if not waiter.turn.done():
                self._leave(waiter)

    def heard(self, number: int, headers: Mapping[str, str], *, refused: bool) -> float | None:
        """Learn from a reply's headers; after a refusal for rate, the seconds nothing will leave."""
        now = self._clock.monotonic()
        self._budget.answered(number)
        if number == self._sizing:
            self._sizing, self._sized_at = 0, now + SIZED
        if number in self._closing:
            self._closing.remove(number)
            self._close_at = now
        told = self._told
        reset = _reset_in(_whole(headers, told.reset), told.units, self._clock.now())
        limit, remaining = _whole(headers, told.limit), _whole(headers, told.remaining)
        if limit is not None and remaining is not None and reset is not None:
            self._budget.told(number, limit=limit, remaining=remaining, reset=now + reset)
        wait = None
        if refused:
            asked = _whole(headers, "retry-after")
            wait = min(float(asked), WINDOW) if asked is not None else reset
            wait = CLOSED_DEFAULT if wait is None else wait
            self._budget.close(now + wait)
        self._grant()
        return wait

    def give_back(self, number: int) -> None:
        """The turn was not used: nothing has left."""
        self._budget.unspend(number)
        self._closing.discard(number)
        self._grant()

    def hurry(self) -> None:
        """Let the steady reads that wait for their share go as verifications do: a decision waits behind them."""
        for waiter in self._steady:
            waiter.urgency = Urgency.VERIFY
            heapq.heappush(self._others, waiter)
        self._steady.clear()
        self._grant()

    def _queue(self, urgency: int, rank: float) -> _Waiter:
        self._arrivals += 1
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(urgency, rank, self._arrivals, self._clock.monotonic(), turn, urgency == Urgency.READ)
        heapq.heappush(self._steady if urgency == Urgency.READ else self._others, waiter)
        self._grant()
        return waiter

    async def _wait(self, waiter: _Waiter, seconds: float) -> None:
        try:
            async with self._clock.timer(max(seconds, 0.001)):
                await asyncio.shield(waiter.turn)
        except TimeoutError:
            self._grant()

    def _leave(self, waiter: _Waiter) -> None:
        queue = self._steady if waiter.urgency == Urgency.READ else self._others
        queue.remove(waiter)
        heapq.heapify(queue)
        waiter.turn.cancel()

    def _grant(self) -> None:
        """Give turns while there is room for the most urgent that may have one."""
        now = self._clock.monotonic()
        while (queue := self._next_queue(now)) is not None:
            waiter = heapq.heappop(queue)
            number = self._budget.spend(now, steady=waiter.is_steady)
            if waiter.urgency == Urgency.CLOSE:
                self._note_close(number, now, waited=now - waiter.since)
                if waiter.rank == FIRST and now - waiter.since > NEED:
                    self._sizing, self._sized_at = number, now + SIZED_AT_MOST
            waiter.turn.set_result(number)

    def _note_close(self, number: int, now: float, *, waited: float) -> None:
        if now - self._close_at > COMPANY_IN_NEED:
            self._burst_at, self._company = now, COMPANY
        if waited > NEED:
            self._company = COMPANY_IN_NEED
        self._closing.add(number)
        self._close_at = now

    def _next_change(self, now: float) -> float:
        """The earliest moment at which somebody may go who may not go now."""
        return min(self._budget.next_change(now), *(at for at in (self._free_at, self._sized_at, FAR) if at > now))

    @property
    def _free_at(self) -> float:
        """When the rest may go again after the last close."""
        return min(self._close_at + self._company, self._burst_at + BURST)

    def _next_queue(self, now: float) -> list[_Waiter] | None:
        queues = [queue for queue in (self._others, self._steady) if queue and self._may_go(queue[0], now)]
        return min(queues, key=lambda queue: queue[0], default=None)

    def _may_go(self, waiter: _Waiter, now: float) -> bool:
        if waiter.urgency > Urgency.PROTECT and now < self._free_at:
            return False
        if waiter.urgency == Urgency.CLOSE and waiter.rank != FIRST and now < self._sized_at:
            return False
        if waiter.urgency == Urgency.READ and self._budget.steady_available(now) <= 0:
            return False
        reserved = RESERVED.get(Urgency(waiter.urgency), 0.0) * self._budget.limit
        return self._budget.available(now) > reserved


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _reset_in(epoch: int | None, units: int, now: datetime) -> float | None:
    """Seconds until the window the broker names ends; None for no window, or one our clock says is not this one."""
    if epoch is None:
        return None
    seconds = epoch / units - now.astimezone(UTC).timestamp() + RESET_SLACK
    return seconds if 0 < seconds <= WINDOW + RESET_SLACK else None
