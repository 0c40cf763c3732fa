"""The simulated exchange as a process, and the values its options take."""

import argparse
import json
import signal
import subprocess
import urllib.request
from decimal import Decimal

import pytest

from standfast.cli.main import main
from standfast.cli.shows import account, speed
from tests.cli.running import command, environment


def test_the_exchange_says_where_it_listens_answers_there_and_ends_with_0() -> None:
    asked = command("exchange", "--port", "0", "--clock", "x10", "--account", "mine:k:s:500", "--json")
    with subprocess.Popen(asked, env=environment(), stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        told = json.loads(running.stdout.readline())
        with urllib.request.urlopen(f"{told['url']}/sim/clock", timeout=240) as answer:
            clock = json.load(answer)
        running.send_signal(signal.SIGTERM)
        code = running.wait(timeout=240)

    assert (told["accounts"], Decimal(str(clock["speed"])), code) == (["mine"], Decimal(10), 0)


def test_the_exchange_speaks_tradier_when_asked_to() -> None:
    asked = command("exchange", "--port", "0", "--dialect", "tradier", "--clock", "manual", "--strikes", "1", "--json")
    with subprocess.Popen(asked, env=environment(), stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        url = json.loads(running.stdout.readline())["url"]
        keys = {"Authorization": "Bearer secret", "Accept": "application/json"}
        strikes = f"{url}/v1/markets/options/strikes?symbol=SPX&expiration=2026-01-05"
        with urllib.request.urlopen(urllib.request.Request(strikes, headers=keys), timeout=240) as answer:
            found = json.load(answer)
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=240)

    assert found == {"strikes": {"strike": [5950.0, 6000.0, 6050.0]}}


@pytest.mark.parametrize(
    ("dialect", "path"), [("bybit", "v5/market/instruments-info?category=linear"), ("binance", "fapi/v1/exchangeInfo")]
)
def test_the_exchange_trades_perpetual_futures_when_asked_to(dialect: str, path: str) -> None:
    asked = command("exchange", "--port", "0", "--dialect", dialect, "--clock", "manual", "--json")
    with subprocess.Popen(asked, env=environment(), stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        url = json.loads(running.stdout.readline())["url"]
        with urllib.request.urlopen(f"{url}/{path}", timeout=240) as answer:
            found = json.load(answer)
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=240)

    rows = found["symbols"] if dialect == "binance" else found["result"]["list"]
    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT"]


@pytest.mark.parametrize(("text", "times"), [("real", 1.0), ("x60", 60.0), ("x0.5", 0.5), ("manual", None)])
def test_time_runs_as_asked(text: str, times: float | None) -> None:
    assert speed(text) == times


@pytest.mark.parametrize("text", ["60", "x0", "x-1", "xinf", "fast"])
def test_a_speed_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="write real, manual, or xN such as x60"):
        speed(text)


def test_an_account_of_the_exchange_has_name_key_secret_and_perhaps_cash() -> None:
    assert (account("a:b:c").cash, account("a:b:c:5").cash) == (Decimal(100_000), Decimal(5))
    with pytest.raises(argparse.ArgumentTypeError, match="write NAME:KEY:SECRET"):
        account("a:b")


@pytest.mark.parametrize("asked", [["demo", "--replay", "no-such.zip"], ["exchange", "--replay", "no-such.zip"]])
def test_a_file_that_is_not_there_is_1_with_its_name(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(asked) == 1
    assert "no-such.zip: there is no such file" in capsys.readouterr().err


def test_a_port_no_machine_has_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exchange", "--port", "65536"]) == 2
    assert "a port is at most 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (["rollback-doubles", "close-flips", "--seeds", "2"], "--seeds goes with rollback-doubles alone"),
        (["rollback-doubles", "--seeds", "2", "--wire"], "goes without --wire"),
        (["rollback-doubles", "--seeds", "0"], "at least one"),
        (["perp-stop-not-seen", "--broker", "bybit"], "is played at binance, not at bybit"),
    ],
)
def test_what_does_not_go_together_in_a_drill_is_said(
    asked: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drill", "run", *asked]) == 1
    assert why in capsys.readouterr().err


def test_a_drill_over_seeds_ends_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "run", "rollback-doubles", "--seeds", "1", "--from", "5", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["seeds"], figures["wrong_way"], figures["untracked"], figures["naked"]) == (1, 0, 0, 0)
    assert figures["failed"] == []
