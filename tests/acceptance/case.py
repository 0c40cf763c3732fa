"""What a judge of a guard goes by: the exchange's lines and the ledger's file, read without any code of Standfast."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

Row = Mapping[str, Any]
ZERO = Decimal(0)
OWN = "sf"
"""What every client order id of a guard begins with."""
OVER = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})
EXCUSED = timedelta(seconds=120)


class Entry(NamedTuple):
    """One row of the journal as it is stored, and its fact."""

    number: int
    epoch: int
    at: str
    kind: str
    version: int
    body: bytes
    hash: str

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self.at)

    @property
    def fact(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Placed:
    """One order as the exchange tells of it. `meant`: client id of the intent it stands for, "" for a stranger's."""

    id: str
    meant: str
    row: Row
    group: str
    filled: Decimal = ZERO

    @property
    def is_live(self) -> bool:
        return self.row["status"] not in OVER

    @property
    def sign(self) -> int:
        return 1 if self.row["side"] == "buy" else -1

    @property
    def remaining(self) -> Decimal:
        return Decimal(self.row["quantity"] or 0) - Decimal(self.row["filled"])


@dataclass(slots=True)
class Case:
    """What there is to judge: the exchange's lines and the journal of one account."""

    account: str
    rows: Sequence[Row]
    entries: Sequence[Entry]

    @classmethod
    def read(cls, tape: Path, ledger: Path, account: str = "paper") -> "Case":
        rows = [json.loads(line) for line in tape.read_text(encoding="utf-8").splitlines()]
        return cls(account, [row for row in rows if row["account"] == account], _journal(ledger, account))

    def facts(self, *kinds: str) -> Iterator[tuple[Entry, Any]]:
        for entry in self.entries:
            if entry.kind in kinds:
                yield entry, entry.fact

    @property
    def intents(self) -> dict[str, tuple[Entry, Any]]:
        return {fact["id"]: (entry, fact) for entry, fact in self.facts("OrderIntended")}

    @property
    def submitted(self) -> Iterator[Row]:
        """Own orders as they arrived, replaces included."""
        for row in self.rows:
            if row["row"] == "asked" and (row.get("client_order_id") or "").startswith(OWN):
                yield row

    @property
    def events(self) -> list[Row]:
        return [row for row in self.rows if row["row"] == "event"]

    @property
    def fills(self) -> list[Row]:
        return [row for row in self.events if row["execution_id"] is not None]


class Floor:
    """The exchange's orders and nets, followed event by event."""

    def __init__(self, case: Case) -> None:
        self.orders: dict[str, Placed] = {}
        self.net: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._intents = case.intents
        self._reduced: dict[str, datetime] = {}

    def take(self, row: Row) -> Placed:
        """The order after this event; `net` follows."""
        known = self.orders.get(row["order_id"])
        if known is None:
            parent = self.orders.get(row["parent_id"] or "")
            own = row["client_order_id"] if row["client_order_id"].startswith(OWN) else ""
            meant = own or (parent.meant if parent is not None else "")
            known = Placed(row["order_id"], meant, row, row["parent_id"] or row["order_id"])
            self.orders[known.id] = known
        known.row = row
        if row["execution_id"] is not None:
            known.filled += Decimal(row["fill_quantity"])
            name, before = row["instrument"], self.net[row["instrument"]]
            self.net[name] = before + Decimal(row["fill_quantity"]) * known.sign
            if not known.meant and before * known.sign < 0:
                self._reduced[name] = datetime.fromisoformat(row["at"])
        return known

    def reduces(self, order: Placed) -> bool:
        """Whether the journal meant it only to reduce."""
        _, intent = self._intents.get(order.meant, (None, None))
        return intent is not None and intent["role"] != "open"

    def is_excused(self, row: Row) -> bool:
        since = self._reduced.get(row["instrument"])
        return since is not None and datetime.fromisoformat(row["at"]) - since <= EXCUSED

    def reducing(self, instrument: str) -> Decimal:
        """What own live reducing orders could still take; a group of exits counts once."""
        groups: defaultdict[str, Decimal] = defaultdict(Decimal)
        for order in self.orders.values():
            if order.row["instrument"] == instrument and order.is_live and self.reduces(order):
                groups[order.group] = max(groups[order.group], order.remaining)
        return sum(groups.values(), ZERO)


def _journal(ledger: Path, account: str) -> list[Entry]:
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=240)
    try:
        rows = connection.execute(
            "SELECT number, epoch, at, kind, version, body, hash FROM entries WHERE account = ? ORDER BY number",
            (account,),
        ).fetchall()
    finally:
        connection.close()
    return [
        Entry(number, epoch, at, kind, int(version), body.encode(), chained)
        for number, epoch, at, kind, version, body, chained in rows
    ]
