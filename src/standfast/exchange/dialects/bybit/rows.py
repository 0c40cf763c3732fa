"""Orders, positions and executions as Bybit writes them (brokers/README §3.3, §3.4), for lists and streams alike."""

from decimal import Decimal

from standfast.exchange.dialects.bybit.wire import PRICE_BY, Row, milliseconds, rounded, stamp, text
from standfast.exchange.orders import Side
from standfast.exchange.perpetual.books import Execution, ExecutionKind, Outcome
from standfast.exchange.perpetual.engine import PerpetualEngine
from standfast.exchange.perpetual.orders import (
    OF_POSITION,
    WHOLE_POSITION,
    ZERO,
    Attached,
    Ended,
    InForce,
    Kind,
    Order,
    Role,
    Status,
)
from standfast.exchange.perpetual.positions import Position, State

SIDE = {Side.BUY: "Buy", Side.SELL: "Sell"}
KIND = {Kind.MARKET: "Market", Kind.LIMIT: "Limit"}
STATUS = {
    Status.UNTRIGGERED: "Untriggered",
    Status.NEW: "New",
    Status.PARTIALLY_FILLED: "PartiallyFilled",
    Status.FILLED: "Filled",
    Status.CANCELLED: "Cancelled",
    Status.REJECTED: "Rejected",
}
IN_FORCE = {InForce.GTC: "GTC", InForce.IOC: "IOC", InForce.FOK: "FOK", InForce.POST_ONLY: "PostOnly"}
STOP_TYPE = {
    Role.STOP: "Stop",
    Role.STOP_LOSS: "StopLoss",
    Role.TAKE_PROFIT: "TakeProfit",
    Role.PARTIAL_STOP_LOSS: "PartialStopLoss",
    Role.PARTIAL_TAKE_PROFIT: "PartialTakeProfit",
    Role.TRAILING_STOP: "TrailingStop",
}
CREATE_TYPE = {
    Role.PLAIN: "CreateByUser",
    Role.STOP: "CreateByStopOrder",
    Role.STOP_LOSS: "CreateByStopLoss",
    Role.TAKE_PROFIT: "CreateByTakeProfit",
    Role.PARTIAL_STOP_LOSS: "CreateByPartialStopLoss",
    Role.PARTIAL_TAKE_PROFIT: "CreateByPartialTakeProfit",
    Role.TRAILING_STOP: "CreateByTrailingStop",
    Role.LIQUIDATION: "CreateByTakeOver_PassThrough",
    Role.ADL: "CreateByAdl_PassThrough",
    Role.SETTLEMENT: "CreateBySettle",
    Role.FUNDING: "",
}
CANCEL_TYPE = {
    Ended.BY_CLIENT: "CancelByUser",
    Ended.REDUCE_ONLY: "CancelByReduceOnly",
    Ended.POSITION_GONE: "CancelByTpSlTsClear",
    Ended.BEFORE_LIQUIDATION: "CancelAllBeforeLiq",
    Ended.BEFORE_ADL: "CancelAllBeforeAdl",
    Ended.SETTLEMENT: "CancelBySettle",
    Ended.DISCONNECTED: "CancelByDCP",
}
REJECT_REASON = {
    Ended.BY_CLIENT: "EC_PerCancelRequest",
    Ended.NO_MARKET: "EC_NoImmediateQtyToFill",
    Ended.NOT_WHOLE: "EC_CancelForNoFullFill",
    Ended.WOULD_TAKE: "EC_PostOnlyWillTakeLiquidity",
    Ended.REDUCE_ONLY: "EC_Others",
    Ended.NO_MONEY: "EC_Others",
}
EXEC_TYPE = {
    ExecutionKind.TRADE: "Trade",
    ExecutionKind.FUNDING: "Funding",
    ExecutionKind.LIQUIDATION: "BustTrade",
    ExecutionKind.ADL: "AdlTrade",
    ExecutionKind.SETTLEMENT: "Settle",
    ExecutionKind.DELIVERY: "Delivery",
}
STATE = {State.NORMAL: "Normal", State.LIQUIDATING: "Liq", State.DELEVERAGING: "Adl"}
UNKNOWN = "UNKNOWN"


def order_row(engine: PerpetualEngine, order: Order) -> Row:
    """As lists have it; a stop for the whole position asks for as much as is held."""
    ticket, contract = order.ticket, engine.contract(order.instrument)
    quantity = shown_quantity(engine, order)
    left = ZERO if order.is_finished else quantity - order.filled
    trigger, trail = ticket.trigger, ticket.trail
    trigger_price = trail.activates_at if trail is not None and trail.best is None else trigger and trigger.price
    return {
        "orderId": order.id,
        "orderLinkId": ticket.link_id,
        "blockTradeId": "",
        "symbol": order.instrument,
        "price": text(ticket.price or ZERO),
        "qty": text(quantity),
        "side": SIDE[order.side],
        "isLeverage": "",
        "positionIdx": order.index,
        "orderStatus": STATUS[order.status],
        "createType": CREATE_TYPE[order.role],
        "cancelType": CANCEL_TYPE.get(order.ended, UNKNOWN),
        "rejectReason": REJECT_REASON.get(order.ended, "EC_NoError"),
        "avgPrice": text(None if order.average_price is None else order.average_price.quantize(Decimal("1e-8"))),
        "leavesQty": text(left),
        "leavesValue": rounded(abs(contract.value(left, ticket.price or order.price_then))),
        "cumExecQty": text(order.filled),
        "cumExecValue": rounded(contract.value(Decimal(1), order.filled_value)),
        "cumExecFee": text(order.fees),
        "closedPnl": text(order.realised),
        "timeInForce": "IOC" if ticket.kind is Kind.MARKET else IN_FORCE[ticket.in_force],
        "orderType": KIND[ticket.kind],
        "stopOrderType": STOP_TYPE.get(order.role, ""),
        "orderIv": "",
        "marketUnit": "",
        "triggerPrice": text(trigger_price or ZERO),
        **_attached_row(ticket.take_profit, "takeProfit", "tp"),
        **_attached_row(ticket.stop_loss, "stopLoss", "sl"),
        "tpslMode": _mode(order),
        "ocoTriggerBy": "",
        "triggerDirection": 0 if trigger is None else 1 if trigger.rises else 2,
        "triggerBy": "" if trigger is None else PRICE_BY[trigger.by],
        "lastPriceOnCreated": text(order.price_then),
        "reduceOnly": ticket.reduce_only,
        "closeOnTrigger": ticket.close_on_trigger,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "slippageToleranceType": UNKNOWN,
        "slippageTolerance": "",
        "extraFees": "",
        "feeCurrency": "",
        "cumFeeDetail": {contract.settles_in: text(order.fees)} if order.fees else {},
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
        "createdTime": stamp(order.created_at),
        "updatedTime": stamp(order.updated_at),
    }


def shown_quantity(engine: PerpetualEngine, order: Order) -> Decimal:
    if order.ticket.quantity is not None:
        return order.ticket.quantity
    if order.role in WHOLE_POSITION and not order.is_finished:
        return abs(engine.position(order.account, order.instrument, order.index).quantity)
    return order.filled


def _attached_row(attached: Attached | None, name: str, short: str) -> Row:
    if attached is None or not attached.price:
        return {name: "", f"{short}TriggerBy": "", f"{short}LimitPrice": "0"}
    return {
        name: text(attached.price),
        f"{short}TriggerBy": PRICE_BY[attached.by],
        f"{short}LimitPrice": text(attached.limit_price or ZERO),
    }


def _mode(order: Order) -> str:
    both = (order.ticket.stop_loss, order.ticket.take_profit)
    if order.role in WHOLE_POSITION:
        return "Full"
    if order.role in OF_POSITION or any(attached is not None and attached.quantity for attached in both):
        return "Partial"
    return "Full" if any(both) else ""


def position_row(engine: PerpetualEngine, position: Position) -> Row:
    """As lists have it; of a side that is flat the numbers are zero or empty."""
    contract = engine.contract(position.instrument)
    mark = engine.prices(position.instrument).mark or ZERO
    settings = engine.settings(position.account, position.instrument)
    held = bool(position.quantity)
    initial = position.initial_margin(contract, mark)
    maintenance = position.maintenance(contract, mark)
    average = position.average(contract)
    bust = engine.liquidation_price(position, bust=True)
    dies_at = engine.liquidation_price(position)
    return {
        "positionIdx": position.index,
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": position.instrument,
        "side": "" if position.side is None else SIDE[position.side],
        "size": text(abs(position.quantity)),
        "avgPrice": text(average.quantize(Decimal("1e-8"))),
        "positionValue": rounded(abs(position.value)) if held else "",
        "tradeMode": 1 if settings.is_isolated else 0,
        "positionStatus": STATE[position.state],
        "autoAddMargin": 0,
        "adlRankIndicator": 2 if held else 0,
        "leverage": text(position.leverage),
        "breakEvenPrice": rounded(average * (1 + 2 * contract.taker_fee * position.direction)) if held else "",
        "positionBalance": rounded(position.margin or initial) if held else "0",
        "markPrice": text(mark),
        "liqPrice": "" if dies_at is None else text(contract.on_tick(dies_at)),
        "bustPrice": "" if bust is None else text(contract.on_tick(bust)),
        "positionMM": rounded(maintenance) if held else "0",
        "positionMMByMp": rounded(maintenance) if held else "0",
        "positionIM": rounded(initial) if held else "0",
        "positionIMByMp": rounded(initial) if held else "0",
        "tpslMode": "Full",
        **_stops_row(engine, position),
        "unrealisedPnl": rounded(position.unrealised(contract, mark)) if held else "",
        "curRealisedPnl": text(position.realised),
        "cumRealisedPnl": text(position.realised_ever),
        "sessionAvgPrice": "",
        "seq": position.seq if position.quantity or position.seq else -1,
        "isReduceOnly": False,
        "mmrSysUpdateTime": "",
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": stamp(position.opened_at),
        "updatedTime": stamp(position.updated_at),
        "openTime": milliseconds(position.opened_at) if position.opened_at else 0,
    }


def _stops_row(engine: PerpetualEngine, position: Position) -> Row:
    standing = engine.stops(position.account, position.instrument, position.index)

    def price(role: Role) -> str:
        order = standing.get(role)
        return "" if order is None or order.ticket.trigger is None else text(order.ticket.trigger.price)

    trailing = standing.get(Role.TRAILING_STOP)
    distance = None if trailing is None or trailing.ticket.trail is None else trailing.ticket.trail.distance
    return {
        "takeProfit": price(Role.TAKE_PROFIT),
        "stopLoss": price(Role.STOP_LOSS),
        "trailingStop": text(distance or ZERO),
    }


def streamed_position(engine: PerpetualEngine, position: Position) -> Row:
    """As the stream has it: `entryPrice` for `avgPrice`, and the category in every row."""
    row = position_row(engine, position)
    row["entryPrice"] = row["avgPrice"]
    return {**row, "category": "linear"}


def execution_row(execution: Execution) -> Row:
    """As lists have it. Funding is no trade: its quantity is what was held [recorded]."""
    is_funding = execution.kind is ExecutionKind.FUNDING
    return {
        "symbol": execution.instrument,
        "orderType": UNKNOWN if execution.order_kind is None else KIND[execution.order_kind],
        "underlyingPrice": "",
        "orderLinkId": execution.link_id,
        "side": SIDE[execution.side],
        "indexPrice": "",
        "orderId": execution.order_id,
        "stopOrderType": UNKNOWN if is_funding else STOP_TYPE.get(execution.role, UNKNOWN),
        "leavesQty": text(execution.remaining),
        "execTime": stamp(execution.at),
        "feeCurrency": "",
        "isMaker": execution.is_maker,
        "execFee": text(execution.fee),
        "feeRate": text(execution.fee_rate),
        "execId": execution.id,
        "tradeIv": "",
        "blockTradeId": "",
        "markPrice": text(execution.mark),
        "execPrice": text(execution.price),
        "markIv": "",
        "orderQty": text(execution.order_quantity),
        "orderPrice": text(execution.order_price),
        "execValue": rounded(execution.value),
        "execType": EXEC_TYPE[execution.kind],
        "execQty": text(execution.quantity),
        "closedSize": text(execution.closed),
        "extraFees": "",
        "createType": CREATE_TYPE[execution.role],
        "execPnl": text(execution.realised),
        "seq": execution.seq,
    }


def streamed_execution(execution: Execution) -> Row:
    return {**execution_row(execution), "category": "linear", "isLeverage": "0", "marketUnit": "", "extraFees": []}


def quick_execution(execution: Execution) -> Row:
    """`execution.fast`: a few words, sooner."""
    row = execution_row(execution)
    names = ("symbol", "side", "orderId", "orderLinkId", "isMaker", "execId", "execPrice", "execQty", "execTime", "seq")
    return {"category": "linear", **{name: row[name] for name in names}}


def outcome_row(outcome: Outcome, size: Decimal) -> Row:
    """`size`: of one contract."""
    quantity = outcome.quantity * size
    return {
        "symbol": outcome.instrument,
        "orderType": "Market" if outcome.order_kind is None else KIND[outcome.order_kind],
        "leverage": text(outcome.leverage),
        "updatedTime": stamp(outcome.updated_at),
        "side": SIDE[outcome.side],
        "orderId": outcome.order_id,
        "closedPnl": text(outcome.earned),
        "avgEntryPrice": rounded(outcome.entry_value / quantity),
        "qty": text(outcome.quantity),
        "cumEntryValue": rounded(outcome.entry_value),
        "createdTime": stamp(outcome.created_at),
        "orderPrice": text(outcome.order_price),
        "closedSize": text(outcome.quantity),
        "avgExitPrice": rounded(outcome.exit_value / quantity),
        "execType": EXEC_TYPE[outcome.kind],
        "fillCount": str(outcome.fills),
        "cumExitValue": rounded(outcome.exit_value),
    }
