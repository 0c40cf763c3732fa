"""How the library's calls travel: reads at the urgency of who asks, an order as one request and never as another.

Theory. A call of ccxt's may ask for more than it is called for. What it asks for by GET beside an order is a read; of
all else an order may send one request, and only in the form that was rehearsed.

Invariants
- While a form is rehearsed nothing leaves but reads.
- An order leaves as one request. What would be the second is not sent, and the outcome is then open.
- An order that may only reduce leaves to the address, and with the marks, that were rehearsed for it, or not at all.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from math import ceil
from typing import Any

from standfast.brokers.ccxt.client import ASKED, CcxtClient
from standfast.brokers.ccxt.library import Library, decoded
from standfast.brokers.ccxt.terms import local
from standfast.brokers.shared.transport import Response
from standfast.model.effects import Turn
from standfast.model.errors import OutcomeUnknown, Unreachable

Pair = tuple[str, str]
"""Where in a request, and what stands there."""
TURNS_MAX = 20
"""Of the budget, for one read."""


@dataclass(frozen=True, slots=True)
class Form:
    """How an order of one kind and side leaves: where to, and what has to be on it."""

    address: str
    marks: frozenset[Pair] = frozenset()
    names: frozenset[str] = frozenset()
    """What else has to be there, whatever stands in it."""

    def fits(self, address: str, params: object) -> bool:
        found = set(pairs(params))
        return address == self.address and self.marks <= found and self.names <= {name for name, _ in found}


@dataclass(slots=True)
class Writing:
    """The write that is being made."""

    turn: Turn
    form: Form | None = None
    left: bool = False


class Captured(BaseException):
    """What would have left. No error: no code of ccxt's may catch it."""

    def __init__(self, address: str, params: object) -> None:
        super().__init__(address)
        self.address, self.params = address, params


WRITING: ContextVar[Writing | None] = ContextVar("the write of the library that is being made", default=None)
REHEARSING: ContextVar[bool] = ContextVar("nothing but reads leaves", default=False)


def travel(library: Library, client: CcxtClient) -> None:
    """Let every call of the library travel by the client."""

    async def fetch2(
        path: str,
        api: Sequence[str] = ("public",),
        method: str = "GET",
        params: Mapping[str, Any] | Sequence[Any] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> object:
        address = f"{'.'.join(api)}/{path}"
        is_read = method == "GET"
        if REHEARSING.get() and not is_read:
            raise Captured(address, params)
        writing = WRITING.get()
        if writing is not None and not is_read:
            response = await _write(client, writing, method, address, params or {})
        else:
            cost = library.calculate_rate_limiter_cost(list(api), method, path, params or {}, config or {})
            response = await client.read(
                address,
                {},
                ASKED.get(),
                is_list=True,
                method=method,
                turns=min(TURNS_MAX, max(1, ceil(float(cost)))),
                body=json.dumps(params or {}).encode(),
            )
        return _taken(library, response, method, _url(library, response, path, api))

    library.fetch2 = fetch2
    library.request = fetch2


async def _write(client: CcxtClient, writing: Writing, method: str, address: str, params: Any) -> Response:
    if writing.left:
        raise OutcomeUnknown(f"an order is one request: a second one, to {address}, was not sent")
    form = writing.form
    if form is not None and not form.fits(address, params):
        raise local("ccxt has made another order of it than it was rehearsed")
    writing.left = True
    try:
        return await client.write(address, params, writing.turn, method=method)
    except Unreachable:
        writing.left = False
        raise


def pairs(value: object, where: str = "") -> Iterator[Pair]:
    """Everything that stands in a request, by name; the places in a list are one."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from pairs(each, f"{where}.{name}" if where else str(name))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from pairs(each, where)
    else:
        yield where, str(value)


def _url(library: Library, response: Response, path: str, api: Sequence[str]) -> str:
    """Where the exchange has that itself: what the codes of a refusal mean may depend on it."""
    where: Any = library.describe()["urls"]["api"] if response.status != 200 else None
    for name in api:
        where = where.get(name) if isinstance(where, dict) else where
    return f"{library.implode_hostname(where)}/{path}" if isinstance(where, str) else path


def _taken(library: Library, response: Response, method: str, url: str) -> object:
    """The answer as ccxt would have it. Raises ccxt's own errors."""
    text = response.body.decode(errors="replace")
    try:
        found = decoded(response.body)
    except ValueError:
        found = None
    library.handle_errors(response.status, "", url, method, dict(response.headers), text, found, {}, "")
    library.handle_http_status_code(response.status, "", url, method, text)
    return text if found is None else found
