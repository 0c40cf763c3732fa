"""Tradier's dialect against what was recorded: the SPXW day over HTTP, and every reply against one of its kind."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.dialects.tradier_desk import ACCOUNT, TOKEN, TradierDesk, served, tradier_desk, unlike
from tests.exchange.option_desk import C600, C605
from tests.exchange.spxw_day import CLOSE, exchange, happenings, orders, quote_legs


def payload(shared: Path, name: str) -> Any:
    return json.loads((shared / "brokers/data/tradier" / name).read_text())


def as_form(row: dict[str, Any]) -> dict[str, str]:
    form = {key: str(row[key]) for key in ("class", "symbol", "type", "duration", "price")}
    for index, leg in enumerate(row["leg"]):
        form |= {
            f"option_symbol[{index}]": leg["option_symbol"],
            f"side[{index}]": leg["side"],
            f"quantity[{index}]": str(int(leg["quantity"])),
        }
    return form


async def play(desk: TradierDesk, rows: list[dict[str, Any]]) -> dict[int, int]:
    """The day over HTTP; returns our numbers by theirs."""
    numbers: dict[int, int] = {}
    for happening in happenings(rows):
        desk.venue.advance(max(happening.at, desk.venue.now))
        theirs = happening.order["id"]
        if happening.what == "submit":
            answer = await desk.ask("POST", "@/orders", as_form(happening.order))
            numbers[theirs] = answer.json["order"]["id"]
        elif happening.what == "fill":
            quote_legs(desk.venue.engine, happening.order, happening.at)
        else:
            assert (await desk.ask("DELETE", f"@/orders/{numbers[theirs]}")).status == 200
    return numbers


SAME = ("type", "symbol", "side", "quantity", "status", "duration", "price", "exec_quantity", "remaining_quantity",
        "last_fill_price", "class", "num_legs", "create_date", "strategy")  # fmt: skip
SAME_OF_LEG = ("type", "symbol", "side", "quantity", "status", "price", "avg_fill_price", "exec_quantity",
               "remaining_quantity", "class", "option_symbol")  # fmt: skip
"""Of a leg the last fill says little: theirs filled in parts."""


async def test_the_recorded_day_ends_in_the_recorded_orders_and_positions(shared: Path) -> None:
    rows = orders(shared)
    listed = payload(shared, "recorded_spxw_2023/orders_44_multileg.json")["orders"]["order"]
    wanted = payload(shared, "recorded_spxw_2023/positions_9_spxw_legs.json")
    async with served(exchange(rows, ACCOUNT, TOKEN), limits=None) as desk:
        numbers = await play(desk, rows)
        found_positions = await desk.get("@/positions")
        desk.venue.advance(CLOSE + timedelta(minutes=1))
        found = {row["id"]: row for row in (await desk.get("@/orders"))["orders"]["order"]}

    assert len(found) == 44
    for theirs in listed:
        ours = found[numbers[theirs["id"]]]
        assert {key: ours[key] for key in SAME} == {key: theirs[key] for key in SAME}
        assert ours["avg_fill_price"] == pytest.approx(theirs["avg_fill_price"], abs=0.005)
        for leg, recorded_leg in zip(ours["leg"], theirs["leg"], strict=True):
            assert {key: leg[key] for key in SAME_OF_LEG} == {key: recorded_leg[key] for key in SAME_OF_LEG}
        assert unlike(ours, theirs) == []
        ended, recorded_end = (datetime.fromisoformat(row["transaction_date"]) for row in (ours, theirs))
        assert abs(ended - recorded_end) < timedelta(seconds=4)
    assert unlike(found_positions, wanted) == []
    same = ("symbol", "quantity", "cost_basis")
    assert [[row[key] for key in same] for row in found_positions["positions"]["position"]] == [
        [row[key] for key in same] for row in wanted["positions"]["position"]
    ]


async def test_account_replies_have_every_recorded_key(shared: Path) -> None:
    for multiplier, kind in ((1, "cash"), (2, "margin"), (4, "pdt")):
        async with tradier_desk(multiplier=multiplier) as desk:
            await desk.place(**{"class": "equity"}, symbol="SPY", side="buy", quantity=3, type="market", duration="day")
            assert unlike(await desk.get("@/balances"), payload(shared, f"docs_examples/balances_{kind}.json")) == []
            one = await desk.get("@/positions")
            assert unlike(one, payload(shared, "docs_examples/positions_single_object.json")) == []


async def test_nothing_one_and_many_have_three_shapes(shared: Path) -> None:
    async with tradier_desk() as desk:
        assert await desk.get("@/orders") == payload(shared, "docs_examples/orders_null_string.json")
        assert await desk.get("@/positions") == payload(shared, "docs_examples/positions_null_string.json")

        form = {"class": "equity", "symbol": "SPY", "side": "buy", "quantity": "1", "type": "limit", "duration": "day"}
        answer = await desk.ask("POST", "@/orders", form | {"price": "590"})
        assert unlike(answer.json, payload(shared, "go_client_2016/order_create_test__orderCreateJSON.json")) == []
        one = await desk.get("@/orders")
        assert unlike(one, payload(shared, "docs_examples/orders_single_object.json")) == []

        await desk.ask("POST", "@/orders", form | {"price": "591"})
        assert len((await desk.get("@/orders"))["orders"]["order"]) == 2


async def test_a_rejected_order_looks_as_recorded(shared: Path) -> None:
    async with tradier_desk(cash="100") as desk:
        form = {"class": "option", "symbol": "SPY", "option_symbol": C600, "side": "buy_to_open", "quantity": "2"}
        answer = await desk.ask("POST", "@/orders", form | {"type": "limit", "price": "3.10", "duration": "day"})

        assert answer.json["order"]["status"] == "ok"
        found = await desk.get("@/orders")
        wanted = payload(shared, "recorded_spxw_2023/order_rejected_single_leg.json")
        assert unlike(found, wanted) == []
        same = ("status", "reason_description", "remaining_quantity", "exec_quantity", "class")
        assert {key: found["orders"]["order"][key] for key in same} == {
            key: wanted["orders"]["order"][key] for key in same
        }


async def test_a_preview_and_the_accounts_of_a_token_look_as_recorded(shared: Path) -> None:
    async with tradier_desk() as desk:
        form = {"class": "equity", "symbol": "SPY", "side": "buy", "quantity": "1", "type": "market", "duration": "day"}
        preview = (await desk.ask("POST", "@/orders", form | {"preview": "true"})).json
        profile = (await desk.get("/user/profile"))["profile"]

        assert unlike(preview, payload(shared, "go_client_2016/order_create_test__orderCreatePreviewJSON.json")) == []
        single = payload(shared, "go_client_2016/accounts_test__accountsJSONSingle.json")["accounts"]
        assert unlike(profile, single) == []


async def test_a_combo_has_every_documented_key(shared: Path) -> None:
    documented = payload(shared, "docs_examples/orders_expired_canceled_combo.json")["orders"]["order"]
    async with tradier_desk() as desk:
        form = {"class": "combo", "symbol": "SPY", "type": "debit", "price": "500", "duration": "gtc"}
        form |= {"side[0]": "buy", "quantity[0]": "100"}
        form |= {"option_symbol[1]": C605, "side[1]": "sell_to_open", "quantity[1]": "1"}
        combo = await desk.order((await desk.ask("POST", "@/orders", form)).json["order"]["id"])

        assert unlike(combo, documented[2]) == []
        assert [(leg["class"], leg["side"]) for leg in combo["leg"]] == [("equity", "buy"), ("option", "sell_to_open")]
        plain = {"symbol": "SPY", "duration": "day", "quantity": "1", "type": "limit", "price": "0.10"}
        stock = await desk.order(await desk.place(**plain, **{"class": "equity"}, side="buy"))
        option = await desk.order(
            await desk.place(**plain, **{"class": "option"}, side="buy_to_open", option_symbol=C605)
        )
        assert unlike(stock, documented[0]) == unlike(option, documented[1]) == []


async def test_chain_quote_clock_and_calendar_have_every_recorded_key(shared: Path) -> None:
    async with tradier_desk() as desk:
        chain = await desk.get("/markets/options/chains?symbol=SPY&expiration=2026-10-09&greeks=true")
        recorded_chain = payload(shared, "recorded_spxw_2023/chain_spxw_subset_with_greeks.json")
        quote = await desk.get(f"/markets/quotes?symbols={C600}&greeks=true")

        assert unlike(chain, recorded_chain) == []
        assert unlike(quote["quotes"]["quote"], recorded_chain["options"]["option"][0]) == []
        assert unlike(await desk.get("/markets/clock"), payload(shared, "official_rb_client_2013/clock.json")) == []
        month = await desk.get("/markets/calendar?month=7&year=2018")
        days = {row["date"]: row for row in month["calendar"]["days"]["day"]}
        (wanted,) = payload(shared, "docs_examples/calendar_day.json")["calendar"]["days"]["day"]
        assert days[wanted["date"]] == wanted
        assert days["2018-07-04"]["status"] == "closed"
        expirations = await desk.get("/markets/options/expirations?symbol=SPY")
        assert expirations == {"expirations": {"date": "2026-10-09"}}
        strikes = await desk.get("/markets/options/strikes?symbol=SPY&expiration=2026-10-09")
        assert strikes == {"strikes": {"strike": [595.0, 600.0, 605.0]}}
        assert {C600, C605} <= {row["symbol"] for row in chain["options"]["option"]}
