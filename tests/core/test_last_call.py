"""Tests of `core/way_out.py` and `core/unwinding.py`: what is closed in the last minutes of its last day."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from standfast.core.policy import FlatBy
from standfast.core.way_out import MARKET, SendTogether, State, Wait, Withdraw, next_step
from standfast.model.position import CloseReason
from tests.core.situations import NEW_YORK, NOW, after, ruled
from tests.core.spreads import SPREADS, opened
from tests.core.structures import put_spread
from tests.core.test_way_out import tried, way

LATE = datetime.combine(NOW.date(), time(15, 58), NEW_YORK).astimezone(UTC)
CLOSE = LATE + timedelta(minutes=2)


def test_what_has_to_be_flat_two_minutes_before_its_end_waits_for_no_price_beyond_it() -> None:
    desk = opened(rules=ruled(replace(SPREADS, expiring_flat_by=FlatBy(time(15, 58), NEW_YORK))))
    desk.fills_together = lambda effect: False  # nobody quotes it here either
    desk.now = LATE
    while not desk.together and desk.now < CLOSE:
        desk.sights = {}
        desk.run()
        desk.wait(5)

    assert [effect.intent.net for effect in desk.together] == [None]
    assert desk.now <= CLOSE - timedelta(seconds=25)


def test_a_slow_ladder_is_cut_short() -> None:
    slow = {"reason": CloseReason.FLAT_BY, "patience": timedelta(seconds=45), "ends": after(40)}

    assert next_step(way(put_spread(), tried(1, State.UNDER_WAY), **slow)) == Wait(after(10))
    late = {**slow, "ends": after(30)}
    assert isinstance(next_step(way(put_spread(), tried(1, State.UNDER_WAY), **late)), Withdraw)
    step = next_step(way(put_spread(), tried(1), **late))
    assert isinstance(step, SendTogether)
    assert (step.rung, step.net) == (MARKET, None)
    assert next_step(way(put_spread(), tried(MARKET, State.UNDER_WAY), **late)) == Wait(after(35))
