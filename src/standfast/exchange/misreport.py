"""Answers that are well formed and wrong: what a `Misreport` makes of a reply's JSON.

Invariant: only what the fault names is changed; a body that is no JSON, or has nothing of the kind, stays as it is.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import msgspec

from standfast.exchange.faults import AlteredIds, Misreport, NewState, NewType, OtherAccount, OtherInstrument

CUT = 12
"""Characters that are left of an id that is cut off."""
Row = dict[str, object]


class Names(NamedTuple):
    """By which names a broker's orders tell their state and their type."""

    states: tuple[str, ...]
    types: tuple[str, ...]


ORDERS = {
    "client_order_id": Names(("status",), ("type", "order_type")),  # Alpaca
    "orderLinkId": Names(("orderStatus",), ("orderType",)),  # Bybit
    "clientOrderId": Names(("status",), ("type",)),  # Binance, and its conditional orders
    "clientAlgoId": Names(("algoStatus",), ("orderType", "type")),
}
"""By the name of the client's own id, by which an order's row is known."""
ACCOUNTS = ("account_number", "userID", "accountAlias")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def misreported(fault: Misreport, body: bytes) -> bytes:
    """The body as it arrives under this fault."""
    try:
        told = json.loads(body, parse_float=Decimal)
    except ValueError:
        return body
    for row in _rows(told):
        _change(fault, row)
    return _ENCODER.encode(told)


def altered(fault: AlteredIds, id: str) -> str:
    """What is left of a client order id."""
    return {"cut": id[:CUT], "lower": id.lower(), "upper": id.upper(), "none": ""}[fault.how]


def _rows(told: object) -> Iterator[Row]:
    """Every object in it, nested ones too."""
    if isinstance(told, list):
        for each in told:
            yield from _rows(each)
    elif isinstance(told, dict):
        yield told
        for each in told.values():
            yield from _rows(each)


def _change(fault: Misreport, row: Row) -> None:
    id = next((name for name in ORDERS if isinstance(row.get(name), str)), None)
    match fault:
        case OtherInstrument(instrument=name) if "symbol" in row:
            row["symbol"] = name
        case OtherAccount(number=number):
            row |= {name: number for name in ACCOUNTS if name in row}
        case AlteredIds() if id is not None:
            row[id] = altered(fault, str(row[id]))
        case NewState(word=word) if id is not None:
            row |= {name: word for name in ORDERS[id].states if name in row}
        case NewType(word=word) if id is not None:
            row |= {name: word for name in ORDERS[id].types if name in row}
        case _:
            pass
