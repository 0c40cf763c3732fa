"""What every stage has, whatever is traded on it: who tells, who judges, how time passes, how a guard is asked.

Invariants
1. What is claimed of the exchange is judged on the exchange's own books, not on what anybody was told.
2. Waiting is the only thing that lets time pass, and all times are the exchange's.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from standfast.core.book import Book
from standfast.drills.played import Claim
from standfast.drills.scene import ACCOUNT
from standfast.exchange.faults import AnyFault, Faults, Rule
from standfast.model.ids import RequestId
from standfast.model.journal import Entry
from standfast.model.position import Position
from standfast.ports import Clock, Request
from standfast.stores.promises import RequestOutcome


class Stuck(AssertionError):
    """What a story waited for did not come."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the timeline that the story or the bot wrote."""

    at: datetime
    who: str
    text: str


class Requests(Protocol):
    """What a stage needs of a store: the way in for acts."""

    async def put_request(self, request: Request) -> None: ...

    async def wait_request(self, request: RequestId, clock: Clock, seconds: float) -> RequestOutcome | None: ...


class Telling(ABC):
    """See the module. `is_guarded`: whether there is a guard; everything else is the same."""

    faults: Faults
    store: Requests
    clock: Clock

    def __init__(self, *, is_guarded: bool) -> None:
        self.is_guarded = is_guarded
        self.account = ACCOUNT
        self.claims: list[Claim] = []
        self.said: list[Said] = []
        self._asked = 0
        self.installed: list[Rule] = []
        self.statuses: list[tuple[datetime, tuple[str, ...]]] = []
        """The guard's status lines: when, and what each said of its positions."""
        self.lost: Decimal | None = None
        """Set by a story whose loss is not the account's result."""

    @property
    @abstractmethod
    def now(self) -> datetime: ...

    @property
    @abstractmethod
    def result(self) -> Decimal:
        """What the account has gained (negative: lost) since it began, open positions at the market."""

    # --- telling and judging --------------------------------------------------------------------

    def say(self, text: str) -> None:
        """The story's own words."""
        self._note("story", text)

    def says(self, text: str) -> None:
        """The bot's own words: what it believes."""
        self._note("bot", text)

    def hears(self, event: Mapping[str, Any]) -> None:
        """A line of the guard's log."""
        if event.get("event") == "status":
            self.statuses.append((self.now, tuple(event["positions"])))

    def shows(self, text: str) -> None:
        """What the market does."""
        self._note("market", text)

    def _note(self, who: str, text: str) -> None:
        self.said.append(Said(self.now, who, text))

    def claim(self, text: str, evidence: str, *, holds: bool) -> None:
        """Something that must hold on both stages; the bare one is expected to break it."""
        self.claims.append(Claim(text, holds, evidence))

    def claim_of_guard(self, text: str, evidence: str, *, holds: bool) -> None:
        """Something only a guarded stage can show."""
        if self.is_guarded:
            self.claim(text, evidence, holds=holds)

    @property
    def loss(self) -> Decimal:
        """Of the account, or what the story measured; never negative."""
        return max(Decimal(0), -self.result) if self.lost is None else self.lost

    def fault(
        self,
        operation: str,
        fault: AnyFault,
        *,
        seconds: float | None = None,
        count: int | None = None,
        skip: int = 0,
    ) -> None:
        """From now on, for so long or so often, requests of this operation are struck, whoever makes them. `skip`: so
        many pass first."""
        until = None if seconds is None else self.now + timedelta(seconds=seconds)
        rule = Rule(operation=operation, fault=fault, since=self.now, until=until, count=count, skip=skip)
        self.faults.install(rule)
        self.installed.append(rule)
        lasts = f" for {seconds:g} s" if seconds is not None else "" if count is None else f", {count} time(s)"
        self._note("fault", f"{operation}: {_words(fault)}{lasts}")

    # --- time -----------------------------------------------------------------------------------

    @abstractmethod
    async def wait(self, seconds: float) -> None:
        """Let so much of the exchange's time pass."""

    async def wait_until(self, at: datetime) -> None:
        await self.wait(max(0.0, (at - self.now) / timedelta(seconds=1)))

    @abstractmethod
    async def leap(self, at: datetime) -> None:
        """Let time pass until then while nobody is there."""

    async def leave_out(self, at: datetime) -> None:
        """Hours that are not played: the guard is ended before them and begins another life after them."""
        self._note("story", "the hours in between are left out; the guard is ended before them, and begins again after")
        await self.stop_guard()
        await self.leap(at)
        if self.is_guarded:
            await self.start_guard()

    @abstractmethod
    async def until(self, is_so: Callable[[], object], within: float, what: str) -> None:
        """Wait until it is so. `Stuck` when it is not after so many seconds."""

    # --- the guard ------------------------------------------------------------------------------

    @abstractmethod
    async def start_guard(self) -> None: ...

    @abstractmethod
    async def stop_guard(self) -> None:
        """Without effect where there is none."""

    async def restart_guard(self) -> None:
        """End it without a word, as `kill -9` would where that can be played, and begin another life of it."""
        self._note("story", "the guard is killed and started again")
        await self.stop_guard()
        await self.wait(1)
        await self.start_guard()

    async def ask(self, verb: str, **arguments: str) -> RequestId:
        """Put an act of the bot or the operator into the ledger, and do not wait for it."""
        self._asked += 1
        id = RequestId(f"drill-{self._asked}")
        shown = " ".join(f"{name}={value}" for name, value in arguments.items())
        self._note("request", f"{verb} {shown}".strip())
        request = Request(id=id, account=self.account, verb=verb, arguments=arguments, by="bot", at=self.clock.now())
        await self.store.put_request(request)
        return id

    async def answer(self, id: RequestId, within: float = 60.0) -> RequestOutcome:
        """What became of it. `Stuck` when nothing has in time."""
        outcome = await self.store.wait_request(id, self.clock, within)
        await self.wait(0.1)
        if outcome is None:
            raise Stuck(f"request {id} was not answered within {within:g} s")
        return outcome

    async def act(self, verb: str, within: float = 60.0, **arguments: str) -> RequestOutcome:
        return await self.answer(await self.ask(verb, **arguments), within)

    @property
    @abstractmethod
    def book(self) -> Book:
        """The living guard's."""

    @abstractmethod
    async def entries(self) -> Sequence[Entry]:
        """The whole journal; empty on a bare stage."""

    def positions(self) -> list[Position]:
        """Those that the books hold open, oldest first."""
        return [position for position in self.book.state.positions.values() if position.is_guarded]

    def position(self) -> Position:
        """The only one. `Stuck` where the books hold none, or several."""
        found = self.positions()
        if len(found) != 1:
            raise Stuck(f"{len(found)} positions in the books, not one")
        return found[0]

    def closed(self) -> list[Position]:
        return list(self.book.state.closed.values())


def _words(fault: AnyFault) -> str:
    kind = str(fault.__struct_config__.tag).replace("_", " ")
    values = {name: getattr(fault, name) for name in fault.__struct_fields__ if name not in ("hold", "late")}
    shown = ", ".join(f"{name} {value}" for name, value in values.items() if value not in ((), 0))
    return f"{kind} ({shown})" if shown else kind
