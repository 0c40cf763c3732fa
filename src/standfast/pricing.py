"""What `portfolio` asks of brokers: quotes and greeks of what is held, once, read-only; every failure an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from standfast.adapters import broker_of
from standfast.app import clock_of, load
from standfast.model.errors import StandfastError
from standfast.model.greeks import Greeks
from standfast.model.ids import AccountId, Holding
from standfast.model.quote import Quote
from standfast.ports import TellsGreeks

if TYPE_CHECKING:
    from standfast.settings import AccountSettings


@dataclass(slots=True)
class Priced:
    """What one account's broker said of prices; a contract it did not quote is absent."""

    quotes: Mapping[Holding, Quote] = field(default_factory=dict)
    greeks: Mapping[Holding, Greeks] = field(default_factory=dict)
    failure: str = ""


def priced(config: Path, wanted: Mapping[AccountId, Sequence[Holding]]) -> Mapping[AccountId, Priced]:
    """The prices of these holdings, account by account."""
    import asyncio

    from standfast.runtime import logs

    logs.configure(level="error")
    settings = load(config)
    found: dict[AccountId, Priced] = {}
    for account, holdings in wanted.items():
        known = settings.account(account)
        if known is None and holdings:
            found[account] = Priced(failure="it is in the ledger, and no longer in the settings")
        elif known is not None and holdings:
            found[account] = asyncio.run(_priced(known, holdings))
    return found


async def _priced(account: "AccountSettings", holdings: Sequence[Holding]) -> Priced:
    try:
        broker = broker_of(account, await clock_of(account))
    except StandfastError as error:
        return Priced(failure=f"{type(error).__name__}: {error}")
    try:
        quotes = await broker.quotes(holdings)
        return Priced(quotes, dict(broker.greeks) if isinstance(broker, TellsGreeks) else {})
    except StandfastError as error:
        return Priced(failure=f"{type(error).__name__}: {error}")
    finally:
        await broker.close()
