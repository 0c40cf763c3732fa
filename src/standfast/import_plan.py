"""What `import` would do, found out without doing it: the record and the broker read once, each entry tried on a copy
of the books that nobody keeps, by the very code that will take it in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from standfast.adapters import broker_of
from standfast.app import clock_of, known_book, load
from standfast.core.acts import take
from standfast.core.book import Book
from standfast.core.fold import apply
from standfast.core.situation import Sight, Situation
from standfast.model.errors import SettingsError
from standfast.model.evidence import Snapshot
from standfast.model.ids import EntryNumber, RequestId
from standfast.model.journal import Entry, RequestDone, RequestTaken
from standfast.model.tracked import TrackedEntry, import_key
from standfast.opened import tracker_of

if TYPE_CHECKING:
    from standfast.ports import Broker, Clock
    from standfast.settings import AccountSettings, Settings


@dataclass(frozen=True, slots=True)
class Planned:
    """One entry and what taking it in would do, or why it is refused. `is_new`: it is not in the books already."""

    entry: TrackedEntry
    arguments: Mapping[str, str]
    ok: bool
    detail: str
    is_new: bool


def plan(config: Path, account: str) -> list[Planned]:
    """Every entry of the account's record. Raises SettingsError, RecordUnreadable, BrokerError; writes nothing."""
    import asyncio

    from standfast.runtime import logs

    logs.configure(level="error")
    return asyncio.run(_plan(load(config), account))


async def _plan(settings: "Settings", name: str) -> list[Planned]:
    found = settings.account(name)
    if found is None:
        raise SettingsError(f"no account {name!r} in {settings.file}")
    _refuse_without_quantities(settings, found)
    clock = await clock_of(found)
    tracker = tracker_of(found, clock)
    assert tracker is not None, found.name
    try:
        entries = (await tracker.read()).entries
    finally:
        await tracker.close()
    broker = broker_of(found, clock)
    try:
        book = known_book(settings, found.name) or Book.empty(found.name)
        s = await _situation(found, broker, clock, book, entries)
    finally:
        await broker.close()
    return [_tried(s, entry) for entry in entries]


def _refuse_without_quantities(settings: "Settings", account: "AccountSettings") -> None:
    where = f"{settings.file}: accounts[{account.name}].tracker"
    if account.tracker is None:
        raise SettingsError(
            f"{where} is missing. Name the bot's record: [accounts.tracker] with kind, path and symbols."
        )
    if not account.tracker.record.quantity:
        raise SettingsError(f"{where}.quantity is missing. Write where the quantity of each entry stands.")


async def _situation(
    account: "AccountSettings", broker: "Broker", clock: "Clock", book: Book, entries: tuple[TrackedEntry, ...]
) -> Situation:
    head = book.head
    positions, session = await broker.positions(), await broker.clock()
    wanted = sorted({leg.holding for entry in entries for leg in entry.legs} & set(positions.rows))
    quotes = await broker.quotes(wanted) if wanted else {}
    return Situation(
        book=book,
        snapshot=Snapshot(positions=positions, positions_asked_after=head, activities_asked_after=head, clock=session),
        rules=account.rules,
        contract=broker.contract,
        now=clock.now(),
        instruments={holding.instrument: await broker.instrument(holding.instrument) for holding in wanted},
        sights={holding: Sight(quote) for holding, quote in quotes.items()},
        clock_ahead=session.at - clock.now(),
    )


def _tried(s: Situation, entry: TrackedEntry) -> Planned:
    """The entry taken in on the copy, so that the next one meets what this one has taken."""
    arguments = arguments_of(entry)
    is_new = arguments["key"] not in s.book.state.keys
    request = RequestId(f"plan {entry.name}")
    taken = RequestTaken(request=request, verb="import", arguments=arguments, by="plan")
    facts = list(take(s, taken, lambda number: None))
    for fact in facts:
        apply(s.book, Entry(EntryNumber(s.book.head + 1), 0, _no_earlier(s.book, s.now), fact))
    (done,) = (fact for fact in facts if isinstance(fact, RequestDone))
    return Planned(entry, arguments, done.ok, done.detail, is_new)


def _no_earlier(book: Book, now: datetime) -> datetime:
    return now if book.state.at is None else max(now, book.state.at)


def arguments_of(entry: TrackedEntry) -> dict[str, str]:
    """The entry as the arguments of an act: flat texts, none of them empty."""
    prices = [leg.price for leg in entry.legs]
    price = entry.price if entry.price is not None else prices[0] if len(prices) == 1 else None
    texts = {
        "key": import_key(entry),
        "legs": " ".join(f"{leg.holding.instrument}:{leg.quantity}" for leg in entry.legs),
        "prices": " ".join(map(str, prices)) if len(prices) > 1 and None not in prices else "",
        "strategy": entry.strategy,
        "price": "" if price is None else str(price),
        "opened_at": entry.opened_at.isoformat() if entry.opened_at is not None else "",
        "stop": "" if entry.stop is None else str(entry.stop),
        "target": "" if entry.target is None else str(entry.target),
    }
    return {name: text for name, text in texts.items() if text}
