"""Begin a ledger anew in the place of one that cannot be used: nothing of the old one is deleted.

Invariant: at no moment can a guard start here and not know that entries are missing. So what they are is written into
the anchors first, and only then are the files moved; a run that is cut short is simply done again.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from standfast.model.errors import JournalUnavailable
from standfast.model.ids import AccountId
from standfast.stores.sqlite.files import NOTHING, Anchor, anchor_path, sync_directory, write_anchor


def begin_anew(ledger: Path, accounts: Iterable[AccountId], at: datetime) -> Path:
    """Put the ledger's files aside; the folder they are in. Raises JournalUnavailable, and then some are still there.

    Nobody may have the ledger open.
    """
    aside = ledger.with_name(f"{ledger.name}.aside-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    try:
        aside.mkdir(mode=0o700)
        for account in accounts:
            anchor = anchor_path(ledger, account)
            if anchor.exists():
                (aside / anchor.name).write_bytes(anchor.read_bytes())
            lost = f"{account}: all entries before {at:%Y-%m-%d %H:%M:%S} UTC were put aside"
            write_anchor(ledger, account, Anchor(NOTHING.number, NOTHING.hash, lost))
        for end in ("-wal", "-shm", ""):  # the log first: a log without its file says nothing, a file without it is old
            file = ledger.with_name(ledger.name + end)
            if file.exists():
                os.rename(file, aside / file.name)
        sync_directory(aside)
        sync_directory(ledger.parent)
    except OSError as error:
        raise JournalUnavailable(f"the ledger {ledger} cannot be put aside: {error.strerror}") from error
    return aside
