"""How an exchange says which side of a hedged account an order is of, found by trying orders without sending any.

Theory. Four orders at the market are made: one that opens and one that closes, of each side. What stands alike in both
orders of one side, and otherwise in both of the other, and in none of a one-way account's, is the exchange's name for
the side. An order of a side then leaves only with all that told these four apart, as it was tried.

Invariants
- ccxt is told that an order closes wherever it does: of a stop it would take the other side else (brokers/README §5.5).
- Where no such name is found, or a stop cannot be said with it, hedge mode counts as not to be had.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from standfast.brokers.ccxt.unified.calling import Form, Pair
from standfast.model.order import Side

LONG, SHORT = "long", "short"
OPENS = {LONG: Side.BUY, SHORT: Side.SELL}
HEDGED: Mapping[str, object] = {"hedged": True}
CLOSES: Mapping[str, object] = {"hedged": True, "reduceOnly": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One that would have left."""

    address: str
    fields: frozenset[Pair]
    passed_on: frozenset[str]
    """Names that ccxt has not understood."""


class Ours(Protocol):
    def __call__(self, text: str) -> bool:
        """Whether this is a number or an id that we gave."""
        ...


class Tried(NamedTuple):
    """Orders of one kind for both sides."""

    opens: Mapping[str, Request]
    closes: Mapping[str, Request]

    @property
    def all(self) -> list[Request]:
        return [*self.opens.values(), *self.closes.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    name: str
    """What the exchange calls the side."""
    values: Mapping[str, str]
    """What it says there of each."""
    opens: Mapping[tuple[str, str], Form]
    """By kind of order, and side."""
    closes: Mapping[tuple[str, str], Form]
    stops: Mapping[str, Form]

    def of(self, info: object) -> str | None:
        """The side in an answer of the exchange's: empty for one of a one-way account, None where it is not told."""
        if not isinstance(info, Mapping) or info.get(self.name) is None:
            return None
        told = str(info[self.name])
        return next((side for side, value in self.values.items() if value == told), "")


def name_of_side(tried: Tried, one_way: Iterable[Request], volatile: set[str]) -> tuple[str, Mapping[str, str]] | None:
    """What the exchange calls the side, and what it says there of each."""
    if any({"hedged"} & request.passed_on for request in tried.all):
        return None
    known = {pair for request in one_way for pair in request.fields}
    long, short = (dict(tried.opens[side].fields & tried.closes[side].fields) for side in (LONG, SHORT))
    names = [name for name in long if name not in volatile and name in short and long[name] != short[name]]
    names = [name for name in names if (name, long[name]) not in known and (name, short[name]) not in known]
    return (names[0], {LONG: long[names[0]], SHORT: short[names[0]]}) if len(names) == 1 else None


def marks(tried: Tried, request: Request, volatile: set[str]) -> frozenset[Pair]:
    """What tells it from the other three."""
    everywhere = frozenset.intersection(*(each.fields for each in tried.all))
    return frozenset(pair for pair in request.fields - everywhere if pair[0] not in volatile)


def are_told_apart(tried: Tried, volatile: set[str]) -> bool:
    found = [(each.address, marks(tried, each, volatile)) for each in tried.all]
    return len(set(found)) == len(found)


def stop_form(stop: Request, close: Request, given: frozenset[Pair], volatile: set[str], ours: Ours) -> Form:
    """Of a stop: what its close at the market has, and what makes a stop of it, whatever its price and its id."""
    added = {pair for pair in stop.fields - close.fields if pair[0] not in volatile}
    own = {pair for pair in added if ours(pair[1])}
    kept = {pair for pair in given if pair in stop.fields}
    return Form(stop.address, frozenset(added - own) | kept, frozenset(name for name, _ in own))
