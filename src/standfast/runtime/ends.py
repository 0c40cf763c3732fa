"""Asks once an hour how options of past days ended, where that was inferred and the broker tells it afterwards."""

from collections.abc import Callable

import structlog

from standfast.core.compared_ends import compared, days_to_compare
from standfast.core.situation import Situation
from standfast.model.errors import BrokerError
from standfast.ports import TellsEnds
from standfast.runtime.ledger import Ledger

log = structlog.get_logger("standfast.ends")

EVERY = 3600.0


class Ends:
    def __init__(self, ledger: Ledger, situation: Callable[[], Situation]) -> None:
        self.ledger, self._situation = ledger, situation

    async def run(self) -> None:
        while True:
            await self.compare()
            await self.ledger.clock.sleep(EVERY)

    async def compare(self) -> None:
        """Every day that is over and has not been compared."""
        broker = self.ledger.broker
        if not isinstance(broker, TellsEnds):
            return
        for day in days_to_compare(self.ledger.book, self._situation().today):
            try:
                told = await broker.ends(day)
            except BrokerError as error:
                log.warning("how options ended was not read", day=str(day), error=f"{type(error).__name__}: {error}")
                return
            if told is None:
                return
            async with self.ledger.deciding:
                await self.ledger.record(list(compared(self._situation(), day, told)))
