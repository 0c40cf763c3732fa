"""Faults between guard and exchange as rules of the exchange's fault layer, kind by kind.

Theory: a `Stroke` is one fault for one stretch of time, with a strength between 0 and 1; everything about it is drawn
before the run begins, so a plan can be printed, shortened and played again. Here a stroke becomes `Rule`s; what cannot
be said with a rule is done by `swarm`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from standfast.exchange.faults import (
    AlteredIds,
    AnyFault,
    Cut,
    Delayed,
    Doubled,
    EmptyList,
    Garbled,
    Lost,
    NeverAnswered,
    NeverArrives,
    NewState,
    NewType,
    OtherAccount,
    OtherInstrument,
    Overtaken,
    PartialList,
    RateLimited,
    RefusedWith,
    Reset,
    Rule,
    ServerError,
    Slow,
    Stale,
)
from standfast.sim.watch import CANARIES

WRITES = ("submit", "cancel", "replace")
ORDERS = ("submit", "replace", "orders", "order")
"""Operations that answer with orders."""
LISTS = ("positions", "orders", "activities")
READS = ("positions", "position", "orders", "order", "activities", "account", "clock", "quotes", "asset")
ALL = WRITES + READS
STREAMS = ("stream", "quote_stream")

REFUSALS: tuple[tuple[int, dict[str, object]], ...] = (
    (403, {"code": 40310000, "message": "insufficient buying power", "buying_power": "0", "cost_basis": "5000"}),
    (403, {"code": 40310000, "message": "insufficient qty available", "held_for_orders": "10", "available": "0"}),
    (403, {"code": 40310000, "message": "account is restricted"}),
    (422, {"code": 42210000, "message": "stop price must be less than current price"}),
    (422, {"code": 42210000, "message": "trading is halted for this asset"}),
)  # fmt: skip
NOT_CANCELABLE: dict[str, object] = {"code": 42210000, "message": 'order is not cancelable'}  # fmt: skip
TOO_MANY: dict[str, object] = {"code": 42910000, "message": "rate limit exceeded"}
NO_KEY: dict[str, object] = {"code": 40110000, "message": f"access key {CANARIES[0]} with {CANARIES[1]} is unknown"}
"""No broker should say it back; one that does must not get it into our books, alarms or logs (S13)."""


LIES_ONCE = frozenset({(34, "positions"), (34, "account"), (34, "profile")})
"""Kind and operation of which one answer lies: those that agree, and that nothing contradicts, are believed (A1)."""
ON_WRITES = frozenset({1, 2, 3, 7, 8, 15})
"""Kinds about writes alone."""
ONCE_BELOW = 0.4
"""The strength below which such a kind strikes once; an account is healthy under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """Fault `kind` of the catalogue from `at` on, for `seconds`; both in seconds since the start."""

    kind: int
    at: float
    seconds: float
    strength: float
    """0 to 1."""
    target: str = ""
    """The instrument it is about, where it is about one."""
    draw: int = 0
    """Seed of whatever else it draws."""

    @property
    def chance(self) -> float:
        """That it strikes, each time it could."""
        return round(0.05 + 0.75 * self.strength, 3)

    @property
    def is_once(self) -> bool:
        """Whether it strikes the next order, cancel and replacement once each, instead of some of them for a time.

        Orders are rare: most faults that last a minute meet none.
        """
        return self.kind in ON_WRITES and self.strength < ONCE_BELOW

    def random(self) -> Random:
        """Equal at every call."""
        return Random(f"stroke-{self.kind}-{self.draw}")

    def __str__(self) -> str:
        about = f" {self.target}" if self.target else ""
        return f"{self.at:9.3f} s for {self.seconds:7.3f} s: {self.kind}{about}, strength {self.strength:.3f}"


Strike = Sequence[tuple[Sequence[str], AnyFault, float]]
"""What strikes which operations, each with its chance."""
Maker = Callable[[Stroke, Random], Strike]
Makers = Mapping[int, Maker]


def some(operations: Sequence[str], fault: Callable[[float, Random], AnyFault]) -> Maker:
    return lambda stroke, draw: [(operations, fault(stroke.strength, draw), stroke.chance)]


def _too_many(strength: float, draw: Random) -> AnyFault:
    if draw.random() < 0.5:
        return RateLimited(reset_after=round(1 + 29 * strength * draw.random(), 1))
    return RefusedWith(status=429, body=TOO_MANY)


def _refusal(strength: float, draw: Random) -> AnyFault:
    status, body = draw.choice(REFUSALS)
    return RefusedWith(status=status, body=body)


def _one_endpoint(stroke: Stroke, draw: Random) -> Strike:
    return [((draw.choice(("positions", "orders", "activities")),), Stale(age=round(15 + 165 * stroke.strength)), 1.0)]


def late_endpoint(endpoint: str, *, at: float, seconds: float) -> Stroke:
    """A stroke of kind 32 about this endpoint."""
    strokes = (Stroke(kind=32, at=at, seconds=seconds, strength=0.9, draw=draw) for draw in range(1000))
    return next(each for each in strokes if _one_endpoint(each, each.random())[0][0] == (endpoint,))


def _no_key(stroke: Stroke, draw: Random) -> Strike:
    status = draw.choice((401, 403))
    connects = ("stream_connect", "quote_stream_connect")
    return [(ALL, RefusedWith(status=status, body=NO_KEY), 1.0), (connects, Cut(), 1.0)]


def _no_quotes(stroke: Stroke, draw: Random) -> Strike:
    old = draw.choice((Stale(age=round(10 + 100 * stroke.strength)), EmptyList()))
    return [(("quotes",), old, stroke.chance), (("quote_stream",), Lost(), 1.0)]


def altered_ids(strength: float, draw: Random) -> AnyFault:
    if draw.random() < 0.3:
        return AlteredIds(how="none")
    return AlteredIds(how="cut" if draw.random() < 0.5 else "upper")


def usual(reads: Sequence[str], streams: Sequence[str]) -> dict[int, Maker]:
    """Those that are the same at every exchange, but for what can be read there."""
    every = (*WRITES, *reads)

    def one_direction(stroke: Stroke, draw: Random) -> Strike:
        return [(draw.choice((WRITES, reads)), ServerError(status=503), 1.0)]

    def hang(stroke: Stroke, draw: Random) -> Strike:
        return [(every, draw.choice((NeverAnswered(), NeverArrives())), 1.0), (streams, Lost(), 1.0)]

    return {
        1: some(WRITES, lambda strength, draw: NeverArrives()),
        2: some(WRITES, lambda strength, draw: NeverAnswered()),
        3: some(WRITES, lambda strength, draw: Slow(seconds=round(4 + 22 * draw.random(), 2), late="request")),
        6: some(every, lambda strength, draw: ServerError(status=draw.choice((500, 502, 503, 504)))),
        7: some(WRITES, lambda strength, draw: draw.choice((ServerError(status=504, after=True), Reset(after=True)))),
        30: some(("orders", "order"), lambda strength, draw: Stale(age=round(0.5 + 9 * draw.random(), 2))),
        35: some(every, lambda strength, draw: Garbled()),
        38: some(every, lambda strength, draw: Slow(seconds=round(0.2 + 4 * strength * draw.random(), 2))),
        41: one_direction,
        43: hang,
        46: some(streams, lambda strength, draw: Doubled(seconds=round(5 * draw.random(), 2))),
        47: some(streams, lambda strength, draw: Lost()),
        48: some(
            streams, lambda strength, draw: draw.choice((Delayed(seconds=round(20 * draw.random(), 2)), Overtaken()))
        ),
        49: lambda stroke, draw: [(("stream",), Lost(), 1.0)],
        50: lambda stroke, draw: [(streams, Cut(), stroke.chance / 4), (("stream_connect",), Cut(), stroke.chance)],
    }


MAKERS: Makers = usual(READS, STREAMS) | {
    4: lambda stroke, draw: [
        (WRITES, Slow(seconds=round(31 + 6 * draw.random(), 2), late="request"), stroke.chance / 4)
    ],
    5: some(ALL, _too_many),
    8: some(("submit", "replace"), _refusal),
    15: some(("cancel",), lambda strength, draw: RefusedWith(status=422, body=NOT_CANCELABLE)),
    21: some(ORDERS, altered_ids),
    29: some(("positions", "position"), lambda strength, draw: Stale(age=round(0.5 + 9 * draw.random(), 2))),
    31: some(LISTS, lambda strength, draw: PartialList(missing=draw.choice((1, 1, 2, 3)))),
    32: _one_endpoint,
    33: some((*LISTS, "quotes"), lambda strength, draw: EmptyList()),
    34: lambda stroke, draw: [
        ((*ORDERS, "positions", "position", "activities"), OtherInstrument(), stroke.chance),
        (("account",), OtherAccount(), stroke.chance),
    ],
    36: some(ORDERS, lambda strength, draw: draw.choice((NewState(), NewType()))),
    37: _no_quotes,
    45: _no_key,
}


def rules_of(stroke: Stroke, start: datetime, makers: Makers = MAKERS) -> list[Rule]:
    """The rules of one stroke, in force for its time; none for a kind that is no rule.

    `makers`: of the exchange it is played at.
    """
    since = start + timedelta(seconds=stroke.at)
    until = since + timedelta(seconds=stroke.seconds)
    label = str(stroke.kind)
    if stroke.kind == SWIZZLE:
        return _swizzle(stroke, since)
    if stroke.kind not in makers:
        return []
    return [
        Rule(
            operation=operation,
            fault=fault,
            probability=1.0 if stroke.is_once else chance,
            since=since,
            until=until,
            count=1 if stroke.is_once or (stroke.kind, operation) in LIES_ONCE else None,
            label=label,
        )
        for operations, fault, chance in makers[stroke.kind](stroke, stroke.random())
        for operation in operations
    ]


SWIZZLE = 42


def _swizzle(stroke: Stroke, since: datetime) -> list[Rule]:
    """Endpoints fail one by one and heal in another order."""
    draw = stroke.random()
    failing = [operation for operation in ALL if draw.random() < 0.3 + 0.5 * stroke.strength] or ["orders"]
    third = stroke.seconds / 3
    spans: list[dict[str, Any]] = [
        {
            "since": since + timedelta(seconds=round(draw.uniform(0, third), 3)),
            "until": since + timedelta(seconds=round(draw.uniform(2 * third, stroke.seconds), 3)),
        }
        for _ in failing
    ]
    return [
        Rule(operation=operation, fault=ServerError(status=503), label=str(SWIZZLE), **span)
        for operation, span in zip(failing, spans, strict=True)
    ]
