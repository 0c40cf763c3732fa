"""What the tests of a bot's own record are told with."""

from decimal import Decimal
from typing import Any

from standfast.model.ids import Holding, InstrumentId
from standfast.model.tracked import RecordMap, TrackedEntry, held_in

SOLD, BOUGHT = "SPXW260105P06885000", "SPXW260105P06785000"
D = Decimal


def json_map(**changes: Any) -> RecordMap:
    """A list of objects, each with its symbol and quantity."""
    return RecordMap(
        **{"kind": "json", "entries": "$[*]", "symbols": ("symbol",), "quantity": ("quantity",), **changes}
    )


def at(name: str) -> Holding:
    return Holding(InstrumentId(name))


def held(entries: tuple[TrackedEntry, ...]) -> dict[str, Decimal | None]:
    return {str(holding): quantity for holding, quantity in held_in(entries).items()}
