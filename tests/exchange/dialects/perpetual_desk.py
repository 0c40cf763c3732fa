"""What is done at a served exchange for perpetual futures, whatever it speaks: quotes, faults, time."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.faults import AnyFault, Rule
from standfast.exchange.serving import HallServer
from tests.exchange.perpetual.desk import BTC


@dataclass(slots=True)
class PerpetualDesk:
    venue: Perpetuals
    server: HallServer[Perpetuals]
    session: aiohttp.ClientSession
    clock_off_by: float = 0.0  # seconds

    def quote(self, bid: str, *, instrument: str = BTC, spread: str = "0.1") -> None:
        low, size = Decimal(bid), Decimal(100)
        self.venue.quote(Quote(instrument, low, low + Decimal(spread), size, size, self.venue.now))

    def fault(self, operation: str, fault: AnyFault, **when: Any) -> None:
        self.venue.faults.install(Rule(operation=operation, fault=fault, **when))

    def wait(self, seconds: float) -> None:
        self.venue.advance(self.venue.now + timedelta(seconds=seconds))
