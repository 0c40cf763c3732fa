"""What the broker's key may do, said aloud at a start.

Too much puts money at risk, too little leaves a guard that cannot close. `doctor` says the same beforehand.
"""

from collections.abc import Iterator

import structlog

from standfast.core.tell import alarm
from standfast.model.alert import Severity
from standfast.model.errors import BrokerError
from standfast.model.evidence import AccountRead, Rights
from standfast.model.journal import AlertRaised
from standfast.ports import TellsGuarded, TellsRights
from standfast.runtime.account import Account

log = structlog.get_logger("standfast.rights")


async def tell_rights(account: Account) -> None:
    """Ask once. What the broker does not tell is no reason for an alarm."""
    broker = account.broker
    try:
        read = await broker.account()
    except BrokerError as error:  # the reader's business: it goes on asking
        log.warning("the account is not read", account=account.rules.account, error=f"{type(error).__name__}: {error}")
        return
    if not await account.reader.lookups.whose.is_ours(read):
        return
    rights = await broker.rights() if isinstance(broker, TellsRights) else None
    if rights is not None:
        log.info("rights of the key", account=account.rules.account, withdrawals=rights.detail)
    await _log_guarded(account)
    told = [each for each in _wrong(account, read, rights) if each.id not in account.ledger.book.state.alerts]
    await account.ledger.record(told)


async def _log_guarded(account: Account) -> None:
    """What is and what is not guarded there, where that is not the same everywhere."""
    if not isinstance(account.broker, TellsGuarded):
        return
    name = account.rules.account
    try:
        found = await account.broker.guarded()
    except BrokerError as error:
        log.warning("what is guarded is not known", account=name, error=f"{type(error).__name__}: {error}")
        return
    for each in found:
        say = log.info if each.ok else log.error
        say("guarded" if each.ok else "not guarded", account=name, what=each.what, detail=each.detail)


def _wrong(account: Account, read: AccountRead, rights: Rights | None) -> Iterator[AlertRaised]:
    """Once a day each."""
    s, name = account.situation(), account.rules.account
    day = f"{s.now:%Y%m%d}"
    if read.blocked:
        text = (
            f"{name}: the broker has blocked trading ({read.reason or 'it does not say why'}). The guard can neither "
            "close nor protect; what rests at the broker goes on. Needed: ask the broker."
        )
        yield alarm(s, Severity.CRITICAL, text, key=f"blocked/{day}")
    if rights is not None and rights.may_withdraw:
        text = (
            f"{name}: the key can do more than a guard needs: {rights.detail}. Needed: take the addresses off the "
            "list at the broker, or guard with an account that has none."
        )
        yield alarm(s, Severity.WARNING, text, key=f"rights/{day}")
