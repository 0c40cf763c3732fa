"""The judge of a run that plays spreads: `judge.checker.Checker` with the rules and bounds of legs together.

What it is at the end: the books hold what the exchange holds, contract by contract; no structure is out of its ratio
or still being closed, unless nobody trades what is left of it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from standfast.core.policy import Mode, Rules
from standfast.model import journal as j
from standfast.model.contract import Contract
from standfast.model.ids import Holding, InstrumentId
from standfast.model.journal import Entry
from standfast.sim.judge.books import Books
from standfast.sim.judge.checker import Checker
from standfast.sim.judge.liveness import Liveness
from standfast.sim.judge.quiet import Quiet
from standfast.sim.judge.retold import ZERO, Retold
from standfast.sim.judge.safety import Safety
from standfast.sim.spreads.liveness import SpreadLiveness
from standfast.sim.spreads.retold import SpreadRetold, retell_spreads
from standfast.sim.spreads.safety import LATELY, SpreadSafety
from standfast.sim.watch import Violation

SOMETIMES: dict[type[j.Fact], str] = {
    j.StructureRequested: "a structure was asked for",
    j.StructureFormed: "a structure was formed of legs",
    j.StructureDissolved: "a structure was taken apart",
    j.CloseMoved: "a close was booked to the wrong structure",
    j.LotSplit: "several structures shared a contract",
    j.TrailMoved: "a trailing stop was moved up",
}
"""Entries that are a situation which must be met sometimes."""


class SpreadBooks(Books):
    """As `Books`: a structure is over when each of its legs is."""

    retold: SpreadRetold

    def _check_settled(self, fact: j.PositionSettled | j.PositionWrittenOff) -> None:
        whole = self.retold.wholes.get(fact.position)
        if whole is None:
            super()._check_settled(fact)
            return
        held = [lot for lot, _ in self.retold.lots_of(whole) if lot.held]
        if held:
            raise Violation("S7", f"{whole.id} is settled with {held[0].held} {held[0].holding} held")


class SpreadQuiet(Quiet):
    """As `Quiet`, where contracts end and nothing rests at the broker."""

    _retold: SpreadRetold

    def _is_called_for(self, instrument: str, now: datetime) -> bool:
        """A structure is being closed: a ladder takes its time, and a rule of time may have begun it."""
        if any(whole.closing is not None for whole in self._retold.wholes.values()):
            return True
        return super()._is_called_for(instrument, now)

    def _is_tradable(self) -> bool:
        return self._witness.engine.clock().is_open


class SpreadChecker(Checker):
    """A `Watcher` of one world of options, from its beginning on."""

    retold: SpreadRetold
    safety: SpreadSafety

    def _judges(
        self, rules: Rules, contract: Contract, is_healthy: Callable[[str], bool]
    ) -> tuple[Retold, Safety, Liveness]:
        retold = SpreadRetold()
        safety = SpreadSafety(self.witness, retold, rules, contract)
        safety.seen = {}
        return retold, safety, SpreadLiveness(self.witness, retold, rules, contract, is_healthy)

    def _books(self, rules: Rules) -> Books:
        return SpreadBooks(self.witness, self.retold, rules)

    def _retell(self, entry: Entry) -> None:
        retell_spreads(self.retold, entry)

    def _quietly(self) -> Quiet:
        return SpreadQuiet(self.witness, self.retold, self.liveness, self._world.rules)

    def committed(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._note(entry.fact)
        super().committed(entries)

    def _note(self, fact: j.Fact) -> None:
        """What must be met sometimes."""
        text = SOMETIMES.get(type(fact), "")
        if isinstance(fact, j.MovedOut):
            text = f"what a leg held was moved out ({fact.reason})"
        elif isinstance(fact, j.CloseRequested):
            is_leg = self.retold.whole_of(fact.position) is not None
            text = f"a leg was closed alone ({fact.reason})" if is_leg else f"a close was asked for ({fact.reason})"
        if text:
            self.sightings.sometimes[text] += 1

    @property
    def is_idle(self) -> bool:
        """While something is held, its quotes are kept."""
        return super().is_idle and (self._quiet is not None or not self.retold.wholes)

    def tick(self, now: datetime) -> None:
        self._keep_quotes(now)
        super().tick(now)

    def _keep_quotes(self, now: datetime) -> None:
        seen = self.safety.seen
        assert seen is not None
        held = {
            lot.holding.instrument for whole in self.retold.wholes.values() for lot, _ in self.retold.lots_of(whole)
        }
        for gone in [name for name in seen if InstrumentId(name) not in held]:
            del seen[gone]
        for name in sorted(held):
            kept = seen.setdefault(str(name), deque[tuple[datetime, Decimal, Decimal]]())
            if not self._world.health(str(name)):
                kept.clear()
                continue
            quote = self.witness.engine.last_quote(str(name))
            if quote is not None:
                kept.append((now, quote.bid, quote.ask))
            while len(kept) > 1 and kept[1][0] <= now - LATELY:
                kept.popleft()

    async def finish(self, *told: str) -> None:
        await super().finish(*told)
        try:
            self._check_books()
        except Violation as found:
            self.violation = found
            raise

    def _check_books(self) -> None:
        """B9 and B1, at the end, whether anything trades or not."""
        if self._world.rules.mode is not Mode.REPAIR:
            return
        for asset in self.witness.engine.assets():
            holding = Holding(InstrumentId(asset.instrument))
            truly, booked = self.witness.net(asset.instrument), self.retold.net(holding)
            listed = any(found.holding == holding for found in self.retold.breaks.values())
            if truly != booked and not listed:
                raise Violation("B1", f"{holding}: {booked} in the books, {truly} at the exchange, and nothing says so")
        if not self.witness.engine.clock().is_open:
            return
        for whole in self.retold.wholes.values():
            units = self.retold.units_of(whole)
            lots = [lot for lot, _ in self.retold.lots_of(whole) if lot.held]
            trades = all(self.witness.engine.is_tradable(str(lot.holding.instrument)) for lot in lots)
            if trades and whole.is_guarded and (min(units, default=ZERO) != max(units, default=ZERO)):
                raise Violation("B9", f"{whole.id} is not held in its ratio at the end: {units}")
