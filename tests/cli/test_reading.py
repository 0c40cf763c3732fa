"""The verbs that show: one document each, as design.md §7 describes, and a table that says the same."""

import asyncio
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from standfast.desk import ledger
from standfast.model.order import Role
from standfast.stores.holder import describe_holder
from standfast.stores.sqlite.store import SqliteStore
from tests.cli.ledgers import KEPT, PAPER, SPY, opened, order, stop, write
from tests.cli.running import command, environment, standfast


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("ledger"))


def shown(config: Path, *arguments: str) -> Any:
    ran = standfast(*arguments, "--config", config, "--json")
    assert (ran.code, ran.err) == (0, "")
    return ran.document


def test_positions_is_one_document_with_decimals_as_strings_and_times_in_utc(config: Path) -> None:
    assert shown(config, "positions") == {
        "positions": [
            {
                "id": "p-spy-kept",
                "account": "paper",
                "strategy": "trend",
                "phase": "open",
                "direction": "long",
                "legs": [{"instrument": "SPY", "quantity": "5", "entry_price": "600", "exit_price": "606.5"}],
                "opened_at": "2026-11-19T15:00:00Z",
                "closed_at": None,
                "close_reason": None,
                "pnl": "32.5",
                "result": "0.010833",
                "protection": {
                    "held_by": "broker",
                    "stop_price": "588",
                    "quantity": "10",
                    "covered": True,
                    "naked_seconds": "0",
                },
                "short_delta_limit": None,
                "verified": None,
                "adopted": False,
            }
        ]
    }


def test_positions_with_all_has_the_closed_ones_too(config: Path) -> None:
    found = shown(config, "positions", "--all")["positions"]

    assert [(each["id"], each["phase"], each["close_reason"]) for each in found] == [
        ("p-aapl-stopped", "closed", "stop_loss"),
        ("p-spy-kept", "open", None),
    ]


def test_the_portfolio_of_a_broker_that_cannot_be_asked_counts_nothing_as_nothing(config: Path) -> None:
    ran = standfast("portfolio", "--config", config, "--json")

    (found,) = ran.document["portfolio"]
    (kept,) = found["positions"]
    assert ran.code == 3
    assert "Unreachable" in found["failure"]
    assert (kept["id"], kept["entry"], kept["now"], kept["pnl"]) == ("p-spy-kept", "600", None, None)
    assert (found["pnl"], found["without_quote"], found["open_breaks"]) == (None, ["SPY"], 1)
    assert found["worst_cases"][0]["worst"] == {"amount": "-3000", "at": "0"}
    assert "not priced: Unreachable" in standfast("portfolio", "--config", config).out


def test_a_saved_book_shows_what_the_whole_journal_shows(config: Path, tmp_path: Path) -> None:
    saved = write(tmp_path, saved=True)

    assert shown(saved, "positions", "--all") == shown(config, "positions", "--all")


def test_an_account_that_is_not_there_is_named_with_those_that_are(config: Path) -> None:
    ran = standfast("positions", "papr", "--config", config)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "standfast: 'papr': there is no account of that name; accounts here: paper\n"


def test_orders_shows_what_may_still_fill_and_with_all_what_the_book_keeps(config: Path) -> None:
    working = shown(config, "orders")["orders"]
    everything = shown(config, "orders", "--all")["orders"]

    assert [(each["id"], each["client_order_id"], each["role"], each["state"]) for each in working] == [
        ("br-kept-stop", "sf-kept-stop", "stop", "working")
    ]
    assert {each["client_order_id"] for each in everything} == {"sf-kept", "sf-kept-stop", "sf-kept-half"}
    assert {"position", "side", "quantity", "filled", "type", "placed_at"} <= working[0].keys()


def test_breaks_is_one_document(config: Path) -> None:
    assert shown(config, "breaks", "paper") == {
        "breaks": [
            {
                "id": "b-tsla",
                "kind": "orphan_position",
                "account": "paper",
                "instrument": "TSLA",
                "first_seen": "2026-11-19T15:00:27Z",
                "last_seen": "2026-11-19T15:00:28Z",
                "confirmed": True,
                "booked": "0",
                "reported": "3",
                "evidence": "positions at 15:00",
                "action": None,
                "ended_at": None,
                "ended_by": None,
            }
        ]
    }


def test_alerts_is_one_document(config: Path) -> None:
    assert shown(config, "alerts", "--open") == {
        "alerts": [
            {
                "id": "a-tsla",
                "account": "paper",
                "severity": "warning",
                "text": "3 TSLA are not in the books",
                "break": "b-tsla",
                "first_at": "2026-11-19T15:00:29Z",
                "delivered_at": None,
                "acknowledged_at": None,
            }
        ]
    }


def test_history_has_fills_and_its_total_is_the_sum_of_its_days(config: Path) -> None:
    found = shown(config, "history")

    assert [(each["id"], each["pnl"], each["result"]) for each in found["history"]] == [
        ("p-aapl-stopped", "-20.8", "-0.020792")
    ]
    assert found["history"][0]["fills"][1] == {
        "execution_id": "x-stop",
        "order_id": "br-stopped-stop",
        "side": "sell",
        "quantity": "4",
        "price": "244.9",
        "fee": "0.02",
        "at": "2026-11-20T15:00:00Z",
    }
    assert found["days"] == [
        {"account": "paper", "day": "2026-11-19", "pnl": "0", "fees": "0"},
        {"account": "paper", "day": "2026-11-20", "pnl": "11.7", "fees": "0.04"},
    ]
    assert found["total"] == {"pnl": "11.7", "fees": "0.04"}


def test_history_of_one_day_counts_only_that_day(config: Path) -> None:
    before = shown(config, "history", "--day", "2026-11-19")
    closing = shown(config, "history", "--day", "2026-11-20")

    assert (before["history"], before["total"]) == ([], {"pnl": "0", "fees": "0"})
    assert (len(closing["history"]), closing["total"]["pnl"]) == (1, "11.7")


def test_a_pipe_gets_aligned_text_without_colour(config: Path) -> None:
    ran = standfast("positions", "--config", config)

    title, row = ran.out.splitlines()
    assert title.split()[:5] == ["ID", "ACCOUNT", "STRATEGY", "INSTRUMENT", "QUANTITY"]
    assert row.split()[:5] == ["p-spy-kept", "paper", "trend", "SPY", "5"]
    assert title.index("PHASE") == row.index("open")
    assert "\x1b" not in ran.out


NOBODY = "paper: no guard runs, only what rests at the broker protects. Start it: standfast guard\n"


def test_positions_says_when_no_guard_watches_them(config: Path) -> None:
    assert standfast("positions", "--config", config).err == NOBODY
    assert standfast("positions", "--config", config, "--json").err == ""


def test_a_rule_of_a_guard_that_does_not_run_covers_nothing(tmp_path: Path) -> None:
    config = held_by_guard(write(tmp_path, opened(KEPT, "kept", SPY, 10, "600")))

    assert "0 of 10 by broker" in standfast("positions", "--config", config).out
    (shown,) = standfast("positions", "--config", config, "--json").document["positions"]
    assert (shown["protection"]["covered"], shown["protection"]["quantity"]) == (False, "0")


def test_what_rests_covers_without_a_guard_whoever_the_policy_wants(tmp_path: Path) -> None:
    resting = order("kept-stop", SPY, KEPT, Role.STOP, stop(10, "588"))
    config = held_by_guard(write(tmp_path, [*opened(KEPT, "kept", SPY, 10, "600"), *resting]))

    assert "10 by broker" in standfast("positions", "--config", config).out


async def test_a_living_guards_rule_is_shown_as_cover(tmp_path: Path) -> None:
    config = held_by_guard(await asyncio.to_thread(write, tmp_path, opened(KEPT, "kept", SPY, 10, "600")))
    store = SqliteStore(tmp_path / "standfast.db", ballast=0)
    await store.acquire(PAPER, describe_holder(), ledger.now())  # this process is the guard meanwhile
    try:
        ran = await asyncio.to_thread(standfast, "positions", "--config", config)
    finally:
        await store.close()

    assert "10 by guard" in ran.out
    assert ran.err == ""


def held_by_guard(config: Path) -> Path:
    config.write_text(config.read_text() + 'exits_held_by = "guard"\n')
    return config


def test_a_terminal_gets_colour_unless_no_color_is_set(config: Path) -> None:
    assert "\x1b[31morphan_position" in on_terminal("breaks", "--config", str(config))
    assert "\x1b[31m" not in on_terminal("breaks", "--config", str(config), NO_COLOR="1")


def on_terminal(*arguments: str, **more: str) -> str:
    """What the command writes when its standard output is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(*arguments), env=environment(TERM="xterm", COLUMNS="160", **more), stdout=theirs, stdin=theirs
    ) as running:
        os.close(theirs)
        written = b""
        try:
            while block := os.read(ours, 65536):
                written += block
        except OSError:  # Linux tells the end of a terminal so
            pass
        assert running.wait(timeout=240) == 0
    os.close(ours)
    return written.decode()
