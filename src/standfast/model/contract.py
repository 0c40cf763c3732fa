"""What a broker promises, declared by its adapter; the protocol follows the declaration.

Names follow reliability.md §0.9 and §3: S is how old a read may be, F how long a request may travel.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    staleness: timedelta
    """S: a read describes a moment at most this long ago."""
    flight: timedelta
    """F: a request arrives within this time or never."""
    look_up_staleness: timedelta | None = None
    """S of one order asked for by its id, where that is fresher than the lists."""
    unique_ids: bool
    """A client order id is refused the second time, so the same intent may simply be sent again."""
    searchable_ids: bool
    """An order, finished ones included, can be looked up by client order id."""
    forgets: bool = False
    """An order that has ended without a fill is not known by id any more after a day or some."""
    reduce_only: bool
    oco: bool
    native_replace: bool
    replace_keeps_cover: bool
    """A replace swaps the old for the new at once: no naked moment, the pair never counts twice."""
    reserves_quantity: bool
    """Resting exits reserve the quantity: a close must free it first."""
    checks_closing: bool = False
    """An order meant to close is refused if it could do more than close what is held and no other order reserves."""
    margined: bool = False
    """An opening binds a part of its value, by a leverage that is the exchange's to know: it says what is too much."""
    refuses_wash_trades: bool = False
    """An order that could trade with a resting one of the other side is refused, unless it brings its own exit."""
    tells_movements: bool = True
    """What changes a quantity without an order (expiry, assignment) is told; else it shows in the list only."""
    tells_takings: bool = True
    """What an exchange takes away itself (deleveraging, the end of a contract) is told as a trade; else it may show in
    the list only."""
    one_source: bool = False
    """A position asked for by its name is told from the list of all: nothing else says whether that list is old."""
    always_open: bool = False
    """Its market has no sessions: every day is a trading day, and none ends early."""
    multileg: bool = False
    """Several legs can be sent as one order (`ports.SendsTogether`)."""
    fractional_stops: bool
    """Whether a resting stop may have a fraction of a share."""
    native_stops: bool = True
    """A stop may rest there; else the guard holds every one, whatever a policy says."""
    stops_of_instrument: int | None = None
    """How many stops may rest on one instrument, whoever placed them; None: as many as there are positions."""
    order_life: timedelta | None
    """How long a GTC order lives before the broker ages it out."""
    requests_per_minute: int
    orders_per_minute: int | None = None
    """Orders and cancels, where they are counted apart from reads."""
