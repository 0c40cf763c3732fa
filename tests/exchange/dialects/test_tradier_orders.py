"""Tradier's orders: what a form becomes and how it is shown."""

import pytest

from tests.exchange.dialects.tradier_desk import multileg, tradier_desk
from tests.exchange.option_desk import C600, C605, P595, P600, X3700, X3800

STOCK = {"class": "equity", "symbol": "SPY", "side": "buy", "quantity": "10", "type": "market", "duration": "day"}
OPTION = {"class": "option", "symbol": "SPY", "option_symbol": C600, "side": "buy_to_open", "quantity": "2",
          "type": "limit", "price": "3.10", "duration": "day"}  # fmt: skip
SPREAD = multileg("SPY", "credit", "1.00", (P600, "sell_to_open", 2), (P595, "buy_to_open", 2))


# Single orders


async def test_a_stock_order_has_no_option_symbol_and_an_option_order_has_its_root() -> None:
    async with tradier_desk() as desk:
        stock, option = await desk.order(await desk.place(**STOCK)), await desk.order(await desk.place(**OPTION))

        assert (stock["class"], stock["side"], "option_symbol" in stock) == ("equity", "buy", False)
        assert (option["class"], option["symbol"], option["option_symbol"]) == ("option", "SPY", C600)
        assert await desk.held() == {"SPY": 10.0, C600: 2.0}


async def test_shorts_are_sold_short_and_covered() -> None:
    async with tradier_desk() as desk:
        short = await desk.order(await desk.place(**STOCK | {"side": "sell_short"}))
        assert (short["side"], await desk.held()) == ("sell_short", {"SPY": -10.0})

        assert (await desk.order(await desk.place(**STOCK | {"side": "buy_to_cover"})))["side"] == "buy_to_cover"
        assert await desk.held() == {}


async def test_an_open_order_counts_what_remains_and_a_cancelled_one_nothing() -> None:
    async with tradier_desk() as desk:
        number = await desk.place(**OPTION | {"price": "1.00"})
        before = await desk.order(number)

        assert (await desk.ask("DELETE", f"@/orders/{number}")).json == {"order": {"id": number, "status": "ok"}}
        after = await desk.order(number)

        assert (before["status"], before["remaining_quantity"], before["avg_fill_price"]) == ("open", 2.0, 0.0)
        assert (after["status"], after["remaining_quantity"], after["exec_quantity"]) == ("canceled", 0.0, 0.0)


async def test_tags_come_only_when_asked_for_and_need_not_be_unique() -> None:
    async with tradier_desk() as desk:
        first, second = [await desk.place(**OPTION | {"tag": "sf-1"}) for _ in range(2)]

        tagged = {row["id"]: row.get("tag") for row in (await desk.get("@/orders?includeTags=true"))["orders"]["order"]}
        assert tagged == {first: "sf-1", second: "sf-1"}
        assert all("tag" not in row for row in (await desk.get("@/orders"))["orders"]["order"])


async def test_a_price_is_changed_in_place() -> None:
    async with tradier_desk() as desk:
        number = await desk.place(**OPTION | {"price": "1.00"})

        answer = await desk.ask("PUT", f"@/orders/{number}", {"type": "limit", "price": "3.10", "duration": "day"})

        assert answer.json["order"] == {"id": number, "status": "ok"}
        assert (await desk.order(number))["status"] == "filled"
        assert (await desk.ask("PUT", f"@/orders/{number}", {"price": "3.20"})).status == 400


# Multi-leg orders


async def test_the_parent_counts_all_legs_and_its_sign_is_in_the_fill_price() -> None:
    async with tradier_desk() as desk:
        row = await desk.order((await desk.place_form(SPREAD)).json["order"]["id"])

        assert (row["side"], row["quantity"], row["exec_quantity"], row["num_legs"]) == ("buy", 4.0, 4.0, 2)
        assert (row["type"], row["price"], row["avg_fill_price"]) == ("credit", 1.0, -1.1)
        assert [(leg["side"], leg["quantity"], leg["avg_fill_price"]) for leg in row["leg"]] == [
            ("sell_to_open", 2.0, 2.0),
            ("buy_to_open", 2.0, 0.9),
        ]
        assert [leg["id"] - row["id"] for leg in row["leg"]] == [1, 2]
        assert await desk.held() == {P595: 2.0, P600: -2.0}


async def test_a_debit_may_fill_as_a_credit() -> None:
    async with tradier_desk() as desk:
        form = SPREAD | {"type": "debit", "price": "0.50"}

        row = await desk.order((await desk.place_form(form)).json["order"]["id"])

        assert (row["type"], row["avg_fill_price"]) == ("debit", -1.1)


async def test_even_and_market_have_no_price() -> None:
    async with tradier_desk() as desk:
        form = multileg("SPY", "even", None, (C600, "buy_to_open", 1), (C605, "sell_to_open", 4))
        even = await desk.order((await desk.place_form(form)).json["order"]["id"])
        market = await desk.order((await desk.place_form({**form, "type": "market"})).json["order"]["id"])

        assert (even["status"], even["type"], even["avg_fill_price"], "price" in even) == (
            "filled",
            "even",
            -0.9,
            False,
        )
        assert (market["status"], market["type"], "price" in market) == ("filled", "market", False)


async def test_a_combo_is_shares_and_a_call() -> None:
    async with tradier_desk() as desk:
        form = multileg("SPY", "debit", "601.00", ("", "", 0), (C605, "sell_to_open", 1))
        form = {name: value for name, value in form.items() if "[0]" not in name}
        form |= {"class": "combo", "side[0]": "buy", "quantity[0]": "100"}

        row = await desk.order((await desk.place_form(form)).json["order"]["id"])

        assert (row["class"], row["strategy"], row["avg_fill_price"]) == ("combo", "covered call", 600.02)
        assert (row["quantity"], row["exec_quantity"]) == (1.0, 1.0)
        assert await desk.held() == {"SPY": 100.0, C605: -1.0}


async def test_an_index_spread_is_asked_for_by_its_index() -> None:
    async with tradier_desk() as desk:
        desk.quote(X3800, "3.00", "3.10")
        desk.quote(X3700, "0.10", "0.20")
        form = multileg("SPX", "credit", "2.80", (X3800, "sell_to_open", 1), (X3700, "buy_to_open", 1))

        row = await desk.order((await desk.place_form(form)).json["order"]["id"])

        assert (row["symbol"], row["status"]) == ("SPX", "filled")


# Groups


def group(kind: str, *orders: dict[str, str]) -> dict[str, str]:
    form = {"class": kind, "duration": "gtc"}
    for index, order in enumerate(orders):
        form |= {f"{name}[{index}]": value for name, value in order.items()}
    return form


def spy(side: str, kind: str, **prices: str) -> dict[str, str]:
    return {"symbol": "SPY", "side": side, "quantity": "10", "type": kind, **prices}


async def test_of_a_pair_one_fills_and_the_other_is_cancelled() -> None:
    async with tradier_desk() as desk:
        await desk.place(**STOCK)
        number = (
            await desk.place_form(group("oco", spy("sell", "limit", price="610"), spy("sell", "stop", stop="590")))
        ).json["order"]["id"]
        parent = await desk.order(number)
        assert (parent["class"], parent["status"], [leg["status"] for leg in parent["leg"]]) == (
            "oco",
            "open",
            ["open", "open"],
        )
        assert not {"symbol", "side", "quantity", "type", "price"} & set(parent)

        desk.quote("SPY", "589.00", "589.02")

        parent = await desk.order(number)
        assert (parent["status"], [leg["status"] for leg in parent["leg"]]) == ("filled", ["canceled", "filled"])
        assert await desk.held() == {}


async def test_a_bracket_wakes_its_exits_when_its_entry_fills_and_loses_its_tag() -> None:
    async with tradier_desk() as desk:
        entry = spy("buy", "limit", price="600.50")
        exits = spy("sell", "limit", price="610"), spy("sell", "stop", stop="590")
        number = (await desk.place_form(group("otoco", entry, *exits) | {"tag": "sf-9"})).json["order"]["id"]
        parent = await desk.order(number)
        assert [leg["status"] for leg in parent["leg"]] == ["open", "pending", "pending"]
        assert "tag" not in parent

        desk.quote("SPY", "600.40", "600.50")

        assert [leg["status"] for leg in (await desk.order(number))["leg"]] == ["filled", "open", "open"]
        assert (await desk.order((await desk.order(number))["leg"][2]["id"]))["type"] == "stop"


async def test_cancelling_a_bracket_with_a_filled_entry_ends_its_exits() -> None:
    async with tradier_desk() as desk:
        form = group("oto", spy("buy", "limit", price="602"), spy("sell", "stop", stop="590"))
        number = (await desk.place_form(form)).json["order"]["id"]

        assert (await desk.ask("DELETE", f"@/orders/{number}")).status == 200

        assert [leg["status"] for leg in (await desk.order(number))["leg"]] == ["filled", "canceled"]


@pytest.mark.parametrize(
    "form",
    [
        group("oco", spy("sell", "limit", price="610"), spy("sell", "limit", price="611")),
        group("oco", spy("sell", "limit", price="610")),
        group("oto", spy("buy", "market"), spy("sell", "stop", stop="590")),
        group("oto", spy("buy", "limit", price="600"), spy("buy", "stop", stop="590")),
    ],
)
async def test_a_group_that_is_none_is_refused(form: dict[str, str]) -> None:
    async with tradier_desk() as desk:
        await desk.place(**STOCK)
        answer = await desk.place_form(form)

        assert answer.status == 400
        assert isinstance(answer.json["errors"]["error"], str)
