"""The parent of a guard, with real processes: whatever becomes of the worker, there is one, or the reason is told."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from standfast.runtime.clock import monotonic
from standfast.runtime.parent import Timing, describe

PATIENCE = 120.0
"""Real seconds until a test gives up on something that should come at once, on a busy machine too."""

STAND_IN = Path(__file__).with_name("stand_in_worker.py")
DRIVER = """
import sys
from standfast.runtime.parent import Timing, run
sys.exit(run(["--config", "x.toml"], command=[sys.executable, sys.argv[1]], timing=Timing(**eval(sys.argv[2]))))
"""
HEALTHY = Timing(first_beat=PATIENCE, beat=PATIENCE, dump=PATIENCE, pause=0.01, pause_most=0.04, settled=PATIENCE)
"""For tests in which no worker hangs: one that a busy machine holds up for a while is not taken for hung."""
HANGS = replace(HEALTHY, beat=3.0)
STOPPED = replace(HANGS, dump=1.0)
"""For a worker that hears no signal: the wait for its stacks is in vain."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A running parent, and the ways in which a test hears of it and its workers."""

    process: subprocess.Popen[bytes]
    report: int

    def told(self) -> list[str]:
        """The next line of a worker, in words."""
        return _line(self.report).split(" ")

    def until(self, word: str) -> list[str]:
        """The next line that begins with that word."""
        while (line := self.told())[0] != word:
            pass
        return line

    def logged(self, event: str) -> dict[str, object]:
        """The parent's next log line of that event."""
        assert self.process.stderr is not None
        while True:
            line = _line(self.process.stderr.fileno())
            if line.startswith("{") and (found := json.loads(line))["event"] == event:
                return dict(found)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(PATIENCE)


def _line(number: int) -> str:
    """One line from a pipe, byte by byte, so that nothing is read ahead."""
    until = monotonic() + PATIENCE
    line = b""
    with selectors.DefaultSelector() as ready:
        ready.register(number, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            assert ready.select(until - monotonic()), f"nothing more came within {PATIENCE} s after {line!r}"
            read = os.read(number, 1)
            assert read, f"the pipe ended after {line!r}"
            line += read
    return line.decode().rstrip("\n")


@contextmanager
def guard(folder: Path, behaviours: str, timing: Timing = HEALTHY, **environ: str) -> Iterator[Guard]:
    fifo = folder / "report"
    os.mkfifo(fifo)
    report = os.open(fifo, os.O_RDWR)  # both ends: it neither blocks on opening nor ends between two workers
    wanted = {name: getattr(timing, name) for name in Timing.__slots__}
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(STAND_IN), repr(wanted)],
        env={
            **os.environ,
            "REPORT": str(fifo),
            "LIVES": str(folder / "lives"),
            "BEHAVIOURS": behaviours,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            **environ,
        },
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    try:
        yield Guard(process, report)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()
            os.close(report)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_ends_is_started_again_and_told_why(tmp_path: Path) -> None:
    with guard(tmp_path, "end:3,beat") as guarded:
        first = guarded.until("started")[2:]
        second = guarded.until("started")[2:]
        guarded.until("beating")
        guarded.send(signal.SIGTERM)

        assert " ".join(first) == "|  | --config x.toml"
        assert " ".join(second) == "| the worker ended: exit code 3 | --config x.toml"
        assert guarded.told() == ["got", "SIGTERM"]
        assert guarded.ended() == 0


def test_a_worker_killed_by_a_signal_is_started_again(tmp_path: Path) -> None:
    with guard(tmp_path, f"kill:{int(signal.SIGKILL)},beat") as guarded:
        guarded.until("started")

        assert "the worker ended: killed by SIGKILL" in " ".join(guarded.until("started"))
        guarded.until("beating")


def test_a_hung_worker_shows_its_stacks_and_is_replaced(tmp_path: Path) -> None:
    with guard(tmp_path, "hang,beat", HANGS) as guarded:
        first = int(guarded.until("started")[1])
        assert guarded.process.stderr is not None
        guarded.logged("the worker hangs and is killed")
        stacks = ""
        while "hang_on_this_very_line" not in stacks:
            stacks += _line(guarded.process.stderr.fileno())
        second = " ".join(guarded.until("started"))

        assert "no heartbeat for 3 s" in second
        assert not is_alive(first)
        guarded.until("beating")


def test_a_stopped_worker_is_killed_although_it_hears_no_signal(tmp_path: Path) -> None:
    with guard(tmp_path, "beat", STOPPED) as guarded:
        first = int(guarded.until("beating")[1])
        os.kill(first, signal.SIGSTOP)
        second = guarded.until("started")

        assert "no heartbeat" in " ".join(second)
        assert not is_alive(first)
        guarded.until("beating")


def test_a_worker_that_never_beats_is_replaced(tmp_path: Path) -> None:
    with guard(tmp_path, "silent", replace(HEALTHY, first_beat=4.0)) as guarded:
        guarded.until("started")

        assert "no heartbeat for 4 s" in " ".join(guarded.until("started"))


@pytest.mark.parametrize("code", [0, 2, 78, 79])
def test_some_ends_are_final(tmp_path: Path, code: int) -> None:
    with guard(tmp_path, f"end:{code}") as guarded:
        assert guarded.ended() == code
        assert (tmp_path / "lives").read_text() == "x"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("code", [0, 1])
def test_a_stop_is_passed_on_and_the_workers_code_is_ours(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with guard(tmp_path, f"beat:{code}") as guarded:
        guarded.until("beating")
        guarded.send(number)

        assert guarded.until("got") == ["got", number.name]
        assert guarded.ended() == code
        assert (tmp_path / "lives").read_text() == "x"


def test_a_reload_is_passed_on_and_ends_nothing(tmp_path: Path) -> None:
    with guard(tmp_path, "beat") as guarded:
        guarded.until("beating")
        guarded.send(signal.SIGHUP)

        assert guarded.told() == ["got", "SIGHUP"]
        guarded.send(signal.SIGTERM)
        assert guarded.told() == ["got", "SIGTERM"]


def test_a_worker_that_hangs_while_it_stops_is_ended_and_not_replaced(tmp_path: Path) -> None:
    with guard(tmp_path, "beat", STOPPED) as guarded:
        worker = int(guarded.until("beating")[1])
        os.kill(worker, signal.SIGSTOP)
        guarded.send(signal.SIGTERM)

        assert guarded.ended() > 128
        assert not is_alive(worker)
        assert (tmp_path / "lives").read_text() == "x"


def test_a_worker_that_guards_nothing_any_more_is_given_longer_to_close_what_is_open(tmp_path: Path) -> None:
    with guard(tmp_path, "ending,beat", replace(HANGS, ending=4.0)) as guarded:
        guarded.until("started")

        assert "no heartbeat for 4 s" in " ".join(guarded.until("started"))


def test_a_killed_parent_takes_its_worker_with_it(tmp_path: Path) -> None:
    with guard(tmp_path, "beat") as guarded:
        guarded.until("beating")
        guarded.process.kill()
        told = guarded.told()

        assert told == ["got", "SIGTERM"] or (sys.platform != "linux" and told == ["parent", "gone"])


def test_the_pause_between_starts_grows_to_its_most(tmp_path: Path) -> None:
    with guard(tmp_path, "end:1") as guarded:
        pauses = [guarded.logged("the worker is restarted")["pause"] for _ in range(5)]

        assert pauses == [0.01, 0.02, 0.04, 0.04, 0.04]


def test_a_worker_that_lived_for_long_starts_the_pause_over(tmp_path: Path) -> None:
    with guard(tmp_path, "end:1", replace(HEALTHY, settled=0.0)) as guarded:
        assert [guarded.logged("the worker is restarted")["pause"] for _ in range(3)] == [0.01, 0.01, 0.01]


def test_a_stop_during_the_pause_is_obeyed_at_once_and_is_no_clean_end(tmp_path: Path) -> None:
    with guard(tmp_path, "end:5", replace(HEALTHY, pause=1000.0)) as guarded:
        guarded.logged("the worker is restarted")
        guarded.send(signal.SIGTERM)

        assert guarded.ended() == 5


def test_the_parent_stays_below_twenty_megabytes(tmp_path: Path) -> None:
    with guard(tmp_path, "beat") as guarded:
        guarded.until("beating")
        status = Path(f"/proc/{guarded.process.pid}/status")
        if not status.exists():
            pytest.skip("this system shows no /proc/PID/status to read the resident size from")
        resident = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))

        assert int(resident.split()[1]) < 20 * 1024, resident


def test_systemd_hears_that_we_are_ready_alive_and_stopping(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(PATIENCE)
        with guard(tmp_path, "beat", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="300000") as guarded:
            heard: list[str] = []
            while not {"READY=1", "WATCHDOG=1"} <= set(heard):
                heard += ear.recv(4096).decode().splitlines()
            guarded.send(signal.SIGTERM)
            while "STOPPING=1" not in heard:
                heard += ear.recv(4096).decode().splitlines()

            assert guarded.ended() == 0


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (78, "exit code 78"), (-9, "killed by SIGKILL"), (-99, "killed by signal 99")],
)
def test_an_end_is_put_into_words(code: int, words: str) -> None:
    assert describe(code) == words
