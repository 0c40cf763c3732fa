"""Every start: whether the broker answers for the account the ledger is of, before anything else is read."""

import structlog

from standfast.runtime.account import Account

log = structlog.get_logger("standfast.meeting")

PATIENCE = 5.0
"""Seconds a start waits for the answer: an account that cannot be read is guarded all the same."""
STRANGE = 10.0
"""Seconds between two questions to a broker that answers for another account."""


async def meet(account: Account) -> None:
    """Return once the broker has answered for our account, or cannot say; never while it answers for another one."""
    whose, patience = account.reader.lookups.whose, account.clock.monotonic() + PATIENCE
    while account.ledger.book.state.number and not whose.is_met:
        try:
            async with account.clock.timeout(PATIENCE):
                await account.reader.attempt(account.reader.kinds["account"])
        except TimeoutError:
            log.warning("which account it is was not answered", account=account.rules.account)
        if not whose.is_doubted and account.clock.monotonic() >= patience:
            return
        if not whose.is_met:
            await account.clock.sleep(STRANGE if whose.stranger else 1)
