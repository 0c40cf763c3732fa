"""A stop asked for with an opening, as a share of its entry: it stands in place of its policy's."""

from dataclasses import replace
from typing import Any

import pytest

from standfast.core.acts import take
from standfast.core.policy import Policy
from standfast.model import journal as j
from standfast.model.ids import RequestId
from tests.core.situations import D, ruled
from tests.core.spreads import SPREADS, opened, prices, spread_desk
from tests.core.toy_broker import Desk, desk

WIDE = Policy(name="wide", stop_loss=D("0.10"), emergency_stop=D("0.30"))


def asked(at: Desk, verb: str = "open", **arguments: str) -> str:
    """What is done comes with the next looks; what is refused is said."""
    taken = j.RequestTaken(request=RequestId(f"r{at.book.head}"), verb=verb, arguments=arguments, by="ann")
    facts = list(take(at.situation(), taken, lambda number: None))
    at.tell(*facts)
    at.run()
    return next((fact.detail for fact in facts if isinstance(fact, j.RequestDone)), "")


def wanting(**arguments: str) -> dict[str, str]:
    return {"instrument": "SPY", "quantity": "10", "key": "k", **arguments}


def stops(at: Desk) -> list[Any]:
    return [order.stop_price for order in at.alive() if order.stop_price is not None]


@pytest.mark.parametrize(("share", "expected"), [("2%", "98"), ("0.5pt", "99.5")])
def test_it_is_figured_from_what_was_paid_and_rests_there(share: str, expected: str) -> None:
    at = desk(rules=ruled(WIDE))

    assert asked(at, **wanting(stop_loss=share)) == ""

    (held,) = at.book.state.positions.values()
    assert held.entry_price == D(100)
    assert stops(at) == [D(expected)]


def test_without_one_the_policys_stands() -> None:
    at = desk(rules=ruled(WIDE))

    asked(at, **wanting())

    assert stops(at) == [D(90)]


def test_a_price_chosen_later_stands_in_its_place_until_it_is_given_back() -> None:
    at = desk(rules=ruled(WIDE))
    asked(at, **wanting(stop_loss="2%"))
    (id,) = at.book.state.positions

    asked(at, "protect", position=id, stop="95")
    assert stops(at) == [D(95)]
    asked(at, "protect", position=id)

    assert stops(at) == [D(98)]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"stop_loss": "40%"}, "stop_loss 40% could never fire: the emergency_stop of policy wide is nearer"),
        ({"stop_loss": "100%"}, "stop_loss 100% is the whole entry price or more: it would have no stop"),
        ({"stop_loss": "0%"}, "stop_loss '0%' is no share: write 2%"),
        ({"stop_loss": "-2%"}, "stop_loss '-2%' is no share: write 2%"),
        ({"stop_loss": "98"}, "stop_loss '98' is no share: write 2%"),
        ({"stop_loss": "2%", "stop": "98"}, "stop and stop_loss: one is a price"),
        ({"stop_loss": "0.01%"}, "stop"),  # nearer than the quotes of the moment
    ],
)
def test_one_that_could_not_be_kept_is_refused(arguments: dict[str, str], why: str) -> None:
    at = desk(rules=ruled(WIDE))

    assert why in asked(at, **wanting(**arguments))
    assert at.book.state.positions == {}


def test_a_spread_is_closed_at_a_share_of_its_credit() -> None:
    """Sold for 3.60; its policy would let it cost 5.40 to close."""
    at = spread_desk()
    at.open(stop_loss="30%")
    at.run()
    at.together.clear()

    at.sights = prices(("5.20", "5.25"), ("0.70", "0.75"))  # 4.55 to close
    at.run()
    assert at.together == []
    at.sights = prices(("5.40", "5.45"), ("0.70", "0.75"))  # 4.75
    at.run()

    assert at.together
    assert "stop_loss" in at.together[0].intent.reason


def test_a_spreads_may_not_lie_beyond_its_emergency_stop_either() -> None:
    at = spread_desk(rules=ruled(replace(SPREADS, emergency_stop=D("0.6"))))

    done = [fact for fact in at.open(stop_loss="70%") if isinstance(fact, j.RequestDone)]

    assert "could never fire" in done[0].detail


def test_what_was_opened_without_one_is_as_it_was() -> None:
    assert opened().structure.stop_loss is None
