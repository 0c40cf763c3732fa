"""`standfast drill replay`: recorded days of options, from the quotes to the exits, through everything between them.

Each day is played on an account and a ledger of its own (`days_play`) and judged by the recording, the exchange and
the ledger (`days_judge`). Nothing of it waits for a clock, so a day takes a minute or two of the machine.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import structlog

from standfast.drills.days_judge import Judged, judge
from standfast.drills.days_play import play
from standfast.model.errors import StandfastError


def run(
    path: Path, *, since: timedelta, until: timedelta | None, keep: Path | None, told: Callable[[Judged], None]
) -> list[Judged]:
    """Play the day in a file, or every day in a folder, in order; `told` hears of each as it ends. `since`, `until`:
    how long after the open it begins and ends. `keep`: a new folder for settings, ledger and the exchange's log of
    each day. StandfastError for quotes that cannot be played."""
    found: list[Judged] = []
    for file in _files(path):
        with _folder(keep, file) as folder, quiet():
            judged = judge(play(file, folder, since=since, until=until))
        found.append(judged)
        told(judged)
    return found


def _files(path: Path) -> Sequence[Path]:
    if path.is_file():
        return [path]
    files = sorted(file for file in path.rglob("*_quote*.zip") if file.is_file())
    if not files:
        raise StandfastError(f"{path}: no file in it is named as LEAN names recorded quotes (DAY_quote_....zip)")
    return files


@contextmanager
def _folder(keep: Path | None, file: Path) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="standfast-replay-") as name:
            yield Path(name)
        return
    folder = keep / file.name.partition("_")[0]
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise StandfastError(f"{folder}: is there already; give a new folder") from None
    yield folder


@contextmanager
def quiet() -> Iterator[None]:
    """What the guard says of a day that is long over would only be taken for news."""
    before, level = structlog.get_config(), logging.root.manager.disable
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=False
    )
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(level)
        structlog.configure(**before)
