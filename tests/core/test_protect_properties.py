"""Properties of `core/protect.py`, on a toy broker that keeps its word."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.moving import restore_after, retry_after
from standfast.core.policy import HeldBy, Policy, Rung
from standfast.model.effects import SubmitOrder
from standfast.model.order import OrderState, OrderType, Role, Side, Terms, TimeInForce
from tests.core.situations import (
    SPY,
    D,
    P,
    closing_of,
    exit_intended,
    of,
    position,
    quoted,
    ruled,
    the,
    told,
)
from tests.core.toy_broker import Desk, desk

STOP = Policy(name="stop", stop_loss=D("0.02"))
PAIR = Policy(name="pair", stop_loss=D("0.02"), take_profit=D("0.1"))
GUARD = Policy(name="guard", held_by=HeldBy.GUARD, stop_loss=D("0.02"))
BOTH = Policy(name="both", held_by=HeldBy.BOTH, stop_loss=D("0.02"), emergency_stop=D("0.1"))
TARGET = Policy(name="target", take_profit=D("0.1"))


def rests(desk: Desk) -> list[tuple[OrderType, Decimal, Decimal | None, Decimal | None]]:
    return [(o.type, o.remaining, o.stop_price, o.limit_price) for o in desk.alive()]


policies = st.sampled_from([STOP, PAIR, GUARD, BOTH, TARGET])
exits = st.lists(
    st.tuples(st.sampled_from(["stop", "pair", "target"]), st.integers(1, 15), st.sampled_from(["97", "98", "99"])),
    max_size=4,
)


def resting(at: Desk, number: int, kind: str, quantity: int, price: str) -> None:
    """An exit of ours that rests already, right or wrong."""
    sign = the(at.book).sign
    target = "110" if sign > 0 else "90"
    meant = exit_intended(
        Role.TARGET if kind == "target" else Role.STOP,
        quantity,
        stop=None if kind == "target" else (price if sign > 0 else str(200 - int(price))),
        target=None if kind == "stop" else target,
        attempt=number,
        side=Side.SELL if sign > 0 else Side.BUY,
    )
    at.tell(meant)
    at.accept(meant)


@given(st.sampled_from([1, -1]), st.integers(1, 20), exits, policies)
def test_from_any_start_protection_converges_never_adds_to_excess_and_rests(
    sign: int, held: int, found: list[tuple[str, int, str]], policy: Policy
) -> None:
    at = desk(*position(sign * held), rules=ruled(policy))
    for number, (kind, quantity, price) in enumerate(found, start=1):
        resting(at, number, kind, quantity, price)
    before = sum(o.remaining for o in at.alive())

    for _ in range(LOOKS):
        at.look()
        total = sum((o.remaining for o in at.alive()), D(0))
        assert total <= max(before, D(held))

    assert sum((o.remaining for o in at.alive()), D(0)) == (0 if policy is GUARD else held)
    sent = len(at.sent)
    at.wait(60)
    at.run()
    assert len(at.sent) == sent, "protection at rest moves nothing"


LOOKS = 40


@given(
    st.sampled_from([1, -1]),
    st.integers(1, 12),
    st.lists(st.sampled_from(["look", "fill", "cancel", "close", "part", "wait", "refuse"]), max_size=25),
    policies,
    st.integers(0, 5),
)
def test_what_may_reduce_never_exceeds_what_is_held_whatever_happens(
    sign: int, held: int, events: list[str], policy: Policy, salt: int
) -> None:
    at = desk(*position(sign * held), rules=ruled(policy), fills_markets=salt % 2 == 0)
    refusals: list[str] = []
    at.refuses = lambda effect: refusals.pop() if refusals else ""
    for number, event in enumerate(events):
        alive = at.alive()
        match event:
            case "look":
                at.look()
            case "fill" if alive:
                order = alive[(number + salt) % len(alive)]
                at.fill(order.broker_id, min(order.remaining, D(1 + salt)))
            case "cancel" if alive:
                at.end(alive[(number + salt) % len(alive)].broker_id, OrderState.CANCELLED)
            case "close" if P in at.book.state.positions:
                at.tell(closing_of())
            case "part" if P in at.book.state.positions and the(at.book).held > 1:
                at.tell(closing_of(remain=1))
            case "refuse":
                refusals.append("other")
            case _:
                at.wait(1 + salt)

    assert at.over == []
    assert at.net.get(SPY, D(0)) * sign >= 0, "the holding has changed its side"


def test_terms_of_an_exit_reduce_and_rest() -> None:
    at = desk(*position(10))
    at.run()

    (sent,) = of(SubmitOrder, at.sent)
    assert sent.intent.terms == Terms(
        side=Side.SELL,
        quantity=D(10),
        type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_price=D(98),
        reduces=True,
    )


def test_rungs_above_do_not_matter_here() -> None:
    """A ladder alone rests nothing until its first rung is armed."""
    ladder = Policy(name="ladder", trailing=(Rung(D("0.1"), None),))
    at = desk(*position(10), rules=ruled(ladder))
    at.run()
    assert at.alive() == []

    at.sights = {SPY: quoted("111")}
    at.run()

    assert rests(at) == [(OrderType.STOP, D(10), D(100), None)]
    assert told(at.book) is at.book


def test_waiting_grows_and_has_an_end() -> None:
    assert [retry_after(n).total_seconds() for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [restore_after(n).total_seconds() for n in range(1, 8)] == [5, 15, 45, 135, 405, 600, 600]
