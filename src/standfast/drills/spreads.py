"""What the drills of option spreads count and claim. Prices are per share of one unit, results are money."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time
from decimal import Decimal

from standfast.core.policy import FlatBy
from standfast.core.structures import open_legs
from standfast.drills.line import Line, Spread
from standfast.drills.stage import Stage
from standfast.exchange.contracts import HUNDRED, contract_of
from standfast.exchange.orders import ZERO
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.sessions import NEW_YORK
from standfast.model.journal import AlertRaised, EndsCompared, FillBooked, MovedOut, PositionSettled
from standfast.model.position import Position
from standfast.model.structure import BookedStructure

LAST_DAY = FlatBy(time(15, 10), NEW_YORK)
"""`expiring_flat_by` as it is where the operator says nothing."""


# --- prices and results -----------------------------------------------------------------------------


def cost_to_close(shown: Mapping[str, tuple[Decimal, Decimal]], spread: Spread) -> Decimal | None:
    """What closing one unit costs at the worst side of every leg; None where a leg has no price there."""
    cost = ZERO
    for name, ratio in spread.signed():
        bid, ask = shown.get(name, (ZERO, ZERO))
        if ratio < 0 and not ask:
            return None
        cost -= ratio * (bid if ratio > 0 else ask)
    return cost


def costs(seen: Iterable[FileQuote], spread: Spread) -> Iterator[tuple[datetime, Decimal]]:
    """After each instant at which a leg was quoted, what closing one unit cost."""
    names = {name for name, _ in spread.signed()}
    shown: dict[str, tuple[Decimal, Decimal]] = {}
    last: datetime | None = None
    for quote in seen:
        if last is not None and quote.at != last and (cost := cost_to_close(shown, spread)) is not None:
            yield last, cost
        last = quote.at
        if quote.instrument in names and not (quote.bid and quote.ask and quote.bid > quote.ask):
            shown[quote.instrument] = (quote.bid or ZERO, quote.ask or ZERO)
    if last is not None and (cost := cost_to_close(shown, spread)) is not None:
        yield last, cost


def first_beyond(stage: Stage, spread: Spread, since: datetime, cost: Decimal) -> tuple[datetime, Decimal] | None:
    """The first instant after `since` at which closing cost so much, and what it cost then."""
    return next(((at, now) for at, now in costs(stage.board.seen, spread) if at > since and now >= cost), None)


async def asked_cost(line: Line, spread: Spread) -> Decimal | None:
    """What closing a unit costs, by the quotes a bot is shown."""
    return cost_to_close(await line.quotes(names_of(spread)), spread)


def names_of(spread: Spread) -> tuple[str, ...]:
    return tuple(name for name, _ in spread.signed())


def result_of(stage: Stage, *instruments: str) -> Decimal:
    """What these have brought at the exchange: realised, and what is held at the market."""
    realised = stage.engine.truth(stage.account).realised_by_instrument()
    held = [row for row in stage.engine.positions(stage.account) if row.instrument in instruments]
    return sum((realised.get(name, ZERO) for name in instruments), ZERO) + sum(
        (row.unrealised or ZERO for row in held), ZERO
    )


def brought(stage: Stage, spread: Spread) -> Decimal:
    """What a unit was sold for (negative: cost), by the exchange's own record of the first fill of each leg."""
    total = ZERO
    for name, ratio in spread.signed():
        first = next(fill for fill in stage.engine.truth(stage.account).fills if fill.instrument == name)
        total -= ratio * first.price
    return total


def width(spread: Spread) -> Decimal:
    """Points between the strikes of a vertical."""
    strikes = [contract.strike for name in names_of(spread) if (contract := contract_of(name)) is not None]
    return max(strikes) - min(strikes)


# --- the books --------------------------------------------------------------------------------------


def structures(stage: Stage) -> list[BookedStructure]:
    """Those that the books hold open."""
    return [each for each in stage.book.state.structures.values() if each.is_guarded] if stage.is_guarded else []


def structure_with(stage: Stage, instrument: str) -> BookedStructure | None:
    """The open one that has this leg."""
    at = (each for each in structures(stage) if any(leg.holding.instrument == instrument for leg in each.legs))
    return next(at, None)


def held_as_one(stage: Stage, spread: Spread) -> bool:
    """Whether the books hold these legs, all of them, as one guarded structure in its ratio."""
    found = structure_with(stage, names_of(spread)[0])
    if found is None:
        return False
    legs = {str(leg.holding.instrument): position.net for leg, position in open_legs(stage.book, found)}
    return legs == {name: Decimal(ratio * spread.units) for name, ratio in spread.signed()}


def structure_told(stage: Stage, spread: Spread) -> str:
    found = structure_with(stage, names_of(spread)[0])
    return "not in the books" if found is None else f"{found.id}: {found.units} units, {len(found.legs)} legs"


async def alarms(stage: Stage, since: datetime | None = None) -> list[tuple[datetime, str]]:
    """What people were told, and when; none on a bare stage."""
    told = [(entry.at, entry.fact) for entry in await stage.entries() if since is None or entry.at >= since]
    return [(at, fact.text) for at, fact in told if isinstance(fact, AlertRaised)]


# --- claims -----------------------------------------------------------------------------------------


def loss_at_first_quote(stage: Stage, spread: Spread, since: datetime, stop: Decimal) -> None:
    """No more was lost than closing cost at the first quote beyond the stop, of every leg at its worse side.

    `stop`: part of the credit."""
    credit = brought(stage, spread)
    beyond = first_beyond(stage, spread, since, credit * (1 + stop))
    lost = -result_of(stage, *names_of(spread))
    if beyond is None:
        stage.claim("the price went beyond the stop", "it never did", holds=False)
        return
    most = (beyond[1] - credit) * spread.units * HUNDRED
    named = " ".join(names_of(spread))
    at = f"{beyond[0].astimezone(NEW_YORK):%H:%M:%S}"
    told = (
        f"{named} lost {lost:,.2f} USD; sold at {credit}, {at} the first quote beyond the stop: {beyond[1]} to close,"
        f" which is {most:,.2f}"
    )
    stage.claim("the loss is at most what closing cost at the first quote beyond the stop", told, holds=lost <= most)


async def compared(stage: Stage) -> None:
    """What was inferred of the end of options is what the broker's own account of that day says in the morning."""
    found = [entry.fact for entry in await stage.entries() if isinstance(entry.fact, EndsCompared)]
    shown = "; ".join(each.told for each in found) or "not compared"
    is_so = bool(found) and all(each.agrees for each in found)
    stage.claim_of_guard("the broker's own account of that day agrees with it", shown, holds=is_so)


async def proven(stage: Stage, *instruments: str) -> None:
    """Each position in these that left the books did so on closing fills, or an end, of exactly what it had held."""
    entries = await stage.entries()
    gone: dict[str, Decimal] = {}
    for entry in entries:
        parts = entry.fact.allocations if isinstance(entry.fact, FillBooked) else ()
        parts = entry.fact.parts if isinstance(entry.fact, MovedOut) else parts
        for part in parts:
            if part.position is not None and not part.opens:
                gone[part.position] = gone.get(part.position, ZERO) + part.quantity
    settled = {entry.fact.position: entry.fact.proof for entry in entries if isinstance(entry.fact, PositionSettled)}
    ended = [each for each in _all(stage) if each.holding.instrument in instruments]
    right = [each for each in ended if each.id in settled and gone.get(each.id, ZERO) == each.opened > 0]
    shown = "; ".join(f"{each.holding} {each.net + each.closed} held, {gone.get(each.id, ZERO)} out" for each in ended)
    stage.claim_of_guard(
        "what left the books left on proof of all that was held",
        shown or "nothing of it was ever in the books",
        holds=bool(ended) and len(right) == len(ended),
    )


def _all(stage: Stage) -> list[Position]:
    return [*stage.positions(), *stage.closed()] if stage.is_guarded else []
