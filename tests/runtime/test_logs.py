"""Whoever logs, however: one line, the same form, and no secret in it."""

import io
import json
import logging
import sys
import threading
import warnings
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import structlog

from standfast.model import secret
from standfast.model.secret import Secret, remember
from standfast.runtime.logs import configure, hear_the_interpreter, logger

AT = datetime(2026, 11, 20, 14, 30, 5, 250_000, tzinfo=UTC)
CANARY = 'canary-"secret"-0123456789'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    monkeypatch.setattr(secret, "_loaded", {})
    before, level = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    configure(stream=stream, now=lambda: AT)
    yield stream
    logging.captureWarnings(capture=False)
    logging.root.handlers[:] = before
    logging.root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """The lines as JSON; what a person looks for stands first in each."""
    assert all(line.startswith('{"at": ') for line in stream.getvalue().splitlines())
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_ours_and_the_libraries_lines_have_one_form(stream: io.StringIO) -> None:
    logger("standfast.loop").warning("blind", instrument="AAPL", seconds=Decimal("2.5"))
    logging.getLogger("some.library").warning("slow answer after %s s", 3)

    assert lines(stream) == [
        {
            "at": "2026-11-20T14:30:05.250000+00:00",
            "event": "blind",
            "instrument": "AAPL",
            "level": "warning",
            "logger": "standfast.loop",
            "seconds": "2.5",
        },
        {
            "at": "2026-11-20T14:30:05.250000+00:00",
            "event": "slow answer after 3 s",
            "level": "warning",
            "logger": "some.library",
        },
    ]


def test_a_terminal_gets_a_line_for_people() -> None:
    stream = Terminal()
    configure(stream=stream, now=lambda: AT)
    logger("standfast.loop").warning("blind", instrument="AAPL")

    assert "14:30:05.250" in stream.getvalue()
    assert "AAPL" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize("as_json", [True, False])
def test_no_line_holds_a_loaded_secret_whoever_wrote_it(stream: io.StringIO, *, as_json: bool) -> None:
    configure(stream=stream, as_json=as_json, now=lambda: AT)
    remember(CANARY)
    log = logger("standfast.loop")
    log.error(f"refused {CANARY}", key=CANARY, nested={"deep": [CANARY]}, typed=Secret(CANARY))
    logging.getLogger("some.library").error("GET /x?key=%s", CANARY)
    logging.getLogger("some.library").error("Authorization: Basic %s", b64encode(f"me:{CANARY}".encode()).decode())
    try:
        raise ValueError(CANARY)  # noqa: TRY301  # it has to be raised to have a traceback
    except ValueError:
        log.exception("failed")
        logging.getLogger("some.library").exception("failed too")

    text = stream.getvalue()
    assert "canary" not in text
    assert b64encode(CANARY.encode()).decode()[:12] not in text
    assert text.count("***") >= 6
    assert text.count("ValueError: ***") == 2


def test_a_traceback_shows_no_local_variables(stream: io.StringIO) -> None:
    configure(stream=stream, as_json=False, now=lambda: AT)
    local = "".join(("never", "-", "loaded"))
    try:
        raise ValueError(len(local))  # noqa: TRY301  # it has to be raised to have a traceback
    except ValueError:
        logger("standfast.loop").exception("failed")

    assert "never-loaded" not in stream.getvalue()


def test_what_is_below_the_level_is_not_written(stream: io.StringIO) -> None:
    logger("standfast.loop").debug("detail")
    logging.getLogger("urllib3").info("GET /with/a/token")
    configure(level="debug", stream=stream, now=lambda: AT)
    logger("standfast.loop").debug("wanted now")
    logging.getLogger("aiohttp.access").debug("GET /with/a/token")

    assert [line["event"] for line in lines(stream)] == ["wanted now"]


def test_warnings_of_python_are_lines_too(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure(stream=stream, now=lambda: AT)
        warnings.warn("this will go away", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)

    assert "this will go away" in str(lines(stream)[0]["event"])


class Unraisable:
    """What cannot be raised: an error of a finalizer."""

    def __del__(self) -> None:
        raise ValueError(CANARY)


def test_what_the_interpreter_would_print_itself_is_a_line_without_the_secret(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for owner, hook in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(owner, hook, getattr(owner, hook))  # put back afterwards
    remember(CANARY)
    hear_the_interpreter()

    def fail() -> None:
        raise ValueError(CANARY)

    thread = threading.Thread(target=fail, name="alert")
    thread.start()
    thread.join()
    Unraisable()
    try:
        fail()
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)

    assert ["ValueError: ***" in str(line["exception"]) for line in lines(stream)] == [True, True, True]
    assert lines(stream)[0]["thread_name"] == "alert"
    assert "canary" not in stream.getvalue()
    assert capsys.readouterr() == ("", "")
