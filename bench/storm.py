"""Three hundred stops that the guard holds cross at once, under the broker's limit of 200 requests a minute.

Everything is read from the exchange: when each close came, in which order, what else was asked meanwhile. The account
holds the three hundred before it is guarded; then every price falls beyond its stop within a second, each by another
distance, in an order drawn by chance, at a second of the minute drawn anew in each run. A close is out of order when a
deeper one, whose price the guard had seen for a second, was sent more than half a second after it.

Two storms: one in an ordinary minute, of which the guard has spent what its steady reads take; and one for which nearly
all of the minute is gone, because the bot on the same keys has spent it. The broker counts by the whole minute, so in
the second storm nobody can be done before the minute after next: 120 s less the second of the minute, and more than the
goal of 110 s when prices fall in a minute's first ten. So that storm is judged by how far it stays behind the best that
these windows allow; the guard adds the second by which it mistrusts a window's end that is told in whole seconds, and
the moment in which it sizes every close before the first of them leaves.
"""

import random
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.stage import Exchange, exchange, guard, moment, until
from standfast.model.ids import AccountId
from standfast.stores.sqlite.reading import LedgerReader

HELD = 300
LIMIT = 200
GOAL = 110.0
BEHIND_BEST = 1.05
LEFT = 30
"""Requests the bot leaves of its minute: some closes leave at once, the rest have to wait."""
MINUTE = timedelta(minutes=1)
SEEN_FOR = timedelta(seconds=1)
QUANTITY = 10
TOGETHER = timedelta(seconds=0.5)
"""Closes of one burst: who goes a moment earlier has not gone before the others."""
SIZING = timedelta(seconds=2)
"""After the fall: the reads of positions that size the closes."""
ACCOUNT = AccountId("paper")


def figures() -> list[Figure]:
    return [*_storm("storm", is_spent=False), *_storm("storm, budget spent", is_spent=True)]


def _storm(title: str, *, is_spent: bool) -> list[Figure]:
    names = [f"S{number:03}" for number in range(HELD)]
    with tempfile.TemporaryDirectory() as name, exchange(names, "--per-minute", str(LIMIT)) as at:
        folder = Path(name)
        for each in names:
            at.quote(each, "99.99", "100.01")
            at.ask("POST", "/sim/order", {"instrument": each, "side": "buy", "quantity": str(QUANTITY)})
        with guard(folder, at, held_by="guard"):
            until(lambda: _facts(folder, "PositionAdopted") == HELD, f"{HELD} positions adopted", within=60)
            until(lambda: at.listeners() == (1, 1), "the guard on both streams")
            _wait_for_an_ordinary_minute(at)
            if is_spent:
                _spend(at)
            fell = _fall(at, names)
            until(lambda: len(_closes(at)) >= HELD, f"{HELD} closes", within=GOAL * 1.5)
            time.sleep(2.0)
        return _judge(title, at, folder, fell, is_spent=is_spent)


def _wait_for_an_ordinary_minute(at: Exchange) -> None:
    """What adopting three hundred positions cost is forgotten, and an arbitrary part of a minute is gone."""
    now = at.now()
    time.sleep(60 - now.second + random.uniform(0, 55))


def _spend(at: Exchange) -> None:
    """The bot asks for this and that until little is left of the minute."""
    while at.left() > LEFT:
        pass


def _fall(at: Exchange, names: list[str]) -> dict[str, tuple[datetime, int]]:
    """Every price falls; when, and how far in cents, by instrument."""
    draw = random.Random(HELD)
    depths = draw.sample(range(1, HELD + 1), HELD)
    fell = {}
    for name, depth in zip(names, depths, strict=True):
        bid = 97.90 - depth / 100
        at.quote(name, f"{bid:.2f}", f"{bid + 0.02:.2f}")
        fell[name] = (at.now(), depth)
    return fell


def _judge(
    title: str, at: Exchange, folder: Path, fell: dict[str, tuple[datetime, int]], *, is_spent: bool
) -> list[Figure]:
    closes = _closes(at)
    assert sorted(row["instrument"] for row in closes) == sorted(fell), "one order for each, and no other"
    truth = at.ask("GET", "/sim/truth")["accounts"]["paper"]
    assert not truth["positions"], truth["positions"]
    began = min(when for when, _ in fell.values())
    sent = [(moment(row["at"]), row["instrument"]) for row in closes]
    last = max(when for when, _ in sent)
    between = [row for row in at.log() if began <= moment(row["at"]) <= last]
    others = [row for row in between if row["operation"] not in ("submit", "positions")]
    late = [row for row in others if moment(row["at"]) > began + SIZING]
    refused = [row for row in between if row["status"] == 429]
    kinds = sorted({row["operation"] for row in others})
    span = (max(when for when, _ in fell.values()) - began).total_seconds()
    best = _best(at, began)
    return [
        Figure(
            name=f"{title}: {HELD} closes sent within",
            value=(last - began).total_seconds(),
            floor=best if is_spent else None,
            goal=BEHIND_BEST if is_spent else GOAL,
            detail=f"prices fell within {span:.2f} s from second {began.second} of a minute on, in which "
            f"{_spent(at, began)} of {LIMIT} requests were gone: {best:.1f} s is the best there is; "
            f"{sum(row['operation'] == 'positions' for row in between)} reads of positions to size them; "
            f"in the first two seconds also {len(others) - len(late)} of {', '.join(kinds) or 'nothing'}",
        ),
        Figure(name=f"{title}: closes out of order", value=_overtaken(sent, fell), unit="", goal=0),
        Figure(name=f"{title}: refused by us or the broker", value=_refused(folder) + len(refused), unit="", goal=0),
        Figure(name=f"{title}: idle reads and openings before the last", value=len(late), unit="", goal=0),
    ]


def _spent(at: Exchange, moment_of_fall: datetime) -> int:
    """Requests of that whole minute that had been answered before."""
    minute = moment_of_fall.replace(second=0, microsecond=0)
    counted = (row for row in at.log() if row["operation"] != "quotes")  # the data host counts for itself
    return sum(minute <= moment(row["at"]) < moment_of_fall for row in counted)


def _best(at: Exchange, began: datetime) -> float:
    """Seconds in which the closes could be sent by one who sends nothing else and wastes no moment."""
    waiting = HELD - (LIMIT - _spent(at, began))
    windows = max(0, -(-waiting // LIMIT))
    ends = began.replace(second=0, microsecond=0) + windows * MINUTE
    return max(0.0, (ends - began).total_seconds())


def _overtaken(sent: list[tuple[datetime, str]], fell: dict[str, tuple[datetime, int]]) -> int:
    """Closes sent before a deeper one that had been seen for a second."""
    return sum(
        any(
            fell[later][1] > fell[name][1] and fell[later][0] + SEEN_FOR < when and after > when + TOGETHER
            for after, later in sent
        )
        for when, name in sent
    )


def _refused(folder: Path) -> int:
    return sum(_facts(folder, kind) for kind in ("OrderNotSent", "OrderRejected", "OrderInDoubt"))


def _facts(folder: Path, kind: str) -> int:
    with LedgerReader(folder / "standfast.db") as reader:
        return sum(type(entry.fact).__name__ == kind for entry in reader.entries(ACCOUNT))


def _closes(at: Exchange) -> list[Any]:
    """The orders it was sent and took: whoever opened the positions did so past its gate."""
    return [row for row in at.log() if row["operation"] == "submit" and row["status"] == 200]
