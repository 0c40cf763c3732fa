"""Trades taken back and corrected."""

import pytest

from standfast.exchange.activities import FillActivity
from standfast.exchange.queries import ActivityQuery, Direction
from tests.exchange.desk import BUY, SECOND, SELL, D, Desk, open_desk


def rows(desk: Desk) -> list[FillActivity]:
    found = desk.engine.activities("a", ActivityQuery(direction=Direction.ASC))
    return [row for row in found if isinstance(row, FillActivity)]


def worth(desk: Desk) -> tuple[object, object, object]:
    """What is held, its cost and the money."""
    row = next(iter(desk.engine.positions("a")), None)
    return row and (row.quantity, row.cost_basis), desk.engine.account("a").cash, desk.engine.truth("a").realised


def test_a_purchase_taken_back_leaves_the_account_as_if_it_had_not_been() -> None:
    desk = open_desk()
    before = worth(desk)
    desk.submit(BUY)
    (bought,) = rows(desk)

    desk.engine.bust("a", bought.execution_id)

    assert worth(desk) == before


def test_a_sale_taken_back_brings_back_quantity_and_cost_and_what_was_earned_on_it_is_not() -> None:
    desk = open_desk()
    desk.submit(BUY)
    before = worth(desk)
    desk.quote("120.00")
    desk.submit(SELL, "4")

    desk.engine.bust("a", rows(desk)[-1].execution_id)

    assert worth(desk) == before


def test_what_a_trade_taken_back_had_opened_may_be_short_afterwards() -> None:
    desk = open_desk()
    desk.submit(BUY)
    desk.submit(SELL)

    desk.engine.bust("a", rows(desk)[0].execution_id)

    assert desk.net() == -10


def test_a_corrected_trade_has_its_quantity_at_the_other_price() -> None:
    desk = open_desk()
    order = desk.submit(BUY)
    cash = desk.engine.account("a").cash

    desk.engine.correct("a", rows(desk)[0].execution_id, D("90"))

    assert desk.net() == 10
    assert desk.engine.position("a", "KO").average_entry_price == D(90)
    assert desk.engine.account("a").cash - cash == D("100.20")
    assert desk.statuses(order) == ["filled"]


def test_it_is_told_as_a_row_of_the_same_id_with_another_status_listed_when_it_was_told() -> None:
    desk = open_desk()
    desk.submit(BUY)
    (bought,) = rows(desk)
    desk.quote("100.00")
    before = desk.engine.now
    desk.engine.advance(before + SECOND)

    desk.engine.correct("a", bought.execution_id, D("99"))
    desk.engine.bust("a", bought.execution_id)

    assert [(row.id == bought.id, row.status) for row in rows(desk)] == [
        (True, "executed"),
        (True, "correct"),
        (True, "canceled"),
    ]
    later = desk.engine.activities("a", ActivityQuery(after=before, direction=Direction.ASC))
    assert [(row.at, row.status) for row in later] == [(bought.at, "correct"), (bought.at, "canceled")]
    following = desk.engine.activities("a", ActivityQuery(page_token=bought.id, direction=Direction.ASC))
    assert len(following) == 2, "a page token goes on naming the trade itself"


def test_a_trade_is_taken_back_once_and_not_over_a_split() -> None:
    desk = open_desk()
    desk.submit(BUY)
    desk.submit(BUY)
    first, second = rows(desk)
    desk.engine.bust("a", first.execution_id)
    with pytest.raises(ValueError, match="already"):
        desk.engine.bust("a", first.execution_id)
    with pytest.raises(LookupError):
        desk.engine.bust("a", "nobody")

    desk.engine.split("KO", D(2))

    with pytest.raises(ValueError, match="split"):
        desk.engine.bust("a", second.execution_id)
