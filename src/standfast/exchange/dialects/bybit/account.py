"""Bybit's account, its modes and its key over REST (brokers/README §3.2)."""

from collections.abc import Callable
from datetime import timedelta

from standfast.exchange.dialects.bybit import asking
from standfast.exchange.dialects.bybit.account_rows import COIN, movement_row, wallet_row
from standfast.exchange.dialects.bybit.codes import PARAMETER, BybitRefused
from standfast.exchange.dialects.bybit.disconnected import Switches
from standfast.exchange.dialects.bybit.trading import EMPTY, read, window
from standfast.exchange.dialects.bybit.wire import Row, amount, page, replied, stamp, text
from standfast.exchange.dialects.gate import Reply, RouteAt
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals
from standfast.exchange.perpetual.contract import Perpetual
from standfast.exchange.perpetual.refusal import No, PerpetualRefused

ONE_WAY, HEDGE = "0", "3"
MARGIN_MODES = {"REGULAR_MARGIN": False, "ISOLATED_MARGIN": True}
KEY_LIVES = timedelta(days=90)
UNIFIED = 6  # UTA 2.0 pro


def reads(switches: Switches) -> tuple[RouteAt[Perpetuals], ...]:
    def info(call: PerpetualCall) -> Reply:
        return account_info(call, switches)

    return (
        RouteAt("GET", "/v5/user/query-api", "profile", key_info),
        RouteAt("GET", "/v5/account/info", "configurations", info),
        RouteAt("GET", "/v5/account/wallet-balance", "account", wallet),
        RouteAt("GET", "/v5/account/fee-rate", "configurations", fee_rate),
        RouteAt("GET", "/v5/account/transaction-log", "activities", transaction_log),
        RouteAt("GET", "/v5/asset/coin/query-info", "assets", coins),
    )


def writes(switches: Switches) -> tuple[RouteAt[Perpetuals], ...]:
    def disconnected(call: PerpetualCall) -> Reply:
        return set_window(call, switches)

    return (
        RouteAt("POST", "/v5/position/set-leverage", "leverage", set_leverage),
        RouteAt("POST", "/v5/position/switch-mode", "mode", switch_mode),
        RouteAt("POST", "/v5/position/switch-isolated", "mode", switch_isolated),
        RouteAt("POST", "/v5/account/set-margin-mode", "mode", set_margin_mode),
        RouteAt("POST", "/v5/order/disconnected-cancel-all", "configurations", disconnected),
    )


def key_info(call: PerpetualCall) -> Reply:
    spec, now = call.venue.engine.spec(call.account), call.venue.now
    number = 1000 + call.venue.accounts.index(call.account)
    result: Row = {
        "id": str(number),
        "note": spec.name,
        "apiKey": spec.key_id,
        "readOnly": 0,
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"],
            "Spot": [],
            "Wallet": ["AccountTransfer"],
            "Options": [],
            "Derivatives": ["DerivativesTrade"],
            "CopyTrading": [],
            "BlockTrade": [],
            "Exchange": [],
            "NFT": [],
            "Affiliate": [],
            "Earn": [],
            "FiatP2P": [],
            "FiatBybitPay": [],
            "FiatConvertBroker": [],
            "FiatGlobalPay": [],
            "FiatBitPay": [],
            "BitCard": [],
            "ByXPost": [],
        },
        "ips": ["*"],
        "type": 1,
        "deadlineDay": KEY_LIVES.days,
        "expiredAt": f"{now + KEY_LIVES:%Y-%m-%dT%H:%M:%SZ}",
        "createdAt": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "unified": 0,
        "uta": 1,
        "userID": number,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_1",
        "kycRegion": "",
        "userIDInt64": str(number),
        "inviterIDInt64": "0",
        "affiliateIDInt64": "0",
    }
    return replied(result, now)


def account_info(call: PerpetualCall, switches: Switches) -> Reply:
    books = call.venue.engine.books(call.account)
    seconds = switches.window(call.account)
    result: Row = {
        "marginMode": "ISOLATED_MARGIN" if books.is_isolated else "REGULAR_MARGIN",
        "updatedTime": stamp(books.created_at),
        "unifiedMarginStatus": UNIFIED,
        "dcpStatus": "ON" if seconds else "OFF",
        "timeWindow": seconds or 10,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }
    return replied(result, call.venue.now)


def wallet(call: PerpetualCall) -> Reply:
    if call.query.get("accountType") != "UNIFIED":
        raise BybitRefused(PARAMETER, "accountType only support UNIFIED.")
    return replied({"list": [wallet_row(call.venue.engine, call.account)]}, call.venue.now)


def fee_rate(call: PerpetualCall) -> Reply:
    asked = call.query.get("symbol")
    contracts = [call.venue.engine.contract(asked)] if asked else call.venue.engine.contracts()
    rows = [
        {
            "symbol": contract.symbol,
            "takerFeeRate": text(contract.taker_fee),
            "makerFeeRate": text(contract.maker_fee),
            "baseCoin": "",
        }
        for contract in contracts
    ]
    return replied({"category": "linear", "list": rows}, call.venue.now)


def transaction_log(call: PerpetualCall) -> Reply:
    """Every change of the wallet, newest first, of a week at most."""
    query, engine = call.query, call.venue.engine
    since, until = window(query, call.venue.now)
    found = [
        movement_row(None if move.execution is None else engine.contract(move.execution.instrument), move)
        for move in reversed(engine.books(call.account).movements)
        if since <= move.at <= until
    ]
    left = [row for row in found if query.get("type") in (None, "", row["type"])]
    rows, cursor = page(left, query, usual=20, most=50)
    return replied({"nextPageCursor": cursor, "list": rows}, call.venue.now)


def coins(call: PerpetualCall) -> Reply:
    row: Row = {"name": COIN, "coin": COIN, "remainAmount": "150000", "chains": []}
    return replied({"rows": [row] if call.query.get("coin", COIN) == COIN else EMPTY}, call.venue.now)


# Modes


def set_leverage(call: PerpetualCall) -> Reply:
    """One leverage for both sides: in cross margin they cannot differ."""
    body = read(call)
    symbol = asking.symbol_in(body)
    buy, sell = amount(body, "buyLeverage"), amount(body, "sellLeverage")
    if buy is None or buy != sell:
        raise BybitRefused(PARAMETER, "buy leverage must equal sell leverage")
    call.venue.engine.set_leverage(call.account, symbol, buy)
    return replied({}, call.venue.now)


def switch_mode(call: PerpetualCall) -> Reply:
    """One-way or hedge: of a symbol, or of every one of a coin."""
    body = read(call)
    asking.check_category(asking.word(body, "category"))
    mode = asking.word(body, "mode")
    if mode not in (ONE_WAY, HEDGE):
        raise BybitRefused(PARAMETER, "params error: mode invalid")
    engine = call.venue.engine

    def switch(contract: Perpetual) -> None:
        engine.set_mode(call.account, contract.symbol, is_hedged=mode == HEDGE)

    _each(call, asking.word(body, "symbol"), asking.word(body, "coin"), switch)
    return replied({}, call.venue.now)


def switch_isolated(call: PerpetualCall) -> Reply:
    """Classic accounts' way of margin modes; a unified one has one for all."""
    raise BybitRefused(100028, "The API cannot be accessed by unified account users.")


def set_margin_mode(call: PerpetualCall) -> Reply:
    mode = asking.word(read(call), "setMarginMode")
    if mode not in MARGIN_MODES:
        raise BybitRefused(PARAMETER, "params error: setMarginMode invalid")
    try:
        call.venue.engine.set_account_margin_mode(call.account, is_isolated=MARGIN_MODES[mode])
    except PerpetualRefused as no:
        if no.why in (No.HAS_POSITION, No.HAS_ORDERS):
            raise BybitRefused(3400045, "Set margin mode failed") from None
        raise
    return replied({"reasons": []}, call.venue.now)


def set_window(call: PerpetualCall, switches: Switches) -> Reply:
    """The dead man's switch: so many seconds after the last private stream with it is gone, orders are cancelled."""
    seconds = amount(read(call), "timeWindow")
    if seconds is None or not 3 <= seconds <= 300 or seconds != int(seconds):
        raise BybitRefused(PARAMETER, "params error: timeWindow invalid")
    switches.set(call.account, int(seconds))
    return replied(None, call.venue.now)


def _each(call: PerpetualCall, symbol: str, coin: str, act: Callable[[Perpetual], None]) -> None:
    """One that is so already is no failure among several."""
    engine = call.venue.engine
    if symbol:
        act(engine.contract(symbol))
        return
    contracts = [contract for contract in engine.contracts() if contract.settles_in == coin]
    if not contracts:
        raise BybitRefused(PARAMETER, "params error: symbol or coin is needed")
    for contract in contracts:
        try:
            act(contract)
        except PerpetualRefused as no:
            if no.why is not No.MODE_UNCHANGED:
                raise
