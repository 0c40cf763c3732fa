"""What an operator's act is judged by is read first: a fresh quote, and the instrument's own rules."""

from standfast.core.book import Book
from standfast.model.ids import BreakId, Holding, InstrumentId, PositionId, holding_named
from standfast.model.journal import RequestTaken
from standfast.runtime.instruments import Instruments
from standfast.runtime.quotes import Quotes


async def prepare(taken: RequestTaken, book: Book, quotes: Quotes, instruments: Instruments) -> None:
    """An opening is judged on fresh quotes and the instruments' own rules, adoptions and spreads' stops on quotes."""
    found = book.state.breaks.get(BreakId(taken.arguments.get("break", "")))
    if found is not None and found.finding.holding is not None:
        await quotes.ask([found.finding.holding])
    whole = book.state.structures.get(PositionId(taken.arguments.get("position", "")))
    if whole is not None and taken.verb == "protect":
        await quotes.ask([leg.holding for leg in whole.legs])
    named = [Holding(InstrumentId(leg.rpartition(":")[0])) for leg in taken.arguments.get("legs", "").split()]
    if name := taken.arguments.get("instrument"):
        named.append(holding_named(name))
    for holding in named:
        await instruments.read(holding.instrument)
    if named:
        await quotes.ask(named)
