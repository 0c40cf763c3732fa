"""What is so, from the three places that know: the exchange, the books, the bot's own list.

The exchange is asked over HTTP like any client would; /sim/truth is its own account of what happened. The books are the
ledger, read without writing and folded entry by entry as the guard writes it.
"""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from standfast.core.book import Book
from standfast.core.fold import fold
from standfast.drills.demo_story import ACCOUNT
from standfast.model.booked import BookedOrder
from standfast.model.errors import StandfastError
from standfast.model.ids import AccountId
from standfast.model.journal import Entry
from standfast.model.order import OrderState
from standfast.model.position import Position
from standfast.stores.sqlite.reading import LedgerReader

KEYS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret", "Content-Type": "application/json"}
SECONDS = 10.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback, whatever proxy is set


class Exchange:
    """The served exchange, asked from outside."""

    def __init__(self, url: str, instruments: Sequence[str]) -> None:
        self.url = url
        self.instruments = instruments

    def now(self) -> datetime:
        return datetime.fromisoformat(self._ask("/sim/clock")["now"])

    def advance(self, to: datetime) -> None:
        self._ask("/sim/advance", {"to": to.isoformat()})

    def truth(self) -> Any:
        """Positions, fills and realised profit as they are, `now` with them."""
        answer = self._ask("/sim/truth")
        return {**answer["accounts"][ACCOUNT], "now": datetime.fromisoformat(answer["now"])}

    def is_listened_to(self) -> bool:
        """Whether somebody hears the account's order stream."""
        return bool(self._ask("/sim/listeners")["orders"])

    def bids(self) -> Mapping[str, Decimal]:
        """What a seller would get now."""
        answer = self._ask(f"/v2/stocks/quotes/latest?symbols={','.join(self.instruments)}")
        return {name: Decimal(str(quote["bp"])) for name, quote in answer["quotes"].items() if quote["bp"]}

    def open_orders(self) -> list[Any]:
        """Every working order, each with its legs."""
        answer = self._ask("/v2/orders?status=open&nested=true&limit=500")
        assert isinstance(answer, list), answer
        return answer

    def _ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=KEYS)
        try:
            with _OPENER.open(request, timeout=SECONDS) as reply:
                return json.load(reply, parse_float=Decimal)
        except (OSError, ValueError) as error:
            raise StandfastError(f"the exchange does not answer {path}: {error}") from error


class Ledger:
    """The guard's ledger, followed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = Book.empty(AccountId(ACCOUNT))
        self.entries: list[Entry] = []

    def read(self) -> list[Entry]:
        """Entries written since the last time, folded into the book one by one."""
        if not self.path.exists():
            return []
        with LedgerReader(self.path) as reader:
            return list(reader.entries(AccountId(ACCOUNT), self.book.head))

    def take(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.book = fold(self.book, [entry])

    def position(self, strategy: str) -> Position | None:
        """The one position of that strategy, open or closed."""
        state = self.book.state
        found = [each for each in (*state.positions.values(), *state.closed.values()) if each.strategy == strategy]
        return found[0] if found else None

    def stops(self, position: Position) -> list[BookedOrder]:
        """Stops of this position that the broker keeps."""
        return [
            order
            for order in self.book.orders_for(position.id)
            if order.is_stop and order.is_settled and not order.is_finished and order.state is not OrderState.PENDING
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One look at everything."""

    now: datetime
    held: Mapping[str, Decimal]
    """By the broker, signed."""
    bids: Mapping[str, Decimal]
    listed: Sequence[Mapping[str, Any]]
    """The bot's own list."""
    truth: Mapping[str, Any] = field(default_factory=dict)


def look(exchange: Exchange, record: Path) -> View:
    truth = exchange.truth()
    return View(
        now=truth["now"],
        held={name: Decimal(quantity) for name, quantity in truth["positions"].items()},
        bids=exchange.bids(),
        listed=_listed(record),
        truth=truth,
    )


def _listed(record: Path) -> list[Any]:
    """Empty while the bot has none, or is in the middle of writing it."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []


def of(listed: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether the bot's list has that trade."""
    return any(trade.get("name") == name for trade in listed)
