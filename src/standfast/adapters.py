"""The adapter of each broker that settings can name: the only place that makes one.

Imports of adapters are inside functions: a reading verb that passes through here pays for none of them.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from standfast.model.errors import SettingsError

if TYPE_CHECKING:
    from standfast.brokers.ccxt.markets import Shelf
    from standfast.ports import Broker, Clock
    from standfast.settings import AccountSettings

FREE_FEED = "iex"
"""Alpaca's market data that every account may read."""

UNTOLD = 1_000_000
"""Requests a minute of a simulated exchange until its first reply tells its limit: it may have none."""

CCXT = "ccxt:"


def refuse_unbuilt(*accounts: "AccountSettings") -> None:
    """Raises SettingsError for a broker that has no adapter, or one whose library is not installed."""
    for each in accounts:
        if each.broker in ADAPTERS:
            continue
        id = each.broker.removeprefix(CCXT)
        where = f'accounts[{each.name}].broker = "{each.broker}"'
        if not each.broker.startswith(CCXT):
            raise SettingsError(f'{where}: is not supported yet. Write "alpaca", "tradier" or "ccxt:bybit".')
        from standfast.brokers.ccxt.dialects import lacking
        from standfast.brokers.ccxt.library import is_known, unknown

        if not is_known(id):
            raise SettingsError(f"{where}: {unknown(id)}")
        if lacks := lacking(id):
            raise SettingsError(f"{where}: cannot be guarded, because ccxt has not for it: {', '.join(lacks)}.")


def foretold(broker: str, *, live: bool) -> list[str]:
    """What is known of guarding an exchange of ccxt's before any key is; of others nothing needs to be said.

    Raises SettingsError for one that ccxt does not know, that cannot be guarded, or that has no test side.
    """
    if not broker.startswith(CCXT):
        return []
    from standfast.brokers.ccxt import dialects
    from standfast.brokers.ccxt.library import is_known, unknown

    id = broker.removeprefix(CCXT)
    if not is_known(id):
        raise SettingsError(f"{broker}: {unknown(id)}")
    if lacks := dialects.lacking(id):
        raise SettingsError(f"{broker} cannot be guarded, because ccxt has not for it: {', '.join(lacks)}.")
    if not live and not dialects.has_test_side(id):
        raise SettingsError(f"{broker} has no test side that ccxt knows: add --live for real money, or --exchange URL.")
    return dialects.foretold(id)


def needs_passphrase(broker: str) -> bool:
    """Whether its keys have one beside the secret."""
    if not broker.startswith(CCXT):
        return False
    from standfast.brokers.ccxt import dialects

    return dialects.needs_passphrase(broker.removeprefix(CCXT))


def broker_of(account: "AccountSettings", clock: "Clock") -> "Broker":
    """The adapter of an account's broker. Raises SettingsError for one that is not built yet."""
    refuse_unbuilt(account)
    return ADAPTERS.get(account.broker, _ccxt)(account, clock)


def _alpaca(account: "AccountSettings", clock: "Clock") -> "Broker":
    from standfast.brokers.alpaca.adapter import CONTRACT, AlpacaBroker, AlpacaSettings
    from standfast.brokers.shared.transport import AiohttpTransport

    settings = AlpacaSettings(
        account=account.name,
        key_id=account.key_id,
        secret=account.secret,
        rest_url=account.rest_url,
        stream_url=account.stream_url,
        data_url=account.data_url,
        data_stream_url=account.data_stream_url,
        feed=account.feed or FREE_FEED,
        rate_share=float(account.rules.rate_share),
        requests_per_minute=UNTOLD if account.is_simulator else CONTRACT.requests_per_minute,
    )
    return AlpacaBroker(settings, clock=clock, transport=AiohttpTransport())


def _tradier(account: "AccountSettings", clock: "Clock") -> "Broker":
    from standfast.brokers.shared.transport import AiohttpTransport
    from standfast.brokers.tradier import adapter

    told = adapter.CONTRACT.requests_per_minute if account.live else adapter.PAPER_REQUESTS_PER_MINUTE
    settings = adapter.TradierSettings(
        account=account.name,
        account_id=account.account_id,
        secret=account.secret,
        rest_url=account.rest_url,
        stream_url=account.stream_url,
        data_url=account.data_url,
        data_stream_url=account.data_stream_url,
        rate_share=float(account.rules.rate_share),
        requests_per_minute=UNTOLD if account.is_simulator else told,
        orders_per_minute=UNTOLD if account.is_simulator else adapter.ORDERS_PER_MINUTE,
    )
    return adapter.TradierBroker(settings, clock=clock, transport=AiohttpTransport())


def _ccxt(account: "AccountSettings", clock: "Clock") -> "Broker":
    from standfast.brokers.ccxt.adapter import CcxtBroker, CcxtSettings
    from standfast.brokers.ccxt.dialects import UNLIMITED
    from standfast.brokers.ccxt.library import Access
    from standfast.brokers.shared.transport import AiohttpTransport

    access = Access(
        id=account.broker.removeprefix(CCXT),
        key_id=account.key_id,
        secret=account.secret,
        passphrase=account.passphrase,
        live=account.live,
        rest_url=account.rest_url,
        stream_url=account.stream_url,
    )
    settings = CcxtSettings(
        account=account.name,
        access=access,
        shelf=_shelf(access.id, access.rest_url, live=access.live),
        rate_share=float(account.rules.rate_share),
        rates=UNLIMITED if account.is_simulator else None,
    )
    return CcxtBroker(settings, clock=clock, transport=AiohttpTransport())


_SHELVES: "WeakValueDictionary[tuple[str, str, bool], Shelf]" = WeakValueDictionary()


def _shelf(id: str, rest_url: str, *, live: bool) -> "Shelf":
    """The markets of one exchange, for all accounts of this process there; gone with the last of them."""
    from standfast.brokers.ccxt.markets import Shelf

    return _SHELVES.setdefault((id, rest_url, live), Shelf())


ADAPTERS: "Mapping[str, Callable[[AccountSettings, Clock], Broker]]" = {"alpaca": _alpaca, "tradier": _tradier}
"""Beside these any id of ccxt's."""
