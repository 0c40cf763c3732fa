"""The very first start on an account: from when on its fills are ours to book, and what was held before them.

A broker that does not answer is waited for, aloud: nothing is guarded meanwhile, and somebody must know.
"""

from datetime import datetime, timedelta

import structlog

from standfast.core.tell import alarm
from standfast.model.alert import Severity
from standfast.model.errors import BrokerError
from standfast.model.journal import GuardingBegan, HeldThen
from standfast.runtime.account import Account

log = structlog.get_logger("standfast.beginning")

SILENT = timedelta(seconds=10)
"""How long a broker may be out of reach before people are told."""


async def begin(account: Account) -> None:
    """Return once the journal says from when on the account is guarded."""
    since, told = account.clock.now(), False
    while account.ledger.book.state.began is None:
        try:
            clock = await account.broker.clock()
            read = await account.broker.activities("")
            positions = await account.broker.positions()
        except BrokerError as error:
            reason = f"{type(error).__name__}: {error}"
            log.warning("cannot begin yet", account=account.rules.account, error=reason)
            if not told and account.clock.now() - since >= SILENT:
                await _tell(account, since, reason)
                told = True
            await account.clock.sleep(1)
            continue
        broker = type(account.broker).__name__
        held = tuple(
            HeldThen(holding=row.holding, quantity=row.quantity, price=row.average_price)
            for _, row in sorted(positions.rows.items())
        )
        began = GuardingBegan(broker=broker, at_broker=clock.at, watermark=read.watermark, held=held)
        await account.ledger.record([began])


async def _tell(account: Account, since: datetime, reason: str) -> None:
    text = (
        f"{account.rules.account}: the broker cannot be read since {since:%H:%M:%S} UTC ({reason}). "
        "Nothing is guarded until it answers; the guard goes on trying. Needed: see why."
    )
    key = f"begin/{account.ledger.book.head}"
    await account.ledger.record([alarm(account.situation(), Severity.CRITICAL, text, key=key)])
