"""What can be done to a served exchange under /sim, and what it tells."""

from decimal import Decimal

from tests.contract.asked import BUY, STOP, asking


async def test_time_is_told_and_moved() -> None:
    async with asking() as asker:
        before = await asker.get("/sim/clock")
        moved = (await asker.ask("POST", "/sim/advance", {"seconds": 90})).json

        assert before == {"now": "2026-01-05T14:30:00Z", "speed": None}
        assert moved["now"] == "2026-01-05T14:31:30Z"
        assert (await asker.ask("POST", "/sim/advance", {"to": "2026-01-05T15:00:00Z"})).status == 200
        assert (await asker.get("/v2/clock"))["timestamp"] == "2026-01-05T10:00:00-05:00"
        assert (await asker.ask("POST", "/sim/advance", {"to": "2026-01-01T15:00:00Z"})).status == 400
        assert (await asker.ask("POST", "/sim/advance", {})).status == 400


async def test_a_posted_quote_trades_and_a_one_sided_one_is_only_shown() -> None:
    async with asking() as asker:
        await asker.submit()
        stop = await asker.submit(**STOP)

        await asker.ask("POST", "/sim/quote", {"instrument": "SPY", "bid": "0", "ask": "580"})
        blind = (await asker.get("/v2/stocks/SPY/quotes/latest"))["quote"]
        waiting = (await asker.get(f"/v2/orders/{stop['id']}"))["status"]
        await asker.ask("POST", "/sim/quote", {"instrument": "SPY", "bid": "589", "ask": "589.02"})
        hit = await asker.get(f"/v2/orders/{stop['id']}")

        assert (blind["bp"], blind["ap"], waiting) == (0, 580, "new")
        assert (hit["status"], hit["filled_avg_price"]) == ("filled", "589")
        assert (await asker.ask("POST", "/sim/quote", {"instrument": "ZZZZ", "bid": "1", "ask": "2"})).status == 400


async def test_somebody_else_trades_the_account_and_the_truth_is_told() -> None:
    async with asking() as asker:
        order = (await asker.ask("POST", "/sim/order", {"instrument": "SPY", "side": "buy", "quantity": "4"})).json
        asker.quote("SPY", "610", "610.02")
        await asker.ask("POST", "/sim/order", {"instrument": "SPY", "side": "sell", "quantity": "3"})

        truth = (await asker.get("/sim/truth"))["accounts"]["paper"]

        assert order["account"] == "paper"
        assert truth["positions"] == {"SPY": "1"}
        assert Decimal(truth["realised"]) == 3 * (Decimal("610") - Decimal("600.01"))
        assert truth["realised_by_day"].keys() == {"2026-01-05"}
        assert [fill["quantity"] for fill in truth["fills"]] == ["4", "-3"]


async def test_orders_are_cancelled_filled_and_rejected_by_hand() -> None:
    async with asking() as asker:
        orders = [
            await asker.submit(symbol="KO", type="limit", limit_price="80", client_order_id=name) for name in "abc"
        ]
        ids = [order["id"] for order in orders]
        await asker.ask("POST", "/sim/cancel", {"order_id": ids[0]})
        await asker.ask("POST", "/sim/fill", {"order_id": ids[1], "quantity": "4", "price": "79.5"})
        await asker.ask("POST", "/sim/reject", {"order_id": ids[2]})

        seen = [await asker.get(f"/v2/orders/{order_id}") for order_id in ids]

        assert [row["status"] for row in seen] == ["canceled", "partially_filled", "rejected"]
        assert (seen[1]["filled_qty"], seen[1]["filled_avg_price"]) == ("4", "79.5")


async def test_a_trade_is_corrected_and_taken_back_and_both_are_listed_under_its_id() -> None:
    async with asking() as asker:
        await asker.submit()
        (bought,) = await asker.get("/v2/account/activities")
        (fill,) = (await asker.get("/sim/truth"))["accounts"]["paper"]["fills"]

        await asker.ask("POST", "/sim/bust", {"execution_id": fill["execution_id"], "price": "590"})
        (row,) = await asker.get("/v2/positions")
        await asker.ask("POST", "/sim/bust", {"execution_id": fill["execution_id"]})

        assert row["avg_entry_price"] == "590"
        assert await asker.get("/v2/positions") == []
        assert {(each["id"], each.get("status")) for each in await asker.get("/v2/account/activities")} == {
            (bought["id"], None),
            (bought["id"], "correct"),
            (bought["id"], "canceled"),
        }


async def test_a_halt_holds_fills_back_and_a_split_rescales() -> None:
    async with asking() as asker:
        await asker.ask("POST", "/sim/halt", {"instrument": "SPY"})
        await asker.submit()
        held = await asker.get("/v2/positions")
        await asker.ask("POST", "/sim/resume", {"instrument": "SPY"})
        asker.quote("SPY", "599.99", "600.01")
        await asker.ask("POST", "/sim/split", {"instrument": "SPY", "ratio": "4"})

        assert held == []
        (row,) = await asker.get("/v2/positions")
        assert (row["qty"], row["avg_entry_price"]) == ("40", "150.0025")
        assert {activity["activity_type"] for activity in await asker.get("/v2/account/activities")} == {
            "FILL",
            "SPLIT",
        }


async def test_the_broker_liquidates_and_moves_cash() -> None:
    async with asking() as asker:
        await asker.submit()
        await asker.ask("POST", "/sim/liquidate", {"instrument": "SPY"})
        await asker.ask("POST", "/sim/cash", {"amount": "-12.5", "activity_type": "FEE"})

        assert await asker.get("/v2/positions") == []
        assert (await asker.get("/v2/account"))["cash"] == "99987.3"


async def test_faults_are_installed_and_cleared_over_the_wire() -> None:
    async with asking() as asker:
        installed = await asker.ask("POST", "/sim/faults", [{"operation": "account", "fault": {"kind": "garbled"}}])
        garbled = await asker.ask("GET", "/v2/account")
        await asker.ask("DELETE", "/sim/faults")
        mended = await asker.ask("GET", "/v2/account")
        mistaken = await asker.ask("POST", "/sim/faults", [{"operation": "acount", "fault": {"kind": "lost"}}])

        assert installed.json == {"installed": 1}
        assert (garbled.body[:6], mended.json["status"], mistaken.status) == (b"<html>", "ACTIVE", 400)
        (struck,) = (await asker.get("/sim/faults"))["struck"]
        assert (struck["operation"], struck["fault"]["kind"]) == ("account", "garbled")


async def test_an_unknown_address_is_404() -> None:
    async with asking() as asker:
        assert (await asker.ask("GET", "/v2/nothing")).status == 404
        assert (await asker.ask("POST", "/v2/positions", BUY)).status in (404, 405)


async def test_rules_and_partial_fills_are_set_over_the_wire() -> None:
    async with asking() as asker:
        rules = await asker.ask("POST", "/sim/rules", {"accept_after": 2.5, "refuses_wash_trades": False})
        await asker.ask("POST", "/sim/fills", {"in-parts": ["0.3"]})
        order = await asker.submit(client_order_id="in-parts")
        waiting = (await asker.get(f"/v2/orders/{order['id']}"))["status"]
        await asker.ask("POST", "/sim/advance", {"seconds": 3})
        begun = await asker.get(f"/v2/orders/{order['id']}")

        assert rules.json["accept_after"] == "PT2.5S"
        assert (waiting, begun["status"], begun["filled_qty"]) == ("pending_new", "partially_filled", "3")
        assert (await asker.ask("POST", "/sim/rules", {"no_such": 1})).status == 400
        assert (await asker.ask("POST", "/sim/rules", {"gtc_days": "some"})).status == 400


async def test_who_listens_is_told() -> None:
    async with asking() as asker, asker.session.ws_connect(f"{asker.server.url}/stream") as stream:
        nobody = await asker.get("/sim/listeners")
        for frame in (
            {"action": "auth", "key": "PKTEST", "secret": "a secret"},
            {"action": "listen", "data": {"streams": ["trade_updates"]}},
        ):
            await stream.send_json(frame)
            await stream.receive_bytes()

        assert (nobody, await asker.get("/sim/listeners")) == (
            {"orders": {}, "quotes": 0},
            {"orders": {"paper": 1}, "quotes": 0},
        )


async def test_a_calendar_is_asked_for_within_reason() -> None:
    async with asking() as asker:
        week = await asker.get("/v2/calendar?start=2025-12-31&end=2026-01-05")
        answers = [
            await asker.ask("GET", f"/v2/calendar?{query}")
            for query in ("start=9999-12-31", "end=0001-01-01", "start=2026-02-01&end=2026-01-01", "start=soon")
        ]

        assert [(day["date"], day["settlement_date"]) for day in week] == [
            ("2025-12-31", "2026-01-02"),
            ("2026-01-02", "2026-01-05"),
            ("2026-01-05", "2026-01-06"),
        ]
        assert [answer.status for answer in answers] == [400, 400, 400, 422]
