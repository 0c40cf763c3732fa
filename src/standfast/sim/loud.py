"""What the guards of a run log: the lines themselves, as the product would write them, looked through for secrets.

Theory: a secret that only a log line tells is found nowhere else. Lines are made by the product's own last steps, so
what hides a secret in production hides it here, and a line that tells one all the same is kept for the checker (S13).

Invariant: only what tells a secret is kept; all else is counted.
"""

import logging
from collections.abc import Callable, Sequence

import structlog
from structlog.typing import EventDict, WrappedLogger

from standfast.model.secret import remember
from standfast.runtime.logs import rendering


class Lines:
    """One run's."""

    def __init__(self, canaries: Sequence[str]) -> None:
        self.count = 0
        self.leaks: list[str] = []
        self._canaries = tuple(canaries)
        self.listeners: list[Callable[[str], None]] = []

    def take(self, line: str) -> None:
        """A line has been written."""
        self.count += 1
        for hear in self.listeners:
            hear(line)
        if any(canary in line for canary in self._canaries):
            self.leaks.append(line)


_heard: list[Lines] = []
"""The run that is being told; one at a time."""


def heard(canaries: Sequence[str]) -> Lines:
    """The lines that are written from now on, by a process that has loaded these secrets."""
    for canary in canaries:
        remember(canary)
    _heard[:] = [lines := Lines(canaries)]
    return lines


def configure() -> None:
    """Have structlog write here; who calls this puts back what was configured before."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, *rendering(), _take],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    _heard.clear()


def _take(_: WrappedLogger, __: str, line: object) -> EventDict:
    for lines in _heard:
        lines.take(str(line))
    raise structlog.DropEvent
