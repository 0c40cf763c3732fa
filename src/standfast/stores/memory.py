"""A store in memory with the promises of a durable one, for simulations and tests.

It outlives the guard that writes to it, as a disk would: a guard is killed by dropping its journal object.
Everything is kept as bytes, so what could not be stored or read back fails here too. No method waits for
anything: an append is whole or has not begun, whatever is cancelled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import is_not

from standfast.model.errors import LeaseLost
from standfast.model.ids import AccountId, ClientOrderId, EntryNumber, RequestId
from standfast.model.journal import Entry, Fact, RequestDone, RequestTaken
from standfast.ports import Clock, Lease, Request, State
from standfast.stores.codec import (
    GENESIS,
    Commit,
    check_chain,
    decode_state,
    encode_fact,
    encode_state,
    seal,
    shape,
    to_entry,
    unpack,
)
from standfast.stores.holder import spoken
from standfast.stores.promises import LEASE_TIME, SAVED_BOOKS, RequestOutcome
from standfast.stores.unsettled import AllFreed, Freed, Slot, Taken, refusal, slot_changes


@dataclass(slots=True)
class _SavedBook:
    number: EntryNumber
    shape: str
    body: bytes


@dataclass(slots=True)
class _Account:
    """Everything kept about one account."""

    id: AccountId
    epoch: int = 0
    holder: str = ""
    """Empty while nobody has the lease."""
    expires: datetime | None = None
    commits: list[Commit] = field(default_factory=list)
    last: bytes = GENESIS
    slots: dict[Slot, ClientOrderId] = field(default_factory=dict)
    books: list[_SavedBook] = field(default_factory=list)
    requests: dict[RequestId, Request] = field(default_factory=dict)
    taken: set[RequestId] = field(default_factory=set)
    outcomes: dict[RequestId, RequestOutcome] = field(default_factory=dict)

    proven: list[Commit] = field(default_factory=list)
    """The first of the commits, those very ones, that were read and found to follow one another."""
    read: list[Entry] = field(default_factory=list)
    """Their entries: what does not change is decoded once, however often a guard starts."""

    @property
    def head(self) -> tuple[int, bytes]:
        return (self.commits[-1].number if self.commits else 0), self.last

    def entries(self) -> list[Entry]:
        """All of them, from their bytes; raises `JournalDamaged`."""
        if len(self.proven) > len(self.commits) or any(map(is_not, self.proven, self.commits)):
            self.proven, self.read = [], []  # somebody has changed what is kept: nothing is taken as proven
        further = self.commits[len(self.proven) :]
        head = self.read[-1].number if self.read else 0, bytes.fromhex(self.read[-1].hash) if self.read else GENESIS
        stored = (record for commit in further for record in unpack(commit))
        self.read += [to_entry(record) for record in check_chain(self.id, stored, head)]
        self.proven += further
        return self.read


class MemoryStore:
    """`is_alive` answers for a holder; without it every holder lives until its lease has run out."""

    def __init__(self, is_alive: Callable[[str], bool] = lambda holder: True) -> None:
        self._accounts: dict[AccountId, _Account] = {}
        self._is_alive = is_alive

    async def acquire(self, account: AccountId, holder: str, at: datetime) -> "MemoryJournal":
        """Take the account's lease; raises `LeaseLost` with the holder's text when another living one has it."""
        kept = self._account(account)
        held = bool(kept.holder) and kept.holder != holder and kept.expires is not None and at < kept.expires
        if held and self._is_alive(kept.holder):
            raise LeaseLost(f"{account} is guarded by {spoken(kept.holder)}")
        kept.epoch += 1
        kept.holder, kept.expires = holder, at + LEASE_TIME
        return MemoryJournal(kept, Lease(account, kept.epoch, holder))

    async def entries(self, account: AccountId, after: EntryNumber) -> Sequence[Entry]:
        """Proven against the chain; raises `JournalDamaged` naming the first entry that does not verify."""
        return self._account(account).entries()[after:]

    async def book(self, account: AccountId, kind: type[State]) -> tuple[EntryNumber, State] | None:
        """The newest saved state of that type and shape, and the number of the last entry folded into it."""
        for saved in reversed(self._account(account).books):
            if saved.shape == shape(kind):
                return saved.number, decode_state(kind, saved.body)
        return None

    async def put_request(self, request: Request) -> None:
        """Needs no lease. The same id is the same request."""
        self._account(request.account).requests.setdefault(request.id, request)

    async def request_outcome(self, request: RequestId) -> RequestOutcome | None:
        """None while it is not finished (or not known)."""
        return next((kept.outcomes[request] for kept in self._accounts.values() if request in kept.outcomes), None)

    async def wait_request(self, request: RequestId, clock: Clock, seconds: float) -> RequestOutcome | None:
        """The outcome, or None when there is none after that time."""
        end = clock.monotonic() + seconds
        while (outcome := await self.request_outcome(request)) is None and clock.monotonic() < end:
            await clock.sleep(0.1)
        return outcome

    async def close(self) -> None:
        """Nothing to do: what was appended is kept for as long as the object is."""

    def _account(self, account: AccountId) -> _Account:
        return self._accounts.setdefault(account, _Account(account))


class MemoryJournal:
    """One account's journal under one lease."""

    def __init__(self, kept: _Account, lease: Lease) -> None:
        self._kept = kept
        self.lease = lease
        self.lost = ""

    @property
    def head(self) -> EntryNumber:
        return EntryNumber(self._kept.head[0])

    async def append(self, facts: Sequence[Fact], at: datetime) -> Sequence[Entry]:
        """All of them or none; raises `LeaseLost` once another has the lease."""
        self._fence()
        encoded = [encode_fact(fact) for fact in facts]
        if not encoded:
            return ()
        slots = _changed_slots(self._kept.slots, facts)
        number, _ = head = self._kept.head
        commit, hashes, self._kept.last = seal(self._kept.id, head, self.lease.epoch, [(at, one) for one in encoded])
        self._kept.commits.append(commit)
        self._kept.slots = slots
        self._note_requests(facts)
        return [
            Entry(EntryNumber(place), self.lease.epoch, at, fact, chained)
            for place, (fact, chained) in enumerate(zip(facts, hashes, strict=True), start=number + 1)
        ]

    async def renew(self, at: datetime) -> None:
        """Extend the lease from `at`; raises `LeaseLost`."""
        self._fence()
        self._kept.expires = at + LEASE_TIME

    async def save_book(self, number: EntryNumber, state: object) -> None:
        """Keep a folded state, encoded now: the caller may change it afterwards."""
        self._fence()
        self._kept.books.append(_SavedBook(number, shape(type(state)), encode_state(state)))
        del self._kept.books[:-SAVED_BOOKS]

    async def requests(self) -> Sequence[Request]:
        """Operator's acts not yet taken, oldest first."""
        done = self._kept.taken | self._kept.outcomes.keys()
        return [request for id_, request in self._kept.requests.items() if id_ not in done]

    async def finish_request(self, request: RequestId, ok: bool, detail: str) -> None:  # noqa: FBT001 - the port's
        """Record the outcome for whoever waits. The first outcome stays."""
        self._fence()
        self._kept.outcomes.setdefault(request, RequestOutcome(ok, detail))

    async def release(self) -> None:
        """Give the lease back, so that the next holder need not wait. Without effect once it is lost."""
        if self._kept.epoch == self.lease.epoch:
            self._kept.holder, self._kept.expires = "", None

    def _fence(self) -> None:
        if self._kept.epoch != self.lease.epoch or not self._kept.holder:
            raise LeaseLost(
                f"{self._kept.id}: epoch {self.lease.epoch} is over, {self._kept.holder or 'nobody'} has it"
            )

    def _note_requests(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, RequestTaken):
                self._kept.taken.add(fact.request)
            elif isinstance(fact, RequestDone):
                self._kept.outcomes.setdefault(fact.request, RequestOutcome(fact.ok, fact.detail))


def _changed_slots(slots: dict[Slot, ClientOrderId], facts: Sequence[Fact]) -> dict[Slot, ClientOrderId]:
    slots = dict(slots)
    for change in slot_changes(facts, frozenset(slots.values())):
        match change:
            case Taken(slot, id_):
                if (holder := slots.setdefault(slot, id_)) != id_:
                    raise refusal(slot, holder, id_)
            case Freed(id_):
                slots = {slot: holder for slot, holder in slots.items() if holder != id_}
            case AllFreed(position):
                slots = {slot: holder for slot, holder in slots.items() if slot.position != position}
    return slots
