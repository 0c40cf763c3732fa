"""The very first start on an account: from when on its fills are ours to book, and what was held before them.

Where somebody has traded within the time by which a list may be late, lists are read until they leave no doubt what was
held before (`core/first_lists.py`), aloud. A broker that does not answer is waited for, aloud: nothing is guarded
meanwhile, and somebody must know.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from standfast.core.first_lists import Filled, Look, held_at_first
from standfast.core.tell import alarm
from standfast.model.alert import Severity
from standfast.model.errors import BrokerError
from standfast.model.evidence import PositionsRead
from standfast.model.ids import Holding
from standfast.model.journal import GuardingBegan, HeldThen
from standfast.ports import Broker, Clock
from standfast.runtime.account import Account

log = structlog.get_logger("standfast.beginning")

SILENT = timedelta(seconds=10)
"""How long a broker may be out of reach before people are told."""
LOOKED = 3
"""Times the staleness from before the first list on, for which lists are read until they agree: who trades the same
again and again, at the pace by which they may be late, would be waited for without end."""


async def begin(account: Account) -> None:
    """Return once the journal says from when on the account is guarded."""
    since, told, told_unsure = account.clock.now(), False, False
    first = FirstReads(account.broker, account.clock)
    while account.ledger.book.state.began is None:
        try:
            began = await first.read()
        except BrokerError as error:
            reason = f"{type(error).__name__}: {error}"
            log.warning("cannot begin yet", account=account.rules.account, error=reason)
            if not told and account.clock.now() - since >= SILENT:
                await _tell_unread(account, since, reason)
                told = True
            await account.clock.sleep(1)
            continue
        if began is not None:
            await account.ledger.record([began])
            return
        if not told_unsure:
            await _tell_unsure(account, first.unsure)
            told_unsure = True
        await account.clock.sleep(1)


class FirstReads:
    """What has been read so far."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self.unsure: list[Holding] = []
        """What was traded lately, and is not known how much of was held before."""
        self._broker = broker
        self._clock = clock
        self._watermark = ""
        self._looks: list[Look] = []

    async def read(self) -> GuardingBegan | None:
        """Read once more; None while it is not sure what was held. Raises BrokerError."""
        clock, asked = await self._broker.clock(), self._clock.monotonic()
        if not self._watermark:
            self._watermark = (await self._broker.activities("")).watermark
        positions = await self._broker.positions()
        until = clock.at + timedelta(seconds=self._clock.monotonic() - asked)
        staleness = self._broker.contract.staleness
        listed = {holding: row.quantity for holding, row in positions.rows.items()}
        self._looks.append(Look(listed=listed, since=clock.at - staleness, until=until))
        since = self._looks[0].since
        lately = await self._filled(since)
        held = held_at_first(self._looks, lately, is_last=clock.at >= since + LOOKED * staleness)
        self.unsure = sorted({each.holding for each in lately} - held.keys())
        if self.unsure:
            return None
        orders = sorted({each.broker_order_id for each in lately if each.at < clock.at})
        return GuardingBegan(
            broker=type(self._broker).__name__,
            at_broker=clock.at,
            watermark=self._watermark,
            held=_rows(positions, held),
            held_at=since if orders else None,
            orders=tuple(orders),
        )

    async def _filled(self, since: datetime) -> list[Filled]:
        """What the first list may have lacked, and all since."""
        read = await self._broker.activities(self._watermark)
        filled: list[Filled] = [*read.fills, *read.totals]
        return [each for each in filled if each.at >= since]


async def _tell_unsure(account: Account, unsure: list[Holding]) -> None:
    late = account.broker.contract.staleness
    until = account.clock.now() + (LOOKED - 1) * late
    text = (
        f"{account.rules.account}: {', '.join(map(str, unsure))} was traded just before guarding was to begin, and a "
        f"list of positions may be {late.total_seconds():.0f} s late. Nothing is guarded until lists agree on what was "
        f"held before, {until:%H:%M:%S} UTC at the latest. Needed: nothing."
    )
    await _tell(account, Severity.WARNING, text)


def _rows(positions: PositionsRead, held: dict[Holding, Decimal]) -> tuple[HeldThen, ...]:
    """What is listed, and of what has been traded what was held before."""
    rows = {
        holding: HeldThen(holding=holding, quantity=row.quantity, price=row.average_price)
        for holding, row in positions.rows.items()
    }
    for holding, quantity in held.items():
        row = positions.rows.get(holding)
        is_known = row is not None and row.quantity * quantity > 0
        price = row.average_price if row is not None and is_known else None
        rows[holding] = HeldThen(holding=holding, quantity=quantity, price=price)
    return tuple(row for _, row in sorted(rows.items()) if row.quantity)


async def _tell_unread(account: Account, since: datetime, reason: str) -> None:
    text = (
        f"{account.rules.account}: the broker cannot be read since {since:%H:%M:%S} UTC ({reason}). "
        "Nothing is guarded until it answers; the guard goes on trying. Needed: see why."
    )
    await _tell(account, Severity.CRITICAL, text)


async def _tell(account: Account, severity: Severity, text: str) -> None:
    key = f"begin/{account.ledger.book.head}"
    await account.ledger.record([alarm(account.situation(), severity, text, key=key)])
