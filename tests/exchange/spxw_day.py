"""The recorded SPXW day (44 butterflies of 2023-09-22) as things that happen to an exchange.

An order is submitted when it was created. Its legs are quoted at the prices they filled at when it filled, and far from
any limit at all other times, so that the engine's own matching has to find every fill.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import gcd
from pathlib import Path
from typing import Any

from standfast.exchange.accounts import AccountSpec
from standfast.exchange.assets import asset_of
from standfast.exchange.dialects import tradier
from standfast.exchange.engine import Engine
from standfast.exchange.orders import Intent, Leg, OrderClass, OrderType, Side, Terms, Ticket
from standfast.exchange.rules import Rules
from standfast.exchange.sessions import USSessions

D = Decimal
START = datetime(2023, 9, 22, 14, 0, tzinfo=UTC)
CLOSE = datetime(2023, 9, 22, 20, 0, tzinfo=UTC)
WIDE = (D("0.01"), D("9000"))
RULES = tradier.rules(Rules())

Row = dict[str, Any]


def recorded(shared: Path, name: str) -> Any:
    return json.loads((shared / "brokers/data/tradier/recorded_spxw_2023" / name).read_text(), parse_float=Decimal)


def orders(shared: Path) -> list[Row]:
    """Oldest first."""
    rows: list[Row] = recorded(shared, "orders_44_multileg.json")["orders"]["order"]
    return sorted(rows, key=lambda row: str(row["create_date"]))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True)
class Happening:
    at: datetime
    what: str  # submit, fill, cancel
    order: Row


def happenings(rows: list[Row]) -> Iterator[Happening]:
    """Everything of the day before its close, in order."""
    found = [Happening(moment(row["create_date"]), "submit", row) for row in rows]
    found += [
        Happening(moment(row["transaction_date"]), "fill" if row["status"] == "filled" else "cancel", row)
        for row in rows
        if moment(row["transaction_date"]) < CLOSE
    ]
    yield from sorted(found, key=lambda each: each.at)


def units(row: Row) -> int:
    return gcd(*(int(leg["quantity"]) for leg in row["leg"]))


def ticket(row: Row) -> Ticket:
    sign = {"debit": 1, "credit": -1}[row["type"]]
    return Ticket(
        terms=Terms(
            instrument=row["symbol"],
            side=Side.BUY,
            type=OrderType.LIMIT,
            quantity=D(units(row)),
            limit_price=sign * row["price"],
        ),
        order_class=OrderClass.MULTILEG,
        legs=tuple(
            Leg(instrument=leg["option_symbol"], intent=Intent(leg["side"]), ratio=leg["quantity"] / units(row))
            for leg in row["leg"]
        ),
    )


def contracts(rows: list[Row]) -> list[str]:
    return sorted({leg["option_symbol"] for row in rows for leg in row["leg"]})


def exchange(rows: list[Row], number: str = "VA00000000", word: str = "") -> Engine:
    assets = [asset_of(name) for name in ("SPX", *contracts(rows))]
    spec = AccountSpec(name="a", key_id=number, secret=word, cash=D(1_000_000))
    engine = Engine(assets, [spec], start=START, calendar=USSessions(), rules=RULES)
    for name in contracts(rows):
        quote(engine, name, *WIDE, at=START)
    return engine


def quote(engine: Engine, name: str, bid: Decimal, ask: Decimal, *, at: datetime) -> None:
    engine.quote(name, bid, ask, D(1000), D(1000), max(at, engine.now))


def quote_legs(engine: Engine, row: Row, at: datetime) -> None:
    """As they filled, on the side they filled at alone, and back."""
    for leg in row["leg"]:
        price, is_buy = leg["avg_fill_price"], leg["side"].startswith("buy")
        quote(engine, leg["option_symbol"], *((WIDE[0], price) if is_buy else (price, WIDE[1])), at=at)
    for leg in row["leg"]:
        quote(engine, leg["option_symbol"], *WIDE, at=at)
