"""The first start on an account that is being traded, at an exchange whose positions are told late."""

from dataclasses import replace

import pytest

from standfast.sim.chaos import play
from standfast.sim.outcome import Outcome
from standfast.sim.planted.of_perpetuals import calm
from standfast.sim.workload import Deed

LATE = 25.0
"""Seconds, all the time: less than the exchange is declared to be late at most."""
OPENED, TURNED = 0.1, 15.0


def begun(at: str, *verbs: tuple[float, str]) -> Outcome:
    """A guard that comes half a second after the first of these."""
    plan = calm(at, hedged=False)
    assert plan.perps is not None
    deeds = tuple(Deed(verb=verb, at=second, instrument="BTCUSDT", draw=7) for second, verb in verbs)
    return play(replace(plan, perps=replace(plan.perps, lag=(LATE, LATE)), deeds=deeds), whole=True)


@pytest.mark.parametrize("at", ["bybit", "binance"])
def test_what_a_bot_traded_just_before_is_in_the_books_and_what_it_trades_on_the_other_side_too(at: str) -> None:
    """Found by simulation: the first list lacked the trade, no fill of then was booked, and what turned the position
    round was booked beside it: twice what was held."""
    outcome = begun(at, (OPENED, "open"), (TURNED, "turn round"))

    assert outcome.violation is None
    assert outcome.deeds == {"open": 1, "turn round": 1}
    (told,) = [line for line in outcome.timeline if "AlertRaised" in line]
    assert "traded just before guarding was to begin" in told
    assert sum("FillBooked" in line for line in outcome.timeline) == 2


@pytest.mark.parametrize("at", ["bybit", "binance"])
def test_where_nothing_was_traded_guarding_begins_at_once(at: str) -> None:
    outcome = begun(at, (TURNED, "open"))

    assert outcome.violation is None
    assert not any("AlertRaised" in line for line in outcome.timeline)
