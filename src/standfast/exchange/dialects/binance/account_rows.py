"""Positions, balances, fills and income as Binance writes them (brokers/README §4.4)."""

from decimal import Decimal

from standfast.exchange.dialects.binance.order_rows import ORDER_BASE, POSITION_SIDE, SIDE
from standfast.exchange.dialects.binance.wire import Row, milliseconds, rounded, text
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.books import Execution, ExecutionKind, Movement
from standfast.exchange.perpetual.contract import Perpetual
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.orders import ZERO
from standfast.exchange.perpetual.positions import Position

ASSET = "USDT"
MOST_NOTIONAL = "20000000"
TRADE_BASE = 700_000
FIRST_DEPOSIT = 1_577_836_800_000
"""Milliseconds since 1970: an asset that was never changed, at zero, is one nobody has."""


def position_row(engine: PerpetualEngine, position: Position) -> Row:
    """Signed: a short is negative, on the SHORT side too. Of the third version; the second has more."""
    contract, mark = engine.contract(position.instrument), engine.prices(position.instrument).mark or ZERO
    dies_at = engine.liquidation_price(position)
    average = position.average(contract)
    initial, maintenance = position.initial_margin(contract, mark), position.maintenance(contract, mark)
    margin = position.margin or ZERO
    return {
        "symbol": position.instrument,
        "positionSide": POSITION_SIDE[position.index],
        "positionAmt": text(position.quantity),
        "entryPrice": text(average.quantize(Decimal("1e-8"))),
        "breakEvenPrice": rounded(average * (1 + contract.taker_fee * position.direction)),
        "markPrice": rounded(mark),
        "unRealizedProfit": rounded(position.unrealised(contract, mark)),
        "liquidationPrice": "0" if dies_at is None else text(contract.on_tick(dies_at)),
        "isolatedMargin": rounded(margin),
        "notional": rounded(contract.value(position.quantity, mark)),
        "marginAsset": contract.settles_in,
        "isolatedWallet": rounded(margin),
        "initialMargin": rounded(initial),
        "maintMargin": rounded(maintenance),
        "positionInitialMargin": rounded(initial),
        "openOrderInitialMargin": "0",
        "adl": 2 if position.quantity else 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": milliseconds(position.updated_at),
    }


def position_row_v2(engine: PerpetualEngine, position: Position) -> Row:
    settings = engine.settings(position.account, position.instrument)
    return position_row(engine, position) | {
        "leverage": text(position.leverage),
        "marginType": "isolated" if settings.is_isolated else "cross",
        "isAutoAddMargin": "false",
        "maxNotionalValue": MOST_NOTIONAL,
    }


def account_position_row(engine: PerpetualEngine, position: Position) -> Row:
    """As /account has it: `unrealizedProfit` in other letters than /positionRisk. Of the third version."""
    row = position_row(engine, position)
    names = (
        "symbol",
        "positionSide",
        "positionAmt",
        "isolatedMargin",
        "notional",
        "isolatedWallet",
        "initialMargin",
        "maintMargin",
        "updateTime",
    )
    return {name: row[name] for name in names} | {"unrealizedProfit": row["unRealizedProfit"]}


def account_position_row_v2(engine: PerpetualEngine, position: Position) -> Row:
    row = position_row(engine, position)
    names = ("positionInitialMargin", "openOrderInitialMargin", "entryPrice", "bidNotional", "askNotional")
    settings = engine.settings(position.account, position.instrument)
    more: Row = {"leverage": text(position.leverage), "isolated": settings.is_isolated, "maxNotional": MOST_NOTIONAL}
    return account_position_row(engine, position) | {name: row[name] for name in names} | more


def asset_row(engine: PerpetualEngine, account: str) -> Row:
    """The one currency there is."""
    books, equity, bound = engine.books(account), engine.equity(account), engine.bound(account)
    aside = sum((position.margin or ZERO for position in books.held()), ZERO)
    crossed = books.wallet - aside
    orders = sum((engine.order_margin(order) for order in engine.working(account)), ZERO)
    unrealised = unrealised_of(engine, account)
    available = max(ZERO, equity - bound)
    return {
        "asset": ASSET,
        "walletBalance": rounded(books.wallet),
        "unrealizedProfit": rounded(unrealised),
        "marginBalance": rounded(books.wallet + unrealised),
        "maintMargin": rounded(engine.maintenance(account)),
        "initialMargin": rounded(bound),
        "positionInitialMargin": rounded(bound - orders),
        "openOrderInitialMargin": rounded(orders),
        "crossWalletBalance": rounded(crossed),
        "crossUnPnl": rounded(equity - crossed),
        "availableBalance": rounded(available),
        "maxWithdrawAmount": rounded(available),
        "marginAvailable": True,
        "updateTime": milliseconds(books.movements[-1].at) if books.movements else FIRST_DEPOSIT,
    }


def unrealised_of(engine: PerpetualEngine, account: str) -> Decimal:
    return sum(
        (
            position.unrealised(engine.contract(position.instrument), engine.prices(position.instrument).mark or ZERO)
            for position in engine.positions(account)
        ),
        ZERO,
    )


def totals(asset: Row) -> Row:
    """The account's sums, of an account with one currency."""
    names = {
        "totalInitialMargin": "initialMargin",
        "totalMaintMargin": "maintMargin",
        "totalWalletBalance": "walletBalance",
        "totalUnrealizedProfit": "unrealizedProfit",
        "totalMarginBalance": "marginBalance",
        "totalPositionInitialMargin": "positionInitialMargin",
        "totalOpenOrderInitialMargin": "openOrderInitialMargin",
        "totalCrossWalletBalance": "crossWalletBalance",
        "totalCrossUnPnl": "crossUnPnl",
        "availableBalance": "availableBalance",
        "maxWithdrawAmount": "maxWithdrawAmount",
    }
    return {name: asset[of] for name, of in names.items()}


def trade_row(execution: Execution) -> Row:
    return {
        "symbol": execution.instrument,
        "pair": execution.instrument,
        "id": TRADE_BASE + execution.number,
        "orderId": ORDER_BASE + execution.order_number,
        "side": SIDE[execution.side],
        "positionSide": POSITION_SIDE[execution.index],
        "price": text(execution.price),
        "qty": text(execution.quantity),
        "quoteQty": text(execution.value),
        "baseQty": text(execution.quantity),
        "realizedPnl": text(execution.realised),
        "commission": text(execution.fee),
        "commissionAsset": ASSET,
        "marginAsset": ASSET,
        "buyer": execution.side is Side.BUY,
        "maker": execution.is_maker,
        "time": milliseconds(execution.at),
    }


def income_rows(movement: Movement) -> list[Row]:
    """What one movement of the wallet was made of."""
    execution = movement.execution
    if execution is None:
        return [_income(movement, "TRANSFER", movement.amount, "TRANSFER")]
    if execution.kind is ExecutionKind.FUNDING:
        return [_income(movement, "FUNDING_FEE", -execution.fee, "FUNDING_FEE")]
    kind = "INSURANCE_CLEAR" if execution.kind is ExecutionKind.LIQUIDATION else "REALIZED_PNL"
    parts = ((kind, execution.realised), ("COMMISSION", -execution.fee))
    return [_income(movement, name, amount, name) for name, amount in parts if amount]


def _income(movement: Movement, kind: str, income: Decimal, info: str) -> Row:
    execution = movement.execution
    return {
        "symbol": execution.instrument if execution else "",
        "incomeType": kind,
        "income": rounded(income),
        "asset": ASSET,
        "info": info,
        "time": milliseconds(movement.at),
        "tranId": 9_000_000_000 + movement.number,
        "tradeId": str(TRADE_BASE + execution.number) if execution else "",
    }


def bracket_row(contract: Perpetual) -> Row:
    return {
        "symbol": contract.symbol,
        "notionalCoef": 1.0,
        "brackets": [
            {
                "bracket": 1,
                "initialLeverage": int(contract.leverage_max),
                "notionalCap": 20_000_000,
                "notionalFloor": 0,
                "maintMarginRatio": float(contract.maintenance_rate),
                "cum": 0,
            }
        ],
    }
