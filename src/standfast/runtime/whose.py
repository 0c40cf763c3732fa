"""Which account the broker answers for: the one the ledger is of, or another one.

A variable that was mixed up, or a paper account that was reset, gives keys of another account: the broker answers well,
and of something else. None of that is taken into the books, and nothing is sent.

1. The number that two answers in a row agree on is written down, once per journal.
2. Another one, told twice in a row by a broker that has not told ours since the start, halts the account.
3. Keys do not change while a guard runs: another number later is an answer gone wrong, and told as that.
"""

import structlog

from standfast.core.breaches import misread, strange
from standfast.model.errors import Malformed
from standfast.model.evidence import AccountRead
from standfast.model.journal import AccountSeen
from standfast.runtime.ledger import Ledger

log = structlog.get_logger("standfast.whose")


class Whose:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._heard = ""
        """What the last answer told."""
        self.is_met = False
        """Whether the account has been told as ours in this life of the guard."""
        self.stranger = ""
        """The number of the account that is told instead."""

    def must_be_ours(self, read: str = "") -> None:
        """Raises Malformed where whatever is read now is another account's: all but which account it is."""
        if self.stranger and read != "account":
            raise Malformed(f"the keys are of account {self.stranger}, the ledger is of {self._known}")

    @property
    def is_doubted(self) -> bool:
        """Whether another account was told last, be it only once."""
        return self._heard not in ("", self._known)

    @property
    def _known(self) -> str:
        return self._ledger.book.state.number

    async def is_ours(self, read: AccountRead) -> bool:
        """Whether an answer may be about the account the ledger is of."""
        if not read.number:
            return not self.stranger  # it says nothing of whose it is, and takes nothing back
        number, before, self._heard = read.number, self._heard, read.number
        if number == self._known:
            self.is_met, self.stranger = True, ""
            return True
        if not self._known and number == before:
            await self._ledger.record([AccountSeen(number=number)])
            self.is_met = True
            return True
        if not self._known and not before:
            return True
        if self.is_met or not self._known:
            await self._tell_misread(number)
        elif number == before:
            await self._halt(number)
        return False

    async def _tell_misread(self, number: str) -> None:
        why = "the account that was read is another one than before"
        log.error(why, account=self._ledger.rules.account)
        facts = misread(self._ledger.book, why, subject=f"account {number}", day=self._ledger.now())
        await self._ledger.record(tuple(facts))

    async def _halt(self, number: str) -> None:
        log.error("the keys are of another account", account=self._ledger.rules.account, keys=number, is_of=self._known)
        self.stranger = number
        await self._ledger.record(tuple(strange(self._ledger.book, number, day=self._ledger.now())))
