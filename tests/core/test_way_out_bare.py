"""Tests of `core/way_out.py`: what is sold, where the broker no longer holds what was bought with it."""

from standfast.core.way_out import AskNets, SendLegs, Step, next_step
from standfast.model.order import Side
from tests.core.situations import D, after
from tests.core.structures import put_spread
from tests.core.test_way_out import LONG, SHORT, way


def test_what_is_sold_is_bought_back_though_nobody_knows_what_became_of_what_was_bought() -> None:
    """Asking for ever would leave it bare for as long."""

    def step(long: str, short: str = "-3", seconds: float = 20) -> Step:
        nets = {SHORT: D(short), LONG: D(long)}
        return next_step(way(put_spread(3), nets=nets, began=after(-seconds)))

    bought_back = step("0")
    assert isinstance(bought_back, SendLegs)
    ((leg, terms),) = [(order.leg, order.terms) for order in bought_back.orders]
    assert (leg.holding, terms.side, terms.quantity) == (SHORT, Side.BUY, D(3))
    assert isinstance(step("0", seconds=19), AskNets)
    assert isinstance(step("3", short="0"), AskNets)
    assert isinstance(step("0", short="2"), AskNets)
