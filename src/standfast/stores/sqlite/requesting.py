"""Putting an operator's act into the ledger: the one write that needs no lease, and so can be anyone's.

Synchronous and short, for the command line. It waits its turn behind a commit, and never makes room for
itself: the log is left to the guard.
"""

from collections.abc import Callable
from pathlib import Path

import apsw
import msgspec

from standfast.model.ids import RequestId
from standfast.ports import Request
from standfast.stores.codec import format_time
from standfast.stores.promises import RequestOutcome
from standfast.stores.sqlite import statements
from standfast.stores.sqlite.connection import open_writer, translated
from standfast.stores.sqlite.reading import LedgerReader


def put_request(path: Path, request: Request) -> None:
    """Durable on return; the same id is the same request. Raises JournalUnavailable or JournalDamaged."""
    connection = open_writer(path)
    try:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        with translated(path):
            connection.execute(statements.PUT_REQUEST, request_row(request))
    finally:
        connection.close()


def wait_request(path: Path, request: RequestId, *, attempts: int, pause: Callable[[], None]) -> RequestOutcome | None:
    """Look that many times, with a pause between two looks; None when there is no outcome yet."""
    with LedgerReader(path) as reader:
        for attempt in range(attempts):
            if attempt:
                pause()
            if (outcome := reader.outcome(request)) is not None:
                return outcome
    return None


def request_row(request: Request) -> tuple[str, str, str, str, str, str]:
    arguments = msgspec.json.encode(dict(request.arguments)).decode()
    return request.id, request.account, request.verb, arguments, request.by, format_time(request.at)
