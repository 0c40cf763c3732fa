"""Real processes to measure: the served exchange and a guard on it, each started as an operator starts them.

Times are the exchange's own (what it wrote into its orders and its log), so that nothing here is in the way of what
is measured. Everything lives in a temporary folder and ends with the block that began it.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil

STANDFAST = [sys.executable, "-m", "standfast"]
ENDS_WITHIN = 30.0
FIRST_STATUS = 150.0
"""Seconds. Where a list of positions may be 35 s late, what was traded just before the start is waited for."""
KEYS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}

SETTINGS = """\
[[accounts]]
name = "paper"
broker = "{broker}"
mode = "repair"
key_id = "key"
secret = "secret"
foreign = "{foreign}"
rest_url = "{url}"
{clock}

[[policies]]
name = "default"
exits_held_by = "{held_by}"
stop_loss = "{stop_loss}"
"""
USUAL = {"broker": "alpaca", "stop_loss": "2%", "clock": 'clock = "exchange"'}


class Exchange:
    """A running exchange, spoken to over one kept connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._line = HTTPConnection(url.removeprefix("http://"), timeout=60)
        self._left = ""

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The reply's JSON; AssertionError for anything but success."""
        data = None if body is None else json.dumps(body)
        self._line.request(method, path, data, {**KEYS, "Content-Type": "application/json"})
        reply = self._line.getresponse()
        text = reply.read()
        self._left = reply.getheader("X-RateLimit-Remaining") or self._left
        assert reply.status < 300, f"{method} {path}: {reply.status} {text[:300]!r}"
        return json.loads(text) if text else None

    def quote(self, instrument: str, bid: str, ask: str) -> None:
        self.ask("POST", "/sim/quote", {"instrument": instrument, "bid": bid, "ask": ask})

    def buy(self, instrument: str, quantity: int = 10) -> Any:
        """As the bot does: an ordinary market order."""
        order = {"symbol": instrument, "qty": str(quantity), "side": "buy", "type": "market", "time_in_force": "day"}
        return self.ask("POST", "/v2/orders", order)

    def left(self) -> int:
        """Requests left of this minute, after one more."""
        self.ask("GET", "/v2/account")
        return int(self._left)

    def orders(self) -> list[Any]:
        """Every order there is, oldest first."""
        found: list[Any] = []
        while True:
            after = f"&after={found[-1]['submitted_at']}" if found else ""
            page = self.ask("GET", f"/v2/orders?status=all&limit=500&direction=asc{after}")
            known = {order["id"] for order in found}
            fresh = [order for order in page if order["id"] not in known]
            found += fresh
            if len(page) < 500 or not fresh:
                return found

    def log(self) -> list[Any]:
        """Every request it was asked, oldest first; those of the bot above are among them."""
        requests: list[Any] = self.ask("GET", "/sim/log")["requests"]
        return requests

    def now(self) -> datetime:
        return moment(self.ask("GET", "/sim/clock")["now"])

    def listeners(self) -> tuple[int, int]:
        """How many follow orders, and how many follow quotes."""
        found = self.ask("GET", "/sim/listeners")
        return sum(found["orders"].values()), int(found["quotes"])


@contextmanager
def exchange(
    instruments: Sequence[str], *options: str, cash: int = 100_000_000, accounts: Sequence[str] = ("paper:key:secret",)
) -> Iterator[Exchange]:
    """A served exchange at real time whose prices are only those posted."""
    listed = [word for name in instruments for word in ("--instrument", f"{name}=100")]
    account = [word for name in accounts for word in ("--account", f"{name}:{cash}")]
    command = [*STANDFAST, "exchange", "--port", "0", "--json", "--no-market", *account, *listed, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    try:
        assert process.stdout is not None
        yield Exchange(json.loads(process.stdout.readline())["url"])
    finally:
        end(process)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def guard(
    folder: Path, at: Exchange, *, held_by: str = "broker", foreign: str = "adopt", **said: str
) -> Iterator[psutil.Process]:
    """A running guard (its parent process), from the moment it guards. `said`: as in `settings`."""
    with guarding(settings(folder, at.url, held_by=held_by, foreign=foreign, **said)) as running:
        yield running


@contextmanager
def guarding(config: Path) -> Iterator[psutil.Process]:
    """As `guard`, by settings that are written already."""
    folder = config.parent
    with (folder / "guard.log").open("ab") as log:
        begins = log.tell()
        process = subprocess.Popen(
            [*STANDFAST, "guard", "--config", str(config)], stderr=log, stdout=log, env=environment()
        )
        try:
            log_of = folder / "guard.log"
            until(lambda: b'"status"' in log_of.read_bytes()[begins:], "the guard's first status", within=FIRST_STATUS)
            yield psutil.Process(process.pid)
        finally:
            end(process)


def settings(folder: Path, url: str, *, held_by: str, foreign: str = "adopt", **said: str) -> Path:
    """`said`: what else the settings say, by the names in them."""
    told = USUAL | said | {"url": url, "held_by": held_by, "foreign": foreign}
    config = folder / "standfast.toml"
    config.write_text(SETTINGS.format(**told))
    return config


def environment() -> dict[str, str]:
    """Ours, without what would change how Standfast runs. An installation has its byte code: it is kept here too."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("STANDFAST")}
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return ours


def end(process: "subprocess.Popen[Any]") -> int:
    """Ask to stop and wait; a process that does not is killed, and that is an error."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def until(found: Callable[[], bool], what: str, within: float = 30.0) -> None:
    """Wait for it; AssertionError when it does not come."""
    deadline = time.monotonic() + within
    while not found():
        assert time.monotonic() < deadline, f"{what} did not come within {within:g} s"
        time.sleep(0.05)


def moment(text: str) -> datetime:
    """Times of the exchange carry up to nanoseconds; what is below a microsecond is dropped."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
