"""Tests of `core/results.py`: results, prices, levels, and how far a quote can be trusted."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.movements import book_movements
from standfast.core.policy import HeldBy, Policy
from standfast.core.results import Clarity, Judged, Levels, judge, levels, price_at, result_at
from standfast.core.situation import Sight
from standfast.model import journal as j
from standfast.model.order import Movement, MovementKind
from standfast.model.position import CloseReason, Trail
from tests.core.situations import SPY, D, P, adopted, after, folded, opening_of, position, quoted, situation, the, told

POLICY = Policy(name="all", stop_loss=D("0.02"), take_profit=D("0.1"), emergency_stop=D("0.2"))
TIGHT = Policy(name="tight", held_by=HeldBy.GUARD, stop_loss=D("0.02"))

money = st.integers(1, 10_000).map(lambda n: Decimal(n) / 100)


@given(st.sampled_from([10, -10]), money, money)
def test_results_and_prices_are_each_others_inverse(quantity: int, entry: Decimal, price: Decimal) -> None:
    held = the(folded(*position(quantity, str(entry))))

    assert abs(price_at(held, result_at(held, price)) - price) < Decimal("1e-20")


@given(money, money)
def test_what_a_long_gains_a_short_loses(entry: Decimal, price: Decimal) -> None:
    long, short = (the(folded(*position(q, str(entry)))) for q in (10, -10))

    assert result_at(long, price) == -result_at(short, price)


def levels_of(*facts: j.Fact, policy: Policy = POLICY) -> Levels:
    book = folded(*facts)
    return levels(book, the(book), policy)


def test_levels_stand_on_the_losing_and_the_winning_side() -> None:
    expected = Levels(stop=D(98), stop_reason=CloseReason.STOP_LOSS, emergency=D(80), target=D(110))
    assert levels_of(*position(10)) == expected
    assert levels_of(*position(-10)) == expected._replace(stop=D(102), emergency=D(120), target=D(90))


def test_what_was_chosen_for_a_position_comes_before_the_policy() -> None:
    chosen = levels_of(*position(10), j.ProtectionChosen(position=P, stop=D(95), target=D(130), bare=False, by="op"))

    assert (chosen.stop, chosen.target, chosen.emergency) == (D(95), D(130), D(80))


def test_losses_are_figured_from_the_anchor_and_gains_from_the_entry() -> None:
    found = levels_of(adopted(10, 100, anchor="50"))

    assert (found.stop, found.emergency, found.target) == (D(49), D(40), D(110))


def test_a_trailing_stop_counts_where_it_is_nearer() -> None:
    moved = j.TrailMoved(position=P, trail=Trail(rung=0, peak=D("0.1"), stop=D("0.05")))
    below = j.TrailMoved(position=P, trail=Trail(rung=0, peak=D("0.1"), stop=D("-0.05")))

    trailing = levels_of(*position(10), moved)
    assert (trailing.stop, trailing.stop_reason) == (D(105), CloseReason.TRAILING)
    plain = levels_of(*position(10), below)
    assert (plain.stop, plain.stop_reason) == (D(98), CloseReason.STOP_LOSS)


def test_a_gain_that_no_price_can_bring_is_never_taken() -> None:
    """A price of zero is none: no order may name it, and the stop beside it would be refused with it."""
    doubled = Policy(name="doubled", stop_loss=D("0.02"), take_profit=D(1))

    assert levels_of(*position(10), policy=doubled).target == D(200)
    short = levels_of(*position(-10), policy=doubled)
    assert (short.stop, short.target) == (D(102), None)


def test_what_has_not_filled_has_no_levels() -> None:
    assert levels_of(*opening_of(10)) == Levels(
        stop=None, stop_reason=CloseReason.STOP_LOSS, emergency=None, target=None
    )
    assert levels_of(*opening_of(10)).outermost is None


def judged(bid: str, ask: str, *, quantity: int = 10, before: tuple[str, str] | None = None) -> Judged:
    book = folded(*position(quantity))
    s = situation(book, policy=TIGHT, sights={SPY: quoted(bid, ask, before=before)})
    return judge(s, the(book), TIGHT)


def test_a_narrow_quote_is_judged_at_the_side_one_would_close_at() -> None:
    assert judged("99", "100") == Judged(Clarity.CLEAR, D(99), D(99))
    assert judged("99", "100", quantity=-10) == Judged(Clarity.CLEAR, D(100), D(100))


def test_a_wide_quote_is_judged_at_the_mid_that_is_further_from_the_rule() -> None:
    wide = judged("98", "102", before=("96", "100"))
    short = judged("98", "102", before=("96", "100"), quantity=-10)

    assert (wide.clarity, wide.price, wide.gain) == (Clarity.WIDE, D(100), D(98))
    assert (short.clarity, short.price, short.gain) == (Clarity.WIDE, D(98), D(100))


def test_where_only_a_stop_of_its_own_ends_a_loss_its_distance_says_what_is_wide() -> None:
    """Entered at 100 and stopped at 95, or sold and stopped at 105: 2.5 apart is as much as is believed."""
    off = Policy(name="off", held_by=HeldBy.GUARD)

    def clarity(ask: str, stop: str, quantity: int = 10) -> Clarity:
        chosen = j.ProtectionChosen(position=P, stop=D(stop), target=None, bare=False, by="op")
        book = folded(*position(quantity), chosen)
        return judge(situation(book, policy=off, sights={SPY: quoted("94", ask)}), the(book), off).clarity

    assert clarity("96.5", "95") is Clarity.CLEAR
    assert clarity("96.51", "95") is Clarity.BLIND
    assert clarity("96.51", "105", -10) is Clarity.BLIND
    assert clarity("99", "100") is Clarity.CLEAR


def test_a_quote_that_says_nothing_is_blind_and_says_why() -> None:
    assert judged("0", "100").reason == "bid 0 ask 100"
    assert judged("101", "100").clarity is Clarity.BLIND
    assert judged("98", "102").clarity is Clarity.BLIND
    assert judged("98", "102", before=("0", "102")).clarity is Clarity.BLIND
    book = folded(*position(10))
    assert judge(situation(book, sights={}), the(book), TIGHT).reason == "no quote"
    old = situation(book, sights={SPY: quoted("99", at=after(-16))})
    assert judge(old, the(book), TIGHT).reason == "last quote 16 s old"


def test_a_quote_of_before_a_split_that_is_booked_judges_nothing() -> None:
    """Its price has not been heard of yet: at the old one, a position of half the shares has lost half its worth."""
    at = after(-1)
    rows = [
        Movement(id=id, kind=MovementKind.SPLIT, broker_kind="SPLIT", holding=SPY, quantity=D(quantity), at=at)
        for id, quantity in (("out", -10), ("in", 5))
    ]
    book = folded(*position(10))
    book = told(book, *book_movements(book, rows))
    assert the(book).entry_price == D(200)

    old, new = quoted("100", "100.02", at=after(-2)), quoted("200", "200.04")
    wide = Sight(replace(new.quote, bid=D(195)), old.quote)

    def clarity(sight: Sight) -> Clarity:
        return judge(situation(book, sights={SPY: sight}), the(book), TIGHT).clarity

    assert clarity(old) is Clarity.BLIND
    assert clarity(new) is Clarity.CLEAR
    assert clarity(wide) is Clarity.BLIND
    assert clarity(replace(wide, before=new.quote)) is Clarity.WIDE
