"""Binance's account, positions, fills and modes over REST (brokers/README §4.2, §4.4)."""

from datetime import timedelta

from standfast.exchange.dialects.binance.account_rows import (
    FIRST_DEPOSIT,
    MOST_NOTIONAL,
    account_position_row,
    account_position_row_v2,
    asset_row,
    bracket_row,
    income_rows,
    position_row,
    position_row_v2,
    totals,
    trade_row,
)
from standfast.exchange.dialects.binance.codes import BAD_PARAMETER, BinanceRefused
from standfast.exchange.dialects.binance.countdown import Countdown
from standfast.exchange.dialects.binance.order_rows import ORDER_BASE, POSITION_SIDE
from standfast.exchange.dialects.binance.wire import Form, Row, amount, form, moment, need, replied, text, whole
from standfast.exchange.dialects.gate import Reply, RouteAt
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals, seen_positions, seen_sides
from standfast.exchange.perpetual.books import ExecutionKind
from standfast.exchange.perpetual.positions import Position
from standfast.exchange.perpetual.refusal import No, PerpetualRefused

WEEK = timedelta(days=7)
SUCCESS: Row = {"code": 200, "msg": "success"}
MARGIN_TYPES = {"CROSSED": False, "ISOLATED": True}


def reads() -> tuple[RouteAt[Perpetuals], ...]:
    return (
        RouteAt("GET", "/fapi/v3/positionRisk", "positions", positions),
        RouteAt("GET", "/fapi/v2/positionRisk", "positions", positions_v2),
        RouteAt("GET", "/fapi/v3/account", "account", account),
        RouteAt("GET", "/fapi/v2/account", "account", account_v2),
        RouteAt("GET", "/fapi/v3/balance", "account", balance),
        RouteAt("GET", "/fapi/v2/balance", "account", balance),
        RouteAt("GET", "/fapi/v1/userTrades", "executions", trades),
        RouteAt("GET", "/fapi/v1/income", "activities", income),
        RouteAt("GET", "/fapi/v1/commissionRate", "configurations", commission),
        RouteAt("GET", "/fapi/v1/leverageBracket", "configurations", brackets),
        RouteAt("GET", "/fapi/v1/positionSide/dual", "configurations", mode),
        RouteAt("GET", "/fapi/v1/multiAssetsMargin", "configurations", multi_assets),
        RouteAt("GET", "/fapi/v1/symbolConfig", "configurations", symbol_config),
        RouteAt("GET", "/fapi/v1/adlQuantile", "configurations", queue),
        RouteAt("GET", "/fapi/v1/accountConfig", "configurations", account_config),
        RouteAt("GET", "/sapi/v1/account/apiRestrictions", "profile", key_rights),
    )


def writes(countdown: Countdown) -> tuple[RouteAt[Perpetuals], ...]:
    return (
        RouteAt("POST", "/fapi/v1/leverage", "leverage", set_leverage),
        RouteAt("POST", "/fapi/v1/marginType", "mode", set_margin_type),
        RouteAt("POST", "/fapi/v1/positionSide/dual", "mode", set_mode),
        RouteAt("POST", "/fapi/v1/countdownCancelAll", "configurations", countdown.set),
    )


# Reads


def positions(call: PerpetualCall) -> Reply:
    """Only what is held, or has working orders: a flat symbol is not in it."""
    return replied([position_row(call.venue.engine, position) for position in _held_or_working(call)])


def positions_v2(call: PerpetualCall) -> Reply:
    """Every symbol, both sides of a hedged one."""
    symbol, engine = form(call).get("symbol"), call.venue.engine
    names = [symbol] if symbol else [contract.symbol for contract in engine.contracts()]
    rows = [position for name in names for position in seen_sides(call, name)]
    return replied([position_row_v2(engine, position) for position in rows])


def _held_or_working(call: PerpetualCall) -> list[Position]:
    engine, symbol = call.venue.engine, form(call).get("symbol")
    if symbol:
        engine.contract(symbol)
    held = {position.instrument for position in seen_positions(call)}
    names = held | {order.instrument for order in engine.working(call.account)}
    rows = [position for name in sorted(names) for position in seen_sides(call, name)]
    return [position for position in rows if symbol in (None, "", position.instrument)]


def account(call: PerpetualCall) -> Reply:
    engine = call.venue.engine
    asset = asset_row(engine, call.account)
    rows = [account_position_row(engine, position) for position in _held_or_working(call)]
    return replied({**totals(asset), "assets": [asset], "positions": rows})


def account_v2(call: PerpetualCall) -> Reply:
    engine = call.venue.engine
    asset = asset_row(engine, call.account)
    sides = [side for contract in engine.contracts() for side in seen_sides(call, contract.symbol)]
    head = _rights() | {"updateTime": 0}
    rows = [account_position_row_v2(engine, position) for position in sides]
    return replied({**head, **totals(asset), "assets": [asset], "positions": rows})


def _rights() -> Row:
    return {
        "feeTier": 0,
        "feeBurn": False,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": False,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def balance(call: PerpetualCall) -> Reply:
    asset = asset_row(call.venue.engine, call.account)
    names = ("asset", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount", "marginAvailable")
    row: Row = {name: asset[name] for name in (*names, "updateTime")}
    return replied(
        [{"accountAlias": f"Sim{call.venue.accounts.index(call.account)}", "balance": asset["walletBalance"], **row}]
    )


def trades(call: PerpetualCall) -> Reply:
    """Of a symbol: a week, oldest first, or from a trade's number on. Funding is not among them."""
    given, engine, now = form(call), call.venue.engine, call.venue.now
    symbol = engine.contract(need(given, "symbol")).symbol
    since, until = moment(given, "startTime"), moment(given, "endTime") or now
    if since is not None and until - since > WEEK:
        raise BinanceRefused(-4166, "Search window is restricted to recent 7 days.")
    since = since or until - WEEK
    first = whole(given, "fromId", 0, 10**18) if given.get("fromId") else None
    rows = [
        (row, trade_row(row))
        for row in engine.books(call.account).executions
        if row.instrument == symbol and row.kind is not ExecutionKind.FUNDING
    ]
    limit = whole(given, "limit", 500, 1000)
    wanted = given.get("orderId")
    if first is not None:
        numbers = [(row, told) for row, told in rows if int(str(told["id"])) >= first][:limit]
    else:
        numbers = [(row, told) for row, told in rows if since <= row.at <= until][-limit:]
    found = [told for row, told in numbers if wanted in (None, "", str(ORDER_BASE + row.order_number))]
    left = call.venue.faults.thin(found, call.fault, lambda told: str(told["symbol"]))
    return replied(left)


def income(call: PerpetualCall) -> Reply:
    given, now = form(call), call.venue.now
    until = moment(given, "endTime") or now
    since = moment(given, "startTime") or until - WEEK
    rows = [
        row
        for move in call.venue.engine.books(call.account).movements
        if since <= move.at <= until
        for row in income_rows(move)
        if given.get("incomeType") in (None, "", row["incomeType"]) and given.get("symbol") in (None, "", row["symbol"])
    ]
    return replied(rows[-whole(given, "limit", 100, 1000) :])


def commission(call: PerpetualCall) -> Reply:
    contract = call.venue.engine.contract(need(form(call), "symbol"))
    row: Row = {
        "symbol": contract.symbol,
        "makerCommissionRate": text(contract.maker_fee),
        "takerCommissionRate": text(contract.taker_fee),
        "rpiCommissionRate": "0",
    }
    return replied(row)


def brackets(call: PerpetualCall) -> Reply:
    symbol, engine = form(call).get("symbol"), call.venue.engine
    contracts = [engine.contract(symbol)] if symbol else engine.contracts()
    return replied([bracket_row(contract) for contract in contracts])


def mode(call: PerpetualCall) -> Reply:
    return replied({"dualSidePosition": call.venue.engine.books(call.account).is_hedged})


def multi_assets(_: PerpetualCall) -> Reply:
    return replied({"multiAssetsMargin": False})


def symbol_config(call: PerpetualCall) -> Reply:
    symbol, engine = form(call).get("symbol"), call.venue.engine
    contracts = [engine.contract(symbol)] if symbol else engine.contracts()
    rows = []
    for contract in contracts:
        settings = engine.settings(call.account, contract.symbol)
        rows.append(
            {
                "symbol": contract.symbol,
                "marginType": "ISOLATED" if settings.is_isolated else "CROSSED",
                "isAutoAddMargin": False,
                "leverage": int(settings.leverage),
                "maxNotionalValue": MOST_NOTIONAL,
            }
        )
    return replied(rows)


def key_rights(call: PerpetualCall) -> Reply:
    """Of the key that asks, at Binance's other address: futures and nothing else, from one address only."""
    return replied(
        {
            "ipRestrict": True,
            "createTime": FIRST_DEPOSIT,
            "enableReading": True,
            "enableSpotAndMarginTrading": False,
            "enableWithdrawals": False,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": True,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
            "enablePortfolioMarginTrading": False,
        }
    )


def queue(call: PerpetualCall) -> Reply:
    """How near a position is to being deleveraged: everybody's is in the middle."""
    symbol, rows = form(call).get("symbol"), dict[str, dict[str, int]]()
    for position in call.venue.engine.positions(call.account):
        if symbol in (None, "", position.instrument):
            rows.setdefault(position.instrument, {})[POSITION_SIDE[position.index]] = 2
    return replied([{"symbol": name, "adlQuantile": sides} for name, sides in rows.items()])


def account_config(call: PerpetualCall) -> Reply:
    return replied(_rights() | {"dualSidePosition": call.venue.engine.books(call.account).is_hedged, "updateTime": 0})


# Modes


def set_leverage(call: PerpetualCall) -> Reply:
    """What is so already is a success here."""
    given = form(call)
    symbol, leverage = need(given, "symbol"), amount(given, "leverage")
    if leverage is None or leverage != int(leverage):
        raise BinanceRefused(-4028, f"Leverage {given.get('leverage', '')} is not valid")
    try:
        call.venue.engine.set_leverage(call.account, symbol, leverage)
    except PerpetualRefused as no:
        if no.why is not No.LEVERAGE_UNCHANGED:
            raise
    return replied({"leverage": int(leverage), "maxNotionalValue": MOST_NOTIONAL, "symbol": symbol})


def set_margin_type(call: PerpetualCall) -> Reply:
    given = form(call)
    symbol, wanted = need(given, "symbol"), MARGIN_TYPES.get(need(given, "marginType"))
    if wanted is None:
        raise BinanceRefused(BAD_PARAMETER, "Data sent for parameter 'marginType' is not valid.")
    try:
        call.venue.engine.set_margin_mode(call.account, symbol, is_isolated=wanted)
    except PerpetualRefused as no:
        if no.why is No.HAS_POSITION:
            raise BinanceRefused(-4048, "Margin type cannot be changed if there exists position.") from None
        if no.why is No.HAS_ORDERS:
            raise BinanceRefused(-4047, "Margin type cannot be changed if there exists open orders.") from None
        raise
    return replied(SUCCESS)


def set_mode(call: PerpetualCall) -> Reply:
    """One position a symbol or two: for the whole account at once."""
    call.venue.engine.set_account_mode(call.account, is_hedged=_dual(form(call)))
    return replied(SUCCESS)


def _dual(given: Form) -> bool:
    wanted = need(given, "dualSidePosition").lower()
    if wanted not in ("true", "false"):
        raise BinanceRefused(BAD_PARAMETER, "Data sent for parameter 'dualSidePosition' is not valid.")
    return wanted == "true"
