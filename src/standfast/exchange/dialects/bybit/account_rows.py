"""Wallets, contracts, tickers and movements of money as Bybit writes them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from standfast.exchange.assets import Quote
from standfast.exchange.dialects.bybit.rows import SIDE
from standfast.exchange.dialects.bybit.wire import Row, rounded, stamp, text
from standfast.exchange.perpetual.books import Books, ExecutionKind, Movement
from standfast.exchange.perpetual.contract import Perpetual, Standing
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.forced import next_funding
from standfast.exchange.perpetual.orders import ZERO, PriceBy
from standfast.exchange.perpetual.prices import Prices

HOUR = timedelta(hours=1)
LAUNCHED = datetime(2020, 3, 30, tzinfo=UTC)
STANDING = {Standing.TRADING: "Trading", Standing.SETTLING: "Delivering", Standing.CLOSED: "Closed"}
MOVEMENT = {
    ExecutionKind.TRADE: "TRADE",
    ExecutionKind.FUNDING: "SETTLEMENT",
    ExecutionKind.LIQUIDATION: "LIQUIDATION",
    ExecutionKind.ADL: "ADL",
    ExecutionKind.SETTLEMENT: "DELIVERY",
    ExecutionKind.DELIVERY: "DELIVERY",
}
COIN = "USDT"


def wallet_row(engine: PerpetualEngine, account: str) -> Row:
    """The unified account: its sums, and the one coin it holds."""
    books = engine.books(account)
    equity, bound, maintenance = engine.equity(account), engine.bound(account), engine.maintenance(account)
    aside = sum((position.margin or ZERO for position in books.held()), ZERO)
    unrealised = _unrealised(engine, books)
    total = books.wallet + unrealised
    orders = sum((engine.order_margin(order) for order in engine.working(account)), ZERO)
    realised = sum((move.amount for move in books.movements if move.execution is not None), ZERO)
    coin: Row = {
        "coin": COIN,
        "equity": rounded(total),
        "usdValue": rounded(total),
        "walletBalance": rounded(books.wallet),
        "availableToWithdraw": rounded(max(ZERO, equity - bound)),
        "availableToBorrow": "",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": rounded(orders),
        "totalPositionIM": rounded(bound - orders + aside),
        "totalPositionMM": rounded(maintenance),
        "unrealisedPnl": rounded(unrealised),
        "cumRealisedPnl": rounded(realised),
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
        "locked": "0",
        "spotHedgingQty": "0",
        "spotBorrow": "0",
    }
    initial_rate = bound / equity if equity > 0 else ZERO
    maintenance_rate = maintenance / equity if equity > 0 else ZERO
    return {
        "accountType": "UNIFIED",
        "accountIMRate": rounded(initial_rate, 4),
        "accountIMRateByMp": rounded(initial_rate, 4),
        "accountMMRate": rounded(maintenance_rate, 4),
        "accountMMRateByMp": rounded(maintenance_rate, 4),
        "accountLTV": "0",
        "totalEquity": rounded(total),
        "totalWalletBalance": rounded(books.wallet),
        "totalMarginBalance": rounded(equity),
        "totalAvailableBalance": rounded(max(ZERO, equity - bound)),
        "totalPerpUPL": rounded(unrealised),
        "totalInitialMargin": rounded(bound),
        "totalInitialMarginByMp": rounded(bound),
        "totalMaintenanceMargin": rounded(maintenance),
        "totalMaintenanceMarginByMp": rounded(maintenance),
        "coin": [coin],
    }


def _unrealised(engine: PerpetualEngine, books: Books) -> Decimal:
    return sum(
        (
            position.unrealised(engine.contract(position.instrument), engine.prices(position.instrument).mark or ZERO)
            for position in books.held()
        ),
        ZERO,
    )


def instrument_row(contract: Perpetual, number: int) -> Row:
    """`number`: its place among all there are."""
    places = max(0, -int(contract.tick.normalize().as_tuple().exponent))
    return {
        "symbol": contract.symbol,
        "symbolId": number,
        "contractType": "LinearPerpetual",
        "status": STANDING[contract.standing],
        "baseCoin": contract.base,
        "quoteCoin": contract.settles_in,
        "launchTime": stamp(LAUNCHED),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(places),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": text(contract.leverage_max), "leverageStep": "0.01"},
        "priceFilter": {
            "minPrice": text(contract.tick),
            "maxPrice": text(contract.tick * 19_999_998),
            "tickSize": text(contract.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": text(contract.most_quantity),
            "minOrderQty": text(contract.least_quantity),
            "qtyStep": text(contract.step),
            "postOnlyMaxOrderQty": text(contract.most_quantity),
            "maxMktOrderQty": text(contract.most_quantity),
            "minNotionalValue": text(contract.least_value),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": int(contract.funding_every.total_seconds() // 60),
        "settleCoin": contract.settles_in,
        "copyTrading": "both",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {
            "priceLimitRatioX": text(contract.price_guard),
            "priceLimitRatioY": text(contract.price_guard * 2),
        },
        "symbolType": "",
    }


def ticker_row(prices: Prices, now: datetime, quote: Quote | None) -> Row:
    """`quote`: what clients are shown, a missing side as zero."""
    contract = prices.contract
    last = prices.last or ZERO
    before = _mids(prices, now - 24 * HOUR)
    hour_ago = _mids(prices, now - HOUR)
    return {
        "symbol": contract.symbol,
        "lastPrice": text(last),
        "indexPrice": text(prices.get(PriceBy.INDEX) or ZERO),
        "markPrice": text(prices.mark or ZERO),
        "prevPrice24h": text(before[0] if before else last),
        "price24hPcnt": rounded((last - before[0]) / before[0] if before else ZERO, 6),
        "highPrice24h": text(max(before, default=last)),
        "lowPrice24h": text(min(before, default=last)),
        "prevPrice1h": text(hour_ago[0] if hour_ago else last),
        "openInterest": "0",
        "openInterestValue": "0",
        "turnover24h": "0",
        "volume24h": "0",
        "fundingRate": text(contract.funding_rate),
        "nextFundingTime": stamp(next_funding(contract, now)),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "basisRateYear": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "bid1Price": text(quote.bid if quote else ZERO),
        "bid1Size": text(quote.bid_size if quote else ZERO),
        "ask1Price": text(quote.ask if quote else ZERO),
        "ask1Size": text(quote.ask_size if quote else ZERO),
        "basis": "",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
        "fundingIntervalHour": str(int(contract.funding_every / HOUR)),
        "fundingCap": "0.005",
    }


def _mids(prices: Prices, since: datetime) -> Sequence[Decimal]:
    return [prices.contract.on_tick(quote.middle) for quote in prices.kept if quote.at >= since]


def movement_row(contract: Perpetual | None, movement: Movement) -> Row:
    """A row of the transaction log. Without an execution: money that came or went."""
    execution = movement.execution
    row: Row = {
        "id": movement.id,
        "symbol": "",
        "side": "None",
        "funding": "",
        "orderLinkId": "",
        "orderId": "",
        "fee": "0",
        "change": text(movement.amount),
        "cashFlow": text(movement.amount),
        "transactionTime": stamp(movement.at),
        "type": "TRANSFER_IN" if movement.amount > 0 else "TRANSFER_OUT",
        "transSubType": "",
        "feeRate": "0",
        "bonusChange": "",
        "size": "0",
        "qty": "0",
        "cashBalance": text(movement.balance),
        "currency": contract.settles_in if contract else COIN,
        "category": "linear",
        "tradePrice": "0",
        "tradeId": "",
        "extraFees": "",
    }
    if execution is None:
        return row
    is_funding = execution.kind is ExecutionKind.FUNDING
    return row | {
        "symbol": execution.instrument,
        "side": SIDE[execution.side],
        "funding": text(-execution.fee) if is_funding else "",
        "orderLinkId": execution.link_id,
        "orderId": execution.order_id,
        "fee": "0" if is_funding else text(execution.fee),
        "cashFlow": text(execution.realised),
        "type": MOVEMENT[execution.kind],
        "feeRate": text(execution.fee_rate),
        "qty": text(execution.quantity),
        "size": text(execution.quantity),
        "tradePrice": text(execution.price),
        "tradeId": execution.id,
    }
