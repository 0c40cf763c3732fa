"""What people and their bot do beside the guard: openings, exits, edits, mistakes. All drawn beforehand.

Theory: a bot is careless, not malicious; an operator acts through the guard, or at the broker behind its back. A `Deed`
is drawn without knowing what will be so when its time comes: it names what it is about by numbers that are taken
modulo what there is, and a deed that makes no sense then is not done. What the exchange refuses is refused.
"""

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random

from standfast.exchange.orders import (
    Order,
    OrderClass,
    OrderType,
    Side,
    StopLoss,
    TakeProfit,
    Terms,
    Ticket,
    TimeInForce,
)
from standfast.exchange.refusal import Refused
from standfast.model.ids import is_own
from standfast.sim.world import World

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """`verb` at `at` seconds since the start, about `instrument`; the rest is drawn from `draw`."""

    verb: str
    at: float
    instrument: str
    draw: int

    def __str__(self) -> str:
        return f"{self.at:9.3f} s: {self.verb} {self.instrument} ({self.draw})"


WEIGHTS: dict[str, float] = {
    "ask to open": 5,
    "ask to open with exits": 3,
    "ask to sell short": 2,
    "buy": 3,
    "sell short": 1.5,
    "bid": 1.5,
    "buy with a bracket": 3,
    "buy with a stop": 2,
    "buy with a target": 1,
    "add": 1.5,
    "buy a fraction": 0.5,
    "exit": 3,
    "exit in part": 1.5,
    "exit twice": 0.7,
    "exit too much": 0.5,
    "forget an entry": 0.5,
    "cancel an entry": 1,
    "close": 3,
    "close in part": 1.5,
    "protect": 1.5,
    "leave bare": 0.2,
    "flatten": 0.25,
    "freeze": 0.3,
    "thaw": 0.6,
    "adopt": 0.7,
    "ignore": 0.3,
    "cancel a stop": 1,
    "sell by hand": 1,
    "flip": 0.3,
    "close all by hand": 0.15,
}
"""How often each is done, against the others."""
AT_THE_BROKER = frozenset({"cancel a stop", "sell by hand", "flip", "close all by hand"})


class Doer(ABC):
    """Does deeds in one world, and counts those that come about."""

    drawn = "deed"
    """The stream from which each draws whatever else it needs."""
    refusal: type[Exception] = Refused

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    async def do(self, deed: Deed) -> None:
        """Raises nothing for what does not come about."""
        draw = Random(f"{self.drawn}-{deed.draw}")
        try:
            if await self._did(deed, draw):
                self.done[deed.verb] += 1
        except self.refusal:
            self.refused[deed.verb] += 1

    @abstractmethod
    async def _did(self, deed: Deed, draw: Random) -> bool:
        """Whether it came about; raises `refusal` where the exchange would not have it."""


class Workload(Doer):
    """Of shares."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    async def leave(self) -> None:
        """The bot takes back what has not filled: nobody else trades from now on, and nothing stands in the way."""
        account = self._world.rules.account
        for asset in self._world.engine.assets():
            for order in self._world.working(asset.instrument):
                is_entry = order.parent_id is None and order.intent.opens
                if is_entry and not is_own(order.client_order_id, account):
                    try:
                        await self._world.cancel(order)
                    except Refused:
                        self.refused["leave"] += 1

    async def _did(self, deed: Deed, draw: Random) -> bool:
        match deed.verb:
            case "ask to open" | "ask to open with exits" | "ask to sell short" | "ask to open below":
                return await self._ask_to_open(deed, draw)
            case "close" | "close in part" | "protect" | "leave bare":
                return await self._about_a_position(deed.verb, draw)
            case "flatten":
                await self._world.operate("flatten")
            case "freeze" | "thaw":
                await self._world.operate(deed.verb, scope=draw.choice(("", deed.instrument)))
            case "adopt" | "ignore":
                return await self._about_a_break(deed.verb, draw)
            case "close all by hand":
                self._world.wire.catch_up()
                self._world.engine.close_all(self._world.rules.account, cancel_orders=True)
            case _:
                return await self._by_the_bot(deed, draw)
        return True

    async def _by_the_bot(self, deed: Deed, draw: Random) -> bool:
        match deed.verb:
            case "buy with a bracket" | "buy with a stop" | "buy with a target":
                return await self._with_exits(deed, draw)
            case "exit" | "exit in part" | "exit twice" | "exit too much" | "sell by hand" | "flip":
                return await self._out(deed, draw)
            case "cancel an entry" | "cancel a stop":
                return await self._cancel(deed, draw)
            case _:
                return await self._enter(deed, draw)

    # --- through the guard ----------------------------------------------------------------------

    async def _ask_to_open(self, deed: Deed, draw: Random) -> bool:
        price, sign = self._price(deed.instrument), -1 if deed.verb == "ask to sell short" else 1
        arguments = {"instrument": deed.instrument, "quantity": str(sign * draw.randrange(1, 120))}
        if price is None:
            return False
        if deed.verb == "ask to open with exits":
            arguments["stop"] = str(_cents(price * (1 - sign * Decimal(draw.randrange(2, 60)) / 1000)))
            if draw.random() < 0.6:
                arguments["target"] = str(_cents(price * (1 + sign * Decimal(draw.randrange(2, 80)) / 1000)))
        if deed.verb == "ask to open below":  # it rests for long
            arguments["limit"] = str(_cents(price * (1 - Decimal(draw.randrange(60, 150)) / 1000)))
        elif draw.random() < 0.25:
            arguments["limit"] = str(_cents(price * (1 + sign * Decimal(draw.randrange(-4, 6)) / 1000)))
        if draw.random() < 0.3:
            arguments["strategy"] = draw.choice(("alpha", "beta"))
        await self._world.operate("open", **arguments)
        return True

    async def _about_a_position(self, verb: str, draw: Random) -> bool:
        account = self._world.account
        positions = sorted(account.ledger.book.state.positions) if account is not None else []
        if account is None or not positions:
            return False
        id = draw.choice(positions)
        position = account.ledger.book.state.positions[id]
        arguments: dict[str, str] = {"position": id}
        if verb == "close in part":
            held = position.held
            if held < 2:
                return False
            arguments["quantity"] = str(draw.randrange(1, int(held)))
        elif verb == "leave bare":
            arguments["none"] = "true"
        elif verb == "protect":
            price = self._price(position.holding.instrument)
            if price is None:
                return False
            arguments["stop"] = str(_cents(price * (1 - position.sign * Decimal(draw.randrange(2, 60)) / 1000)))
        await self._world.operate("protect" if verb == "leave bare" else verb.split()[0], **arguments)
        return True

    async def _about_a_break(self, verb: str, draw: Random) -> bool:
        account = self._world.account
        breaks = sorted(account.ledger.book.state.breaks) if account is not None else []
        if not breaks:
            return False
        await self._world.operate(verb, **{"break": draw.choice(breaks)})
        return True

    # --- at the broker --------------------------------------------------------------------------

    async def _enter(self, deed: Deed, draw: Random) -> bool:
        """One plain order of the bot."""
        price = self._price(deed.instrument)
        if price is None:
            return False
        side = Side.SELL if deed.verb == "sell short" else Side.BUY
        if deed.verb == "add":
            net = self._world.net(deed.instrument)
            if not net:
                return False
            side = Side.BUY if net > 0 else Side.SELL
        quantity = Decimal(draw.randrange(1, 100))
        limit: Decimal | None = None
        if deed.verb == "buy a fraction":
            quantity += Decimal(draw.randrange(1, 1000)) / 1000
        elif deed.verb in {"bid", "forget an entry"}:
            limit = _cents(price * (1 - Decimal(draw.randrange(0, 8)) / 1000))
        await self._world.submit(Ticket(terms=_terms(deed.instrument, side, quantity, limit, draw)))
        return True

    async def _with_exits(self, deed: Deed, draw: Random) -> bool:
        price = self._price(deed.instrument)
        if price is None:
            return False
        stop = _cents(price * (1 - Decimal(draw.randrange(2, 60)) / 1000))
        target = TakeProfit(limit_price=_cents(price * (1 + Decimal(draw.randrange(2, 90)) / 1000)))
        has_stop, has_target = deed.verb != "buy with a target", deed.verb != "buy with a stop"
        below = StopLoss(stop_price=stop, limit_price=draw.choice((None, None, _cents(stop * Decimal("0.99")))))
        ticket = Ticket(
            terms=Terms(
                instrument=deed.instrument,
                side=Side.BUY,
                quantity=Decimal(draw.randrange(1, 100)),
                time_in_force=draw.choice((TimeInForce.DAY, TimeInForce.GTC)),
            ),
            order_class=OrderClass.BRACKET if has_stop and has_target else OrderClass.OTO,
            take_profit=target if has_target else None,
            stop_loss=below if has_stop else None,
        )
        await self._world.submit(ticket)
        return True

    async def _out(self, deed: Deed, draw: Random) -> bool:
        """Out of what is held, more or less, as far as the exchange lets it: the bot first takes its own exits away."""
        net = self._world.net(deed.instrument)
        if not net:
            return False
        side, quantity = (Side.SELL if net > 0 else Side.BUY), abs(net)
        if deed.verb in {"exit in part", "sell by hand"} and quantity >= 2:
            quantity = Decimal(draw.randrange(1, int(quantity)))
        if deed.verb in {"exit too much", "flip"}:
            quantity += draw.randrange(1, 50)
        if draw.random() < 0.7:
            await self._clear_the_way(deed.instrument, all_of_them=deed.verb in {"sell by hand", "flip"})
        terms = Terms(instrument=deed.instrument, side=side, quantity=quantity)
        for _ in range(2 if deed.verb == "exit twice" else 1):
            await self._world.submit(Ticket(terms=terms))
        return True

    async def _clear_the_way(self, instrument: str, *, all_of_them: bool) -> None:
        for order in self._world.working(instrument):
            is_its_own = order.client_order_id.startswith("bot-") or order.parent_id is not None
            if not order.is_finished and (all_of_them or is_its_own):
                try:
                    await self._world.cancel(order)
                except Refused:
                    self.refused["clear the way"] += 1

    async def _cancel(self, deed: Deed, draw: Random) -> bool:
        wants_stop = deed.verb == "cancel a stop"
        found = [order for order in self._world.working(deed.instrument) if _is_stop(order) == wants_stop]
        if not found:
            return False
        await self._world.cancel(draw.choice(found))
        return True

    def _price(self, instrument: str) -> Decimal | None:
        quote = self._world.engine.last_quote(instrument)
        return quote.middle if quote is not None else None


def _terms(instrument: str, side: Side, quantity: Decimal, limit: Decimal | None, draw: Random) -> Terms:
    lasts = draw.choice((TimeInForce.DAY, TimeInForce.GTC)) if limit is not None else TimeInForce.DAY
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    return Terms(instrument=instrument, side=side, type=kind, quantity=quantity, limit_price=limit, time_in_force=lasts)


def _is_stop(order: Order) -> bool:
    return order.terms.stop_price is not None


def _cents(price: Decimal) -> Decimal:
    return price.quantize(CENT, rounding=ROUND_HALF_EVEN)
