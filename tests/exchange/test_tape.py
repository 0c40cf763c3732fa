"""What an exchange writes down for those who judge its clients."""

import json
from pathlib import Path
from typing import Any

import pytest

from standfast.exchange.dialects.hall import Asked
from standfast.exchange.dialects.venue import Venue
from standfast.exchange.orders import TimeInForce
from standfast.exchange.refusal import Refused
from standfast.exchange.tape import Tape
from tests.exchange.desk import BUY, SELL, open_desk
from tests.exchange.option_desk import BTO, CLOSE, P595, P600, STO, open_option_desk


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_order_is_written_as_it_arrived_and_then_what_became_of_it(tmp_path: Path) -> None:
    desk = open_desk()
    with Tape(Venue(desk.engine), tmp_path / "tape"):
        order = desk.submit(BUY, "3", client_order_id="mine")
        desk.cancel(desk.submit(SELL, "3", stop_price="90", time_in_force=TimeInForce.GTC))

    bought, *rest = lines(tmp_path / "tape")
    assert (bought["row"], bought["what"], bought["client_order_id"], bought["net"]) == ("asked", "submit", "mine", "0")
    (fill,) = (row for row in rest if row.get("execution_id"))
    assert (fill["order_id"], fill["fill_quantity"], fill["fill_price"], fill["net"]) == (order.id, "3", "100.02", "3")
    meant, cancelled = (row for row in rest if row["row"] == "asked")
    assert (meant["side"], meant["stop_price"], meant["time_in_force"], meant["net"]) == ("sell", "90", "gtc", "3")
    assert cancelled["what"] == "cancel"
    assert rest.index(fill) < rest.index(meant) < rest.index(cancelled)
    assert rest[-1]["status"] == "canceled"


def test_a_spread_is_written_with_its_legs_and_their_end_without_an_order(tmp_path: Path) -> None:
    desk = open_option_desk()
    with Tape(Venue(desk.engine), tmp_path / "tape"):
        desk.many((P600, STO, 1), (P595, BTO, 1), quantity="2")
        desk.engine.advance(CLOSE)

    asked, *rest = lines(tmp_path / "tape")
    assert [(leg["instrument"], leg["intent"]) for leg in asked["legs"]] == [
        (P600, "sell_to_open"),
        (P595, "buy_to_open"),
    ]
    fills = [(row["instrument"], row["fill_quantity"], row["net"]) for row in rest if row.get("execution_id")]
    assert fills == [(P600, "2", "-2"), (P595, "2", "2")]
    ended = [(row["instrument"], row["net"]) for row in rest if row["row"] == "moved"]
    assert ended == [(P595, "0"), (P600, "0")]


def test_what_is_refused_was_asked_for_and_nothing_became_of_it(tmp_path: Path) -> None:
    desk = open_desk()
    with Tape(Venue(desk.engine), tmp_path / "tape"), pytest.raises(Refused):
        desk.submit(BUY, "1000000000")

    assert [row["row"] for row in lines(tmp_path / "tape")] == ["asked"]


def test_an_answered_request_is_written_until_the_tape_is_closed(tmp_path: Path) -> None:
    desk = open_desk()
    venue = Venue(desk.engine)
    asked = Asked(venue.now, "a", "positions", None, None, "never_answered")
    with Tape(venue, tmp_path / "tape"):
        venue.note(asked)
    venue.note(asked)

    (row,) = lines(tmp_path / "tape")
    assert (row["row"], row["operation"], row["status"], row["fault"]) == (
        "answered",
        "positions",
        None,
        "never_answered",
    )
