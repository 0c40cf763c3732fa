"""A dialect without a socket: requests are answered in this process, for whoever has an event loop of its own.

What carries a request is all that is missing: keys, budgets, faults and handlers are those of the served exchange. Time
is moved by `keep_time`, at the hall's pace by the running loop's clock, which may be a virtual one.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote

from multidict import CIMultiDict

from standfast.exchange.dialects.gate import Arrival, Gate, Reply, RouteAt
from standfast.exchange.dialects.hall import Hall
from standfast.exchange.faults import Fault

Place = TypeVar("Place", bound=Hall[Any, Any])
Table = Sequence[tuple[Gate[Place], Sequence[RouteAt[Place]]]]
TICK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Served(Generic[Place]):
    """One endpoint."""

    gate: Gate[Place]
    route: RouteAt[Place]
    path: re.Pattern[str]


class InProcess(Generic[Place]):
    def __init__(self, venue: Place, table: Table[Place]) -> None:
        self.venue = venue
        self._endpoints = [
            Served(gate, route, re.compile(_pattern(route.path))) for gate, routes in table for route in routes
        ]

    async def ask(
        self, method: str, path: str, *, raw_query: str = "", headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[Reply | None, Fault | None]:
        """As `Gate.answer`. An address that nobody serves is 404."""
        for endpoint in self._endpoints:
            found = endpoint.path.fullmatch(path) if endpoint.route.method == method else None
            if found is not None:
                named = {name: unquote(text) for name, text in found.groupdict().items()}
                query = dict(parse_qsl(raw_query, keep_blank_values=True))
                arrival = Arrival(method, named, query, raw_query, CIMultiDict(headers), remote="in process")
                return await endpoint.gate.answer(endpoint.route, arrival, body)
        return Reply(404, b'{"code": 40410000, "message": "endpoint not found."}'), None

    async def keep_time(self, tick: float = TICK_SECONDS) -> None:
        """Until it is cancelled. Between ticks, time moves with every request."""
        self.venue.start()
        while True:
            self.venue.catch_up()
            await asyncio.sleep(tick)


def _pattern(path: str) -> str:
    parts = re.split(r"({\w+})", path)
    return "".join(f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part) for part in parts)
