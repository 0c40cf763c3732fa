"""What one instrument costs: the quote, the last trade, the mark and the index.

The last three follow the quote's middle unless somebody holds them where they are (`pin`), as a wick moves the last
price and not the mark.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from standfast.exchange.assets import Quote
from standfast.exchange.perpetual.contract import Perpetual
from standfast.exchange.perpetual.orders import PriceBy

KEPT = 1000  # quotes of one instrument


@dataclass(slots=True)
class Prices:
    contract: Perpetual
    quote: Quote | None = None
    current: dict[PriceBy, Decimal] = field(default_factory=dict)
    pinned: dict[PriceBy, Decimal] = field(default_factory=dict)
    count: int = 0  # of quotes so far
    kept: deque[Quote] = field(default_factory=lambda: deque(maxlen=KEPT))

    def take(self, quote: Quote) -> None:
        self.quote = quote
        self.count += 1
        self.kept.append(quote)
        middle = quote.middle
        for by in PriceBy:
            self.current[by] = self.pinned.get(by) or self._of(by, middle)

    def _of(self, by: PriceBy, middle: Decimal) -> Decimal:
        """A trade happens on a tick; the others are computed and need not."""
        return self.contract.on_tick(middle) if by is PriceBy.LAST else middle

    def pin(self, by: PriceBy, price: Decimal | None) -> None:
        """Hold one of them there; None lets it go, back to the quote."""
        if price is None:
            self.pinned.pop(by, None)
            if self.quote is not None:
                self.current[by] = self._of(by, self.quote.middle)
        else:
            self.pinned[by] = self.current[by] = price

    def get(self, by: PriceBy) -> Decimal | None:
        return self.current.get(by)

    @property
    def mark(self) -> Decimal | None:
        return self.current.get(PriceBy.MARK)

    @property
    def last(self) -> Decimal | None:
        return self.current.get(PriceBy.LAST)
