"""The parent of a guard: a small process without an event loop that keeps one worker alive, or says why it cannot.

Theory: what watches a loop must not be able to hang in it. The parent waits for three things only, in one `poll`: a
beat of the worker, the worker's end, a signal. Invariants:

- At most one worker lives at any time; a hung one is dead before the next is started.
- No beat for ten seconds is a dead worker: its stacks are dumped (SIGABRT), then it is killed. One that has said it
  guards nothing any more has longer: it closes what is open, and does not beat.
- An end nobody asked for is followed by another start, after a growing pause, and the new worker is told why
  (`--restarted REASON`), because only the worker can write the journal and raise the alarm.
- A clean end (0), a wrong command line (2), bad settings (78) and an account that is guarded already (79) are final.
- SIGTERM, SIGINT and SIGHUP go on to the worker; its exit code is ours.

Nothing heavy is imported: no asyncio, no logging, no settings. A parent that is killed takes its worker with it.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from standfast.runtime.clock import monotonic, wall_time
from standfast.runtime.heartbeat import ENDING, READY
from standfast.runtime.notify import notify, watchdog_seconds
from standfast.runtime.private import keep_private

BAD_SETTINGS = 78
GUARDED_ALREADY = 79
FINAL = frozenset({0, 2, BAD_SETTINGS, GUARDED_ALREADY})

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STOPPING = frozenset({signal.SIGTERM, signal.SIGINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Real seconds."""

    first_beat: float = 30.0
    """Imports and settings come before the first beat; the wait for a lease and the journal come after it."""
    beat: float = 10.0
    ending: float = 25.0
    """How long a worker that guards nothing any more may take to close its files; systemd waits for 30."""
    dump: float = 2.0
    """How long a hung worker may take to write its stacks."""
    pause: float = 0.5
    pause_most: float = 30.0
    settled: float = 60.0
    """A worker that lived this long failed anew: the pause starts over."""
    nap: float = 1.0
    """The longest sleep between two looks: for what it takes longer, the machine stood still, and so did the worker."""


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: int
    began: float
    deadline: float
    patience: float
    has_beaten: bool = False


def run(
    arguments: Sequence[str],
    *,
    timing: Timing | None = None,
    command: Sequence[str] = (sys.executable, "-m", "standfast", "guard"),
    listen: Callable[[int], None] = lambda _pid: None,
) -> int:
    """Keep a worker alive until it ends for good; returns the exit code of this process.

    `arguments` are those of the verb; the worker gets `--worker --heartbeat FD --parent PID` before them. `listen`
    hears the process id of every worker that is started.
    """
    return Parent([*command], [*arguments], timing or Timing(), listen).run()


def describe(code: int) -> str:
    """An exit in words: `exit code 3`, `killed by SIGSEGV`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


class Parent:
    """One run of the parent. Only `run` is called from outside, once."""

    def __init__(self, command: list[str], arguments: list[str], timing: Timing, listen: Callable[[int], None]) -> None:
        self.command = command
        self.arguments = arguments
        self.timing = timing
        self.listen = listen
        self.stopping = False
        self.pause = timing.pause
        self.worker: _Worker | None = None
        self._wake, self._waker = os.pipe()
        self._watchdog = watchdog_seconds()

    def run(self) -> int:
        keep_private()  # keys are in its environment, and a hung worker is ended by a signal that dumps core
        self._catch_signals()
        reason = ""
        while True:
            code, failure = self._live(reason)
            if self.stopping or (code in FINAL and not failure):
                notify("STOPPING=1")
                return code if code >= 0 else 128 - code
            reason = failure or f"the worker ended: {describe(code)}"
            _log("error", "the worker is restarted", reason=reason, pause=self.pause)
            if self._was_stopped_in_pause():
                return code if code > 0 else 1  # asked to stop while nobody guarded: that was no clean end
            self.pause = min(self.pause * 2, self.timing.pause_most)

    def _live(self, reason: str) -> tuple[int, str]:
        """One worker from start to end: its exit code, and what went wrong if the code does not say it."""
        try:
            worker = self._start(reason)
        except OSError as error:
            return 1, f"the worker could not be started: {error.strerror}"
        self.worker = worker
        failure = ""
        while worker.process.poll() is None:
            self._wait(worker.deadline, worker.pipe)
            if monotonic() >= worker.deadline and not failure and worker.process.poll() is None:
                failure = f"no heartbeat for {worker.patience:g} s"
                self._kill(worker)
        self.worker = None
        os.close(worker.pipe)
        if monotonic() - worker.began >= self.timing.settled:
            self.pause = self.timing.pause
        code = worker.process.returncode
        if self.stopping and not worker.has_beaten and -code in FORWARDED:
            return 0, ""  # it had not begun to guard, so there was nothing to hand over
        return code, failure

    def _was_stopped_in_pause(self) -> bool:
        until = monotonic() + self.pause
        while monotonic() < until and not self.stopping:
            self._wait(until, pipe=None)
        return self.stopping

    def _start(self, reason: str) -> _Worker:
        read, write = os.pipe()
        os.set_blocking(read, False)
        restarted = ["--restarted", reason] if reason else []
        told = ["--worker", "--heartbeat", str(write), "--parent", str(os.getpid()), *restarted]
        try:
            process = subprocess.Popen(
                [*self.command, *told, *self.arguments],
                pass_fds=(write,),
                process_group=0,  # a Ctrl-C reaches the worker once, through us
            )
        finally:
            os.close(write)  # so that a dead worker's pipe ends
        began = monotonic()
        _log("info", "the worker is started", process=process.pid, reason=reason)
        self.listen(process.pid)
        return _Worker(process, read, began, began + self.timing.first_beat, self.timing.first_beat)

    def _wait(self, until: float, pipe: int | None) -> None:
        """Wait for a beat, a signal or that moment, whichever comes first, and take note of what came."""
        poll = select.poll()
        for number in (self._wake, *([] if pipe is None else [pipe])):
            poll.register(number, select.POLLIN)
        seconds = min(max(0.0, until - monotonic()), self.timing.nap)
        if self._watchdog:
            notify("WATCHDOG=1")
            seconds = min(seconds, self._watchdog / 3)
        asleep = monotonic()
        ready = {number for number, _ in poll.poll(seconds * 1000 + 1)}
        self._forgive(monotonic() - asleep - seconds)
        if self._wake in ready:
            self._take_signals()
        if pipe is not None and pipe in ready:
            self._take_beats(pipe)

    def _forgive(self, overslept: float) -> None:
        """A machine that stood still stopped the worker as well: its silence meanwhile proves nothing."""
        if overslept > self.timing.beat / 2 and self.worker is not None:
            self.worker.deadline += overslept

    def _take_beats(self, pipe: int) -> None:
        assert self.worker is not None
        beats = os.read(pipe, 4096)
        if not beats:
            self._await_end()
            return
        self.worker.has_beaten = True
        self.worker.patience = self.timing.ending if ENDING in beats else self.timing.beat
        self.worker.deadline = monotonic() + self.worker.patience
        if READY in beats:
            notify("READY=1", "STATUS=guarding")

    def _await_end(self) -> None:
        """The pipe is closed: the worker is dead or dying, and is given the time of a dump to be so."""
        assert self.worker is not None
        try:
            self.worker.process.wait(self.timing.dump)
        except subprocess.TimeoutExpired:
            self._kill(self.worker)

    def _take_signals(self) -> None:
        for number in os.read(self._wake, 64):
            if number not in FORWARDED:
                continue  # SIGCHLD only wakes us
            if number in STOPPING:
                self.stopping = True
                notify("STOPPING=1")
            if self.worker is not None and self.worker.process.poll() is None:
                self.worker.process.send_signal(number)

    def _kill(self, worker: _Worker) -> None:
        """Ask for the stacks, then end it for certain."""
        _log("error", "the worker hangs and is killed", process=worker.process.pid)
        worker.process.send_signal(signal.SIGABRT)
        try:
            worker.process.wait(self.timing.dump)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()

    def _catch_signals(self) -> None:
        os.set_blocking(self._waker, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (*FORWARDED, signal.SIGCHLD):
            signal.signal(number, _noted)


def _noted(number: int, frame: FrameType | None) -> None:
    """The number is in the pipe already."""


def _log(level: str, event: str, **facts: object) -> None:
    """One line in the form of `runtime.logs`, without its weight."""
    line = {"at": wall_time().isoformat(), "level": level, "event": event, **facts, "logger": "standfast.parent"}
    text = json.dumps(line) if not sys.stderr.isatty() else f"{level}: {event} {facts}"
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
