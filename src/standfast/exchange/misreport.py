"""Answers that are well formed and wrong: what a `Misreport` makes of a reply's JSON.

Invariant: only what the fault names is changed; a body that is no JSON, or has nothing of the kind, stays as it is.
"""

import json
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from standfast.exchange.faults import AlteredIds, Misreport, NewState, NewType, OtherAccount, OtherInstrument

CUT = 12
"""Characters that are left of an id that is cut off."""
Row = dict[str, object]
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
    id = row.get("client_order_id")
    match fault:
        case OtherInstrument(instrument=name) if "symbol" in row:
            row["symbol"] = name
        case OtherAccount(number=number) if "account_number" in row:
            row["account_number"] = number
        case AlteredIds() if isinstance(id, str):
            row["client_order_id"] = altered(fault, id)
        case NewState(word=word) if isinstance(id, str):
            row["status"] = word
        case NewType(word=word) if isinstance(id, str):
            row |= {"type": word, "order_type": word}
        case _:
            pass
