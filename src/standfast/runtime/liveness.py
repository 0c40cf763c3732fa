"""Whether every account's cycle goes round, and what to make of one that does not.

A cycle that stands still is a hung loop, and no heartbeat is given any more: the parent ends the process. Unless it
waits for the ledger. What cannot be recorded is not done, so a slow disk holds a cycle up. To kill the process for that
would make things worse: no disk becomes faster by it, the new process has to write before it can guard again, and each
new one would meet the same end. Such a cycle is waited for, and people are told at once, past the ledger. Not for
ever: a writer that hangs by itself is cured by a new process alone.
"""

from collections.abc import Collection
from typing import NamedTuple

from standfast.model.ids import AccountId

CYCLE_LATE = 5.0
"""Real seconds without a cycle after which no heartbeat is given any more."""
SLOW_TOLD = 10.0
"""Real seconds a cycle may wait for the ledger before people are told."""
SLOW_ENOUGH = 60.0
"""Real seconds a cycle may wait for the ledger before it counts as hung."""


class Look(NamedTuple):
    """What one look found."""

    late: list[AccountId]
    """Whose cycle stands still: no heartbeat."""
    slow: list[AccountId]
    """Whose cycle waits for the ledger, and has just done so for long enough to tell."""


class Liveness:
    """When each account's cycle last went round. Times are seconds of the machine's monotonic clock."""

    def __init__(self) -> None:
        self._beats: dict[AccountId, float] = {}
        self._told: set[AccountId] = set()

    def beat(self, account: AccountId, now: float) -> None:
        """Its cycle has gone round."""
        self._beats[account] = now
        self._told.discard(account)

    def look(self, now: float, writing: Collection[AccountId]) -> Look:
        """`writing`: whose writes are under way at this moment. Each wait for the ledger is `slow` once."""
        found = Look([], [])
        for account, at in self._beats.items():
            stood = now - at
            if stood > CYCLE_LATE and (account not in writing or stood > SLOW_ENOUGH):
                found.late.append(account)
            elif stood > SLOW_TOLD and account not in self._told:
                self._told.add(account)
                found.slow.append(account)
        return found
