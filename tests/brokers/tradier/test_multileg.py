"""Several legs as one order: sent as what they are for, told leg by leg, and their greeks beside the quotes."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.brokers.tradier import parse
from standfast.brokers.tradier.order_rows import CLOSING, NO_HOLDING
from standfast.brokers.tradier.terms import together
from standfast.core.orders import reducing
from standfast.core.totals import fills_of
from standfast.exchange.faults import ServerError
from standfast.model.effects import Turn, Urgency
from standfast.model.errors import OutcomeUnknown, Rejected
from standfast.model.greeks import Greeks
from standfast.model.ids import ClientOrderId, Holding, InstrumentId
from standfast.model.order import LegTerms, OrderState, OrderType, Side, Terms, TimeInForce
from tests.brokers.tradier.served import LOWER, PUT, SPY, desk
from tests.core.situations import folded

ID = ClientOrderId("sfabcd-o7")


def leg(holding: Holding, quantity: int, *, reduces: bool = False) -> LegTerms:
    terms = Terms(
        side=Side.BUY if quantity > 0 else Side.SELL,
        quantity=Decimal(abs(quantity)),
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        reduces=reduces,
    )
    return LegTerms(holding, terms)


SPREAD = (leg(PUT, -2), leg(LOWER, 2))
"""Two put spreads, sold."""


def form(legs: tuple[LegTerms, ...], net: str | None) -> dict[str, str]:
    return together(ID, legs, None if net is None else Decimal(net), InstrumentId("SPX"))


def test_a_spread_sold_for_a_credit() -> None:
    assert form(SPREAD, "1.50") == {
        "tag": ID, "class": "multileg", "symbol": "SPX", "type": "credit", "duration": "day", "price": "1.5",
        "option_symbol[0]": "SPXW260105P06885000", "side[0]": "sell_to_open", "quantity[0]": "2",
        "option_symbol[1]": "SPXW260105P06880000", "side[1]": "buy_to_open", "quantity[1]": "2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("net", "kind", "price"),
    [("-2", "debit", "2"), ("0", "even", None), (None, "market", None), ("0.05", "credit", "0.05")],
)
def test_what_it_shall_bring_is_in_its_type(net: str | None, kind: str, price: str | None) -> None:
    asked = form(SPREAD, net)

    assert (asked["type"], asked.get("price")) == (kind, price)


nets = st.integers(-50, 50).filter(bool).map(Decimal)


@given(nets, nets, st.integers(1, 60))
def test_the_way_out_never_adds_to_a_leg(one: Decimal, other: Decimal, units: int) -> None:
    legs = tuple(LegTerms(holding, reducing(net, Decimal(units))) for holding, net in ((PUT, one), (LOWER, other)))

    asked = together(ID, legs, None, InstrumentId("SPX"))

    assert {asked["side[0]"], asked["side[1]"]} <= CLOSING
    assert [asked[f"side[{n}]"].startswith("sell") for n in range(2)] == [one > 0, other > 0]
    assert all(int(asked[f"quantity[{n}]"]) <= abs(net) for n, net in enumerate((one, other)))


def test_shares_with_an_option_are_a_combo() -> None:
    asked = together(
        ID, (leg(SPY, 100), leg(Holding(InstrumentId("SPY260105C00610000")), -1)), None, InstrumentId("SPY")
    )

    assert (asked["class"], asked["side[0]"], asked["side[1]"]) == ("combo", "buy", "sell_to_open")
    assert "option_symbol[0]" not in asked


@pytest.mark.parametrize(
    "legs",
    [(leg(PUT, 1),), (leg(PUT, 1),) * 5, (leg(SPY, 1), leg(SPY, 1)), (leg(SPY, 100), *SPREAD, leg(PUT, 1))],
    ids=["one", "five", "no option", "three options and shares"],
)
def test_what_tradier_has_no_form_for_is_not_sent(legs: tuple[LegTerms, ...]) -> None:
    with pytest.raises(Rejected, match="not sent"):
        form(legs, None)


async def test_it_is_taken_filled_and_told_leg_by_leg() -> None:
    async with desk() as at:
        mark = (await at.broker.activities("")).watermark

        placed = await at.broker.submit_together(ID, SPREAD, Decimal("1.40"), Turn(Urgency.OPEN))
        found = await at.broker.order(client_id=ID)

        assert (placed.holding, placed.quantity, placed.limit_price) == (NO_HOLDING, Decimal(2), Decimal("-1.40"))
        assert found is not None
        assert (found.state, found.quantity, found.filled) == (OrderState.FILLED, Decimal(2), Decimal(2))
        assert found.average_price == Decimal("-1.4"), "what was received"
        assert [(each.holding, each.side, each.filled) for each in found.legs] == [
            (PUT, Side.SELL, Decimal(2)),
            (LOWER, Side.BUY, Decimal(2)),
        ]
        fills = list(fills_of(folded(), (await at.broker.activities(mark)).totals))
        assert {(fill.holding, fill.signed) for fill in fills} == {(PUT, Decimal(-2)), (LOWER, Decimal(2))}
        assert await at.broker.order(broker_id=found.legs[0].broker_id) == found


async def test_one_that_cannot_be_had_rests_and_can_be_withdrawn() -> None:
    async with desk() as at:
        placed = await at.broker.submit_together(ID, SPREAD, Decimal("2.00"), Turn(Urgency.OPEN))
        (listed,) = (await at.broker.working_orders()).orders.values()
        await at.broker.cancel(placed.broker_id, Turn(Urgency.CLOSE))
        over = await at.broker.order(broker_id=placed.broker_id)

        assert (listed.broker_id, listed.limit_price, listed.order_class) == (placed.broker_id, Decimal(-2), "mleg")
        assert over is not None
        assert (over.state, over.filled) == (OrderState.CANCELLED, Decimal(0))
        assert all(each.state is OrderState.CANCELLED for each in over.legs)


async def test_an_answer_that_is_lost_leaves_its_outcome_open_until_its_tag_is_found() -> None:
    async with desk() as at:
        at.fault("submit", ServerError(status=504, after=True), count=1)

        with pytest.raises(OutcomeUnknown):
            await at.broker.submit_together(ID, SPREAD, None, Turn(Urgency.OPEN))

        found = await at.broker.order(client_id=ID)
        assert found is not None
        assert found.state is OrderState.FILLED


async def test_a_leg_that_has_nothing_to_close_is_rejected_as_a_whole() -> None:
    async with desk() as at:
        await at.broker.submit_together(
            ID, (leg(PUT, 1, reduces=True), leg(LOWER, -1, reduces=True)), None, Turn(Urgency.CLOSE)
        )
        found = await at.broker.order(client_id=ID)

        assert found is not None
        assert found.state is OrderState.REJECTED
        assert (await at.broker.positions()).rows == {}


def test_recorded_greeks_are_read_and_broken_ones_are_absent(shared: Path) -> None:
    path = shared / "brokers" / "data" / "tradier" / "recorded_spxw_2023" / "chain_spxw_subset_with_greeks.json"
    rows = json.loads(path.read_bytes())["options"]["option"]
    body = json.dumps({"quotes": {"quote": rows}}).encode()

    found = parse.greeks(body)

    assert len(found) == len(rows)
    assert found[Holding(InstrumentId("SPXW230815P04300000"))] == Greeks(
        delta=Decimal("-0.0106166909802465"),
        theta=Decimal("-0.8116374169057785"),
        at=datetime(2023, 8, 11, 19, 59, 58, tzinfo=UTC),
    )
    for broken in ({"delta": "NaN"}, {"updated_at": "lately"}, {"theta": None}):
        row = rows[0] | {"greeks": rows[0]["greeks"] | broken}
        body = json.dumps({"quotes": {"quote": row}}).encode()
        assert parse.greeks(body) == {}
        assert len(parse.quotes(body, datetime(2023, 8, 15, tzinfo=UTC))) == 1


async def test_greeks_come_with_the_quotes_of_options() -> None:
    async with desk() as at:
        await at.broker.quotes([PUT, SPY])

        assert list(at.broker.greeks) == [PUT]
        assert -1 < at.broker.greeks[PUT].delta < 0
