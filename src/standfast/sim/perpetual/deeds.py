"""What people do in a seed of perpetual futures: a bot and an operator, and what the exchange does of its own accord.

A deed is carried out at once at the exchange, or put down as a request to the guard; whatever it cannot be, because
nothing is held or the exchange refuses, is nothing. Whatever else a deed needs is drawn from its own number.
"""

from collections.abc import Callable
from decimal import Decimal
from itertools import count
from random import Random

from standfast.core.book import Book
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.contract import symbol_of
from standfast.exchange.perpetual.orders import (
    Attached,
    Kind,
    PriceBy,
    Ticket,
    Trigger,
)
from standfast.exchange.perpetual.positions import Position
from standfast.exchange.perpetual.refusal import PerpetualRefused
from standfast.exchange.perpetual.stops import Wish
from standfast.sim.perpetual.world import PerpWorld
from standfast.sim.workload import Deed, Doer

NOTIONAL = (500, 2_000, 8_000)
"""Money of one opening."""
WEIGHTS: dict[str, float] = {
    "open": 8,
    "add a lot": 3,
    "open with a stop": 2,
    "close": 4,
    "close a part": 3,
    "close by an order that may add": 1,
    "turn round": 1,
    "rest a limit": 1,
    "place a stop": 2,
    "stop of the position's own": 1,
    "cancel a stop": 1.5,
    "cancel everything": 0.4,
    "ask to open": 6,
    "ask to close": 3,
    "ask to close a part": 1,
    "ask to protect": 1,
    "ask to flatten": 0.2,
    "ask to undo a freeze": 0.4,
    "liquidate": 0.7,
    "deleverage": 0.7,
    "fund": 0.7,
    "wick of the mark": 0.5,
}
"""Verbs, with how often they are drawn. The four last but one are the exchange's own."""
EXCHANGES_OWN = frozenset({"liquidate", "deleverage", "fund", "wick of the mark"})
WICK = 3.0
"""Seconds for which the mark stands away from the quote."""


class PerpWorkload(Doer):
    """Of perpetual futures."""

    refusal = PerpetualRefused

    def __init__(self, world: PerpWorld) -> None:
        super().__init__()
        self._world = world
        self._numbers = count(1)
        self._verbs: dict[str, Callable[[Deed, Random], bool]] = {
            "open": self._open,
            "add a lot": self._add,
            "open with a stop": self._open_with_stop,
            "close": self._close,
            "close a part": self._close_part,
            "close by an order that may add": self._close_freely,
            "turn round": self._turn_round,
            "rest a limit": self._rest,
            "place a stop": self._place_stop,
            "stop of the position's own": self._own_stop,
            "cancel a stop": self._cancel_stop,
            "cancel everything": self._cancel_all,
            "liquidate": self._liquidate,
            "deleverage": self._deleverage,
            "fund": self._fund,
            "wick of the mark": self._wick,
        }

    async def _did(self, deed: Deed, draw: Random) -> bool:
        self._world.venue.catch_up()
        if deed.verb.startswith("ask to"):
            return await self._ask(deed, draw)
        return self._verbs[deed.verb](deed, draw)

    # --- the bot --------------------------------------------------------------------------------

    def _submit(self, ticket_of: Callable[[str], Ticket]) -> bool:
        self._world.engine.submit(self._world.account_name, ticket_of(f"bot-{next(self._numbers)}"))
        return True

    def _market(self, name: str, side: Side, quantity: Decimal, index: int, *, reduces: bool) -> bool:
        return self._submit(
            lambda id: Ticket(
                instrument=name, side=side, quantity=quantity, index=index, reduce_only=reduces, link_id=id
            )
        )

    def _index(self, side: Side) -> int:
        """Of the position that an opening of this side is of."""
        return 0 if not self._world.about.hedged else (1 if side is Side.BUY else 2)

    def _size(self, name: str, draw: Random) -> Decimal:
        contract, price = self._world.engine.contract(name), self._world.engine.prices(name).last
        worth = Decimal(draw.choice(NOTIONAL))
        return max(contract.on_step(worth / (price or Decimal(1))), contract.least_quantity)

    def _open(self, deed: Deed, draw: Random) -> bool:
        side = draw.choice((Side.BUY, Side.SELL))
        size = self._size(deed.instrument, draw)
        return self._market(deed.instrument, side, size, self._index(side), reduces=False)

    def _open_with_stop(self, deed: Deed, draw: Random) -> bool:
        side, last = draw.choice((Side.BUY, Side.SELL)), self._world.engine.prices(deed.instrument).last
        if last is None:
            return False
        at = self._on_tick(deed.instrument, last * (1 - side.sign * Decimal(draw.choice((2, 10))) / 100))
        size, index = self._size(deed.instrument, draw), self._index(side)
        return self._submit(
            lambda id: Ticket(
                instrument=deed.instrument,
                side=side,
                quantity=size,
                index=index,
                link_id=id,
                stop_loss=Attached(price=at),
            )
        )

    def _held(self, deed: Deed, draw: Random) -> Position | None:
        """One of the sides that are held, of this instrument if it is."""
        held = [p for p in self._world.engine.positions(self._world.account_name) if p.instrument == deed.instrument]
        return draw.choice(held) if held else None

    def _add(self, deed: Deed, draw: Random) -> bool:
        held = self._held(deed, draw)
        if held is None:
            return False
        side = Side.BUY if held.quantity > 0 else Side.SELL
        return self._market(deed.instrument, side, self._size(deed.instrument, draw), held.index, reduces=False)

    def _close(self, deed: Deed, draw: Random) -> bool:
        held = self._held(deed, draw)
        return held is not None and self._reduce(held, abs(held.quantity), reduces=True)

    def _close_part(self, deed: Deed, draw: Random) -> bool:
        held = self._held(deed, draw)
        if held is None:
            return False
        contract = self._world.engine.contract(held.instrument)
        part = contract.on_step(abs(held.quantity) * draw.choice((1, 3, 7)) / 10)
        return part >= contract.least_quantity and self._reduce(held, part, reduces=True)

    def _close_freely(self, deed: Deed, draw: Random) -> bool:
        """As bots do that know of no reduce-only."""
        held = self._held(deed, draw)
        return held is not None and self._reduce(held, abs(held.quantity), reduces=False)

    def _turn_round(self, deed: Deed, draw: Random) -> bool:
        held = self._held(deed, draw)
        return held is not None and not held.index and self._reduce(held, 2 * abs(held.quantity), reduces=False)

    def _reduce(self, held: Position, quantity: Decimal, *, reduces: bool) -> bool:
        side = Side.SELL if held.quantity > 0 else Side.BUY
        return self._market(held.instrument, side, quantity, held.index, reduces=reduces)

    def _rest(self, deed: Deed, draw: Random) -> bool:
        quote, side = self._world.engine.last_quote(deed.instrument), draw.choice((Side.BUY, Side.SELL))
        if quote is None:
            return False
        price = self._on_tick(deed.instrument, quote.middle * (1 - side.sign * Decimal(draw.choice((1, 4))) / 1000))
        size, index = self._size(deed.instrument, draw), self._index(side)
        return self._submit(
            lambda id: Ticket(
                instrument=deed.instrument,
                side=side,
                quantity=size,
                index=index,
                kind=Kind.LIMIT,
                price=price,
                link_id=id,
            )
        )

    def _place_stop(self, deed: Deed, draw: Random) -> bool:
        held, last = self._held(deed, draw), self._world.engine.prices(deed.instrument).last
        if held is None or last is None:
            return False
        is_long = held.quantity > 0
        away = Decimal(draw.choice((5, 20, 60))) / 1000
        at = self._on_tick(held.instrument, last * (1 - away if is_long else 1 + away))
        return self._submit(
            lambda id: Ticket(
                instrument=held.instrument,
                side=Side.SELL if is_long else Side.BUY,
                quantity=abs(held.quantity),
                index=held.index,
                reduce_only=True,
                trigger=Trigger(price=at, rises=not is_long),
                link_id=id,
            )
        )

    def _own_stop(self, deed: Deed, draw: Random) -> bool:
        held, last = self._held(deed, draw), self._world.engine.prices(deed.instrument).last
        if held is None or last is None:
            return False
        away = Decimal(draw.choice((1, 5))) / 100
        at = self._on_tick(held.instrument, last * (1 - away if held.quantity > 0 else 1 + away))
        wish = Wish(stop_loss=Attached(price=at))
        self._world.engine.set_stops(self._world.account_name, held.instrument, held.index, wish)
        return True

    def _cancel_stop(self, deed: Deed, draw: Random) -> bool:
        """Anybody's."""
        account = self._world.account_name
        stops = [o for o in self._world.engine.working(account, deed.instrument) if o.is_conditional]
        if not stops:
            return False
        self._world.engine.cancel(account, draw.choice(stops).id)
        return True

    def _cancel_all(self, deed: Deed, draw: Random) -> bool:
        account = self._world.account_name
        working = self._world.engine.working(account, deed.instrument)
        for order in working:
            found = self._world.engine.order(account, order.id)
            if found is not None and not found.is_finished:
                self._world.engine.cancel(account, order.id)
        return bool(working)

    def _on_tick(self, name: str, price: Decimal) -> Decimal:
        return self._world.engine.contract(name).on_tick(price)

    # --- the exchange ---------------------------------------------------------------------------

    def _liquidate(self, deed: Deed, draw: Random) -> bool:
        held = self._held(deed, draw)
        if held is None:
            return False
        self._world.engine.liquidate(self._world.account_name, held.instrument, held.index)
        return True

    def _deleverage(self, deed: Deed, draw: Random) -> bool:
        held, last = self._held(deed, draw), self._world.engine.prices(deed.instrument).last
        if held is None or last is None:
            return False
        contract = self._world.engine.contract(held.instrument)
        part = max(contract.on_step(abs(held.quantity) * draw.choice((3, 10)) / 10), contract.least_quantity)
        self._world.engine.deleverage(self._world.account_name, held.instrument, held.index, part, last)
        return True

    def _fund(self, deed: Deed, draw: Random) -> bool:
        self._world.engine.fund(deed.instrument)
        return True

    def _wick(self, deed: Deed, draw: Random) -> bool:
        engine, mark = self._world.engine, self._world.engine.prices(deed.instrument).mark
        if mark is None:
            return False
        engine.pin(deed.instrument, PriceBy.MARK, mark * (1 + Decimal(draw.randrange(-30, 31)) / 1000))
        self._world.venue.later(WICK, lambda: engine.pin(deed.instrument, PriceBy.MARK, None))
        return True

    # --- the operator ---------------------------------------------------------------------------

    async def _ask(self, deed: Deed, draw: Random) -> bool:
        world = self._world
        what = deed.verb.removeprefix("ask to ")
        if what == "open":
            quantity = self._size(deed.instrument, draw) * draw.choice((1, -1))
            name = world.holding(deed.instrument, 0).instrument
            await world.operate(
                "open", instrument=name, quantity=str(quantity), key=f"k{deed.draw}", strategy="operator"
            )
            return True
        if what in ("flatten", "undo a freeze"):
            await world.operate("flatten" if what == "flatten" else "thaw")
            return True
        account = world.account
        open_ones = [] if account is None else _guarded(account.ledger.book)
        if not open_ones:
            return False
        id, held, symbol = draw.choice(open_ones)
        if what == "protect":
            await world.operate("protect", position=id)
        elif what == "close a part":
            contract = world.engine.contract(symbol)
            await world.operate("close", position=id, quantity=str(max(contract.on_step(held / 2), contract.step)))
        else:
            await world.operate("close", position=id)
        return True


def _guarded(book: Book) -> list[tuple[str, Decimal, str]]:
    """Id, what it holds, and of what."""
    held = [each for each in book.state.positions.values() if each.held and not each.closing]
    return sorted((each.id, abs(each.net), symbol_of(each.holding.instrument)) for each in held)
