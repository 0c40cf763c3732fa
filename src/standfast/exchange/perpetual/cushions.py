"""How far accounts are from being liquidated, kept so that a quote costs only what it moves.

Of each account the sum of what its positions have earned and not realised, less what they have to maintain. Another
mark changes the share of one instrument; a changed position, or contract, makes it all be counted anew.

Invariant, a property test: an account that is called safe has more equity than it has to maintain. One that is not
called so may be safe all the same, and is looked at exactly.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from standfast.exchange.perpetual.books import Books
from standfast.exchange.perpetual.contract import Perpetual
from standfast.exchange.perpetual.floor import Floor
from standfast.exchange.perpetual.orders import ZERO

MARGIN = Decimal("1e-6")
"""What sums of long numbers may be off by, and much more."""


@dataclass(slots=True)
class Cushion:
    version: int
    total: Decimal = ZERO
    shares: dict[str, Decimal] = field(default_factory=dict)
    contracts: dict[str, Perpetual] = field(default_factory=dict)
    alone: set[str] = field(default_factory=set)  # instruments with margin of their own: looked at exactly, each time


class Cushions:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._kept: dict[str, Cushion] = {}

    def is_safe(self, books: Books, instrument: str) -> bool:
        """After a change of this instrument's mark, and of none else since the last time."""
        kept = self._kept.get(books.spec.name)
        contract = self._floor.contract(instrument)
        if kept is None or kept.version != books.version or kept.contracts.get(instrument) is not contract:
            kept = self._kept[books.spec.name] = Cushion(books.version)
            for name in dict.fromkeys(position.instrument for position in books.held()):
                self._count(kept, books, name)
        else:
            self._count(kept, books, instrument)
        return instrument not in kept.alone and books.wallet - self._aside(books, kept) + kept.total > MARGIN

    def _aside(self, books: Books, kept: Cushion) -> Decimal:
        """Money that is set aside for single positions backs no other."""
        return sum((side.margin or ZERO for name in sorted(kept.alone) for side in books.sides(name)), ZERO)

    def _count(self, kept: Cushion, books: Books, instrument: str) -> None:
        contract, mark, share = self._floor.contract(instrument), self._floor.mark(instrument), ZERO
        for position in books.sides(instrument):
            if position.margin is not None:
                kept.alone.add(instrument)
            else:
                share += position.unrealised(contract, mark) - position.maintenance(contract, mark)
        kept.total += share - kept.shares.get(instrument, ZERO)
        kept.shares[instrument] = share
        kept.contracts[instrument] = contract
