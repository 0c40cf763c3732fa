"""What a stroke lets others do at the exchange, beyond a bot's and an operator's deeds."""

from datetime import timedelta
from decimal import Decimal

from standfast.exchange.orders import OrderClass, OrderType, Side, Terms, Ticket
from standfast.exchange.refusal import Refused
from standfast.model.ids import is_own
from standfast.sim.strokes import Stroke
from standfast.sim.world import World

ONE = Decimal(1)
LATELY = timedelta(minutes=10)
"""A trade is taken back within so long."""
FLOOD = "flood-"
"""Begins the client order ids of orders that come in masses; they never fill."""


def flood(world: World, stroke: Stroke) -> int:
    """A bot that quotes: orders far from the market, placed and cancelled as fast as it can."""
    engine, quote = world.engine, world.engine.last_quote(stroke.target)
    if quote is None or not engine.is_tradable(stroke.target):
        return 0
    account = world.rules.account
    price = (quote.bid / 2).quantize(Decimal("0.01"))
    terms = Terms(
        instrument=stroke.target, side=Side.BUY, type=OrderType.LIMIT, quantity=ONE, limit_price=max(price, ONE)
    )
    world.wire.catch_up()
    count = 0
    for n in range(round(20 + 300 * stroke.strength)):
        try:
            order = engine.submit(account, Ticket(terms=terms, client_order_id=f"{FLOOD}{stroke.at}-{n}"))
            engine.cancel(account, order.id)
        except Refused:
            return count
        count += 1
    return count


def take_back(world: World, stroke: Stroke) -> int:
    """The exchange takes back the last trade of an instrument, or gives it another price.

    Not the entry or exit of somebody else's bracket: what then rests beyond what is held is its owner's to end.
    """
    world.wire.catch_up()
    engine, account = world.engine, world.rules.account
    fills = [fill for fill in engine.truth(account).fills if fill.instrument == stroke.target]
    if not fills or fills[-1].kind != "trade" or engine.now - fills[-1].at > LATELY:
        return 0
    draw, last = stroke.random(), fills[-1]
    order = engine.order(account, last.order_id)
    parent = order if order.parent_id is None else engine.order(account, order.parent_id)
    if parent.order_class is not OrderClass.SIMPLE and not is_own(parent.client_order_id, account):
        return 0
    try:
        if draw.random() < 0.7:
            engine.bust(account, last.execution_id)
        else:
            price = last.price * Decimal(draw.randrange(970, 1031)) / 1000
            engine.correct(account, last.execution_id, price.quantize(Decimal("0.01")))
    except ValueError:
        return 0  # it has split since
    return 1
