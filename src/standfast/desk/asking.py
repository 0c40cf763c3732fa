"""An act on its way: put into the ledger as a request, which the holder of the account's lease takes and answers.

The same request id is the same act, however often it is put there.
"""

import os
from datetime import datetime
from pathlib import Path

from standfast.desk import stored
from standfast.desk.acts import Act
from standfast.model.ids import RequestId


def put(path: Path, act: Act, request: RequestId, *, by: str, at: datetime) -> None:
    """Durable on return. Raises JournalUnavailable or JournalDamaged."""
    from standfast.ports import Request

    stored.put_request(
        path, Request(id=request, account=act.account, verb=act.verb, arguments=act.arguments, by=by, at=at)
    )


def who() -> str:
    """Who asks: the login, and where from."""
    import getpass
    import socket

    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # a container may have a user id without a name
        login = str(os.getuid())
    return f"{login}@{socket.gethostname()}"
