"""The demo's processes: real ones, on the loopback interface, ended whatever happens.

Each is a process group of its own, so that a Ctrl-C reaches the demo alone and the demo ends them in its own order; and
each asks the kernel to be ended when the demo dies without a word. What they say goes to files in the demo's folder.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

from standfast.drills.demo_story import Story
from standfast.model.errors import StandfastError
from standfast.runtime.clock import monotonic
from standfast.runtime.heartbeat import ParentGone, die_with

PATIENCE = 10.0
"""Real seconds a process may take to end when asked to."""
STARTED_WITHIN = 60.0
"""Real seconds a process may take to begin, on a machine that does much else."""

LASTING = ("exchange", "guard", "bot")


class Child:
    """One process and the file that holds what it says."""

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self.name = name
        self.said = folder / f"{name}.log"
        self._read = 0
        with self.said.open("wb") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=_environment(),
                process_group=0,
                preexec_fn=partial(_tie, os.getpid()),  # the demo has one thread
            )

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def lines(self) -> list[str]:
        """Whole lines said since the last time."""
        with self.said.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole + newline)
        return whole.decode("utf-8", "replace").splitlines()

    def tail(self) -> str:
        """Its last words, for a report of what went wrong."""
        return "\n".join(self.said.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])

    def end(self) -> None:
        """Ask, wait, insist."""
        if self.has_ended:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Children:
    """`with Children(folder) as children:` ends every process, the last started first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.all: list[Child] = []

    def __enter__(self) -> "Children":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of them behind
        for child in reversed(self.all):
            child.end()

    def start(self, name: str, command: Sequence[str]) -> Child:
        child = Child(name, command, self.folder)
        self.all.append(child)
        return child

    def exchange(self, story: Story) -> tuple[Child, str]:
        """The simulated exchange on any free port, and its address."""
        options = [f"--replay={path}" for path in story.prices]
        named = [f"--instrument={name}=1" for name in story.instruments]
        command = standfast("--json", "exchange", "--port=0", f"--clock=x{story.speed}", *named, *options)
        child = self.start("exchange", command)
        lines = wait_for(child.lines, "the exchange to listen", child)
        return child, str(json.loads(lines[0])["url"])

    def check(self) -> None:
        """StandfastError when one that shall run has ended by itself."""
        for child in self.all:
            if child.has_ended and child.name in LASTING:
                raise StandfastError(f"the {child.name} ended with {child.process.returncode}: {child.tail()}")


def standfast(*arguments: str) -> list[str]:
    """The ordinary command line, in this Python."""
    return [sys.executable, "-m", "standfast", *arguments]


def wait_for(look: Callable[[], list[str]], what: str, child: Child) -> list[str]:
    """Look until there is something. StandfastError when the process ends or the time is over."""
    until = monotonic() + STARTED_WITHIN
    while not (found := look()):
        if child.has_ended or monotonic() > until:
            raise StandfastError(f"waited for {what}: {child.tail() or 'nothing was said'}")
        try:
            child.process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    return found


def _tie(parent: int) -> None:
    """In the child, before it becomes what it shall be."""
    try:
        die_with(parent)
    except ParentGone:
        os._exit(1)


def _environment() -> dict[str, str]:
    """Ours, without settings of a real installation: the demo is guarded by its own file alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STANDFAST", "APCA"))}
    return {**kept, "PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
