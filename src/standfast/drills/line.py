"""The bot's line to its broker: what any trading script has, and no more.

Two ways lead to the same exchange (in process, over HTTP); a bot cannot tell which it is on. What it does is told as it
is done. A line never retries and never repairs: whatever is careless about a bot is written in the bot.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from standfast.exchange.contracts import contract_of
from standfast.exchange.orders import (
    FINISHED,
    STOPS,
    Intent,
    Leg,
    Order,
    OrderClass,
    OrderType,
    Side,
    Status,
    StopLoss,
    TakeProfit,
    Terms,
    Ticket,
    TimeInForce,
)

Answer = TypeVar("Answer")


class Refused(Exception):
    """The broker said no."""


class NoAnswer(Exception):
    """A timeout, a name that does not resolve, a reply nobody can read: what a script sees of all of them."""


async def answered(asked: Awaitable[Answer], say: Callable[[str], None]) -> Answer:
    """What comes back; anything else is told, and raised."""
    try:
        return await asked
    except Refused as refused:
        say(f"is refused: {refused}")
        raise
    except NoAnswer as lost:
        say(f"hears nothing: {lost}")
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An order as the bot is shown it."""

    id: str
    client_id: str
    instrument: str
    side: Side
    type: OrderType
    status: Status
    quantity: Decimal
    filled: Decimal
    average_price: Decimal | None = None
    stop_price: Decimal | None = None
    legs: tuple["Seen", ...] = ()

    @property
    def is_open(self) -> bool:
        return self.status not in FINISHED

    @property
    def is_stop(self) -> bool:
        return self.type in STOPS


def seen(order: Order, legs: Sequence[Order] = ()) -> Seen:
    """The exchange's record, as a client reads it."""
    return Seen(
        id=order.id,
        client_id=order.client_order_id,
        instrument=order.instrument,
        side=order.side,
        type=order.terms.type,
        status=order.status,
        quantity=order.terms.quantity or Decimal(0),
        filled=order.filled,
        average_price=order.average_price,
        stop_price=order.terms.stop_price,
        legs=tuple(seen(leg) for leg in legs),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What an order asks for beside side and quantity; at the market for today when nothing is said."""

    limit: str | None = None
    stop: str | None = None
    lasts: TimeInForce = TimeInForce.DAY
    target_leg: str | None = None
    stop_leg: str | None = None
    stop_leg_limit: str | None = None
    """With it the stop leg is a stop-limit."""
    id: str | None = None


MARKET = How()


def ticket(side: Side, instrument: str, quantity: Decimal, how: How) -> Ticket:
    """With both legs a bracket, with one an OTO."""
    limit, stop = (None if price is None else Decimal(price) for price in (how.limit, how.stop))
    kinds = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOP,
        (True, True): OrderType.STOP_LIMIT,
    }
    groups = {(False, False): OrderClass.SIMPLE, (True, True): OrderClass.BRACKET}
    leg_limit = None if how.stop_leg_limit is None else Decimal(how.stop_leg_limit)
    return Ticket(
        terms=Terms(
            instrument=instrument,
            side=side,
            quantity=quantity,
            type=kinds[limit is not None, stop is not None],
            time_in_force=how.lasts,
            limit_price=limit,
            stop_price=stop,
        ),
        client_order_id=how.id,
        order_class=groups.get((how.target_leg is not None, how.stop_leg is not None), OrderClass.OTO),
        take_profit=None if how.target_leg is None else TakeProfit(limit_price=Decimal(how.target_leg)),
        stop_loss=None if how.stop_leg is None else StopLoss(stop_price=Decimal(how.stop_leg), limit_price=leg_limit),
    )


def intent_of(quantity: int, *, closes: bool = False) -> Intent:
    """Of an order that buys (positive) or sells so much."""
    return Intent(f"{'buy' if quantity > 0 else 'sell'}_to_{'close' if closes else 'open'}")


def alone(contract: str, quantity: int, *, id: str | None = None) -> Ticket:
    """Open one leg by itself, at the market: bought where positive."""
    intent = intent_of(quantity)
    terms = Terms(instrument=contract, side=intent.side, quantity=Decimal(abs(quantity)))
    return Ticket(terms=terms, intent=intent, client_order_id=id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Legs as an opening is written (`SPXW261008P06885000:-1 SPXW261008P06875000:+1`), and how many of it."""

    legs: str
    units: int = 1

    def signed(self, *, closes: bool = False) -> list[tuple[str, int]]:
        """What one unit buys (positive) and sells of each contract, when it is opened or closed."""
        legs = [leg.rpartition(":") for leg in self.legs.split()]
        return [(name, -int(ratio) if closes else int(ratio)) for name, _, ratio in legs]

    def ticket(self, *, brings: str | None = None, closes: bool = False, id: str | None = None) -> Ticket:
        """`brings`: at least, a unit; negative: what it may cost. At the market without it."""
        rows = self.signed(closes=closes)
        contract = contract_of(rows[0][0])
        assert contract is not None, rows
        legs = [
            Leg(instrument=name, intent=intent_of(ratio, closes=closes), ratio=Decimal(abs(ratio)))
            for name, ratio in rows
        ]
        return Ticket(
            terms=Terms(
                instrument=contract.underlying,
                side=Side.BUY,
                quantity=Decimal(self.units),
                type=OrderType.MARKET if brings is None else OrderType.LIMIT,
                limit_price=None if brings is None else -Decimal(brings),
            ),
            client_order_id=id,
            order_class=OrderClass.MULTILEG,
            legs=tuple(legs),
        )


def net_told(price: Decimal | None) -> str:
    """The signed limit of a whole; None: at the market."""
    if price is None:
        return "at the market"
    return f"for {abs(price):.2f} {'credit' if price < 0 else 'debit'}" if price else "at even"


def together_told(units: str, legs: Sequence[Leg] | Sequence[Order], limit: Decimal | None) -> str:
    """An order for all legs."""
    shown = " ".join(f"{leg.instrument}:{leg.ratio * leg.intent.side.sign:+}" for leg in legs)
    return f"{'open' if legs[0].intent.opens else 'close'} {units} x {shown} {net_told(limit)}"


def told(asked: Ticket) -> str:
    """A ticket in plain words."""
    terms = asked.terms
    if asked.legs:
        return f"{asked.client_order_id}: {together_told(str(terms.quantity), asked.legs, terms.limit_price)}"
    words = [f"{asked.client_order_id}: {terms.side} {terms.quantity} {terms.instrument}"]
    words.append("at the market" if terms.type is OrderType.MARKET else terms.type.value.replace("_", "-"))
    words += [f"at {price}" for price in (terms.stop_price, terms.limit_price) if price is not None]
    if asked.take_profit is not None:
        words.append(f"with a target leg at {asked.take_profit.limit_price}")
    if asked.stop_loss is not None:
        kind = "stop" if asked.stop_loss.limit_price is None else "stop-limit"
        words.append(f"with a {kind} leg at {asked.stop_loss.stop_price}")
    if terms.type is not OrderType.MARKET or asked.order_class is not OrderClass.SIMPLE:
        words.append("for the day" if terms.time_in_force is TimeInForce.DAY else f"({terms.time_in_force})")
    return " ".join(words)


class Line(ABC):
    """Every method raises `NoAnswer`; writes raise `Refused` too."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._sent = 0

    # --- what a bot does ------------------------------------------------------------------------

    async def buy(self, instrument: str, quantity: Decimal | int, how: "How | None" = None) -> Seen:
        return await self.submit(ticket(Side.BUY, instrument, Decimal(quantity), how or MARKET))

    async def sell(self, instrument: str, quantity: Decimal | int, how: "How | None" = None) -> Seen:
        return await self.submit(ticket(Side.SELL, instrument, Decimal(quantity), how or MARKET))

    async def open(self, spread: Spread, brings: str | None = None) -> Seen:
        """All legs as one order."""
        return await self.submit(spread.ticket(brings=brings))

    async def close(self, spread: Spread, brings: str | None = None) -> Seen:
        return await self.submit(spread.ticket(brings=brings, closes=True))

    async def submit(self, asked: Ticket) -> Seen:
        """Sends it once. Without a client order id it gets a fresh one, as most scripts do."""
        self._sent += 1
        if asked.client_order_id is None:
            asked = replace(asked, client_order_id=f"bot-{self._sent}")
        self._say(f"sends {told(asked)}")
        return await answered(self._submit(asked), self._say)

    async def cancel(self, order: Seen) -> None:
        self._say(f"cancels {order.client_id} ({order.side} {order.quantity} {order.instrument} {order.type})")
        await answered(self._cancel(order), self._say)

    async def order(self, order: Seen) -> Seen:
        """As it reads now."""
        return await self._order(order.id)

    async def find(self, client_id: str) -> Seen | None:
        """By client order id; None where the broker knows none."""
        return await self._find(client_id)

    async def orders(self) -> list[Seen]:
        """The open ones, legs inside their parents."""
        return await self._orders()

    async def positions(self) -> dict[str, Decimal]:
        """Signed quantity by instrument."""
        return await self._positions()

    async def quotes(self, instruments: Sequence[str]) -> dict[str, tuple[Decimal, Decimal]]:
        """Bid and ask, zero for a side without; as far as there are any."""
        return await self._quotes(instruments)

    # --- how it travels -------------------------------------------------------------------------

    @abstractmethod
    async def _submit(self, asked: Ticket) -> Seen: ...

    @abstractmethod
    async def _cancel(self, order: Seen) -> None: ...

    @abstractmethod
    async def _order(self, id: str) -> Seen: ...

    @abstractmethod
    async def _find(self, client_id: str) -> Seen | None: ...

    @abstractmethod
    async def _orders(self) -> list[Seen]: ...

    @abstractmethod
    async def _positions(self) -> dict[str, Decimal]: ...

    @abstractmethod
    async def _quotes(self, instruments: Sequence[str]) -> dict[str, tuple[Decimal, Decimal]]: ...
