"""The judge of a simulated run: every safety invariant at every event, every bound on the healthy clock.

Theory: a checker that shared the guard's view would share its mistakes. So it looks at the exchange's engine (what is
truly so), at the journal's entries (what the guard has put down), and at nothing else; the guard's own book is read
only to be compared with both. What is checked is in `safety` and `liveness`; what happened that must have
happened sometimes, and which abstract states were seen, in `sightings`.

Invariants
1. The first violation is kept and raised again by every call that follows.
2. Nothing here changes the world.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from standfast.core.book import Book
from standfast.core.fold import fold
from standfast.core.policy import Rules
from standfast.exchange.engine import Engine
from standfast.exchange.events import Asked, Event, EventKind
from standfast.model.contract import Contract
from standfast.model.errors import JournalDamaged
from standfast.model.ids import BreakId, ClientOrderId, EntryNumber, Holding
from standfast.model.journal import Entry
from standfast.runtime.account import Account
from standfast.sim.adapter import CONTRACT
from standfast.sim.judge.books import Books
from standfast.sim.judge.liveness import SUCCEEDED, Liveness
from standfast.sim.judge.quiet import Quiet
from standfast.sim.judge.retelling import retell
from standfast.sim.judge.retold import Retold
from standfast.sim.judge.safety import WRITES, Safety
from standfast.sim.judge.sightings import Sightings
from standfast.sim.judge.witness import Witness
from standfast.sim.watch import CANARIES, Violation
from standfast.stores.memory import MemoryStore

TAKEN_AWAY = frozenset({EventKind.CANCELED, EventKind.EXPIRED})
LOOKS_OVER = 10
"""Seconds over which looks are counted."""
LOOKS_A_SECOND = 50
OVER = timedelta(seconds=LOOKS_OVER)
SET_AHEAD = timedelta(minutes=1)
"""A clock that gains more from one entry to the next was set."""
FEWEST = 6
"""Letters of a canary: a shorter one is in many words."""


class Living(Protocol):
    """What of a guard is looked at."""

    @property
    def is_alive(self) -> bool: ...

    @property
    def is_paused(self) -> bool: ...

    @property
    def is_here(self) -> bool:
        """Whether it guards."""
        ...


class Watched(Protocol):
    """What of a world is looked at."""

    engine: Engine
    rules: Rules
    health: Callable[[str], bool]
    """Whether H holds now for an instrument."""

    @property
    def store(self) -> MemoryStore: ...

    @property
    def guards(self) -> Mapping[str, Living]: ...

    @property
    def account(self) -> Account | None:
        """The living guard's, if there is one."""
        ...


class Checker:
    """A `Watcher` of one world, from its beginning on."""

    def __init__(
        self,
        world: Watched,
        *,
        contract: Contract = CONTRACT,
        canaries: Sequence[str] = CANARIES,
    ) -> None:
        """`canaries`: secrets that may occur nowhere."""
        assert all(len(canary) >= FEWEST for canary in canaries), "a canary must be no word"
        self._world, self._canaries = world, tuple(canaries)
        account = world.rules.account
        self.witness = Witness(world.engine, account)
        self.retold, self.safety, self.liveness = self._judges(
            world.rules, contract, lambda instrument: world.health(instrument)
        )
        self.books = self._books(world.rules)
        self.sightings = Sightings(self.witness, self.retold, self.liveness)
        self.violation: Violation | None = None
        self._hashes: list[str] = []
        self._asked: dict[str, str] = {}
        """Instruments of requests of ours that have arrived since the last tick, by client order id."""
        self._quiet: Quiet | None = None
        self._leaderless = 0.0
        self._ticked = world.engine.now
        self._looking: Account | None = None
        self._looks: deque[tuple[datetime, int]] = deque()
        world.engine.overhearers.append(self._overheard)

    def _judges(
        self, rules: Rules, contract: Contract, is_healthy: Callable[[str], bool]
    ) -> tuple[Retold, Safety, Liveness]:
        """What is judged by: the journal retold, and what judges with it."""
        retold = Retold()
        return (
            retold,
            Safety(self.witness, retold, rules, contract),
            Liveness(self.witness, retold, rules, contract, is_healthy),
        )

    def _books(self, rules: Rules) -> Books:
        return Books(self.witness, self.retold, rules)

    def _note_clock(self, entry: Entry) -> None:
        """Notice that the guard's clock was set ahead."""
        ahead, before = entry.at - self.witness.engine.now, self.retold.ahead
        self.retold.put_ahead += before is not None and ahead - before > SET_AHEAD
        self.retold.ahead = ahead

    def _retell(self, entry: Entry) -> None:
        retell(self.retold, entry)

    @property
    def worst(self) -> Mapping[str, float]:
        """Most healthy seconds each kind of trouble has lasted."""
        return self.liveness.worst

    @property
    def sometimes(self) -> Counter[str]:
        """How often each situation was seen that must be seen sometimes."""
        return self.sightings.sometimes + self.safety.sometimes

    @property
    def states(self) -> set[str]:
        """The abstract states that were seen."""
        return self.sightings.states

    # --- the watcher ----------------------------------------------------------------------------

    def happened(self, event: Event) -> None:
        """Judge one event of the exchange."""
        self._raise()
        if event.account != self._world.rules.account:
            return
        self.witness.take(event)
        self._note_taken_away(event)
        self._judge(lambda: self.safety.happened(event))
        self.sightings.happened(event)
        if self._quiet is not None:
            self._quiet.happened(event)
        self.liveness.touch(event.order.instrument)

    def committed(self, entries: Sequence[Entry]) -> None:
        """Judge entries that have just become durable."""
        self._raise()
        for entry in entries:
            self._judge(lambda entry=entry: self.safety.committing(entry))  # type: ignore[misc]  # bound at once
            self._judge(lambda entry=entry: self.books.committing(entry))  # type: ignore[misc]  # bound at once
            self.sightings.committing(entry)
            self._note_clock(entry)
            self._retell(entry)
            self._hashes.append(entry.hash)
            holding = holding_of(entry, self.retold)
            if holding is not None:
                self.liveness.touch(holding.instrument)
                self.sightings.touch(holding.instrument)
        for entry in entries:  # what one commit leaves, not what stands between its facts
            self._judge(lambda entry=entry: self.books.committed(entry))  # type: ignore[misc]  # bound at once

    def effect(self, name: str) -> None:
        """A violation found while a request arrived is raised here at the latest."""
        if self.violation is not None:
            raise self.violation
        if name in WRITES:
            self._judge(lambda: self.safety.effect(name))

    @property
    def is_idle(self) -> bool:
        """As `Watcher` says: a stopwatch that runs, and all that is quiet and not yet as it shall be, is looked at."""
        is_quiet = self._quiet is None or self._quiet.is_still
        return is_quiet and not self._asked and self.liveness.is_idle and self.violation is None

    def tick(self, now: datetime) -> None:
        """Let time pass."""
        self._raise()
        passed, self._ticked = (now - self._ticked).total_seconds(), now
        for id, instrument in self._asked.items():
            order = self.witness.find(id)
            if order is None or (order.is_finished and not order.filled):
                self.liveness.refused.setdefault(instrument, []).append(now)
        self._asked.clear()
        self.sightings.tick()
        self._judge(self._check_looks)
        self._judge(lambda: self.liveness.tick(now))
        if self._quiet is not None:
            quiet = self._quiet
            self._judge(lambda: quiet.tick(now))
            self._judge(lambda: self._check_succession(passed))

    def _check_looks(self) -> None:
        """S12: a guard that looks more and more often has no time left for what matters."""
        account = self._world.account
        if account is None:
            return
        now = self.witness.engine.now
        if account is not self._looking:
            self._looking, self._looks = account, deque()
        self._looks.append((now, account.cycles))
        while now - self._looks[0][0] > OVER:
            self._looks.popleft()
        looks = self._looks[-1][1] - self._looks[0][1]
        if looks > LOOKS_A_SECOND * LOOKS_OVER:
            raise Violation("S12", f"{looks} looks in {LOOKS_OVER} s, {LOOKS_A_SECOND * LOOKS_OVER} at most")

    def _check_succession(self, passed: float) -> None:
        """B6: while nothing goes wrong, a guard that lives guards soon."""
        awake = [guard for guard in self._world.guards.values() if guard.is_alive and not guard.is_paused]
        if any(guard.is_here for guard in awake):
            self._leaderless = 0.0
        elif awake:
            self._leaderless += passed
        if self._leaderless > SUCCEEDED:
            raise Violation("B6", f"a guard lives, and none has guarded for {self._leaderless:.0f} s")

    def _overheard(self, asked: Asked) -> None:
        """Kept, not raised: who asks is the exchange's own code."""
        if self.violation is not None or asked.account != self._world.rules.account:
            return
        try:
            self.safety.arrived(asked)
        except Violation as found:
            self.violation = found
            return
        self.sightings.arrived(asked, is_guarded=self._world.account is not None)
        if self._quiet is not None:
            self._quiet.arrived(asked)
        id = asked.ticket.client_order_id if asked.ticket is not None else None
        intent = self.retold.intents.get(ClientOrderId(id)) if id is not None else None
        if intent is not None:
            self._asked[intent.fact.id] = intent.fact.holding.instrument

    def _note_taken_away(self, event: Event) -> None:
        """Somebody else ended an exit of ours: it is put back, and later each time."""
        if event.kind not in TAKEN_AWAY or not self.witness.is_own(event.order):
            return
        intent = self.retold.intents.get(ClientOrderId(self.witness.root(event.order).client_order_id))
        if intent is not None and intent.cancel_at is None:
            self.liveness.edited.setdefault(event.order.instrument, []).append(event.at)

    def _raise(self) -> None:
        if self.violation is not None:
            raise self.violation

    def _judge(self, check: Callable[[], None]) -> None:
        try:
            check()
        except Violation as found:
            self.violation = found
            raise

    # --- the end --------------------------------------------------------------------------------

    def quiet(self) -> None:
        """The faults have stopped and nobody else trades: from now on everything must converge (B9)."""
        self._quiet = self._quietly()

    def _quietly(self) -> Quiet:
        return Quiet(self.witness, self.retold, self.liveness, self._world.rules)

    async def finish(self, *told: str) -> None:
        """Judge the run as a whole, after its quiet phase. `told`: whatever else was said to people or into logs."""
        self._raise()
        if self._quiet is not None:
            self._judge(self._quiet.finish)
        try:
            await self._check_history(told)
            await self._check_requests()
        except Violation as found:
            self.violation = found
            raise

    async def _check_history(self, told: Sequence[str]) -> None:
        """S9, S10, S13: the journal is what was committed, the books are what it says, and it tells no secret."""
        account = self._world.rules.account
        try:
            entries = await self._world.store.entries(account, EntryNumber(0))
        except JournalDamaged as error:
            raise Violation("S9", f"the journal does not verify: {error}") from error
        hashes = [entry.hash for entry in entries]
        if hashes[: len(self._hashes)] != self._hashes:
            lost = next(i for i, mine in enumerate(self._hashes) if i >= len(hashes) or hashes[i] != mine)
            raise Violation("S10", f"entry {lost + 1} was committed, and is not in the journal as it was")
        self._check_secrets([repr(entry.fact) for entry in entries] if self._canaries else (), told)
        book = fold(Book.empty(account), entries)
        self._check_folds(book)
        living = self._world.account
        if living is not None and living.ledger.book.head == book.head and living.ledger.book.state != book.state:
            raise Violation("S9", f"the guard's book is not what its journal says: {_difference(living, book)}")

    def _check_folds(self, book: Book) -> None:
        """S9: two folds of one journal agree on every quantity."""
        for holding in sorted({*self.retold.at, *self.retold.acknowledged, *book.holdings()}):
            interval, told = book.net(holding), self.retold.net(holding)
            if told not in interval:
                raise Violation("S9", f"{holding}: the journal says {told}, the book {interval}")

    async def _check_requests(self) -> None:
        """S10: what was answered is answered still, and in the journal."""
        for id, done in self.retold.done.items():
            outcome = await self._world.store.request_outcome(id)
            if outcome is None or (outcome.ok, outcome.detail) != (done.ok, done.detail):
                raise Violation("S10", f"request {id} was answered {done.ok} {done.detail!r}, and now {outcome}")

    def _check_secrets(self, texts: Sequence[str], told: Sequence[str]) -> None:
        """S13: a secret is nowhere."""
        for text in (*texts, *told):
            for canary in self._canaries:
                if canary in text:
                    raise Violation("S13", f"a secret is told: {text.replace(canary, '***')}")


def _difference(living: Account, book: Book) -> str:
    """The first field in which two books differ."""
    mine, told = living.ledger.book.state, book.state
    for name in type(mine).__slots__:
        if getattr(mine, name) != getattr(told, name):
            return f"{name}: {getattr(mine, name)} and {getattr(told, name)}"
    return "nothing"


def holding_of(entry: Entry, retold: Retold) -> Holding | None:
    """What an entry is about, once it has been retold."""
    fact = entry.fact
    for name in ("holding", "report", "fill", "finding", "movement"):
        about = getattr(fact, name, None)
        if about is not None:
            holding = about if isinstance(about, Holding) else about.holding
            return holding if isinstance(holding, Holding) else None
    if (position := getattr(fact, "position", None)) in retold.lots:
        return retold.lots[position].holding
    intent = retold.intents.get(getattr(fact, "id", ClientOrderId("")))
    if intent is not None:
        return intent.fact.holding
    id = getattr(fact, "break_id", None) or getattr(fact, "id", "")
    found = retold.breaks.get(BreakId(str(id)))
    return found.holding if found is not None else None
