"""Guard for as long as something is under way, then stop: `guard --once`, and an act while no guard runs."""

import asyncio

import structlog

from standfast.model.ids import RequestId
from standfast.runtime.account import Account
from standfast.runtime.status import status
from standfast.runtime.worker import Worker

log = structlog.get_logger("standfast.once")


async def settle(worker: Worker, until: RequestId | None = None, wait: float = 20.0) -> bool:
    """Guard until everything was read twice and nothing is under way (or a request is answered). False: not in time, or
    the keys are of another account."""

    def has_settled() -> bool:
        return all(_has_settled(account, until) for account in worker.accounts)

    def is_strange() -> bool:
        return any(account.reader.lookups.whose.stranger for account in worker.accounts)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(worker.run())
        try:
            async with asyncio.timeout(wait + 10):
                while not running.done() and not has_settled() and not is_strange():  # noqa: ASYNC110 - many conditions, none with an event
                    await asyncio.sleep(0.05)
        except TimeoutError:
            log.warning("not settled in time", seconds=wait + 10)
        settled = has_settled()
        for account in worker.accounts:
            log.info("status", account=account.rules.account, **status(account.situation()))
        worker.stop()
    return settled


def _has_settled(account: Account, until: RequestId | None) -> bool:
    book = account.ledger.book
    if until is not None:
        return until in account.finished
    reads = account.reader.kinds
    whole = all(reads[name].succeeded_at is not None for name in ("positions", "orders", "activities", "clock"))
    if not whole or account.cycles <= 1 or account.sender.busy:
        return False
    return all(found.confirmed for found in book.state.breaks.values()) and all(
        order.is_settled for order in book.state.orders.values()
    )
