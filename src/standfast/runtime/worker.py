"""All accounts of one process: the only creator of tasks.

Every account's tasks run in one group. If one dies, all stop and the process ends visibly; the parent starts it
again, and it comes back through the ordinary start, from the journal. The heartbeat is the loop's own: it is given
only while every account's cycle goes round.

Accounts come in side by side, each as soon as its lease is free: one that another guard holds, or whose simulated
exchange is not there yet, keeps no other waiting. A guard that gets none of its accounts ends; one that guards others
goes on, says which it does not guard, and takes it when it comes free. One whose journal is damaged is left out, aloud.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import structlog

from standfast.core.flat_times import never_closes
from standfast.core.policy import Rules
from standfast.core.tell import alarm, ledger_shortened, ledger_trouble
from standfast.model.alert import Severity
from standfast.model.errors import (
    JournalDamaged,
    JournalError,
    LeaseLost,
    SettingsError,
    StandfastError,
)
from standfast.model.ids import AccountId
from standfast.model.journal import Frozen, GuardFailed
from standfast.ports import Broker, Clock, Journal, LedgerFiles, Store
from standfast.runtime.account import Account
from standfast.runtime.beginning import begin
from standfast.runtime.clock import RealClock, monotonic
from standfast.runtime.failures import first, first_line
from standfast.runtime.handover import hand_over
from standfast.runtime.heartbeat import PERIOD, Heartbeat
from standfast.runtime.ledger import Ledger, load_book
from standfast.runtime.liveness import SLOW_TOLD, Liveness
from standfast.runtime.meeting import meet
from standfast.runtime.rights import tell_rights
from standfast.runtime.status import status
from standfast.runtime.telling import Telling
from standfast.runtime.upkeep import Trouble, Upkeep, remedied

log = structlog.get_logger("standfast.worker")

LEASE_WAIT = timedelta(seconds=20)
LEASE_SAID = 10.0
"""Seconds between two lines about a lease that is waited for."""


Join = Callable[[], Awaitable[Account]]
"""Takes an account in: `Worker.add`, and what must be waited for before it."""


class Stop(Exception):
    """Asked to stop: unwinds the task group."""


NO_BUGS = (Stop, JournalError, SettingsError, MemoryError)
"""Why a task may end: told to, a lost lease, a ledger that cannot be written, no memory left. All else is a bug."""


class Worker:
    """Guards some accounts until told to stop."""

    def __init__(
        self,
        store: Store,
        telling: Telling,
        *,
        holder: str,
        session_close: Callable[[date], datetime | None],
        heartbeat: Heartbeat | None = None,
    ) -> None:
        """`holder` is who we are, as the lease names it."""
        self.store, self.telling, self.holder, self.heartbeat = store, telling, holder, heartbeat
        self.session_close = session_close
        self.lease_clock: Clock = RealClock()
        self.accounts: list[Account] = []
        self.reloaded: dict[AccountId, Rules] = {}
        """Newer rules of accounts that have not come in yet."""
        self.tell_at_once: Callable[[str], Awaitable[object]] | None = None
        """Brings words to people without the ledger, where there is somebody to bring them to."""
        self.files: LedgerFiles | None = None
        """The ledger as files, where there is somebody to look after them."""
        self._group: asyncio.TaskGroup | None = None
        self._stop = asyncio.Event()
        self._liveness = Liveness()
        self._failed: set[AccountId] = set()
        self._awaited = 0
        """Accounts that may still come in soon: until then we are not ready."""
        self._has_come = asyncio.Event()
        """An account has come in, or none will."""
        self._leaving = False

    # --- setting up -----------------------------------------------------------------------------

    async def add(self, rules: Rules, broker: Broker, clock: Clock) -> Account:
        """Take the account's lease and load its book. Raises LeaseLost when another guard keeps it and we have no other
        account to guard meanwhile."""
        journal = await self._acquire(rules.account)
        try:
            book, saved = await load_book(self.store, rules)
        except JournalDamaged:
            await journal.release()
            raise
        rules = self.reloaded.get(rules.account, rules)
        ledger = Ledger(journal=journal, store=self.store, book=book, broker=broker, clock=clock, rules=rules)
        ledger.saved = saved
        beat = partial(self._beat, rules.account)
        account = Account(
            ledger,
            partial(self.spawn, rules.account),
            beat,
            lease_clock=self.lease_clock,
            session_close=never_closes if broker.contract.always_open else self.session_close,
        )
        self.accounts.append(account)
        return account

    async def _run_for(self, account: AccountId, work: Awaitable[None]) -> None:
        """One task of an account; a bug it meets is put down to that account alone."""
        try:
            await work
        except NO_BUGS:
            raise
        except Exception:
            self._failed.add(account)
            raise

    def spawn(self, account: AccountId, work: Awaitable[None], name: str) -> None:
        """Run something beside the loop; its failure is everybody's."""
        assert self._group is not None, "spawned before the worker runs"
        self._group.create_task(self._run_for(account, work), name=name)

    def _beat(self, account: AccountId) -> None:
        self._liveness.beat(account, monotonic())

    def beat_in_vain(self) -> None:
        """A wait that is known to be alive, before there is a loop to beat. Raises Stop when asked to stop."""
        if self._group is not None:
            return  # the loop beats, and a stop is heard there
        if self._stop.is_set():
            raise Stop
        if self.heartbeat is not None:
            self.heartbeat.beat()

    # --- running --------------------------------------------------------------------------------

    def stop(self) -> None:
        self._stop.set()

    async def run(self, restarted: str = "", joining: Sequence[Join] = ()) -> None:
        """Guard what was added, and what joins, until `stop`; raises what killed a task.

        Raises LeaseLost or SettingsError when there is nothing to guard: others keep it all, or it cannot be set up.
        """
        refused: BaseExceptionGroup[StandfastError] | None = None
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                if self.heartbeat is not None:
                    group.create_task(self._keep_beating(), name="heartbeat")
                await self._start(group, restarted, joining)
                await self._stop.wait()
                await self._hand_over()
        except* Stop:
            pass
        except* (LeaseLost, SettingsError) as failed:
            if self.accounts:
                raise
            refused = failed
        except* Exception as failed:
            await self._note_failure(failed)
            raise
        if refused is not None:
            raise first(refused)
        await self._end()

    async def _end(self) -> None:
        for account in self.accounts:
            await account.stop("asked to stop")
        if self.heartbeat is not None:
            self.heartbeat.ending()

    async def _start(self, group: asyncio.TaskGroup, restarted: str, joining: Sequence[Join]) -> None:
        self._awaited = len(self.accounts) + len(joining)
        if self.files is not None:
            upkeep = Upkeep(self.files, self.lease_clock, self._tell_trouble)
            group.create_task(upkeep.run_looks(), name="look at the ledger's files")
            group.create_task(upkeep.run_care(), name="care for the ledger")
        for number, join in enumerate(joining):
            group.create_task(self._join(group, join, restarted), name=f"join {number}")
        for account in self.accounts[:]:
            await self._enter(group, account, restarted)

    async def _join(self, group: asyncio.TaskGroup, join: Join, restarted: str) -> None:
        try:
            account = await join()
        except JournalDamaged as damage:
            await self._leave_out(remedied(damage))
        else:
            await self._enter(group, account, restarted)

    async def _leave_out(self, damage: JournalDamaged) -> None:
        """An account whose journal cannot be trusted keeps no other from being guarded."""
        self._no_longer_awaited()
        await self._has_come.wait()
        if not self.accounts:
            raise damage
        account = self.accounts[0]
        log.critical("an account is not guarded", error=str(damage))
        text = f"An account is not guarded, its journal is damaged; the others are. {damage}"
        told = alarm(account.situation(), Severity.CRITICAL, text, key=f"damaged/{account.ledger.book.head}")
        await account.ledger.record([told])

    async def _enter(self, group: asyncio.TaskGroup, account: Account, restarted: str) -> None:
        """Say that it is guarded, and give it its tasks."""
        if lost := account.ledger.journal.lost:  # before all else: the store forgets it with the next entry
            await account.ledger.record([*ledger_shortened(account.situation(), lost)])
        await account.start()
        await self._tell_restart(account, restarted)
        await self._tell_halted(account)
        tasks: dict[str, Callable[[], Awaitable[None]]] = {
            "status": partial(self._say_status, account),
            "alerts": partial(self.telling.run, account),
            "lease": account.keep_lease,
            "guarding": partial(self._guard, group, account),
        }
        for name, task in tasks.items():
            group.create_task(self._run_for(account.rules.account, task()), name=f"{account.rules.account} {name}")
        self._no_longer_awaited()

    def _no_longer_awaited(self) -> None:
        self._awaited -= 1
        if self.accounts or self._awaited == 0:
            self._has_come.set()
        if self._awaited == 0 and self.heartbeat is not None:
            self.heartbeat.ready()

    async def _guard(self, group: asyncio.TaskGroup, account: Account) -> None:
        """Begin, then go round: an account whose broker does not answer yet holds no other up."""
        await meet(account)
        await begin(account)
        self._beat(account.rules.account)
        for name, task in account.tasks.items():
            group.create_task(self._run_for(account.rules.account, task()), name=f"{account.rules.account} {name}")
        self.spawn(account.rules.account, tell_rights(account), "rights")

    async def _hand_over(self) -> None:
        """Name what only we protect, tell it, and unwind the group, as the standard library's recipe does."""
        self._leaving = True
        async with asyncio.TaskGroup() as leaving:
            for account in self.accounts:
                leaving.create_task(self._leave(account), name=f"{account.rules.account} handover")
        raise Stop

    async def _leave(self, account: Account) -> None:
        await hand_over(account)
        await self.telling.flush(account, last=True)

    async def _note_failure(self, failed: BaseExceptionGroup[Exception]) -> None:
        """Put a bug down in the journal of the account that met it: two at the same entry start it halted."""
        if not self._failed:
            return  # the ledger's failure, which it cannot be told
        log.critical("a task failed: the process ends and starts anew", exc_info=failed)
        for account in self.accounts:
            if account.rules.account not in self._failed:
                continue
            entry = account.ledger.book.state.last_act
            try:
                await account.ledger.record([GuardFailed(error=first_line(failed), entry=entry)])
            except JournalError as error:
                log.warning("the failure could not be journaled", account=account.rules.account, error=str(error))

    async def _keep_beating(self) -> None:
        assert self.heartbeat is not None
        while True:
            writing = [each.rules.account for each in self.accounts if each.ledger.is_writing]
            late, slow = self._liveness.look(monotonic(), writing)
            if slow:
                self._tell_slow(slow)
            if late and not self._leaving:
                log.error("the loop does not go round", accounts=late)
            else:
                self.heartbeat.beat()
            await asyncio.sleep(PERIOD)

    def _tell_slow(self, accounts: list[AccountId]) -> None:
        """Past the ledger: an alarm in it would wait behind what it tells of."""
        log.error("the ledger does not answer", accounts=accounts, seconds=SLOW_TOLD)
        if self.tell_at_once is not None and self._group is not None:
            text = (
                f"The ledger has not taken a write for {SLOW_TOLD:g} s. What cannot be recorded is not done: until it "
                f"answers, nothing guards {', '.join(accounts)} but the exits at the broker. Needed: see the disk."
            )
            self._group.create_task(self._bring(self.tell_at_once(text)), name="tell of a slow ledger")

    async def _bring(self, telling: Awaitable[object]) -> None:
        await telling

    async def _say_status(self, account: Account) -> None:
        while not account.cycles:  # before the first look there is nothing to tell
            await account.clock.sleep(0.1)
        while True:
            log.info("status", account=account.rules.account, **status(account.situation()))
            await account.clock.sleep(account.rules.every.status.total_seconds())

    async def _tell_halted(self, account: Account) -> None:
        if account.halted:
            text = (
                f"{account.rules.account} is halted: the loop failed {account.ledger.book.state.failures} times at "
                "the same entry. It is watched, alarms are told, nothing is sent. Needed: see the log, report the bug."
            )
            key = f"halted/{account.ledger.book.state.failed_at}/{account.ledger.book.state.failures}"
            await account.ledger.record([alarm(account.situation(), Severity.CRITICAL, text, key=key)])

    async def _acquire(self, name: AccountId) -> Journal:
        """The lease, waited for as long as a predecessor can keep it, or for ever while there are others to guard."""
        began = said_at = self.lease_clock.monotonic()
        told = said = False
        while True:
            try:
                return await self.store.acquire(name, self.holder, self.lease_clock.now())
            except LeaseLost as error:
                now = self.lease_clock.monotonic()
                if not said or now - said_at >= LEASE_SAID:
                    log.info("waiting for the lease", account=name, held=str(error))
                    said, said_at = True, now
                if now >= began + LEASE_WAIT.total_seconds():
                    if not self.accounts:
                        raise
                    if not told:
                        await self._tell_taken(name, str(error))
                    told = True
            self.beat_in_vain()
            await self.lease_clock.sleep(1)

    async def _tell_taken(self, name: AccountId, held: str) -> None:
        """In the journal of an account that is ours: that one's is not ours to write."""
        self._no_longer_awaited()
        account = self.accounts[0]
        text = (
            f"{name} is not guarded by this guard: {held}. The others are; it is taken as soon as it comes free. "
            "Needed: see whether the other guard is meant to guard it."
        )
        await account.ledger.record([alarm(account.situation(), Severity.CRITICAL, text, key=f"taken/{name}/{held}")])

    async def _tell_trouble(self, trouble: Trouble) -> None:
        """Told once, in the first account's journal; every account is frozen."""
        for number, account in enumerate(self.accounts):
            told = ledger_trouble(account.situation(), trouble.text, key=trouble.key, freezes=trouble.freezes)
            facts = [fact for fact in told if number == 0 or isinstance(fact, Frozen)]
            if facts:  # a trouble that lasts is met again with every look
                log.error("the ledger is in trouble", account=account.rules.account, said=trouble.text)
            await account.ledger.record(facts)

    def alarm_everybody(self, severity: Severity, text: str, *, key: str) -> None:
        """An alarm about what all accounts share, in the journal of the first."""
        if self.accounts:
            account = self.accounts[0]
            told = account.ledger.record([alarm(account.situation(), severity, text, key=key)])
            self.spawn(account.rules.account, told, "alarm")

    async def _tell_restart(self, account: Account, reason: str) -> None:
        if reason:
            text = f"The guard of {account.rules.account} was restarted: {reason}. It goes on from its journal."
            key = f"restart/{account.ledger.book.head}"
            await account.ledger.record([alarm(account.situation(), Severity.CRITICAL, text, key=key)])


def on_signals(handlers: Sequence[tuple[signal.Signals, Callable[[], None]]]) -> None:
    loop = asyncio.get_running_loop()
    for number, handler in handlers:
        loop.add_signal_handler(number, handler)
