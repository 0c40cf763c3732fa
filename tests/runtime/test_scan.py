"""One look without a guard: what a bot keeps in order is no break."""

from dataclasses import replace

import pytest

from standfast.core.policy import Foreign, Rules
from standfast.exchange.orders import Side, Ticket
from standfast.model.breaks import Break, BreakKind
from standfast.runtime.scan import scan
from standfast.sim.adapter import EngineBroker
from standfast.sim.world import World, play
from tests.sim.stories import START, STILL, STOP_ONLY, D, bracket, market, resting_stop

ALERTING = replace(STOP_ONLY, foreign=Foreign.ALERT)
"""As `init` writes it."""


def breaks_beside(*orders: Ticket, rules: Rules = ALERTING) -> list[Break]:
    """What a scan without a ledger says after a bot has sent these."""

    async def story(world: World) -> list[Break]:
        for order in orders:
            await world.submit(order)
            await world.run_for(1)
        found, unverified = await scan(rules, EngineBroker(world.wire), world.clock, None)
        assert unverified == []
        return found

    return play(story, rules, STILL, start=START)


@pytest.mark.parametrize("foreign", Foreign)
def test_the_exits_a_bot_rests_under_what_it_holds_are_no_breaks(foreign: Foreign) -> None:
    rules = replace(ALERTING, foreign=foreign)

    assert breaks_beside(bracket(100, "130.00", "98.00"), rules=rules) == []
    assert breaks_beside(market(Side.BUY, 100), resting_stop(100, "97.00"), rules=rules) == []


def test_one_for_less_than_is_held_is_a_lack_of_cover() -> None:
    (found,) = breaks_beside(market(Side.BUY, 100), resting_stop(60, "97.00"))

    assert (found.finding.kind, found.finding.reported) == (BreakKind.UNCOVERED, "60 covered")


def test_an_order_that_could_only_open_is_nobodys() -> None:
    more = replace(resting_stop(60, "97.00").terms, side=Side.BUY, stop_price=D(105))

    found = breaks_beside(bracket(100, "130.00", "98.00"), Ticket(terms=more))

    assert [(each.finding.kind, each.finding.reported) for each in found] == [(BreakKind.ORPHAN_ORDER, "buy 60 stop")]
