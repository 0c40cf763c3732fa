"""The last quotes of every watched holding, and the gate that lets only rule-relevant ticks wake the loop."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from standfast.core.bands import Band
from standfast.core.situation import Sight
from standfast.model.errors import BrokerError
from standfast.model.ids import Holding
from standfast.model.quote import Quote
from standfast.ports import Broker, Clock

log = structlog.get_logger("standfast.quotes")

POLL = timedelta(seconds=5)


class Quotes:
    """Streamed where the broker streams, polled where a watched holding has gone without for five seconds."""

    def __init__(self, broker: Broker, clock: Clock, wake: Callable[[Holding], None]) -> None:
        self.broker, self.clock, self._wake = broker, clock, wake
        self.sights: dict[Holding, Sight] = {}
        self.bands: dict[Holding, Band] = {}

    def watch(self, bands: Mapping[Holding, Band | None]) -> None:
        """Take over the bands just figured; holdings without a band are no longer watched."""
        before = len(self.bands)
        gone = [holding for holding, band in bands.items() if band is None and holding in self.bands]
        for holding in gone:
            del self.bands[holding]
        fresh = [holding for holding, band in bands.items() if band is not None and holding not in self.bands]
        self.bands.update({holding: band for holding, band in bands.items() if band is not None})
        if gone or fresh or before != len(self.bands):
            self.broker.watch(frozenset(self.bands))

    def take(self, holding: Holding, quote: Quote) -> None:
        """One tick: kept, compared with its band, and nothing more unless it lies outside."""
        known = self.sights.get(holding)
        self.sights[holding] = Sight(quote, known.quote if known is not None else None)
        band = self.bands.get(holding)
        if band is not None and not band.is_quiet(float(quote.bid), float(quote.ask)):
            self._wake(holding)

    async def follow_stream(self) -> None:
        async for holding, quote in self.broker.quote_events():
            self.take(holding, quote)

    async def poll(self) -> None:
        """Ask for what the stream has not brought."""
        while True:
            now = self.clock.now()
            stale = sorted(holding for holding in self.bands if self._is_stale(holding, now))
            if stale:
                await self.ask(stale)
            await self.clock.sleep(POLL.total_seconds())

    async def ask(self, holdings: list[Holding]) -> None:
        try:
            for holding, quote in (await self.broker.quotes(holdings)).items():
                self.take(holding, quote)
        except BrokerError as error:
            log.warning("quotes not read", holdings=len(holdings), error=f"{type(error).__name__}: {error}")

    def _is_stale(self, holding: Holding, now: datetime) -> bool:
        sight = self.sights.get(holding)
        return sight is None or now - sight.quote.received >= POLL
