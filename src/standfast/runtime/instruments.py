"""What is known of the instruments we guard: tick, lot, what may be done with them. Careful defaults until read."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from standfast.model.errors import BrokerError
from standfast.model.ids import Holding, InstrumentId
from standfast.model.instrument import Instrument
from standfast.ports import Broker, Clock, KnowsInstruments

log = structlog.get_logger("standfast.instruments")

AT_ONCE, PAUSE = 10, 5.0
"""More than this many unread are spaced by this many seconds, so that they use up nobody's requests.
While as many holdings have an order under way, none is read: the requests are theirs."""


class Instruments:
    """`known` holds every instrument asked for, as read or as assumed."""

    def __init__(self, broker: Broker, clock: Clock, under_way: Callable[[], int]) -> None:
        """`under_way`: how many holdings have an order waiting or on its way."""
        self.broker, self.clock = broker, clock
        self._listed = broker if isinstance(broker, KnowsInstruments) else None
        self._under_way = under_way
        self.known: dict[InstrumentId, Instrument] = {}
        self._unread: list[InstrumentId] = []
        self._is_unread = asyncio.Event()

    def want(self, holdings: Iterable[Holding]) -> None:
        """Have read what is not known yet, in whatever turn the holdings are named."""
        for name in sorted({holding.instrument for holding in holdings} - self.known.keys()):
            told = self._known_already(name)
            self.known[name] = told or Instrument.assumed(name)
            if told is None:
                self._unread.append(name)
                self._is_unread.set()

    def _known_already(self, name: InstrumentId) -> Instrument | None:
        return self._listed.known_instrument(name) if self._listed is not None else None

    async def run(self) -> None:
        """Read them one at a time, the latest first."""
        while True:
            if not self._unread:
                self._is_unread.clear()
                await self._is_unread.wait()
            while self._under_way() >= AT_ONCE:
                await self.clock.sleep(PAUSE)
            await self.read(self._unread.pop())
            if len(self._unread) >= AT_ONCE:
                await self.clock.sleep(PAUSE)

    async def read(self, instrument: InstrumentId) -> None:
        try:
            self.known[instrument] = await self.broker.instrument(instrument)
        except BrokerError as error:
            log.warning("instrument not read", instrument=instrument, error=f"{type(error).__name__}: {error}")
