"""Tests of `core/dealing.py`: units of structures that add up to what is held of every contract."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from standfast.core.dealing import TRIED_MAX, Contract, Hand, dealt
from standfast.model.ids import PositionId
from tests.core.structures import at

A, B, C, E, F = ((at("P", strike), sign) for strike, sign in ((3500, 1), (3550, 1), (3600, 1), (3800, -1), (3850, -1)))


def hand(name: str, units: int, most: int, **ratios: int) -> Hand:
    names = {"a": A, "b": B, "c": C, "e": E, "f": F}
    return Hand(id=PositionId(name), ratios={names[key]: each for key, each in ratios.items()}, units=units, most=most)


def test_what_is_held_just_so_changes_nothing() -> None:
    assert dealt([hand("one", 2, 3, a=1, e=1)], {}) == {}


def test_the_one_that_has_lost_a_leg_gets_it_from_the_one_that_has_too_much_of_it() -> None:
    old, new = hand("old", 0, 2, a=1, e=1), hand("new", 0, 2, a=1, f=1)

    assert dealt([old, new], {E: 2, A: 2}) == {"old": 2}


def test_a_whole_one_gives_where_two_have_lost_what_it_can_give() -> None:
    hands = [hand("whole", 3, 3, a=1, e=1), hand("one", 0, 3, a=1, f=1), hand("other", 0, 3, b=1, e=1)]

    assert dealt(hands, {F: 3, B: 3}) == {"whole": -3, "one": 3, "other": 3}


def test_ratios_count() -> None:
    butterfly = hand("butterfly", 0, 2, a=1, e=2, c=1)

    assert dealt([butterfly, hand("other", 2, 2, b=1, f=1)], {A: 1, E: 2, C: 1}) == {"butterfly": 1}
    assert dealt([butterfly], {A: 1, E: 1, C: 1}) is None


def test_no_more_than_were_closed_come_back() -> None:
    assert dealt([hand("old", 1, 2, a=1, e=1)], {A: 2, E: 2}) is None


def test_what_no_whole_units_explain_stays_as_it_is() -> None:
    assert dealt([hand("old", 0, 2, a=1, e=1), hand("new", 2, 2, a=1, f=1)], {E: 2}) is None


def test_of_equal_ones_that_is_closed_of_which_nothing_is_left_then() -> None:
    hands = [hand("three", 3, 3, a=1, e=1), hand("two", 2, 2, a=1, e=1)]

    assert dealt(hands, {A: -2, E: -2}) == {"two": -2}


def test_what_is_mixed_up_beyond_measure_is_given_up() -> None:
    """A hundred of the same, and one contract that none of them explains: it ends all the same."""
    many = [hand(f"h{number}", 5, 9, a=1, e=1) for number in range(100)]

    assert TRIED_MAX < 100**2
    assert dealt(many, {A: 7, E: 3}) is None


@st.composite
def hands_and_beyond(draw: st.DrawFn) -> tuple[list[Hand], dict[Contract, int]]:
    """Three of two legs, some whole, some with room; what is beyond them was made by a true change, or is anything."""
    contracts = [A, B, E, F]
    made = []
    for number in range(3):
        legs = draw(st.lists(st.sampled_from(contracts), min_size=2, max_size=2, unique=True))
        most = draw(st.integers(0, 3))
        ratios = {leg: draw(st.integers(1, 2)) for leg in legs}
        made.append(Hand(id=PositionId(f"h{number}"), ratios=ratios, units=draw(st.integers(0, most)), most=most))
    if draw(st.booleans()):
        return made, {contract: draw(st.integers(-3, 3)) for contract in contracts}
    changes = [draw(st.integers(-each.units, each.most - each.units)) for each in made]
    return made, summed(made, changes)


def summed(hands: list[Hand], changes: list[int]) -> dict[Contract, int]:
    total: dict[Contract, int] = {}
    for each, change in zip(hands, changes, strict=True):
        for contract, ratio in each.ratios.items():
            total[contract] = total.get(contract, 0) + ratio * change
    return {contract: count for contract, count in total.items() if count}


@given(hands_and_beyond())
def test_it_finds_an_answer_where_there_is_one_and_as_few_change_as_can_be(
    drawn: tuple[list[Hand], dict[Contract, int]],
) -> None:
    hands, beyond = drawn
    wanted = {contract: count for contract, count in beyond.items() if count}
    rooms = (range(-each.units, each.most - each.units + 1) for each in hands)
    answers = [changes for changes in product(*rooms) if summed(hands, list(changes)) == wanted]

    found = dealt(hands, beyond)

    assert (found is None) == (not answers)
    if found is not None:
        assert summed(hands, [found.get(each.id, 0) for each in hands]) == wanted
        assert sum(map(bool, found.values())) == min(sum(map(bool, changes)) for changes in answers)
