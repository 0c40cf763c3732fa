"""The verbs together, as an operator uses them: a served exchange, a guard beside it, and every command a process."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.running import Ran, command, environment, standfast


@contextmanager
def running(*arguments: str | Path, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A command that runs until the block ends; its two outputs are one stream."""
    with subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)


def ended(process: "subprocess.Popen[str]") -> int:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=240)
    return process.returncode


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Path]:
    """A folder whose settings name a served exchange, with an account beside the one they name."""
    accounts = ("--account", "paper:key:secret:100000", "--account", "other:others:secret:100000")
    with running("exchange", "--port", "0", "--json", *accounts, folder=tmp_path) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        written = standfast(
            *("init", "--yes", "--exchange", url, "--mode", "repair", "--foreign", "adopt"), folder=tmp_path
        )
        assert written.code == 0, written.err
        yield tmp_path


@contextmanager
def guard(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A guard that has said its first status line."""
    with running("guard", folder=folder) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if '"status"' in line:
                break
        yield process


def do(folder: Path, *arguments: str) -> Ran:
    ran = standfast(*arguments, "--json", folder=folder)
    assert ran.code == 0, (arguments, ran)
    return ran


def test_a_position_is_opened_protected_reduced_closed_and_explained(exchange: Path) -> None:
    with guard(exchange) as process:
        do(exchange, "open", "paper", "SPY", "10", "--strategy", "trend", "--wait", "20s")
        (held,) = do(exchange, "positions").document["positions"]
        scanned = do(exchange, "scan").document
        do(exchange, "close", held["id"][:6], "--quantity", "4", "--wait", "20s")
        (reduced,) = do(exchange, "positions").document["positions"]
        do(exchange, "flatten", "paper", "--wait", "20s")
        code = ended(process)

    assert held["protection"]["covered"], held
    assert (held["legs"][0]["quantity"], held["protection"]["quantity"]) == ("10", "10")
    assert scanned == {"agree": True, "breaks": [], "unverified": []}
    assert (reduced["legs"][0]["quantity"], reduced["protection"]["quantity"]) == ("6", "6")
    assert code == 0
    assert do(exchange, "positions").document == {"positions": []}
    (closed,) = do(exchange, "history").document["history"]
    assert (closed["id"], closed["close_reason"], len(closed["fills"])) == (held["id"], "operator", 3)
    told = do(exchange, "explain", held["id"]).document["explain"]["entries"]
    kinds = [each["kind"] for each in told]
    assert kinds[:2] == ["RequestTaken", "OpeningRequested"] or kinds[0] == "OpeningRequested"
    assert "PositionSettled" in kinds
    assert standfast("journal", "verify", folder=exchange).code == 0


def test_doctor_finds_a_served_exchange_in_order(exchange: Path) -> None:
    found = {each["name"]: each for each in standfast("doctor", "--json", folder=exchange).document["checks"]}

    assert [name for name, each in found.items() if not each["ok"]] == ["alerts"]


def test_the_keys_of_another_account_are_told_by_every_verb_that_asks_the_broker(exchange: Path) -> None:
    do(exchange, "open", "paper", "SPY", "10", "--wait", "60s")
    (known,) = (
        line for line in standfast("journal", "tail", folder=exchange).out.splitlines() if "AccountSeen" in line
    )
    number = known.split("is of account ")[1].split()[0]
    settings = exchange / "standfast.toml"
    settings.write_text(settings.read_text().replace('"key"', '"others"'))

    looked = {each["name"]: each for each in standfast("doctor", "--json", folder=exchange).document["checks"]}
    scanned = standfast("scan", "--json", folder=exchange)
    acted = standfast("flatten", "paper", "--wait", "120s", "--json", folder=exchange)

    assert not looked["paper: account"]["ok"]
    assert number in looked["paper: account"]["detail"]
    assert (scanned.code, scanned.document["breaks"]) == (3, [])
    assert f"the ledger is of {number}" in scanned.document["unverified"][0]
    assert acted.code == 1
    assert f"its ledger is of {number}" in acted.document["request"]["detail"]
    alarms = do(exchange, "alerts").document["alerts"]
    assert any("is halted" in each["text"] and number in each["text"] for each in alarms)
    (held,) = do(exchange, "positions").document["positions"]
    assert held["phase"] == "open"

    settings.write_text(settings.read_text().replace('name = "paper"', 'name = "second"'))  # it is meant
    frozen = do(exchange, "freeze", "second", "--wait", "60s").document["request"]
    assert frozen["ok"]
    looked = {each["name"]: each for each in standfast("doctor", "--json", folder=exchange).document["checks"]}
    assert looked["second: account"]["ok"]
    assert {each["account"] for each in do(exchange, "positions").document["positions"]} == {"paper"}


def test_an_act_with_no_guard_running_is_one_document_and_recorded(exchange: Path) -> None:
    outcome = do(exchange, "freeze", "paper", "--wait", "20s").document["request"]

    assert (outcome["verb"], outcome["ok"]) == ("freeze", True)
    kinds = [line.split()[4] for line in standfast("journal", "tail", folder=exchange).out.splitlines()]
    assert "Frozen" in kinds
