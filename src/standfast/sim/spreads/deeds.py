"""What people and their bot do with spreads beside the guard: as `workload`, of options.

A bot opens and closes at once or leg by leg, dies between two legs, takes the profit of one side, closes what the guard
has closed already. Others exercise what it has sold. What the exchange refuses is refused.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from random import Random

from standfast.exchange.orders import Intent, Leg, OrderClass, OrderType, Side, Terms, Ticket
from standfast.exchange.refusal import Refused
from standfast.model.ids import is_own
from standfast.sim.board import Board, Legs, draw_spread
from standfast.sim.workload import Deed, Doer
from standfast.sim.world import World

CENT = Decimal("0.01")
WEIGHTS: dict[str, float] = {
    "open together": 6,
    "open leg by leg": 3,
    "open at a limit": 1.5,
    "open half": 0.5,
    "close together": 3,
    "close leg by leg": 2,
    "close in part": 0.7,
    "close one side": 0.5,
    "close one leg": 0.4,
    "cancel": 1,
    "ask to open": 3,
    "ask to open at a limit": 1,
    "ask to close": 2,
    "ask to close in part": 0.7,
    "protect": 0.7,
    "flatten": 0.2,
    "freeze": 0.2,
    "thaw": 0.6,
    "adopt": 0.4,
    "assign": 0.8,
    "close all by hand": 0.1,
}
"""How often each is done, against the others."""


class SpreadWorkload(Doer):
    """Of spreads."""

    drawn = "spread-deed"

    def __init__(self, world: World, board: Board) -> None:
        super().__init__()
        self._world, self._board = world, board
        self._held: dict[int, tuple[Legs, int]] = {}
        """What the bot believes to hold: legs of one unit, and units."""
        self._opened = 0

    async def leave(self) -> None:
        """The bot takes back what has not filled: nobody else trades from now on, and nothing stands in the way."""
        world = self._world
        world.wire.catch_up()
        for order in world.engine.orders(world.rules.account):
            if (
                order.parent_id is None
                and not order.is_finished
                and not is_own(order.client_order_id, world.rules.account)
            ):
                try:
                    await world.cancel(order)
                except Refused:
                    self.refused["leave"] += 1

    async def _did(self, deed: Deed, draw: Random) -> bool:
        match deed.verb.split()[0]:
            case "open":
                return await self._opens(deed, draw)
            case "close" if deed.verb != "close all by hand":
                return await self._closes(deed.verb, draw)
            case "cancel":
                return await self._cancels(draw)
            case "assign":
                return self._is_assigned(draw)
            case "close":
                self._world.wire.catch_up()
                self._world.engine.close_all(self._world.rules.account, cancel_orders=True)
                return True
            case _:
                return await self._asks(deed, draw)

    async def _asks(self, deed: Deed, draw: Random) -> bool:
        """What an operator does through the guard."""
        match deed.verb:
            case "ask to open" | "ask to open at a limit":
                return await self._asks_to_open(deed, draw)
            case "ask to close" | "ask to close in part" | "protect":
                return await self._about_a_structure(deed.verb, draw)
            case "adopt":
                return await self._adopts(draw)
            case _:
                await self._world.operate(deed.verb)
                return True

    # --- the bot --------------------------------------------------------------------------------

    async def _opens(self, deed: Deed, draw: Random) -> bool:
        legs, units = draw_spread(self._board.chain(deed.instrument), draw), draw.randint(1, 3)
        self._opened += 1
        self._held[self._opened] = legs, units
        if deed.verb in {"open together", "open at a limit"} and len(legs) > 1:
            price = self._net(legs)
            if deed.verb == "open at a limit" and price is not None:
                price += CENT * draw.randrange(-40, 20)
            await self._world.submit(ticket(deed.instrument, legs, units, price if "limit" in deed.verb else None))
            return True
        bought_first = sorted(legs, key=lambda leg: -leg[1])
        for name, ratio in bought_first[: len(legs) - (deed.verb == "open half" and len(legs) > 1)]:
            await self._world.submit(single(name, ratio * units, opens=True))
            await self._world.run_for(draw.uniform(0.1, 3))
        return True

    async def _closes(self, verb: str, draw: Random) -> bool:
        if not self._held:
            return False
        key = draw.choice(sorted(self._held))
        legs, units = self._held.pop(key)
        if verb == "close in part" and units > 1:
            self._held[key] = legs, units - 1
            units = 1
        elif verb in {"close one side", "close one leg"} and len(legs) > 1:
            rights = sorted({name[-9] for name, _ in legs})
            right = draw.choice(rights)
            one = draw.choice(legs)
            gone = tuple(leg for leg in legs if (leg[0][-9] == right if verb == "close one side" else leg == one))
            self._held[key], legs = (tuple(leg for leg in legs if leg not in gone), units), gone
        if verb == "close together" and len(legs) > 1:
            underlying = next(each.underlying for each in self._board.chains if legs[0][0].startswith(each.root))
            await self._world.submit(ticket(underlying, legs, units, None, opens=False))
            return True
        for name, ratio in sorted(legs, key=lambda leg: leg[1]):  # what was sold first
            await self._world.submit(single(name, ratio * units, opens=False))
            await self._world.run_for(draw.uniform(0.1, 3))
        return True

    async def _cancels(self, draw: Random) -> bool:
        world = self._world
        world.wire.catch_up()
        found = [each for each in world.engine.orders(world.rules.account) if each.parent_id is None]
        if not found:
            return False
        await world.cancel(draw.choice(sorted(found, key=lambda order: order.number)))
        return True

    # --- through the guard ----------------------------------------------------------------------

    async def _asks_to_open(self, deed: Deed, draw: Random) -> bool:
        legs, units = draw_spread(self._board.chain(deed.instrument), draw), draw.randint(1, 3)
        price = self._net(legs)
        arguments = {"quantity": str(units), "key": f"asked-{deed.draw}"}
        if len(legs) > 1:
            arguments["legs"] = " ".join(f"{name}:{ratio:+}" for name, ratio in legs)
        else:
            arguments |= {"instrument": legs[0][0], "quantity": str(legs[0][1] * units)}
        if "limit" in deed.verb and price is not None:
            price += CENT * draw.randrange(-40, 20)
            kind = "limit" if len(legs) == 1 else "debit" if price > 0 else "credit"
            arguments[kind] = str(max(abs(price), CENT))
        if draw.random() < 0.3:
            arguments["strategy"] = draw.choice(("alpha", "beta"))
        await self._world.operate("open", **arguments)
        return True

    async def _about_a_structure(self, verb: str, draw: Random) -> bool:
        account = self._world.account
        structures = account.ledger.book.state.structures if account is not None else {}
        if not structures:
            return False
        id = draw.choice(sorted(structures))
        arguments: dict[str, str] = {"position": id}
        if verb == "ask to close in part":
            if structures[id].units < 2:
                return False
            arguments["quantity"] = "1"
        elif verb == "protect":
            price = self._net(tuple((leg.holding.instrument, leg.ratio) for leg in structures[id].legs))
            if price is None:
                return False
            arguments["stop"] = str(price - CENT * draw.randrange(5, 400))
        await self._world.operate("protect" if verb == "protect" else "close", **arguments)
        return True

    async def _adopts(self, draw: Random) -> bool:
        account = self._world.account
        breaks = sorted(account.ledger.book.state.breaks) if account is not None else []
        if not breaks:
            return False
        await self._world.operate("adopt", **{"break": draw.choice(breaks)})
        return True

    # --- others ---------------------------------------------------------------------------------

    def _is_assigned(self, draw: Random) -> bool:
        """Somebody exercises against a contract that is sold here, some or all of it."""
        world, account = self._world, self._world.rules.account
        world.wire.catch_up()
        sold = [name for name in self._board.contracts if world.engine.net(account, name) < 0]
        if not sold:
            return False
        name = draw.choice(sold)
        try:
            world.engine.assign(account, name, draw.choice((None, Decimal(1))))
        except ValueError:
            return False  # European, or over
        return True

    def _net(self, legs: Legs) -> Decimal | None:
        """What one unit costs at the mid, by the quotes of now."""
        quotes = [(self._world.engine.last_quote(name), ratio) for name, ratio in legs]
        if any(quote is None for quote, _ in quotes):
            return None
        total = sum((quote.middle * ratio for quote, ratio in quotes if quote is not None), Decimal(0))
        return total.quantize(CENT, rounding=ROUND_HALF_EVEN)


def ticket(underlying: str, legs: Legs, units: int, limit: Decimal | None, *, opens: bool = True) -> Ticket:
    """One order for all legs, at the market or for at most so much."""
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    terms = Terms(instrument=underlying, side=Side.BUY, type=kind, quantity=Decimal(units), limit_price=limit)
    each = tuple(
        Leg(instrument=name, intent=intent_of(ratio, opens=opens), ratio=Decimal(abs(ratio))) for name, ratio in legs
    )
    return Ticket(terms=terms, order_class=OrderClass.MULTILEG, legs=each)


def single(name: str, quantity: int, *, opens: bool) -> Ticket:
    """At the market."""
    intent = intent_of(quantity, opens=opens)
    return Ticket(terms=Terms(instrument=name, side=intent.side, quantity=Decimal(abs(quantity))), intent=intent)


def intent_of(quantity: int, *, opens: bool) -> Intent:
    """`quantity`: of what is held, signed."""
    if opens:
        return Intent.BUY_TO_OPEN if quantity > 0 else Intent.SELL_TO_OPEN
    return Intent.SELL_TO_CLOSE if quantity > 0 else Intent.BUY_TO_CLOSE
