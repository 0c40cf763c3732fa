"""One recorded day, played: the exchange serves it in Tradier's dialect, a guard keeps what is opened on it.

Everything between the quotes and the ledger is the product's own: the served exchange, HTTP and WebSockets over the
loopback interface, the real adapter, the worker that `standfast guard` runs, composed by the same code from a settings
file, and a ledger on the disk. Only time is not waited for (`leaping`).

What happened is noted at the exchange itself, for `days_judge`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlencode

from standfast import app
from standfast.brokers.shared.transport import AiohttpTransport, Exchange
from standfast.drills import leaping, tradier_line
from standfast.drills.days_plan import Wanted, planned
from standfast.drills.leaping import Awaited, Leaping, LeapingClock
from standfast.drills.line import alone
from standfast.drills.tradier_line import NUMBER, form, headers
from standfast.exchange import server
from standfast.exchange.accounts import AccountSpec, TrueFill
from standfast.exchange.dialects.gate import Call
from standfast.exchange.dialects.hall import Asked as Request
from standfast.exchange.dialects.tradier import market_data
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.events import Asked, Event
from standfast.exchange.orders import Ticket
from standfast.exchange.quotes_file import quotes
from standfast.exchange.server import ExchangeServer
from standfast.exchange.sessions import NEW_YORK, USSessions
from standfast.exchange.tape import Tape
from standfast.model.errors import StandfastError
from standfast.model.ids import AccountId, EntryNumber, RequestId
from standfast.model.journal import Entry
from standfast.opened import open_store
from standfast.ports import Request as Act
from standfast.runtime.account import Account
from standfast.stores.sqlite.store import SqliteStore

ACCOUNT, TOKEN = AccountId("day"), "secret"
CASH = Decimal(50_000_000)
TICK = 0.25
"""Seconds between two looks of the exchange at its own clock, beside those that requests bring."""
BEFORE, AFTER = timedelta(minutes=1), timedelta(minutes=20)
"""How long before the open the guard is there, and how long after the close it stays."""
LATE = timedelta(minutes=15)
"""How long after the close options on an index are traded."""
SETTLING = timedelta(minutes=5)
"""How long before it is left a part of a day is flat."""
PROVEN = 60.0
STORE = ("acquire", "entries", "book", "put_request", "close")
JOURNAL = ("append", "renew", "save_book", "finish_request", "release", "anchor", "keep_in_mind")

SETTINGS = """\
[ledger]
url = "sqlite:///ledger.db"

[[accounts]]
name = "{account}"
broker = "tradier"
mode = "repair"
secret = "{token}"
account_id = "{number}"
rest_url = "{url}"
foreign = "adopt"
foreign_strategies = {{ {found} }}

{policies}
[[policies]]
name = "default"
stop_loss = "50%"
exits_held_by = "guard"

[[alerts]]
url = "log://"
from = "critical"
"""


@dataclass(slots=True, kw_only=True)
class Notes:
    """What happened on one day. Orders and fills are the exchange's own, entries the ledger's."""

    day: date
    path: Path
    wanted: Sequence[Wanted]
    opens: datetime
    closes: datetime
    refused: dict[str, str] = field(default_factory=dict)
    """Openings that did not come about, and why."""
    asked: list[Asked] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    deltas: list[tuple[datetime, str, float]] = field(default_factory=list)
    """Of the options that are sold, as the exchange told them with its quotes."""
    entries: Sequence[Entry] = ()
    fills: Sequence[TrueFill] = ()
    earned: Decimal = Decimal(0)
    """What the account's cash has gained."""
    left: dict[str, Decimal] = field(default_factory=dict)
    """What the exchange holds for it in the end."""
    working: int = 0
    """Orders that still work in the end."""


def play(path: Path, folder: Path, *, since: timedelta = timedelta(0), until: timedelta | None = None) -> Notes:
    """Play that day in an empty folder: ledger, settings and the exchange's log stay there. `since`, `until`: how long
    after the open the guard begins and the day is left. StandfastError for quotes that are no such day."""
    notes = _notes(path, since, until)
    return leaping.run(lambda loop: _Day(notes, folder, loop).play(notes.opens + since, until))


def _notes(path: Path, since: timedelta, until: timedelta | None) -> Notes:
    try:
        stream = quotes(path)
        first = next(stream, None)
        session = None if first is None else USSessions().session(first.at.astimezone(NEW_YORK).date())
        if session is None:
            raise StandfastError(f"{path}: no session of US exchanges on that day")
        begins = session.opens + since
        ends = session.closes + LATE if until is None else session.opens + until - SETTLING
        wanted = planned(stream.instruments, *(at.astimezone(NEW_YORK).time() for at in (begins, ends)))
    except (ValueError, OSError) as error:
        raise StandfastError(f"{path}: cannot be played as a day of options: {error}") from error
    if not wanted:
        raise StandfastError(f"{path}: nothing would be opened between these times; give a longer part of the day")
    return Notes(day=session.day, path=path, wanted=wanted, opens=session.opens, closes=session.closes)


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, NEW_YORK)


class _Day:
    def __init__(self, notes: Notes, folder: Path, loop: Leaping) -> None:
        self.notes, self.folder, self.loop = notes, folder, loop
        self.config = folder / "standfast.toml"
        self.failure: BaseException | None = None
        self.account: Account | None = None
        self.acts = 0
        self.bot = AiohttpTransport()
        self.store: Awaited
        self.venue: Venue
        self.clock: LeapingClock
        self.url = ""

    async def play(self, begins: datetime, until: timedelta | None) -> Notes:
        notes = self.notes
        start = max(begins, notes.opens) - BEFORE
        ends = notes.closes + AFTER if until is None else notes.opens + until
        self.venue = self._venue(start)
        self.clock = LeapingClock(self.loop, start)
        async with AsyncExitStack() as running:
            running.enter_context(Tape(self.venue, self.folder / "exchange.jsonl"))
            served = ExchangeServer(self.venue, dialect=server.dialect_of(self._options(start)), tick=TICK)
            self.url = (await running.enter_async_context(served)).url
            self.config.write_text(self._settings(), encoding="utf-8")
            self.store = Awaited(open_store(app.load(self.config)), *STORE, made={"acquire": JOURNAL})
            running.push_async_callback(self.store.close)
            running.push_async_callback(self.bot.close)
            tasks = await running.enter_async_context(asyncio.TaskGroup())
            guard = tasks.create_task(self._guard(), name="guard")
            await self._told(ends)
            guard.cancel()
            await asyncio.wait([guard])
            notes.entries = await self.store.entries(ACCOUNT, EntryNumber(0))
        self._note_end()
        return notes

    # --- the exchange -----------------------------------------------------------------------------

    def _options(self, start: datetime) -> server.Options:
        spec = AccountSpec(name=ACCOUNT, key_id=NUMBER, secret=TOKEN, cash=CASH, multiplier=2)
        return server.Options(
            dialect="tradier", replay=(self.notes.path,), start=start, accounts=(spec,), instruments={}, speed=1.0
        )

    def _venue(self, start: datetime) -> Venue:
        venue = server.build(self._options(start))
        venue.engine.overhearers.append(self.notes.asked.append)
        venue.engine.listeners.append(self.notes.events.append)
        venue.overhearers.append(self._heard)
        return venue

    def _heard(self, request: Request) -> None:
        self.notes.requests.append(request)
        if request.operation != "quotes":
            return
        call, engine = Call(self.venue, ACCOUNT, "quotes", {}, {}, b""), self.venue.engine
        for each in self.notes.wanted:
            for name, ratio in each.legs if each.kept.delta is not None else ():
                row = market_data.quote_row(call, engine.asset(name), with_greeks=True)["greeks"] if ratio < 0 else None
                if isinstance(row, dict):
                    self.notes.deltas.append((request.at, name, row["delta"]))

    def _note_end(self) -> None:
        notes, engine = self.notes, self.venue.engine
        notes.fills = tuple(engine.truth(ACCOUNT).fills)
        notes.earned = engine.account(ACCOUNT).cash - CASH
        notes.left = {view.instrument: view.quantity for view in engine.positions(ACCOUNT)}
        notes.working = sum(1 for order in engine.orders(ACCOUNT) if not order.is_finished)

    # --- the guard --------------------------------------------------------------------------------

    def _settings(self) -> str:
        wanted = self.notes.wanted
        found = ", ".join(f'"{each.name}-[0-9]*" = "{each.name}"' for each in wanted if each.by != "operator")
        policies = "\n".join(each.kept.policy(each.name) for each in wanted)
        return SETTINGS.format(
            account=ACCOUNT, token=TOKEN, number=NUMBER, url=self.url, found=found, policies=policies
        )

    async def _guard(self) -> None:
        """What `app.guard` does for one account, by this loop's time, until cancelled."""
        settings = app.load(self.config)
        worker = app.worker_of(settings, cast(SqliteStore, self.store), None)
        worker.lease_clock = self.clock
        broker = app.broker_of(settings.accounts[0], self.clock)
        try:
            self.account = await worker.add(settings.accounts[0].rules, broker, self.clock)
            await worker.run()
        except (AssertionError, ExceptionGroup, StandfastError) as error:
            self.failure = error
        finally:
            await broker.close()

    # --- people -----------------------------------------------------------------------------------

    async def _told(self, ends: datetime) -> None:
        """What operator and bot do, each at its time."""
        deeds: list[tuple[datetime, Callable[[], Awaitable[None]]]] = []
        for each in self.notes.wanted:
            deeds.append((_at(self.notes.day, each.at), partial(self._open, each)))
            if each.closed_at is not None:
                deeds.append((_at(self.notes.day, each.closed_at), partial(self._close, each)))
        for at, deed in sorted(deeds, key=lambda deed: deed[0]):
            if at >= ends:
                break
            await self._sleep_until(at)
            await deed()
        await self._sleep_until(ends)

    async def _sleep_until(self, at: datetime) -> None:
        while (left := (at - self.clock.now()).total_seconds()) > 0:
            await asyncio.sleep(min(left, 10.0))
            if self.failure is not None:
                raise StandfastError(f"the guard ended at {self.clock.now():%H:%M:%S} UTC: {self.failure!r}")

    async def _open(self, wanted: Wanted) -> None:
        match wanted.by:
            case "operator":
                done, said = await self._act("open", self._arguments(wanted))
                if not done:
                    self.notes.refused[wanted.name] = said
            case "bot":
                await self._order(wanted.spread.ticket(id=f"{wanted.name}-1"))
            case "bot, leg by leg":
                for place, (name, ratio) in enumerate(wanted.legs, start=1):
                    await self._order(alone(name, wanted.units * ratio, id=f"{wanted.name}-{place}"))

    def _arguments(self, wanted: Wanted) -> dict[str, str]:
        """As the command line's `open` and `open --legs` send them."""
        common = {"strategy": wanted.name, "key": wanted.name}
        if len(wanted.legs) == 1:
            ((name, ratio),) = wanted.legs
            return {**common, "instrument": name, "quantity": str(wanted.units * ratio)}
        return {**common, "legs": wanted.spread.legs, "quantity": str(wanted.units)}

    async def _close(self, wanted: Wanted) -> None:
        assert self.account is not None
        state = self.account.ledger.book.state
        for id, held in list(state.structures.items()):
            if held.strategy == wanted.name:
                done, said = await self._act("close", {"position": id})
                if not done:
                    self.notes.refused[f"close {wanted.name}"] = said

    async def _act(self, verb: str, arguments: dict[str, str]) -> tuple[bool, str]:
        self.acts += 1
        id = RequestId(f"act-{self.acts}")
        at = self.clock.now()
        await self.store.put_request(Act(id=id, account=ACCOUNT, verb=verb, arguments=arguments, by="operator", at=at))
        found = await self.store.wait_request(id, self.clock, PROVEN)
        return (False, f"no answer within {PROVEN:g} s") if found is None else (found.ok, found.detail)

    async def _order(self, asked: Ticket) -> None:
        """As a bot of Tradier's sends it."""
        url, body = f"{self.url}{tradier_line.ACCOUNT}/orders", urlencode(form(asked)).encode()
        reply = await self.bot.request(Exchange(method="POST", url=url, headers=headers(TOKEN), body=body))
        if reply.status != 200:
            self.notes.refused[str(asked.client_order_id)] = reply.body.decode(errors="replace")
