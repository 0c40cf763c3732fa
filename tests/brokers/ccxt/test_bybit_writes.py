"""Orders say which side they are for and that they only reduce; a write ends in one of three ways, and is sent once."""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.ccxt.bybit.forms import submission
from standfast.brokers.ccxt.dialects import Rates
from standfast.brokers.ccxt.markets import Market
from standfast.brokers.shared.transport import Response, TransportError
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import OutcomeUnknown, Rejected, Unauthorised, Unreachable, Withdrawn
from standfast.model.ids import ClientOrderId, Holding
from standfast.model.instrument import Instrument, Kind
from standfast.model.order import OrderState, OrderType, Side, Terms, TimeInForce, side_towards_zero
from tests.brokers.ccxt.scripted import BTC, INSTRUMENT, LONG, NAME, SHORT, Script, broker, enveloped, order_row

ID = ClientOrderId("sfabcd-s1")
CREATE, CANCEL = "/v5/order/create", "/v5/order/cancel"
MARKET = Market(
    id="BTCUSDT",
    instrument=Instrument(id=NAME, kind=Kind.PERPETUAL, lot=Decimal("0.001"), tick=Decimal("0.1")),
    settle="USDT",
    least=Decimal("0.002"),
)


def terms(**changes: Any) -> Terms:
    given_: dict[str, Any] = {
        "side": Side.SELL, "quantity": Decimal("0.01"), "type": OrderType.MARKET,
        "time_in_force": TimeInForce.DAY, "reduces": True,
    }  # fmt: skip
    return Terms(**(given_ | changes))


def stop(**changes: Any) -> Terms:
    return terms(**({"type": OrderType.STOP, "time_in_force": TimeInForce.GTC, "stop_price": Decimal(40000)} | changes))


def accepting() -> Script:
    script = Script()
    script.tell(CREATE, enveloped({"orderId": "o-1", "orderLinkId": str(ID)}))
    script.tell(CANCEL, enveloped({"orderId": "o-1", "orderLinkId": str(ID)}))
    return script


def test_the_same_act_is_the_same_request_as_the_official_clients(shared: Path) -> None:
    path = shared / "brokers" / "data" / "client_requests_recorded" / "ccxt_bybit.json"
    recorded = [each["body"] for each in json.loads(path.read_text())["requests"] if each["path"] == CREATE]
    close, protect = ({**body, "positionIdx": 0} for body in recorded if body.get("orderLinkId") in ("cid-1", "sl1"))

    assert submission(ClientOrderId("cid-1"), BTC, MARKET, terms()) == close
    assert submission(ClientOrderId("sl1"), BTC, MARKET, stop()) == protect


@pytest.mark.parametrize(
    ("holding", "side", "index", "direction"),
    [(LONG, Side.SELL, 1, 2), (SHORT, Side.BUY, 2, 1), (BTC, Side.SELL, 0, 2), (BTC, Side.BUY, 0, 1)],
)
def test_a_stop_names_the_side_it_protects(holding: Holding, side: Side, index: int, direction: int) -> None:
    body = submission(ID, holding, MARKET, stop(side=side))

    assert (body["positionIdx"], body["triggerDirection"], body["reduceOnly"]) == (index, direction, True)


@given(
    net=st.integers(-50, 50).filter(bool),
    hedge=st.sampled_from(["", "own side"]),
    quantity=st.integers(1, 60),
    price=st.none() | st.integers(1, 90_000),
)
def test_whatever_is_held_a_reducing_order_can_only_reduce_it(
    net: int, hedge: str, quantity: int, price: int | None
) -> None:
    """For every signed net: the side goes against it, the flag says so, and the side of the account is its own."""
    held = Holding(NAME, ("long" if net > 0 else "short") if hedge else "")
    made = terms(
        side=side_towards_zero(Decimal(net)),
        quantity=Decimal(quantity) / 1000,
        type=OrderType.STOP if price else OrderType.MARKET,
        stop_price=Decimal(price) if price else None,
    )
    body = submission(ID, held, MARKET, made)

    assert body["side"] == ("Sell" if net > 0 else "Buy")
    assert body["reduceOnly"] is True
    assert body["positionIdx"] == ((1 if net > 0 else 2) if hedge else 0)
    if price:
        assert body["triggerDirection"] == (2 if net > 0 else 1)


@pytest.mark.parametrize(("holding", "side"), [(LONG, Side.BUY), (SHORT, Side.SELL)])
def test_an_order_that_would_add_under_the_name_of_reducing_is_not_sent(holding: Holding, side: Side) -> None:
    with pytest.raises(Rejected) as refused:
        submission(ID, holding, MARKET, terms(side=side))
    assert refused.value.code == "local"


@pytest.mark.parametrize(
    "made",
    [
        stop(target_price=Decimal(50000)),
        terms(attached_stop=Decimal(1), reduces=False),
        terms(quantity=Decimal("0.0105")),
        terms(type=OrderType.TRAILING_STOP),
        terms(type=OrderType.STOP),
        terms(time_in_force=TimeInForce.OPG),
        terms(quantity=Decimal("0.001"), reduces=False),
    ],
)
async def test_what_has_no_form_is_not_sent(made: Terms) -> None:
    script = accepting()
    script.lists("/v5/market/instruments-info", _least(Decimal("0.002")))

    with pytest.raises(Rejected) as refused:
        await broker(script).submit(ID, BTC, made, Turn(Urgency.OPEN))

    assert refused.value.code == "local"
    assert script.sent == []


def _least(least: Decimal) -> dict[str, Any]:
    return {**INSTRUMENT, "lotSizeFilter": {**INSTRUMENT["lotSizeFilter"], "minOrderQty": str(least)}}


async def test_two_ids_acknowledge_and_prove_nothing() -> None:
    script = accepting()

    report = await broker(script).submit(ID, BTC, stop(), Turn(Urgency.PROTECT))

    assert (report.broker_id, report.client_id, report.state) == ("o-1", ID, OrderState.PENDING)
    assert (report.filled, report.stop_price, report.closes) == (Decimal(0), Decimal(40000), True)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(500, {}, b"{}"), OutcomeUnknown),
        (Response(504, {}, b"<html>"), OutcomeUnknown),
        (Response(404, {}, enveloped({}, code=110001)), OutcomeUnknown),
        (TransportError("reset"), OutcomeUnknown),
        (b"", OutcomeUnknown),
        (enveloped({}), OutcomeUnknown),
        (enveloped({"orderId": ""}, code=10016), OutcomeUnknown),
        (Response(401, {}, b""), Unauthorised),
        (Response(403, {}, b"access too frequent"), Rejected),
        (enveloped({}, code=110072, text="OrderLinkedID is duplicate"), Rejected),
    ],
)
async def test_a_write_ends_in_one_of_three_ways_and_is_sent_once(answer: Any, error: type[Exception]) -> None:
    script = accepting()
    script.tell(CREATE, answer)

    with pytest.raises(error):
        await broker(script).submit(ID, BTC, terms(), Turn(Urgency.CLOSE))

    assert script.paths().count(CREATE) == 1


@pytest.mark.parametrize(("code", "kind"), [(110092, "price"), (110093, "price"), (110072, "duplicate_id")])
async def test_a_refusal_says_what_to_do(code: int, kind: str) -> None:
    script = accepting()
    script.refuses(CREATE, code)

    with pytest.raises(Rejected) as refused:
        await broker(script).submit(ID, BTC, stop(), Turn(Urgency.PROTECT))

    assert refused.value.kind == kind


async def test_what_waited_for_its_turn_and_is_not_wanted_any_more_never_leaves() -> None:
    script = accepting()
    with pytest.raises(Withdrawn):
        await broker(script).submit(ID, BTC, terms(), Turn(Urgency.CLOSE, is_wanted=lambda: False))
    assert script.sent == []


async def test_a_request_that_waited_for_its_turn_is_signed_when_it_leaves() -> None:
    """Signed when it was made it would be refused as too old (10002), and a close would not get through."""
    script = accepting()
    at = broker(script, rates=Rates(reads=1000, orders=1, window=30.0, orders_window=30.0))
    await at.instrument(NAME)
    started = script.clock.now()
    await at.submit(ID, BTC, terms(), Turn(Urgency.CLOSE))
    async with asyncio.TaskGroup() as group:
        group.create_task(at.submit(ClientOrderId("sfabcd-s2"), BTC, terms(), Turn(Urgency.CLOSE)))
        await script.clock.advance(31)

    stamps = [int(each["X-BAPI-TIMESTAMP"]) for each in script.headers if "X-BAPI-TIMESTAMP" in each]
    waited = timedelta(milliseconds=stamps[-1] - int(started.timestamp() * 1000))
    assert waited >= timedelta(seconds=29)


async def test_a_cancel_names_the_contract_even_of_an_order_never_seen_before() -> None:
    script = accepting()
    script.lists("/v5/order/realtime", order_row())

    await broker(script).cancel(order_row()["orderId"], Turn(Urgency.CLOSE))

    assert script.sent == [(CANCEL, {"symbol": "BTCUSDT", "orderId": "o-1", "category": "linear"})]


async def test_a_cancel_of_what_nobody_knows_is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        await broker(accepting()).cancel(order_row()["orderId"], Turn(Urgency.CLOSE))
    assert refused.value.kind == "not_found"


async def test_a_stop_is_moved_without_a_moment_in_which_none_rests() -> None:
    script = accepting()
    script.lists("/v5/order/realtime", order_row())
    script.tell(CREATE, enveloped({"orderId": "o-2", "orderLinkId": str(ID)}))
    at = broker(script)

    new = await at.replace(order_row()["orderId"], ID, stop(stop_price=Decimal(41000)), Turn(Urgency.PROTECT))

    assert [path for path, _ in script.sent] == [CREATE, CANCEL]
    assert script.sent[0][1]["reduceOnly"] is True
    script.lists("/v5/order/realtime", order_row(orderStatus="Cancelled"))
    old = await at.order(broker_id=order_row()["orderId"])
    assert old is not None
    assert (old.state, old.replaced_by) == (OrderState.REPLACED, new.broker_id)


async def test_a_stop_that_cannot_be_placed_leaves_the_old_one() -> None:
    script = accepting()
    script.lists("/v5/order/realtime", order_row())
    script.refuses(CREATE, 110092, "expect Falling")

    with pytest.raises(Rejected):
        await broker(script).replace(order_row()["orderId"], ID, stop(), Turn(Urgency.PROTECT))

    assert [path for path, _ in script.sent] == [CREATE]


async def test_an_entry_is_moved_only_when_the_old_one_is_over() -> None:
    """Two entries at once could both fill."""
    script = accepting()
    entry = order_row(reduceOnly=False, side="Buy", orderType="Limit", price="30000", stopOrderType="")
    script.lists("/v5/order/realtime", entry)

    def cancelled(asked: Any) -> bytes:
        script.lists("/v5/order/realtime", {**entry, "orderStatus": "Cancelled", "cumExecQty": "0.005"})
        return enveloped({"orderId": "o-1"})

    script.answers[CANCEL] = cancelled
    made = terms(side=Side.BUY, type=OrderType.LIMIT, limit_price=Decimal(31000), reduces=False)

    with pytest.raises(Rejected, match=r"has filled 0\.005"):
        await broker(script).replace(order_row()["orderId"], ID, made, Turn(Urgency.OPEN))

    assert [path for path, _ in script.sent] == [CANCEL]


async def test_nothing_leaves_when_ccxt_cannot_sign() -> None:
    script = accepting()
    at = broker(script)
    await at.instrument(NAME)
    at._library.secret = ""

    with pytest.raises(Unreachable):
        await at.submit(ID, BTC, terms(), Turn(Urgency.CLOSE))

    assert script.sent == []


async def test_a_clock_that_is_wrong_does_not_keep_a_close_from_leaving() -> None:
    """The exchange refuses what is signed at another time than its own (10002)."""
    script = accepting()
    nanos = int((script.clock.now() + timedelta(minutes=5)).timestamp()) * 10**9
    script.tell("/v5/market/time", enveloped({"timeSecond": "0", "timeNano": str(nanos)}))
    at = broker(script)
    await at.clock()

    await at.submit(ID, BTC, terms(), Turn(Urgency.CLOSE))

    stamps = [int(each["X-BAPI-TIMESTAMP"]) for each in script.headers if "X-BAPI-TIMESTAMP" in each]
    assert abs(stamps[-1] - nanos // 10**6) < 60_000, "five minutes, unless the clock was followed"


async def test_what_is_refused_for_its_time_was_never_looked_at_and_is_signed_right_the_next_time() -> None:
    """A machine that wakes up with a wrong clock must not lose a position because its stop was refused three times."""
    script = accepting()
    at = broker(script)
    await at.clock()
    nanos = int((script.clock.now() + timedelta(minutes=5)).timestamp()) * 10**9
    script.tell("/v5/market/time", enveloped({"timeSecond": "0", "timeNano": str(nanos)}))
    script.refuses("/v5/order/create", 10002, "invalid request, please check your server timestamp")

    with pytest.raises(Unreachable):
        await at.submit(ID, BTC, terms(), Turn(Urgency.PROTECT))
    await at.positions()

    assert abs(int(script.headers[-1]["X-BAPI-TIMESTAMP"]) - nanos // 10**6) < 60_000
