"""Since when the price has stood beyond a stop that rests: such a stop may not work."""

from collections.abc import Callable, Iterable
from datetime import datetime

from standfast.core.cover import cover_of
from standfast.core.exits import STOOD_BEYOND
from standfast.core.situation import Situation
from standfast.model.effects import WakeAt
from standfast.model.ids import Holding, PositionId


class Beyond:
    """Kept between looks: a look alone cannot say how long."""

    def __init__(self, wake: Callable[[WakeAt], None]) -> None:
        self.since: dict[PositionId, datetime] = {}
        self._wake = wake

    def note(self, s: Situation, holdings: Iterable[Holding]) -> None:
        for holding in holdings:
            sight = s.sights.get(holding)
            if sight is None or not sight.quote.is_two_sided:
                continue
            for position in s.book.guarded_at(holding):
                price = sight.quote.closing_price(position.sign)
                if any((stop - price) * position.sign >= 0 for stop in cover_of(s, position).stop_prices):
                    since = self.since.setdefault(position.id, s.now)
                    self._wake(WakeAt(at=since + STOOD_BEYOND, holding=holding))
                else:
                    self.since.pop(position.id, None)
