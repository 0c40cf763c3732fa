"""Spreads under fire: a bot and an operator open and close verticals and condors while the broker and the guard fail.

Theory: in a market that stands still no rule of a policy has anything to do. So whatever the guard closes that nobody
asked it to close, it closes by mistake: because it mixed up contracts that several spreads share, took a half-told
order for a broken structure, or counted twice. That is judged at every event, by the exchange and the journal alone.

Invariants
1. `Judge`: no close but an operator's or the rollback of an opening of ours that failed; every order of ours but an
   opening takes a net towards zero and never beyond.
2. Once faults have ended, the books hold what the exchange holds, contract by contract; no structure is out of its
   ratio, nothing is under way, and what a bot opened as one is in structures whole.
3. One seed is one story.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from standfast.core.policy import Foreign, HeldBy, Mode, Policy, Rules
from standfast.core.shapes import broken
from standfast.core.structures import structure_of
from standfast.exchange.assets import asset_of
from standfast.exchange.events import Event
from standfast.exchange.faults import (
    AnyFault,
    NeverAnswered,
    NeverArrives,
    RateLimited,
    Reset,
    Rule,
    ServerError,
    Stale,
)
from standfast.exchange.orders import Order, Side, Ticket
from standfast.exchange.refusal import Refused
from standfast.exchange.script import Row, Script
from standfast.model.ids import AccountId, PositionId
from standfast.model.journal import CloseRequested, Entry
from standfast.model.position import CloseReason
from standfast.sim.judge.witness import FILLS, Witness
from standfast.sim.spreads import deeds
from standfast.sim.spreads.deeds import single
from standfast.sim.watch import Violation
from standfast.sim.world import World

ZERO = Decimal(0)
STRIKES = range(3600, 4000, 50)
PUTS = [f"SPXW261106P0{strike}000" for strike in STRIKES]
CALLS = [f"SPXW261106C0{strike}000" for strike in range(4100, 4500, 50)]
NAMES = ("SPX", *PUTS, *CALLS)
RULES = Rules(
    account=AccountId("sim"),
    mode=Mode.REPAIR,
    foreign=Foreign.ADOPT,
    policies=(Policy(name="default", held_by=HeldBy.GUARD, stop_loss=Decimal("0.95")),),
)
CALM = 300.0
"""Healthy seconds in which everything has to come to rest."""
ALLOWED = (CloseReason.OPERATOR, CloseReason.ROLLBACK)
OWN_OPENING = "-o"
"""In the id of an order of ours that opens (`model.ids.client_order_id`)."""

Legs = tuple[tuple[str, int], ...]
"""Contracts with their signed quantities."""


def prices() -> Script:
    """A market that stands still, dearer towards the money."""
    rows: dict[str, list[Row]] = {"SPX": [(timedelta(0), "4049.00", "4051.00")]}
    for side in (PUTS, CALLS[::-1]):
        for place, name in enumerate(side):
            rows[name] = [(timedelta(0), f"{2 + place}.00", f"{2 + place}.05")]
    return Script(rows)


def assets() -> list[object]:
    return [asset_of(name) for name in NAMES]


class Judge:
    """A `Watcher`."""

    def __init__(self, world: World) -> None:
        self._witness = Witness(world.engine, world.rules.account)
        self._nets: dict[str, Decimal] = {}
        self.is_idle = True

    def happened(self, event: Event) -> None:
        if event.kind not in FILLS or event.order.is_multileg or event.quantity is None:
            return  # the legs of an order for several fill, each with an event of its own
        before = self._nets.get(event.instrument, ZERO)
        after = before + event.quantity * (1 if event.order.terms.side is Side.BUY else -1)
        self._nets[event.instrument] = after
        closes = self._witness.is_own(event.order) and not self._opens(event.order)
        if closes and (abs(after) >= abs(before) or after * before < 0):
            raise Violation("S2", f"{event.instrument}: {before} became {after} by an order of ours that closes")

    def _opens(self, order: Order) -> bool:
        return OWN_OPENING in str(self._witness.root(order).client_order_id)

    def committed(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry.fact, CloseRequested) and entry.fact.reason not in ALLOWED:
                raise Violation("S4", f"{entry.fact.position} is closed and nobody asked: {entry.fact.detail}")

    def effect(self, name: str) -> None:
        """Judged when it has happened."""

    def tick(self, now: datetime) -> None:
        """Time alone changes nothing here."""


@dataclass
class Life:
    """One seed's story in one world."""

    world: World
    draw: Random
    held: dict[str, Legs] = field(default_factory=dict)
    opened: int = 0
    own: list[PositionId] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)

    async def live(self, minutes: float) -> None:
        """Acts and faults for so long; then calm, and what must be so."""
        world = self.world
        world.watchers.append(Judge(world))
        await world.start_guard()
        await world.run_for(5)
        ends = world.now + timedelta(minutes=minutes)
        while world.now < ends:
            await self._act()
            await world.run_for(self.draw.uniform(0.5, 40))
        world.faults.clear()
        if world.account is None:
            await world.run_for(30)
        await world.run_for(CALM)
        self.check()

    async def _act(self) -> None:
        act = self.draw.choices(
            [
                self.bot_opens,
                self.bot_closes,
                self.operator_opens,
                self.operator_closes,
                self.fault,
                self.kill,
                self.pause,
            ],
            [6, 4, 2, 2, 4, 1, 1],
        )[0]
        self.acts[act.__name__] += 1
        await act()

    # --- the bot --------------------------------------------------------------------------------

    async def bot_opens(self) -> None:
        """At once, or leg by leg within seconds, what bounds the loss first."""
        legs = self._drawn()
        with suppress(Refused):
            if self.draw.random() < 0.75:
                await self.world.submit(ticket(legs, opens=True))
            else:
                for name, quantity in sorted(legs, key=lambda leg: -leg[1]):
                    await self.world.submit(single(name, quantity, opens=True))
                    await self.world.run_for(self.draw.uniform(0.1, 3))
            self.opened += 1
            self.held[f"t{self.opened}"] = legs

    async def bot_closes(self) -> None:
        if not self.held:
            return
        legs = self.held.pop(self.draw.choice(sorted(self.held)))
        try:
            if self.draw.random() < 0.75:
                await self.world.submit(ticket(legs, opens=False))
                return
            for name, quantity in sorted(legs, key=lambda leg: leg[1]):  # what was sold first
                await self.world.submit(single(name, quantity, opens=False))
                await self.world.run_for(self.draw.uniform(0.1, 3))
        except Refused as refused:
            raise Violation("S4", f"the bot cannot close {legs}, which it holds: {refused}") from None

    def _drawn(self) -> Legs:
        """A bull put spread, a bear call spread, or both as a condor. What is sold is never bought by another."""
        units = self.draw.randint(1, 3)
        puts = ((self.draw.choice(PUTS[4:]), -units), (self.draw.choice(PUTS[:4]), units))
        calls = ((self.draw.choice(CALLS[:4]), -units), (self.draw.choice(CALLS[4:]), units))
        return self.draw.choices([puts, calls, puts + calls], [5, 3, 2])[0]

    # --- the operator ---------------------------------------------------------------------------

    async def operator_opens(self) -> None:
        units = abs((legs := self._drawn())[0][1])
        text = " ".join(f"{name}:{quantity // units:+}" for name, quantity in legs)
        key = f"operator-{self.opened}-{len(self.own)}-{self.world.now.timestamp()}"
        await self.world.operate("open", legs=text, quantity=str(units), strategy="operator", key=key)

    async def operator_closes(self) -> None:
        account = self.world.account
        if account is None:
            return
        structures = account.ledger.book.state.structures.values()
        own = sorted(each.id for each in structures if each.strategy == "operator" and each.closing is None)
        if own:
            await self.world.operate("close", position=self.draw.choice(own))

    # --- what fails -----------------------------------------------------------------------------

    async def fault(self) -> None:
        """One thing goes wrong for a while, seldom enough that something gets through."""
        operation, faults = self.draw.choice(TROUBLES)
        rule = Rule(
            operation=operation,
            fault=self.draw.choice(faults),
            probability=self.draw.choice([0.2, 0.5, 1.0]),
            until=self.world.now + timedelta(seconds=self.draw.uniform(2, 45)),
        )
        self.world.faults.install(rule)

    async def kill(self) -> None:
        if self.world.account is not None:
            self.world.kill_guard(restart_after=self.draw.uniform(1, 20))

    async def pause(self) -> None:
        if self.world.account is not None:
            self.world.pause_guard(self.draw.uniform(1, 15))

    # --- what must be so ------------------------------------------------------------------------

    def check(self) -> None:
        """Everything has come to rest, and the books hold what the exchange holds."""
        book, world = self.world.book, self.world
        for name in NAMES[1:]:
            booked = sum((p.net for p in book.state.positions.values() if p.holding.instrument == name), ZERO)
            if booked != world.net(name):
                raise Violation("B9", f"{name}: {booked} in the books, {world.net(name)} at the exchange")
        for booked_structure in book.state.structures.values():
            structure = structure_of(book, booked_structure)
            if broken(structure) is not None or booked_structure.closing is not None:
                raise Violation("B9", f"{structure} is not whole, or still being closed")
        loose = [p for p in book.state.positions.values() if p.structure is None and p.held]
        if loose:
            raise Violation("B9", f"legs of no structure: {', '.join(f'{p.net} {p.holding}' for p in loose)}")
        working = [name for name in NAMES[1:] if world.working(name)]
        if working:
            raise Violation("B9", f"orders work on at {', '.join(working)}")


UNTOLD = (NeverArrives(hold=5.0), NeverAnswered(hold=5.0), Reset(), Reset(after=True), ServerError(status=503))
TROUBLES: tuple[tuple[str, tuple[AnyFault, ...]], ...] = (
    ("submit", (*UNTOLD, RateLimited(reset_after=3.0), ServerError(status=504, after=True))),
    ("positions", (*UNTOLD, Stale(age=10.0))),
    ("orders", (*UNTOLD, Stale(age=10.0))),
    ("order", (*UNTOLD, ServerError(status=500))),
    ("activities", UNTOLD),
    ("quotes", UNTOLD),
    ("*", UNTOLD),
)


def ticket(legs: Legs, *, opens: bool) -> Ticket:
    """One order at the market for all of them."""
    units = abs(legs[0][1])
    return deeds.ticket("SPX", tuple((name, quantity // units) for name, quantity in legs), units, None, opens=opens)


async def lived(world: World, seed: int, minutes: float) -> Life:
    """The whole story of a seed; raises what it ends with."""
    life = Life(world, Random(f"spreads-{seed}"))
    await life.live(minutes)
    return life
