"""A seeded crowd of calls at the simulated exchange, and what must be so after each of them."""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from standfast.exchange.fills import SomePartly
from standfast.exchange.orders import Change, Order, OrderClass, Side, StopLoss, Ticket
from standfast.exchange.queries import Listing, OrderQuery
from standfast.exchange.refusal import Refused
from tests.exchange.desk import BUY, SECOND, SELL, D, Desk, Rules, TimeInForce, exits, open_desk, ticket

RULES = (
    Rules(),
    Rules(limited_by_size=True),
    Rules(accept_after=2 * SECOND, cancel_after=3 * SECOND, replace_after=2 * SECOND, fill_after=SECOND),
    Rules(stop_leg_stays_held=True, fee_per_unit=D("0.003"), cancels_wait_for_open=True),
)


class Chaos:
    """A seeded crowd of calls, sensible and not. Refusals are part of the game."""

    def __init__(self, seed: int, rules: Rules) -> None:
        self.random = Random(seed)
        self.desk = open_desk(rules, seed=seed, fills=SomePartly(Random(seed), share=D("0.3")))
        self.price = 100_00
        self.refused = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            try:
                self.step()
            except Refused:
                self.refused += 1
            check_invariants(self.desk)

    def step(self) -> None:
        draw = self.random.random()
        if draw < 0.35:
            self.move()
        elif draw < 0.75:
            self.desk.engine.submit("a", self.ticket())
        elif draw < 0.85:
            self.pick(self.desk.cancel)
        elif draw < 0.92:
            self.pick(self.change)
        elif draw < 0.95:
            self.desk.engine.close_position("a", "KO")
        elif draw < 0.96:
            self.pick(self.force)
        elif draw < 0.98:
            is_open = not self.desk.engine.clock().is_open
            self.desk.engine.session(is_open=is_open, at=self.desk.engine.now + SECOND)
        else:
            self.desk.engine.close_all("a", cancel_orders=True)

    def move(self) -> None:
        self.price = max(10_00, self.price + self.random.randrange(-300, 301))
        bid = D(self.price) / 100
        self.desk.quote(str(bid), str(bid + D("0.02")), size=str(self.random.randrange(1, 20)))

    def pick(self, deed: Callable[[Order], None]) -> None:
        orders = self.desk.engine.orders("a")
        if orders:
            deed(self.random.choice(orders))

    def change(self, order: Order) -> None:
        near = D(self.price + self.random.randrange(-200, 201)) / 100
        limit = near if order.terms.limit_price is not None else None
        stop = near if limit is None and order.terms.stop_price is not None else None
        self.desk.engine.replace("a", order.id, Change(limit_price=limit, stop_price=stop))

    def force(self, order: Order) -> None:
        if order.live_at is not None and order.remaining >= 1:
            self.desk.engine.fill_now(order.id, D(1), D(self.price) / 100)

    def ticket(self) -> Ticket:
        random = self.random
        side = random.choice([BUY, SELL])
        up, down = D(self.price + random.randrange(1, 300)) / 100, D(self.price - random.randrange(1, 300)) / 100
        stop = up if side is BUY else down
        quantity = D(random.randrange(1, 30))
        lasts = random.choice([TimeInForce.DAY, TimeInForce.GTC])
        match random.randrange(8):
            case 0:
                return _ticket(side, quantity, lasts)
            case 1:
                return _ticket(side, quantity, lasts, limit_price=random.choice([up, down]))
            case 2:
                return _ticket(side, quantity, lasts, stop_price=stop)
            case 3:
                return _ticket(side, quantity, lasts, trail_price=D("1.50"))
            case 4:
                return ticket(side, None, notional=str(random.randrange(1, 500)))
            case 5:
                return ticket(side, str(D(random.randrange(1, 10**10)) / 10**9))
            case 6:
                legs = exits(str(up), str(down)) if side is BUY else exits(str(down), str(up))
                plain = _ticket(side, quantity, lasts)
                return Ticket(terms=plain.terms, order_class=OrderClass.BRACKET, **legs)
            case _:
                limit, loss = (up, down) if side is SELL else (down, up)
                plain = _ticket(side, quantity, lasts, limit_price=limit)
                return Ticket(terms=plain.terms, order_class=OrderClass.OCO, stop_loss=StopLoss(stop_price=loss))


def _ticket(side: Side, quantity: Decimal, lasts: TimeInForce, **prices: Decimal) -> Ticket:
    return ticket(side, str(quantity), time_in_force=lasts, **prices)


def check_invariants(desk: Desk) -> None:
    engine = desk.engine
    account, truth = engine.account("a"), engine.truth("a")
    spent = sum((fill.quantity * fill.price for fill in truth.fills), D(0))
    assert account.cash == 100_000 - spent - truth.fees, "money is conserved"
    net = sum((fill.quantity for fill in truth.fills), D(0))
    assert desk.net() == net, "the position is the sum of its fills"
    for position in engine.positions("a"):
        assert 0 <= position.available <= abs(position.quantity), "no more is held than there is"
        assert position.unrealised is not None
        worth = account.cash + sum((row.market_value or D(0) for row in engine.positions("a")), D(0))
        assert account.equity == worth
        gained = truth.realised + position.unrealised - truth.fees
        assert abs(account.equity - 100_000 - gained) < D("1e-9"), "equity is cash and profit"
    for order in engine.orders("a", OrderQuery(status=Listing.ALL, limit=500)):
        if order.terms.quantity is not None:
            assert 0 <= order.filled <= order.terms.quantity
        check_group(desk, order)


def check_group(desk: Desk, parent: Order) -> None:
    if parent.order_class is OrderClass.SIMPLE or parent.parent_id is not None or parent.status.value == "replaced":
        return
    legs = desk.legs(parent)
    if parent.order_class is OrderClass.BRACKET:
        live = [leg for leg in legs if leg.live_at is not None]
        assert not live or parent.status.value == "filled", "no exit lives before its entry has filled"
        pair = legs
        assert _group_filled(desk, pair) <= _group_filled(desk, (parent,)), (
            "exits never sell more than the entry bought"
        )
    else:
        pair = (parent, *legs)
    assert sum(member.status.value == "filled" for member in pair) <= 1, "of a pair one fills"
    if any(member.is_finished for member in pair):
        assert all(member.is_finished for member in pair), "a pair ends together"


def _group_filled(desk: Desk, members: tuple[Order, ...]) -> Decimal:
    """What these filled, and what the orders they replaced had filled."""
    total, queue = D(0), list(members)
    while queue:
        order = queue.pop()
        total += order.filled
        if order.replaces is not None:
            queue.append(desk.engine.order("a", order.replaces))
    return total
