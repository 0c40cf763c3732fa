"""Bring alarms to people: the journal is the outbox, so an alarm survives whatever happens to us before it arrives.

Delivery never holds up the loop: it runs beside it, and only its outcome comes back, as facts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from standfast.model.alert import Alert
from standfast.model.ids import AccountId
from standfast.model.journal import AlertRaised, Entry, Fact
from standfast.ports import Clock
from standfast.runtime.account import Account

LOOK = 0.5
"""Seconds between two looks at the outbox, at least: what is raised together is told together."""
REST = 30.0
"""Seconds between two looks, at most, whether or not anything was raised."""


class Outbox(Protocol):
    """Sends what is due of the alerts it is shown and of what it still owes; see `alerts/outbox.py`."""

    def due_at(self) -> float | None: ...

    def deliver(self, alerts: Sequence[Alert], clock: Clock, *, last: bool = False) -> Awaitable[Sequence[Fact]]: ...


class Telling:
    """One account's outbox, looked at when an alert is raised and when one is due to be tried again."""

    def __init__(self, outbox_of: Callable[[AccountId], Outbox] | None = None) -> None:
        self._outbox_of = outbox_of
        self._outboxes: dict[AccountId, Outbox] = {}

    def tell_through(self, outbox_of: Callable[[AccountId], Outbox]) -> None:
        """From the next round on: all the journal calls undelivered. What the old outboxes owed beside is dropped."""
        self._outbox_of = outbox_of
        self._outboxes.clear()

    async def run(self, account: Account) -> None:
        raised = asyncio.Event()

        def ring(entry: Entry) -> None:
            if isinstance(entry.fact, AlertRaised):
                raised.set()

        account.ledger.listeners.append(ring)
        while True:
            raised.clear()
            await self.flush(account)
            await account.clock.sleep(LOOK)
            try:
                async with account.clock.timer(self._rest(account)):
                    await raised.wait()
            except TimeoutError:
                continue

    def _rest(self, account: Account) -> float:
        due = self._outbox(account).due_at()
        return REST if due is None else min(REST, max(due - account.clock.monotonic(), 0.001))

    async def flush(self, account: Account, *, last: bool = False) -> None:
        """One round: what is new, and what is due to be tried again; the last one tries everything once more."""
        outbox = self._outbox(account)
        waiting = [alert for alert in account.ledger.book.state.alerts.values() if alert.delivered_at is None]
        due = outbox.due_at()
        if waiting or (due is not None and account.clock.monotonic() >= due):
            await account.ledger.record(await outbox.deliver(waiting, account.clock, last=last))

    def _outbox(self, account: Account) -> Outbox:
        name = account.rules.account
        if name not in self._outboxes:
            assert self._outbox_of is not None, "there are no channels yet"
            self._outboxes[name] = self._outbox_of(name)
        return self._outboxes[name]
