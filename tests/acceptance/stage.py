"""The whole of Standfast as its users run it: the served exchange, a guard of two processes, a bot, their sockets.

`Stage` starts them in a folder of its own on free ports and ends every one of them, worker processes included,
however the test ends. Nothing here waits for a while and hopes: `until` looks again and again for something that must
come to be so, and says what it saw instead when its time is over.

PATIENCE is no measurement and no promise: it is when a test gives up on what should have come to be. How soon something
has to be so is proven in virtual time (tests/sim); a busy machine may take as long as it likes here.
"""

import json
import os
import re
import select
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from standfast.core.book import Book
from standfast.core.fold import fold
from standfast.model.ids import AccountId
from standfast.model.journal import AlertRaised, Entry, Fact, GuardingBegan
from standfast.model.position import Position
from standfast.runtime.clock import monotonic
from standfast.stores.sqlite.reading import LedgerReader
from tests.acceptance.case import Case
from tests.acceptance.judge import judge
from tests.cli.running import Ran, environment, standfast

Found = TypeVar("Found")
SomeFact = TypeVar("SomeFact", bound=Fact)

PAPER, SECOND = AccountId("paper"), AccountId("second")
SECRETS = {PAPER: ("key", "secret"), SECOND: ("key2", "secret2")}
PATIENCE = 120.0
"""Real seconds. It costs nothing when something comes, so it is long enough for a machine that does much else."""
WAIT = f"{PATIENCE:g}s"
"""The same for a verb that waits for its proof."""
LIVE = frozenset({"new", "accepted", "held", "pending_new", "partially_filled", "pending_cancel", "pending_replace"})

ACCOUNT = """\
[[accounts]]
name = "{name}"
broker = "alpaca"
mode = "repair"
key_id = "{key}"
secret = "{secret}"
rest_url = "{url}"
stream_url = "{stream}"
data_url = "{url}"
data_stream_url = "{stream}"
foreign = "adopt"
"""
FOLLOWING = 'clock = "exchange"\n'
BROKER_HOLDS = """\
exits_held_by = "broker"
stop_loss = "2%"
"""
GUARD_HOLDS = """\
exits_held_by = "guard"
stop_loss = "2%"
emergency_stop = "10%"
"""


def until(look: Callable[[], Found | None], what: str, *, told: Callable[[], object] | None = None) -> Found:
    """Look until there is something, and return it. AssertionError with what `told` says when the time is over."""
    deadline = monotonic() + PATIENCE
    while not (found := look()):
        if monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE:g} s for {what}; last seen: {found!r}; {told() if told else ''}")
        pause(0.05)
    assert found is not None  # for the type checker: nothing is falsy, and the loop has ended
    return found


def pause(seconds: float) -> None:
    """Let the processes have the machine between two looks."""
    select.select([], [], [], seconds)


class Process:
    """One process of the stage, and what it said."""

    def __init__(
        self, name: str, arguments: tuple[str, ...], folder: Path, *, within: tuple[str, ...] = (), **more: str
    ) -> None:
        """`within` is a command that turns into ours, `more` is added to its environment."""
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as out:
            self.began_at = out.tell()
            self.popen = subprocess.Popen(
                [*within, sys.executable, "-m", "standfast", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment(PYTHONUNBUFFERED="1", **more),
                process_group=0,
            )

    def said(self) -> str:
        """Everything since it was started."""
        return self.log.read_bytes()[self.began_at :].decode("utf-8", "replace")

    def tail(self) -> str:
        return "\n".join(self.said().splitlines()[-12:])

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Its log lines of that event."""
        found = []
        for line in self.said().splitlines():
            if line.startswith("{") and line.endswith("}"):
                document = json.loads(line)
                if document.get("event") == event:
                    found.append(document)
        return found

    def send(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        try:
            return self.popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.log.stem} did not end within {PATIENCE:g} s:\n{self.tail()}") from None

    def kill(self) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.kill()
        self.popen.wait()


class Guard(Process):
    """Parent and worker."""

    def workers(self) -> list[int]:
        return [int(line["process"]) for line in self.lines("the worker is started")]

    def worker(self) -> int:
        """The newest worker's process id."""
        return until(self.workers, "a worker to be started", told=self.tail)[-1]

    def is_guarding(self) -> bool:
        """Whether the newest worker has said its first status line."""
        text = self.said().rpartition('"the worker is started"')[2]
        return '"event": "status"' in text

    def wait_guarding(self) -> "Guard":
        until(lambda: self.is_guarding() or self.popen.poll() is not None, "the guard to guard", told=self.tail)
        assert self.popen.poll() is None, f"the guard ended with {self.popen.returncode}:\n{self.tail()}"
        return self

    def stop(self) -> int:
        """SIGTERM, as a service manager does it; the exit code."""
        self.send(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        """The parent and every worker it had."""
        super().kill()
        for worker in self.workers():
            kill_ours(worker, self.log.parent)


def kill_ours(process: int, folder: Path) -> None:
    """End a worker that is still there; a number that has become somebody else's is left alone."""
    try:
        # Its folder stands in its command line; where it runs is told to nobody but root (runtime/private.py).
        if str(folder).encode() in Path(f"/proc/{process}/cmdline").read_bytes():
            os.kill(process, signal.SIGCONT)
            os.kill(process, signal.SIGKILL)
    except OSError:
        return


def is_running(process: int) -> bool:
    """Whether there is such a process, and no mere zombie of one."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Exchange(Process):
    """The served exchange, asked as its bots and as its operator."""

    def __init__(self, arguments: tuple[str, ...], folder: Path) -> None:
        super().__init__("exchange", ("exchange", *arguments), folder)
        address = until(
            lambda: re.search(r"listens on (http://\S+)", self.said()), "the exchange to listen", told=self.tail
        )
        self.url = address[1]
        self.port = int(self.url.rpartition(":")[2])

    def ask(self, method: str, path: str, body: object = None, account: AccountId = PAPER) -> Any:
        """The reply's document; AssertionError for a refusal, with its words."""
        data = None if body is None else json.dumps(body).encode()
        key, secret = SECRETS[account]
        keys = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
        request = urllib.request.Request(self.url + path, data, keys, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                text = reply.read()
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{method} {path}: {refused.code} {refused.read().decode()}") from None
        return json.loads(text) if text else None

    # As a bot

    def buy(self, instrument: str, quantity: int = 10, *, account: AccountId = PAPER, **more: object) -> dict[str, Any]:
        """A market order of a bot that knows nothing of Standfast."""
        order = {"symbol": instrument, "qty": str(quantity), "side": "buy", "type": "market", "time_in_force": "day"}
        placed: dict[str, Any] = self.ask("POST", "/v2/orders", order | more, account)
        return placed

    def orders(self, account: AccountId = PAPER) -> list[dict[str, Any]]:
        """Every order the account ever had, legs included."""
        found: list[dict[str, Any]] = self.ask("GET", "/v2/orders?status=all&limit=500&nested=false", None, account)
        assert len(found) < 500, "more orders than one page: this test sends too many"
        return found

    def live(self, instrument: str | None = None, account: AccountId = PAPER) -> list[dict[str, Any]]:
        return [o for o in self.orders(account) if o["status"] in LIVE and instrument in (None, o["symbol"])]

    def stops(self, instrument: str | None = None, account: AccountId = PAPER) -> list[dict[str, Any]]:
        """Live stop orders."""
        return [order for order in self.live(instrument, account) if order["type"] in ("stop", "stop_limit")]

    # As its operator

    def positions(self) -> dict[str, Decimal]:
        held = self.ask("GET", "/sim/truth")["accounts"]["paper"]["positions"]
        return {name: Decimal(quantity) for name, quantity in held.items() if Decimal(quantity)}

    def now(self) -> datetime:
        return datetime.fromisoformat(self.ask("GET", "/sim/clock")["now"])

    def trouble(self, *rules: dict[str, object]) -> None:
        """From now on it misbehaves so, and in no other way; no rules: it behaves."""
        self.ask("DELETE", "/sim/faults")
        if rules:
            self.ask("POST", "/sim/faults", list(rules))

    def quote(self, instrument: str, bid: str, ask: str) -> None:
        self.ask("POST", "/sim/quote", {"instrument": instrument, "bid": bid, "ask": ask})


class Stage:
    """`with Stage(folder) as stage:` whatever was started is ended, the last first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "standfast.toml"
        self.ledger = folder / "standfast.db"
        self.tape = folder / "exchange.jsonl"
        """What the exchange says happened: see `judge`."""
        self.started: list[Process] = []

    def __enter__(self) -> "Stage":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self.started):
            process.kill()

    # --- starting -------------------------------------------------------------------------------

    def exchange(self, *arguments: str, port: int = 0, clock: str = "x10") -> Exchange:
        """Prices stand still unless a test posts others, and there is no request budget: a test asks a lot."""
        named = ("--instrument", "AAPL=100", "--instrument", "SPY=400", "--instrument", "MSFT=200")
        still = ("--no-market", "--per-minute", "0", "--log", str(self.tape))
        started = Exchange(("--port", str(port), "--clock", clock, *still, *named, *arguments), self.folder)
        self.started.append(started)
        for name, bid, ask in (("AAPL", "99.99", "100.01"), ("SPY", "399.99", "400.01"), ("MSFT", "199.99", "200.01")):
            started.quote(name, bid, ask)
        return started

    def settings(
        self,
        url: str,
        policy: str = BROKER_HOLDS,
        alerts: tuple[str, ...] = (),
        *,
        more: str = FOLLOWING,
        accounts: tuple[AccountId, ...] = (PAPER,),
        file: str = "standfast.toml",
    ) -> Path:
        """Write standfast.toml, or another file; `more` ends each account's table."""
        stream = re.sub("^http", "ws", url)
        text = ""
        for name in accounts:
            key, secret = SECRETS[name]
            text += ACCOUNT.format(name=name, key=key, secret=secret, url=url, stream=stream) + more + "\n"
        channels = "".join(f'\n[[alerts]]\nurl = "{each}"\nfrom = "info"\n' for each in ("log://", *alerts))
        config = self.folder / file
        config.write_text(f'{text}[[policies]]\nname = "default"\n{policy}{channels}')
        config.chmod(0o600)
        return config

    def guard(self, config: Path | None = None, *, within: tuple[str, ...] = (), **more: str) -> Guard:
        """Parent and worker, started and not waited for. One with a file of its own has a log of its own."""
        name = "guard" if config is None else f"guard-{config.stem}"
        arguments = ("guard", "--config", str(config or self.config))
        started = Guard(name, arguments, self.folder, within=within, **more)
        self.started.append(started)
        return started

    def guarded(self, **more: str) -> Guard:
        """A guard that guards, and has written down from when on."""
        started = self.guard(None, within=(), **more).wait_guarding()
        until(lambda: self.facts(GuardingBegan), "the guard to begin", told=started.tail)
        return started

    def run(self, *arguments: str) -> Ran:
        """A verb, to its end."""
        return standfast("--config", str(self.config), *arguments, folder=self.folder)

    # --- the ledger -----------------------------------------------------------------------------

    def entries(self, after: int = 0, account: AccountId = PAPER) -> list[Entry]:
        """What the journal says, read as the command line reads it: each entry proven to follow the one before."""
        if not self.ledger.exists():
            return []
        with LedgerReader(self.ledger) as reader:
            return list(reader.entries(account, after))

    def facts(self, kind: type[SomeFact], after: int = 0, account: AccountId = PAPER) -> list[SomeFact]:
        return [entry.fact for entry in self.entries(after, account) if isinstance(entry.fact, kind)]

    def head(self) -> int:
        entries = self.entries()
        return entries[-1].number if entries else 0

    def book(self) -> Book:
        """Folded from the first entry, so that no saved book can hide a difference."""
        return fold(Book.empty(PAPER), self.entries())

    def held(self, book: Book | None = None) -> dict[str, Decimal]:
        """What the books hold, by instrument."""
        found: Counter[str] = Counter()
        for position in (book or self.book()).state.positions.values():
            if position.net:
                found[str(position.holding)] += position.net  # type: ignore[assignment]  # a sum of Decimals is one
        return {name: Decimal(quantity) for name, quantity in found.items() if quantity}

    def position(self, instrument: str) -> Position | None:
        """The open position of that instrument."""
        found = [p for p in self.book().state.positions.values() if str(p.holding) == instrument and p.net]
        assert len(found) < 2, found
        return found[0] if found else None

    def alarms(self, *words: str, account: AccountId = PAPER) -> list[str]:
        """Texts of the alerts that were raised and hold all the words."""
        texts = [fact.text for fact in self.facts(AlertRaised, account=account)]
        return [text for text in texts if all(word in text for word in words)]

    def is_protected(self, exchange: Exchange) -> bool:
        """Books and broker hold the same, and every holding has live stops for exactly its quantity."""
        held, stops = exchange.positions(), exchange.stops()
        covered: dict[str, Decimal] = {}
        for order in stops:
            covered[order["symbol"]] = covered.get(order["symbol"], Decimal(0)) + Decimal(order["qty"])
        return covered == {name: abs(quantity) for name, quantity in held.items()} and self.held() == held

    def assert_whole(self) -> None:
        """The journal's chain holds, and it says so itself."""
        verified = self.run("journal", "verify")
        assert verified.code == 0, verified

    def judged(self) -> Counter[str]:
        """What an independent judge has seen, once it has found nothing wrong: everything is over and at rest."""
        judgement = judge(Case.read(self.tape, self.ledger))
        assert not judgement.violations, str(judgement)
        return judgement.seen

    def asked(self, since: datetime, status: int | None = None, *, until: datetime | None = None) -> Counter[str]:
        """How often each thing was asked of the exchange from one exchange time to another (and answered so)."""
        rows = (row for row in Case.read(self.tape, self.ledger).rows if row["row"] == "answered")
        timed = ((datetime.fromisoformat(row["at"]), row) for row in rows if status in (None, row["status"]))
        return Counter(row["operation"] for at, row in timed if since <= at and (until is None or at < until))


def client_ids(orders: list[dict[str, Any]]) -> Mapping[str, int]:
    """How often each client order id was used."""
    return Counter(order["client_order_id"] for order in orders)
