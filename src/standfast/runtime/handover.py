"""Carry out what the core decides when the guard is told to stop, within a bound."""

from collections.abc import Callable
from dataclasses import replace

import structlog

from standfast.core.decide import sort_out
from standfast.core.handover import handing_over, is_still
from standfast.runtime.account import Account

log = structlog.get_logger("standfast.handover")

LONGEST = 10.0
"""Seconds a stop may take to rest emergency stops before the process ends anyway."""


async def hand_over(account: Account) -> None:
    """Rest what can be rested, raise the alarm, and wait until the broker has answered.

    The loop rests first: its next look would take away again what its policy does not want at the broker.
    """
    try:
        async with account.clock.timeout(LONGEST):
            await account.rest()
    except TimeoutError:
        log.warning("the loop does not come to rest: handing over beside it", account=account.rules.account)
    if not account.cycles:  # nothing was read yet, of whichever account: nothing is sent by the books alone
        unread = replace(account.situation(), halted=True)
        await account.ledger.record(sort_out(handing_over(unread)).facts)
        return
    await _until(account, lambda: not account.sender.busy and is_still(account.situation()))
    decision = sort_out(handing_over(account.situation()))
    await account.ledger.record(decision.facts)
    for effect in decision.effects:
        account.hand_over(effect)
    await _until(account, lambda: not account.sender.busy)


async def _until(account: Account, is_so: Callable[[], bool]) -> None:
    """Wait for it within the bound; meanwhile orders are still read, by id, as the loop left it."""
    try:
        async with account.clock.timeout(LONGEST):
            while not is_so():
                account.ask_about_what_is_under_way()
                await account.clock.sleep(0.1)
    except TimeoutError:
        log.warning("still under way when the guard ends", account=account.rules.account)
