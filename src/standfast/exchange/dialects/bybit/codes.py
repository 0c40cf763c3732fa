"""Bybit's numbers for saying no (brokers/README §3.6). HTTP says 200 all the same."""

from standfast.exchange.perpetual.refusal import No
from standfast.exchange.refusal import Refused

PARAMETER = 10001
CLOCK = 10002
BAD_KEY = 10003
BAD_SIGNATURE = 10004
RATE = 10006
SERVER = 10016
NOT_MODIFIED = 34040

CODES = {
    No.PARAMETER: PARAMETER,
    No.UNKNOWN_INSTRUMENT: PARAMETER,
    No.NOT_FOUND: 110001,
    No.DUPLICATE_ID: 110072,
    No.PRICE_RANGE: 110003,
    No.PRICE_STEP: PARAMETER,
    No.LEAST_QUANTITY: PARAMETER,
    No.MOST_QUANTITY: PARAMETER,
    No.LEAST_VALUE: 110094,
    No.NO_MONEY: 110007,
    No.REDUCE_ONLY: 110017,
    No.MODE: PARAMETER,
    No.WOULD_TRIGGER_RISING: 110092,
    No.WOULD_TRIGGER_FALLING: 110093,
    No.TOO_MANY_ORDERS: 110020,
    No.TOO_MANY_STOPS: 110009,
    No.TOO_MANY_PARTS: 110061,
    No.NO_POSITION: PARAMETER,
    No.WRONG_STOP: PARAMETER,
    No.HAS_POSITION: 110024,
    No.HAS_ORDERS: 110028,
    No.MODE_UNCHANGED: 110025,
    No.LEVERAGE: 110013,
    No.LEVERAGE_UNCHANGED: 110043,
    No.MARGIN_MODE_UNCHANGED: 110026,
    No.STOPS_UNCHANGED: NOT_MODIFIED,
    No.ORDER_UNCHANGED: PARAMETER,
    No.NOT_TRADING: 110066,
    No.WOULD_LIQUIDATE: 110011,
}
TEXTS = {
    No.NOT_FOUND: "order not exists or too late to cancel",
    No.DUPLICATE_ID: "OrderLinkedID is duplicate",
    No.LEAST_VALUE: "Order does not meet minimum order value",
    No.NO_MONEY: "ab not enough for new order",
    No.TOO_MANY_ORDERS: "number of active orders is more than 500",
    No.TOO_MANY_STOPS: "number of stop orders is more than 10",
    No.TOO_MANY_PARTS: "number of TP/SL orders is more than 20",
    No.HAS_POSITION: "You have an existing position, so position mode cannot be switched",
    No.HAS_ORDERS: "You have an existing order, so position mode cannot be switched",
    No.NOT_TRADING: "This contract is currently in delivery",
}


class BybitRefused(Refused):
    """A request refused with a code of Bybit's own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(200, code, message)
