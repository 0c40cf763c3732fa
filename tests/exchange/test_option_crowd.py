"""Whatever is done with options, money and contracts are conserved and legs stay in their ratio."""

from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.exchange.fills import SomePartly
from standfast.exchange.orders import Change, Intent
from standfast.exchange.queries import Listing, OrderQuery
from standfast.exchange.refusal import Refused
from standfast.exchange.rules import Rules
from tests.exchange.option_desk import C600, C605, CLOSE, P595, P600, D, OptionDesk, multileg, open_option_desk

OPTIONS = (C600, C605, P600, P595)
CASH = D(100_000)
ALL = OrderQuery(status=Listing.ALL, limit=500)


class Crowd:
    """Seeded people at one desk; every step is followed by every check."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        partly = SomePartly(Random(seed), share=D("0.5"))
        self.desk: OptionDesk = open_option_desk(
            cash=str(CASH), rules=Rules(limited_by_size=seed % 2 == 0, refuses_wash_trades=False), fills=partly
        )

    def run(self, steps: int) -> None:
        for _ in range(steps):
            acts = (*[self.quote] * 6, *[self.many] * 6, *[self.one] * 4, *[self.change] * 3, self.fate)
            act = self.random.choice(acts)
            try:
                act()
            except (Refused, ValueError, LookupError):
                pass
            self.check()
        self.desk.engine.advance(max(CLOSE, self.desk.engine.now))
        self.check()

    def quote(self) -> None:
        name = self.random.choice((*OPTIONS, "SPY"))
        low = self.random.randrange(0, 80) if name != "SPY" else self.random.randrange(11_800, 12_200)
        bid = D(low) / 20
        if name == "SPY" and not bid:
            return
        self.desk.quote(name, str(bid), str(bid + D(self.random.randrange(1, 8)) / 20), size=self.some(1, 9))

    def one(self) -> None:
        name = self.random.choice(OPTIONS)
        self.desk.one(name, self.intent(name), self.some(1, 4), self.limit())

    def many(self) -> None:
        names = self.random.sample(OPTIONS, self.random.randrange(2, 5))
        legs = [(name, self.intent(name), self.random.randrange(1, 4)) for name in names]
        limit = None if self.random.random() < 0.4 else str(D(self.random.randrange(-60, 60)) / 20)
        self.desk.engine.submit("a", multileg(*legs, quantity=self.some(1, 4), limit=limit, of="SPY"))

    def change(self) -> None:
        resting = self.desk.engine.orders("a")
        if not resting:
            return
        order = self.random.choice(resting)
        if self.random.random() < 0.5:
            self.desk.engine.cancel("a", order.id)
        elif order.terms.limit_price is not None and not order.is_leg:
            self.desk.engine.amend("a", order.id, Change(limit_price=order.terms.limit_price + D("0.5")))

    def fate(self) -> None:
        name, engine = self.random.choice(OPTIONS), self.desk.engine
        self.random.choice((engine.assign, engine.exercise, engine.liquidate))("a", name)

    def intent(self, name: str) -> Intent:
        """Mostly one that fits what is held."""
        net = self.desk.held().get(name, D(0))
        fits = [each for each in Intent if (net * each.side.sign < 0) is not each.opens]
        return self.random.choice(fits if self.random.random() < 0.9 else list(Intent))

    def some(self, low: int, high: int) -> str:
        return str(self.random.randrange(low, high))

    def limit(self) -> str | None:
        return None if self.random.random() < 0.5 else str(D(self.random.randrange(1, 80)) / 20)

    def check(self) -> None:
        engine = self.desk.engine
        fills = engine.truth("a").fills
        held: dict[str, Decimal] = {}
        spent = D(0)
        for fill in fills:
            held[fill.instrument] = held.get(fill.instrument, D(0)) + fill.quantity
            spent += fill.quantity * fill.price * engine.asset(fill.instrument).multiplier
        assert self.desk.held() == {name: net for name, net in held.items() if net}
        assert engine.account("a").cash == CASH - spent
        cost = sum((view.cost_basis for view in engine.positions("a")), D(0))
        assert abs(engine.truth("a").realised - (engine.account("a").cash + cost - CASH)) < D("0.000001")
        for order in engine.orders("a", ALL):
            if order.is_multileg:
                legs = engine.legs(order)
                assert [leg.filled for leg in legs] == [order.filled * leg.ratio for leg in legs]
                assert {leg.is_finished for leg in legs} == {order.is_finished}
            assert order.terms.quantity is not None
            assert order.filled <= order.terms.quantity


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_nothing_is_lost_and_legs_keep_their_ratio(seed: int) -> None:
    Crowd(seed).run(80)


def test_the_same_people_do_the_same_twice() -> None:
    first, second = Crowd(7), Crowd(7)
    first.run(150)
    second.run(150)

    assert first.desk.tape == second.desk.tape


def test_at_the_end_of_the_day_no_option_is_left() -> None:
    crowd = Crowd(3)
    crowd.run(150)

    assert set(crowd.desk.held()) <= {"SPY"}
    assert crowd.desk.engine.orders("a") == []
