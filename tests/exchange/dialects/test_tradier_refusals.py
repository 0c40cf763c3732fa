"""What Tradier says no to, and in which of its ways."""

import pytest

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import asset_of
from standfast.exchange.engine import Engine
from standfast.exchange.sessions import USSessions
from tests.exchange.dialects.test_tradier_orders import OPTION, SPREAD, STOCK
from tests.exchange.dialects.tradier_desk import ACCOUNT, TOKEN, TradierDesk, served, tradier_desk
from tests.exchange.option_desk import FRIDAY, X3800


async def status_of(desk: TradierDesk, form: dict[str, str]) -> tuple[str, str | None]:
    row = await desk.order(await desk.place(**form))
    return row["status"], row.get("reason_description")


@pytest.mark.parametrize(
    ("form", "about"),
    [
        (OPTION | {"side": "buy"}, "side"),
        (STOCK | {"side": "buy_to_open"}, "side"),
        (STOCK | {"type": "trailing_stop"}, "type"),
        (STOCK | {"quantity": "0"}, "quantity"),
        (STOCK | {"quantity": "1.5"}, "quantity"),
        (STOCK | {"type": "limit"}, "price"),
        (STOCK | {"type": "limit", "price": "-1"}, "price"),
        (STOCK | {"duration": "fok"}, "duration"),
        (STOCK | {"duration": "pre"}, "duration"),
        (OPTION | {"duration": "post"}, "duration"),
        (OPTION | {"option_symbol": X3800}, "option_symbol"),
        (OPTION | {"tag": "no spaces"}, "tag"),
        (SPREAD | {"type": "limit"}, "type"),
        ({"class": "spread"}, "class"),
    ],
)
async def test_an_unreadable_form_is_refused_in_plain_text(form: dict[str, str], about: str) -> None:
    async with tradier_desk() as desk:
        answer = await desk.place_form(form)

        assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (400, "text/plain")
        assert answer.body.decode().startswith(f"Invalid parameter, {about}: ")
        assert await desk.get("@/orders") == {"orders": "null"}


async def test_pre_market_orders_are_refused_in_the_recorded_words() -> None:
    async with tradier_desk() as desk:
        answer = await desk.place_form(STOCK | {"duration": "pre", "type": "limit", "price": "600"})

        assert answer.body == b"Invalid parameter, duration: pre market no longer available."


async def test_more_closed_than_held_is_accepted_and_then_rejected() -> None:
    async with tradier_desk() as desk:
        status, reason = await status_of(desk, OPTION | {"side": "sell_to_close"})
        assert status == "rejected"
        assert reason is not None
        assert reason.startswith("Sell order is for more shares than your current long position")

        status, reason = await status_of(desk, OPTION | {"side": "buy_to_close"})
        assert reason is not None
        assert reason.startswith("Buy order is for more shares than your current short position")


async def test_what_rests_as_an_exit_cannot_be_closed_again() -> None:
    async with tradier_desk() as desk:
        await desk.place(**OPTION)
        await desk.place(**OPTION | {"side": "sell_to_close", "price": "9.00"})

        assert (await status_of(desk, OPTION | {"side": "sell_to_close", "price": "3.00"}))[0] == "rejected"


async def test_an_order_without_the_money_for_it_is_accepted_and_then_rejected_with_its_legs() -> None:
    async with tradier_desk(cash="500") as desk:
        row = await desk.order((await desk.place_form(SPREAD)).json["order"]["id"])

        assert (row["status"], row["reason_description"]) == (
            "rejected",
            "You do not have enough buying power for this trade.",
        )
        assert [leg["status"] for leg in row["leg"]] == ["rejected", "rejected"]
        assert row["remaining_quantity"] == 4.0


async def test_a_preview_places_nothing() -> None:
    async with tradier_desk() as desk:
        answer = await desk.place_form(SPREAD | {"preview": "true"})

        row = answer.json["order"]
        assert (row["status"], row["result"], row["cost"], row["order_cost"]) == ("ok", True, -198.6, -200.0)
        assert row["margin_change"] == 1000.0
        assert await desk.get("@/orders") == {"orders": "null"}


async def test_a_finished_order_cannot_be_cancelled() -> None:
    async with tradier_desk() as desk:
        number = await desk.place(**STOCK)

        answer = await desk.ask("DELETE", f"@/orders/{number}")

        assert (answer.status, answer.body) == (400, b"order already in finalized state: filled")
        assert (await desk.ask("DELETE", "@/orders/7")).status == 404


async def test_a_token_opens_all_accounts_that_have_it_and_each_has_its_own_orders() -> None:
    specs = [AccountSpec(name=name, key_id=f"VA{n}", secret=TOKEN) for n, name in enumerate("abc") if name != "c"]
    stranger = AccountSpec(name="c", key_id="VA2", secret="another")
    engine = Engine([asset_of("SPY")], [*specs, stranger], start=FRIDAY, calendar=USSessions())
    async with served(engine, limits=None) as desk:
        desk.quote("SPY", "601.00", "601.02")
        assert (await desk.ask("POST", "/accounts/VA1/orders", STOCK)).status == 200

        profile = await desk.get("/user/profile")
        assert [row["account_number"] for row in profile["profile"]["account"]] == ["VA0", "VA1"]
        assert await desk.get("/accounts/VA0/orders") == {"orders": "null"}
        assert (await desk.get("/accounts/VA1/positions"))["positions"]["position"]["symbol"] == "SPY"
        assert (await desk.ask("GET", "/accounts/VA2/orders")).status == 401


async def test_only_the_number_and_token_of_an_account_open_it() -> None:
    async with tradier_desk() as desk:
        assert (await desk.ask("GET", "/accounts/VA00000002/orders")).status == 401
        wrong = await desk.ask("GET", "@/orders", Authorization="Bearer another")
        assert wrong.status == 401
        none = await desk.ask("GET", "/user/profile", Authorization="")
        assert none.json["fault"]["faultstring"] == "Invalid Access Token"
        profile = await desk.get("/user/profile")
        assert profile["profile"]["account"]["account_number"] == ACCOUNT
