"""An exchange for shares and options as its dialects share it: a hall, with sessions and a past."""

from collections.abc import Sequence

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.hall import Hall
from standfast.exchange.engine import Engine
from standfast.exchange.events import Event
from standfast.exchange.faults import Faults
from standfast.exchange.market import Prices
from standfast.exchange.past import Past
from standfast.exchange.sessions import Sessions


class Venue(Hall[Engine, Event]):
    """See the module and `Hall`."""

    def __init__(  # noqa: PLR0913 - everything a venue is made of, all but one with a default
        self,
        engine: Engine,
        accounts: Sequence[str] = (),
        *,
        faults: Faults | None = None,
        sessions: Sessions | None = None,
        prices: Prices | None = None,
        speed: float | None = None,
        past: Past | None = None,
    ) -> None:
        """As a hall. `past`: one that is kept already."""
        self.sessions = sessions
        self.past = past or Past(engine)
        super().__init__(engine, accounts, faults=faults, prices=prices, speed=speed)

    def _seen(self, quote: Quote) -> None:
        self.past.saw(quote)
