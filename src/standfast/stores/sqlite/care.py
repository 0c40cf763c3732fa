"""The hourly care of a ledger: a copy, proven by opening it, and the newest few kept.

It runs in a process of its own, at the lowest priority: walking a long journal would take the interpreter from the loop
that guards. Copying reads every page and the proof walks every chain, so this is also the check of the ledger itself.
An unproven copy never gets a name, and while no copy can be made the ledger is checked where it is.

    python -m standfast.stores.sqlite.care LEDGER MOMENT
"""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from standfast.model.errors import JournalDamaged, JournalUnavailable
from standfast.ports import LedgerCared
from standfast.stores.sqlite.upkeep import back_up, verify

KEPT = 6
EVERY = timedelta(minutes=59)
"""The least time between two copies: a guard that starts often makes no more of them."""
ROOM = 4
"""A copy is made where there is room for so many."""
DAMAGED, FAILED = 3, 4
NAME = "%Y%m%dT%H%M%SZ"


def folder_of(ledger: Path) -> Path:
    return ledger.with_name(ledger.name + ".backups")


def copies(ledger: Path) -> list[Path]:
    """Oldest first."""
    return sorted(folder_of(ledger).glob("*Z.db"))


def care_for(ledger: Path, at: datetime) -> None:
    """Raises JournalDamaged when ledger or copy does not verify, JournalUnavailable when no copy can be made."""
    folder = folder_of(ledger)
    newest = copies(ledger)[-1:]
    if newest and _taken(newest[0]) + EVERY > at:
        _check(ledger)
        return
    try:
        _make_room(ledger, folder, at)
        target = folder / f"{at.astimezone(UTC):{NAME}}.db"
        back_up(ledger, target)
    except (JournalUnavailable, OSError) as error:
        _check(ledger)
        raise JournalUnavailable(f"no copy of {ledger} could be made: {error}") from error
    for old in copies(ledger)[:-KEPT]:
        old.unlink(missing_ok=True)


def _check(ledger: Path) -> None:
    for found in verify(ledger, thorough=True):
        if found.damage:
            raise JournalDamaged(found.damage)


def _make_room(ledger: Path, folder: Path, at: datetime) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    for left in folder.glob("*.partial*"):  # of a copying that was killed
        if left.stat().st_mtime < (at - EVERY).timestamp():
            left.unlink(missing_ok=True)
    disk = os.statvfs(folder)
    size = sum(path.stat().st_size for path in (ledger, Path(f"{ledger}-wal")) if path.exists())
    free = disk.f_bavail * disk.f_frsize
    if free < ROOM * size:
        raise JournalUnavailable(f"{free:,} bytes are free, and {ROOM * size:,} are wanted")


def _taken(copy: Path) -> datetime:
    try:
        return datetime.strptime(copy.stem, NAME).replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


async def in_own_process(ledger: Path, at: datetime) -> LedgerCared:
    """`care_for`, killed with whoever waits for it."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            str(ledger),
            at.isoformat(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:  # no descriptors, no memory, no process left: the guard goes on without a copy
        return LedgerCared(failure=f"its process cannot be started ({error})")
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    words = (said.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"])[-1]
    match process.returncode:
        case 0:
            return LedgerCared()
        case code if code == DAMAGED:
            return LedgerCared(damage=words)
        case code if code == FAILED:
            return LedgerCared(failure=words)
        case code:
            return LedgerCared(failure=f"the care of {ledger} ended with code {code}: {words}")


def main(arguments: list[str]) -> int:
    ledger, at = Path(arguments[0]), datetime.fromisoformat(arguments[1])
    os.nice(19)
    try:
        care_for(ledger, at)
    except JournalDamaged as error:
        sys.stderr.write(f"{error}\n")
        return DAMAGED
    except JournalUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
