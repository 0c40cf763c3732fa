"""Tests of `core/protect.py`: how often a resting stop follows a trail."""

from standfast.core.policy import Policy
from standfast.model import journal as j
from standfast.model.effects import CancelOrder, ReplaceOrder
from standfast.model.position import Trail
from tests.core.situations import SPY, D, P, of, position, quoted, ruled, the
from tests.core.toy_broker import Desk, desk

PAIR = Policy(name="pair", stop_loss=D("0.02"), take_profit=D("0.5"))


def climbing(at: Desk, seconds: int) -> None:
    """The price rises, and each second the trail takes a step of half a percent."""
    for number in range(seconds):
        stop = D("0.01") + number * D("0.005")
        at.tell(j.TrailMoved(position=P, trail=Trail(rung=0, peak=stop + D("0.1"), stop=stop)))
        at.run()
        at.wait(1)


def test_a_stop_follows_a_price_that_runs_every_five_seconds_and_ends_where_the_trail_does() -> None:
    """Found by simulation: two lots, a quote every other second, and 55 orders of one instrument in a minute."""
    at = desk(*position(10), sights={SPY: quoted("149")})
    at.run()

    climbing(at, 60)

    assert len(of(ReplaceOrder, at.sent)) == 12
    at.wait(5)
    at.run()
    assert [order.stop_price for order in at.alive()] == [D("130.5")]


def test_one_that_must_be_taken_away_for_it_follows_twice_a_minute() -> None:
    at = desk(*position(10), rules=ruled(PAIR), sights={SPY: quoted("149")})
    at.run()

    climbing(at, 60)

    assert len(of(CancelOrder, at.sent)) == 1
    at.wait(30)
    at.run()
    (pair,) = at.alive()
    assert [leg.stop_price for leg in pair.legs] == [D("130.5")]


def test_a_stop_an_operator_moves_is_moved_at_once() -> None:
    at = desk(*position(10), sights={SPY: quoted("149")})
    at.run()
    climbing(at, 2)

    at.tell(j.ProtectionChosen(position=P, stop=D(120), target=None, bare=False, by="operator"))
    at.run()

    assert [order.stop_price for order in at.alive()] == [D(120)]
    assert the(at.book).trail is not None
