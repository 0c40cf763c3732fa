"""Tests of `core/said.py`: where one list is all there is, what the books said minutes ago tells an old one."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from standfast.core.policy import Foreign
from standfast.core.put_back import put_back
from standfast.core.reconcile import reconcile
from standfast.core.repair import repairs
from standfast.core.said import KEPT, OLD, was_said
from standfast.model import journal as j
from standfast.model.contract import Contract
from standfast.model.ids import BrokerOrderId
from standfast.model.order import Side
from standfast.model.position import CloseReason
from tests.core.situations import NOW, SPY, D, P, after, fill, folded, of, position, ruled, told, with_contract
from tests.core.test_repair import Watch, raised

TRADIER = with_contract(one_source=True, staleness=timedelta(seconds=15))
WAITED = (OLD + timedelta(seconds=30)).total_seconds()


def sold(number: int = 1) -> j.FillBooked:
    return j.FillBooked(
        fill=fill(f"sold-{number}", BrokerOrderId("close"), Side.SELL, 10, 100),
        allocations=(j.Allocation(position=P, quantity=D(10), opens=False),),
    )


def sold_two_minutes_ago(by_name: int, contract: Contract = TRADIER, foreign: Foreign = Foreign.ADOPT) -> Watch:
    """Ten were held and sold, and the list shows them again."""
    settled = j.PositionSettled(position=P, reason=CloseReason.BOT_EXIT, proof="sold")
    before = NOW - timedelta(minutes=2)
    watch = Watch(
        *position(10), sold(), settled, held={SPY: 10}, contract=contract, rules=ruled(foreign=foreign), at=before
    )
    watch.by_name = Decimal(by_name)
    return watch


@pytest.mark.parametrize("foreign", [Foreign.ADOPT, Foreign.IGNORE])
def test_a_list_that_shows_what_the_books_said_minutes_ago_is_an_old_one(foreign: Foreign) -> None:
    """Found by simulation: by its name the same list answers, and a guard that has just begun knows no other."""
    watch = sold_two_minutes_ago(by_name=10, foreign=foreign)

    outcomes = watch.looks(120, every=5)

    assert of(j.PositionAdopted, outcomes) == of(j.ForeignAcknowledged, outcomes) == []
    assert len(raised(outcomes)) == 1, "it is told all the same"


def test_with_a_second_source_that_is_asked_instead() -> None:
    watch = sold_two_minutes_ago(by_name=10, contract=with_contract())

    assert len(of(j.PositionAdopted, watch.looks(60, every=5))) == 1


def test_what_the_books_never_said_is_no_old_list() -> None:
    watch = sold_two_minutes_ago(by_name=12)
    watch.reported["held"] = {SPY: 12}

    (taken,) = of(j.PositionAdopted, watch.looks(60, every=5))

    assert taken.quantity == 12


def test_what_the_books_said_longer_ago_is_believed_of_a_list_that_is_the_same_by_name() -> None:
    watch = sold_two_minutes_ago(by_name=10)
    assert of(j.PositionAdopted, watch.looks(OLD.total_seconds() - 120, every=5)) == []

    assert len(of(j.PositionAdopted, watch.looks(60, every=5))) == 1


def test_what_has_stood_for_longer_than_any_old_list_is_believed() -> None:
    """A trade taken back, which nobody tells: today's orders add up to nothing, and the shares are there for good."""
    watch = sold_two_minutes_ago(by_name=0)
    assert of(j.PositionAdopted, watch.looks(OLD.total_seconds() - 10, every=5)) == []

    (taken,) = of(j.PositionAdopted, watch.looks(60, every=5))

    assert taken.quantity == 10


def test_a_list_that_changes_in_between_begins_anew() -> None:
    watch = sold_two_minutes_ago(by_name=0)
    watch.looks(200, every=5)
    watch.reported["held"] = {SPY: 4}

    assert of(j.PositionAdopted, watch.looks(OLD.total_seconds() - 10, every=5)) == []


def test_a_guard_without_reads_believes_nothing_for_having_waited() -> None:
    """The clock goes on, and the list is the one of before."""
    watch = sold_two_minutes_ago(by_name=0)
    watch.looks(60, every=5)
    old = watch.situation()
    watch.wait(WAITED)
    late = watch.situation()
    assert old.snapshot.positions is not None

    blind = replace(late, snapshot=replace(late.snapshot, positions=old.snapshot.positions))

    assert of(j.PositionAdopted, repairs(blind, SPY, reconcile(blind, SPY))) == []


def test_what_was_said_is_remembered_for_a_while_and_of_a_clock_put_back_until_now() -> None:
    book = folded(*position(10), at=NOW)
    told(book, sold(), at=after(60))

    assert was_said(book, SPY, D(10), since=after(60))
    assert not was_said(book, SPY, D(10), since=after(61))
    assert not was_said(book, SPY, D(7), since=None)
    put_back(book, after(30))
    assert was_said(book, SPY, D(10), since=after(30))
    assert not was_said(book, SPY, D(10), since=after(31))


def test_no_more_is_remembered_than_a_few_of_each() -> None:
    book = folded(*position(10), at=NOW)
    for quantity in range(1, 3 * KEPT):
        told(book, j.ForeignAcknowledged(holding=SPY, quantity=D(quantity), by="op", before=D(quantity - 1)))

    assert len(book.state.said[SPY]) == KEPT
