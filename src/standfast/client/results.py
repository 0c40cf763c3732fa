"""What a bot is given: frozen values, made of the documents that every interface shows.

Quantities are signed where they say so, prices are of one share, contract or coin, of a spread net prices of one unit:
what is paid for it, negative for what is received. Times are aware UTC. None is "not known" or "not yet".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One instrument of a position; a plain position has one."""

    instrument: str
    quantity: Decimal
    """Signed, negative sold; what is held now, of a closed position what had been opened."""
    entry_price: Decimal | None
    """Average over the fills that opened it."""
    exit_price: Decimal | None
    """Average over the fills that closed some or all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What stands between a position and an unbounded loss."""

    held_by: str | None
    """`broker`: a stop rests there. `guard`: the guard closes, for as long as it runs. `both`. None: nobody."""
    stop_price: Decimal | None
    quantity: Decimal
    """Unsigned: what the protection would close; of a spread, units."""
    covered: bool
    """Whether that is all that is held."""
    naked_seconds: Decimal
    """How long it has been held without the cover that its policy asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One position of one strategy, as the books have it."""

    id: str
    account: str
    strategy: str
    phase: str
    """`opening`, `open`, `closing` or `closed`."""
    direction: str
    """`long` or `short`."""
    legs: tuple[Leg, ...]
    opened_at: datetime | None
    closed_at: datetime | None
    close_reason: str | None
    pnl: Decimal
    """Realised, in account currency; fees apart."""
    result: Decimal | None
    """Realised profit over what the closed part was entered for: 0.02 is two per cent."""
    protection: Protection
    adopted: bool
    """Whether it was found at the broker, and not opened through Standfast."""
    kind: str | None = None
    """Of a spread its shape: `vertical`, `iron_condor`, ..."""
    units: Decimal | None = None
    """Of a spread how many units of it are held."""

    @property
    def instrument(self) -> str:
        """Of a spread those of its legs, with blanks between them."""
        return " ".join(leg.instrument for leg in self.legs)

    @property
    def quantity(self) -> Decimal:
        """Signed, of a plain position; of a spread its units."""
        return self.legs[0].quantity if self.units is None else self.units

    @property
    def entry_price(self) -> Decimal | None:
        """Average price of a plain position; of a spread ask its legs."""
        return self.legs[0].entry_price if self.units is None else None

    @property
    def is_closed(self) -> bool:
        return self.phase == "closed"

    @classmethod
    def of(cls, document: Document) -> "Position":
        protection = document["protection"]
        return cls(
            id=document["id"],
            account=document["account"],
            strategy=document["strategy"],
            phase=document["phase"],
            direction=document["direction"],
            legs=tuple(_leg(each) for each in document["legs"]),
            opened_at=_time(document["opened_at"]),
            closed_at=_time(document["closed_at"]),
            close_reason=document["close_reason"],
            pnl=Decimal(document["pnl"]),
            result=_number(document["result"]),
            protection=Protection(
                held_by=protection["held_by"],
                stop_price=_number(protection["stop_price"]),
                quantity=Decimal(protection["quantity"]),
                covered=protection["covered"],
                naked_seconds=Decimal(protection["naked_seconds"]),
            ),
            adopted=document["adopted"],
            kind=document.get("kind"),
            units=_number(document.get("units")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order, as the books have it."""

    id: str | None
    """The broker's; None until it has given one."""
    client_order_id: str
    account: str
    position: str | None
    instrument: str
    role: str
    """`open`, `stop`, `target`, `close`, `rollback` or `foreign`."""
    side: str
    quantity: Decimal
    filled: Decimal
    type: str
    state: str
    stop_price: Decimal | None
    limit_price: Decimal | None
    placed_at: datetime | None

    @classmethod
    def of(cls, document: Document) -> "Order":
        numbers = {name: _number(document[name]) for name in ("stop_price", "limit_price")}
        exact = {name: Decimal(document[name]) for name in ("quantity", "filled")}
        given = {**document, **numbers, **exact, "placed_at": _time(document["placed_at"])}
        return cls(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A difference between books and broker that is open now, or something the guard cannot see."""

    id: str
    kind: str
    """`blind`: no fresh prices or reads, so no answer is fresh. `uncovered`, `quantity`, `orphan_position`, ..."""
    account: str
    instrument: str | None
    first_seen: datetime
    last_seen: datetime
    confirmed: bool
    """Whether a second look agreed."""
    booked: str
    reported: str
    evidence: str | None
    """What it was seen by."""
    action: str | None
    """What was done about it."""

    @classmethod
    def of(cls, document: Document) -> "Break":
        given = {name: document[name] for name in cls.__slots__}
        times = {name: datetime.fromisoformat(document[name]) for name in ("first_seen", "last_seen")}
        return cls(**{**given, **times})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was asked for is done, and how that is known."""

    account: str
    request: str
    """`standfast explain REQUEST` shows everything it went through."""
    detail: str
    """In the guard's words: of an opening its stop, and what order, executions and the list of positions say."""
    position: Position | None = None
    """The position it was about, as the books have it now; None where it was about none."""
    orders: tuple[Order, ...] = ()
    """Those of that position that the books still keep, finished ones too."""


def _leg(document: Document) -> Leg:
    return Leg(
        instrument=document["instrument"],
        quantity=Decimal(document["quantity"]),
        entry_price=_number(document["entry_price"]),
        exit_price=_number(document["exit_price"]),
    )


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None
