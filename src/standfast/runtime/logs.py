"""One log for everything in the process: ours through structlog, the libraries' through the standard library.

Invariants: one line an event, JSON where nobody watches and plain text on a terminal; no line holds a loaded secret
in any of its forms, whoever wrote it, because the last step before the stream is `redact` over the finished text;
tracebacks carry no local variables. In a guard, what the interpreter would print itself (an error that ends a thread,
one nobody could raise) is a line like any other.
"""

import logging
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from standfast.model.secret import redact
from standfast.runtime.clock import wall_time

TALKATIVE = ("aiohttp", "apprise", "asyncio", "charset_normalizer", "requests", "urllib3")
"""Libraries heard from `warning` on: below that they write addresses and headers, which is where keys are."""


def configure(
    *,
    level: str = "info",
    as_json: bool | None = None,
    stream: TextIO | None = None,
    now: Callable[[], datetime] = wall_time,
) -> None:
    """Set up the whole process's log; may be called again (a reload). `as_json` None: unless a person watches."""
    stream = stream if stream is not None else sys.stderr
    as_json = as_json if as_json is not None else not stream.isatty()
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _stamped(now),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *rendering(as_json=as_json, colors=stream.isatty()),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a logger made before a reload follows the new settings
    )


def hear_the_interpreter() -> None:
    """Have what the interpreter would print itself logged instead; for a process that is ours from start to end."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger of that name: `logger("standfast.loop").warning("blind", instrument="AAPL")`."""
    found: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return found


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("standfast.python").critical("uncaught", exc_info=(kind, error, trace))


def _uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
    name = found.thread.name if found.thread is not None else "?"
    error = found.exc_value if found.exc_value is not None else found.exc_type()
    logging.getLogger("standfast.python").error(
        "a thread ended by an error", exc_info=error, extra={"thread_name": name}
    )


def _unraisable(found: "sys.UnraisableHookArgs") -> None:
    said = f"{found.err_msg or 'ignored'}: {found.object!r}"
    logging.getLogger("standfast.python").error(said, exc_info=found.exc_value)


def _stamped(now: Callable[[], datetime]) -> Processor:
    def stamp(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["at"] = now().isoformat()
        return event

    return stamp


def rendering(*, as_json: bool = True, colors: bool = False) -> list[Processor]:
    """The last steps: from an event to its line, without any secret in it."""
    if as_json:
        lined: list[Processor] = [
            structlog.processors.format_exc_info,
            _essentials_first,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ]
    else:
        lined = [
            _clock_first,
            structlog.dev.ConsoleRenderer(
                colors=colors, timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    return [*lined, _redacted]


def _clock_first(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A person at a terminal reads the time of day; the date and the microseconds are in the journal."""
    event["at"] = str(event["at"])[11:23]
    return event


def _essentials_first(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: event[key] for key in ("at", "level", "event") if key in event} | dict(event)


def _redacted(_: WrappedLogger, __: str, line: object) -> str:
    """What the renderer before it made of the event: the finished text."""
    return redact(str(line))
