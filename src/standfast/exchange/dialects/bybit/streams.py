"""What Bybit's two WebSockets have in common: how they answer, and when they hang up (brokers/README §3.5).

A line without a word from its client for ten minutes is cut.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count

from standfast.exchange.dialects.bybit.wire import Row, milliseconds
from standfast.exchange.dialects.lines import Way
from standfast.exchange.dialects.perpetuals import Perpetuals

IDLE_SECONDS = 600.0


class Numbers:
    """Names for connections and messages, the same in every run."""

    def __init__(self) -> None:
        self._connections = count(1)
        self._messages = count(1)

    def connection(self) -> str:
        return f"sim-{next(self._connections):06d}"

    def message(self) -> str:
        return f"sim_{next(self._messages):012d}"


class Talk(ABC):
    """One client of either stream: its subscriptions, its pings, its silence. Ends with the stack."""

    def __init__(self, venue: Perpetuals, line: Way, ending: ExitStack, connection: str) -> None:
        self.venue = venue
        self.line = line
        self.topics: dict[str, None] = {}
        self.connection = connection
        self._heard_at = venue.now
        self._is_over = False
        ending.callback(self._end)
        self._watch()

    def said(self, message: object) -> None:
        self._heard_at = self.venue.now
        asked = message if isinstance(message, dict) else {}
        op = asked.get("op")
        if op == "ping":
            self.pong(asked)
        elif op in ("subscribe", "unsubscribe"):
            self._change(asked, [str(topic) for topic in asked.get("args") or []], joins=op == "subscribe")
        else:
            self.other(asked)

    @abstractmethod
    def pong(self, asked: Row) -> None: ...

    def other(self, asked: Row) -> None:
        self.answer(asked, success=False, text="error: op is unknown")

    @abstractmethod
    def refusal(self, topics: Sequence[str]) -> str:
        """Why these topics cannot be had, "" when they can."""

    @abstractmethod
    def joined(self, topics: Sequence[str]) -> None:
        """These were subscribed to and confirmed."""

    def answer(self, asked: Row, *, success: bool, text: str = "") -> None:
        reply: Row = {"success": success, "ret_msg": text, "conn_id": self.connection, "op": asked.get("op", "")}
        if "req_id" in asked:
            reply["req_id"] = asked["req_id"]
        self.line.send(reply)

    def _change(self, asked: Row, topics: list[str], *, joins: bool) -> None:
        why = self.refusal(topics)
        if why:
            self.answer(asked, success=False, text=why)
            return
        for topic in topics:
            if joins:
                self.topics[topic] = None
            else:
                self.topics.pop(topic, None)
        self.answer(asked, success=True)
        if joins:
            self.joined(topics)

    def _watch(self) -> None:
        silent = (self.venue.now - self._heard_at).total_seconds()
        if self._is_over:
            return
        if silent >= IDLE_SECONDS:
            self.line.hang_up()
        else:
            self.venue.later(IDLE_SECONDS - silent, self._watch)

    def _end(self) -> None:
        self._is_over = True


def now_of(venue: Perpetuals) -> int:
    return milliseconds(venue.now)
