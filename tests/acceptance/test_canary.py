"""S13, no secret leaves: a guard with canaries for keys, beside a broker that quotes them, and every output searched.

The broker here is a relay to the exchange that answers as careless services do: refusals and errors that repeat the
key they were sent. What is searched is all that the guard leaves behind: log, ledger and the files beside it, backup,
alarms, and what every verb prints, down to the traceback of a crash and the stacks of a hung worker.
"""

import base64
import json
import os
import re
import signal
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from standfast.model.journal import AlertRaised, GuardFailed, OrderRejected
from tests.acceptance import stage as staging
from tests.acceptance.stage import PATIENCE, Exchange, Guard, Stage, until
from tests.acceptance.wires import Webhook
from tests.cli.running import Ran

KEY = "PKCANARY7Q2X9LMWZ4T8"
SECRET = 'cAnArY/8Kd+3xVq="Zp6w&Tn1oRb5uYh2jGf9eSm4'
HOOK = "hookcanaryqx7zkw2mvt9hypr3ljsu5"
"""No letters of hexadecimal alone: seven of those are found by chance in the digests of a long journal."""
CANARIES = (KEY, SECRET, HOOK)

SETTINGS = """\
[[accounts]]
name = "paper"
broker = "alpaca"
mode = "repair"
key_id = "env:CANARY_KEY_ID"
secret = "file:canary"
rest_url = "{url}"
stream_url = "{stream}"
data_url = "{url}"
data_stream_url = "{stream}"
foreign = "adopt"
clock = "exchange"

[[policies]]
name = "default"
stop_loss = "2%"

[[alerts]]
url = "log://"

[[alerts]]
url = "env:CANARY_ALERT_URL"

[[alerts]]
url = "json://127.0.0.1:9/{hook}"
"""

BUG = """\
import sys
from pathlib import Path

def spoil():
    from standfast.brokers.alpaca.client import AlpacaClient
    positions = AlpacaClient.get_positions
    async def get_positions(self, urgency):
        if Path("bug").exists():
            Path("bug").unlink()
            raise RuntimeError(f"a bug of a library with {self._access.headers}")
        return await positions(self, urgency)
    AlpacaClient.get_positions = get_positions

if "guard" in getattr(sys, "orig_argv", []) and "--worker" in sys.orig_argv:
    spoil()
"""
"""What a library may do any day: raise an error that quotes what it was given. Loaded by the worker's interpreter."""


class Careless:
    """A relay to the exchange's HTTP; while `quotes` is set it answers with the keys it was sent."""

    def __init__(self, target: str) -> None:
        self.quotes = ""
        self.quoted = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                keys = {name: self.headers.get(name, "") for name in ("APCA-API-KEY-ID", "APCA-API-SECRET-KEY")}
                if outer.quotes and (self.command, outer.quotes) != ("GET", "orders"):
                    outer.quoted += 1
                    status, answer = quoting(outer.quotes, *keys.values())
                else:
                    status, answer = forwarded(target + self.path, body, keys, self.command)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815  # as the standard library calls them

            def log_message(self, *args: object) -> None:
                """Nothing: what the guard leaves behind is what counts."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Careless":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def quoting(how: str, key: str, secret: str) -> tuple[int, bytes]:
    """A refusal or an error that repeats what it was sent, one way or another."""
    basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
    escaped = urllib.parse.quote(secret, safe="")
    words = f"no rights for {key} with {secret} ({basic}, ?secret={escaped}, {secret[:8]}, {secret[-8:]})"
    match how:
        case "orders":
            return 403, json.dumps({"code": 40310000, "message": words}).encode()
        case "page":
            return 500, f"<html>{words}</html>".encode()
        case _:
            return 200, f"not json: {words}".encode()


def forwarded(url: str, body: bytes, headers: dict[str, str], method: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body or None, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


@pytest.fixture
def careless(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Exchange, Careless]]:
    monkeypatch.setitem(staging.SECRETS, staging.PAPER, (KEY, SECRET))
    monkeypatch.setenv("CANARY_KEY_ID", KEY)
    (tmp_path / "canary").write_text(SECRET + "\n")
    (tmp_path / "canary").chmod(0o600)
    exchange = stage.exchange("--account", f"paper:{KEY}:{SECRET}")
    with Careless(exchange.url) as relay:
        yield exchange, relay


def configure(stage: Stage, exchange: Exchange, relay: Careless) -> None:
    stream = re.sub("^http", "ws", exchange.url)
    stage.config.write_text(SETTINGS.format(url=relay.url, stream=stream, hook=HOOK))
    stage.config.chmod(0o600)


def shown(text: str) -> list[str]:
    """Every piece of seven characters of a canary, plain or encoded, that the text shows."""
    found = []
    for canary in CANARIES:
        for form in (canary, urllib.parse.quote(canary, safe=""), json.dumps(canary)[1:-1]):
            found += [form[at : at + 7] for at in range(len(form) - 6) if form[at : at + 7] in text]
        for offset in range(3):
            coded = base64.b64encode(b"\0" * offset + canary.encode()).decode()[4:-4]
            found += [coded[at : at + 10] for at in range(len(coded) - 9) if coded[at : at + 10] in text]
    return sorted(set(found))


def left_behind(stage: Stage) -> dict[str, str]:
    """Every file in the stage's folder but those that were given their secrets by us."""
    given = {"canary", "standfast.toml", "exchange.log"}
    return {
        str(path.relative_to(stage.folder)): path.read_bytes().decode("utf-8", "replace")
        for path in stage.folder.rglob("*")
        if path.is_file() and path.name not in given and "__pycache__" not in path.parts
    }


def test_the_search_finds_what_it_is_for() -> None:
    for canary in CANARIES:
        carriers = (canary, canary[:8], canary[-8:], urllib.parse.quote(canary, safe=""), json.dumps({"x": canary}))
        assert all(shown(f"... {text} ...") for text in (*carriers, base64.b64encode(f"me:{canary}".encode()).decode()))
    assert shown("nothing of the kind: ***") == []


@pytest.mark.timeout(900)  # twenty processes one after the other, on a machine that does much else
def test_no_secret_is_in_anything_a_guard_writes_sends_or_prints(
    stage: Stage, careless: tuple[Exchange, Careless], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    exchange, relay = careless
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "sitecustomize.py").write_text(BUG)
    monkeypatch.syspath_prepend(str(tmp_path / "library"))
    with Webhook() as webhook:
        monkeypatch.setenv("CANARY_ALERT_URL", f"{webhook.url}{HOOK}")
        configure(stage, exchange, relay)
        guard = stage.guarded()
        exchange.buy("AAPL")
        until(lambda: stage.is_protected(exchange), "the stop", told=guard.tail)

        fail_in_every_way(stage, exchange, relay, guard)

        until(lambda: webhook.texts("cannot be read"), "the alarm", told=guard.tail)
        said = {name: stage.run(*name.split()) for name in VERBS}
        assert guard.stop() == 0
        said["scan --json (quoting)"] = quoted_to(stage, relay, "scan", "--json")
        said["doctor --json (quoting)"] = quoted_to(stage, relay, "doctor", "--json", "--send")
        sent = json.dumps(webhook.taken)

    assert stage.facts(OrderRejected), "a refusal that quotes the keys was journaled"
    assert stage.facts(GuardFailed), "a bug that quotes the keys was journaled"
    assert [fact for fact in stage.facts(AlertRaised) if "***" in fact.text], "an alarm quoted what was said"
    assert "***" in sent
    assert "RuntimeError: a bug of a library" in guard.said()
    assert "Fatal Python error" in guard.said(), "the stacks of a hung worker"
    assert relay.quoted > 10
    assert {name: shown(ran.out + ran.err) for name, ran in said.items() if shown(ran.out + ran.err)} == {}
    assert shown(sent) == []
    behind = left_behind(stage)
    assert {"guard.log", "standfast.db", "standfast.db.paper.anchor", "copy.db"} <= set(behind)
    assert {name: shown(text) for name, text in behind.items() if shown(text)} == {}


VERBS = (
    "positions --json",
    "orders",
    "orders --json",
    "breaks --json",
    "alerts",
    "alerts --json",
    "history --json",
    "journal tail",
    "journal export",
    "journal backup copy.db",
    "journal verify",
    "scan",
    "doctor --json --send",
    "doctor",
)


def fail_in_every_way(stage: Stage, exchange: Exchange, relay: Careless, guard: Guard) -> None:
    """Refused orders, unreadable reads, a bug that quotes the keys, a worker that hangs; each until it shows."""
    relay.quotes = "orders"
    exchange.buy("SPY")
    until(lambda: stage.facts(OrderRejected), "a refused stop", told=guard.tail)
    for how in ("page", "garbage"):
        relay.quotes = how
        head = stage.head()
        until(partial(was_blind, stage, head), "blindness", told=guard.tail)
    relay.quotes = ""
    until(lambda: stage.is_protected(exchange), "both stops", told=guard.tail)

    (stage.folder / "bug").touch()
    until(lambda: stage.facts(GuardFailed), "the bug to end the worker", told=guard.tail)
    until(lambda: len(guard.workers()) == 2, "another worker", told=guard.tail)
    guard.wait_guarding()

    os.kill(guard.worker(), signal.SIGABRT)  # as the parent does to one that hangs
    until(lambda: len(guard.workers()) == 3, "a third worker", told=guard.tail)
    guard.wait_guarding()


def was_blind(stage: Stage, after: int) -> bool:
    return bool(stage.alarms("cannot be read")) and stage.head() > after


def quoted_to(stage: Stage, relay: Careless, *verb: str) -> Ran:
    relay.quotes = "garbage"
    try:
        return stage.run(*verb)
    finally:
        relay.quotes = ""
