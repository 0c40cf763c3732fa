"""Alerts over real sockets: Apprise against a local server that refuses, hangs, redirects and works."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from standfast.alerts.outbox import Channel, Outbox
from standfast.alerts.sinks import AppriseSink, FileSink, LogSink, NotDelivered, bounded, is_understood, sink_for
from standfast.alerts.threads import Busy, Threads
from standfast.model import secret
from standfast.model.journal import AlertDelivered, AlertFailed
from standfast.model.secret import Secret
from standfast.settings.services import SERVICES
from tests.alerts.test_outbox import Hands, alert

# One of Apprise's plug-ins (or of what it imports) asks for a module that Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


PATIENCE = 120.0
"""Real seconds after which what hangs lets go of itself."""


class Service(ThreadingHTTPServer):
    """Answers as `mode` says: a status, `hang`, or `redirect`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.mode = "200"
        self.received: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.let_go = threading.Event()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_address[1]}/hook"

    @property
    def waited_for(self) -> str:
        """As `url`, with a minute for the answer of a busy machine."""
        return f"{self.url}?cto=60&rto=60"


class Answer(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        mode = self.server.mode
        if mode == "hang":
            self.server.let_go.wait(PATIENCE)
            return
        if mode == "200":
            self.server.received.append(json.loads(body))
        self.send_response(307 if mode == "redirect" else int(mode))
        if mode == "redirect":
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


async def test_a_message_arrives_with_its_severity_and_text() -> None:
    with service() as server:
        sink = AppriseSink(Secret(server.waited_for), "json#0")
        name = await sink.send("critical", "Standfast paper", "AAPL is uncovered")

        assert name == "json#0"
        assert [(each["title"], each["message"], each["type"]) for each in server.received] == [
            ("Standfast paper", "AAPL is uncovered", "failure")
        ]


async def test_a_refusal_is_a_failure_with_its_reason_and_without_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})
    with service() as server:
        server.mode = "503"
        url = secret.remember(server.waited_for.replace("/hook", "/hook/token-in-the-path"))
        secret.remember("token-in-the-path")

        with pytest.raises(NotDelivered) as caught:
            await AppriseSink(url, "json#0").send("warning", "title", "text")

        assert "503" in str(caught.value)
        assert "token-in-the-path" not in str(caught.value)


async def test_a_redirect_is_not_followed_even_where_the_address_asks_for_it() -> None:
    for wish in ("", "&redirect=yes"):
        with service() as server:
            server.mode = "redirect"

            with pytest.raises(NotDelivered):
                await AppriseSink(Secret(server.waited_for + wish), "json#0").send("warning", "title", "text")

            assert server.paths == ["/hook"]


async def test_an_address_apprise_does_not_know_is_a_failure() -> None:
    with pytest.raises(NotDelivered):
        await AppriseSink(Secret("nosuchservice://host"), "x#0").send("info", "title", "text")


async def test_a_service_that_fails_then_hangs_then_works_gets_the_alert_and_never_blocks_the_loop() -> None:
    with service() as server:
        clock = Hands()
        box = Outbox("paper", [Channel("json#0", AppriseSink(Secret(f"{server.url}?rto=5"), "json#0"))])
        server.mode = "500"
        refused = await box.deliver([alert(1)], clock)
        clock.at += 1

        server.mode = "hang"
        turns = 0
        async with asyncio.TaskGroup() as tasks:
            hanging = tasks.create_task(box.deliver([], clock))
            while not hanging.done():
                await asyncio.sleep(0)
                turns += 1
        clock.at += 2

        server.mode = "200"
        worked = await box.deliver([], clock)

        assert [type(fact) for fact in refused] == [AlertFailed]
        assert [type(fact) for fact in hanging.result()] == [AlertFailed]  # news: the reason is another one
        assert worked == [AlertDelivered(id=alert(1).id, channel="json#0")]
        assert len(server.received) == 1
        assert turns > 100, "the loop stood still"


async def test_when_every_thread_hangs_the_next_delivery_fails_at_once() -> None:
    threads, held = Threads(most=2), threading.Event()
    async with asyncio.TaskGroup() as tasks:
        hanging = [tasks.create_task(threads.run(lambda: _wait(held))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="2 earlier deliveries still hang"):
            await threads.run(lambda: None)
        held.set()
    assert [task.exception() for task in hanging] == [None, None]

    await threads.run(lambda: None)


async def test_a_wait_that_was_given_up_leaves_the_call_behind_without_harm() -> None:
    threads, held = Threads(), threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await threads.run(lambda: _wait(held))
    held.set()

    await threads.run(lambda: None)


def _wait(held: threading.Event) -> None:
    held.wait(PATIENCE)


async def test_the_file_sink_appends_lines(tmp_path: Path) -> None:
    sink = sink_for(Secret(f"file://{tmp_path}/alerts.jsonl"), "file#0")
    assert isinstance(sink, FileSink)
    await sink.send("warning", "Standfast paper: warning", "blind on AAPL")
    await sink.send("critical", "Standfast paper: critical", "two\nlines")

    lines = (tmp_path / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["blind on AAPL", "two\nlines"]


async def test_a_file_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await sink_for(Secret(f"file://{tmp_path}/absent/alerts.jsonl"), "file#0").send("info", "title", "text")


async def test_the_log_sink_writes_at_the_severitys_level(caplog: pytest.LogCaptureFixture) -> None:
    sink = sink_for(Secret("log://"), "log#0")
    assert isinstance(sink, LogSink)
    with caplog.at_level("INFO"):
        for severity in ("info", "warning", "critical"):
            await sink.send(severity, "title", f"text of {severity}")

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "text of info"),
        ("WARNING", "text of warning"),
        ("CRITICAL", "text of critical"),
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("json://host/x", "json://host/x?cto=2&rto=2&redirect=no"),
        ("json://host/x?method=put", "json://host/x?method=put&cto=2&rto=2&redirect=no"),
        ("json://host/x?rto=9", "json://host/x?rto=9&cto=2&redirect=no"),
        ("json://host/x?redirect=yes", "json://host/x?redirect=yes&cto=2&rto=2&redirect=no"),
    ],
)
def test_every_address_is_bounded(url: str, expected: str) -> None:
    assert bounded(url) == expected


def test_apprise_is_not_loaded_before_there_is_something_to_say() -> None:
    script = (
        "import sys\n"
        "from standfast.alerts.sinks import sink_for\n"
        "from standfast.model.secret import Secret\n"
        "sink_for(Secret('json://127.0.0.1/x'), 'json#0')\n"
        "print(sorted({'apprise', 'requests', 'structlog'} & set(sys.modules)))\n"
    )

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=240)

    assert told.stdout == "[]\n"


def test_the_services_the_settings_know_are_those_of_the_apprise_that_is_installed() -> None:
    from apprise.plugins import N_MGR

    known = N_MGR.schemas()  # type: ignore[no-untyped-call]  # it has no types
    assert frozenset(known) | {"log", "file"} == SERVICES


@pytest.mark.parametrize(
    ("address", "is_so"),
    [
        ("json://127.0.0.1/", True),
        ("ntfy://a-topic", True),
        ("log://", True),
        ("file:///var/lib/alerts.jsonl", True),
        ("discord://half", False),
        ("tgram://", False),
        ("slack://", False),
    ],
)
def test_an_address_that_lacks_something_is_found_without_asking_anybody(address: str, *, is_so: bool) -> None:
    assert is_understood(Secret(address)) is is_so
