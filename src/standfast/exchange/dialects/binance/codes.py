"""Binance's numbers for saying no, each with its HTTP status and words (brokers/README §4.6)."""

from standfast.exchange.perpetual.refusal import No
from standfast.exchange.refusal import Refused

TOO_MANY_REQUESTS = -1003
CLOCK = -1021
BAD_SIGNATURE = -1022
MISSING = -1102
NOT_WANTED = -1106
PRECISION = -1111
BAD_SIDE = -1117
BAD_SYMBOL = -1121
NO_LISTEN_KEY = -1125
BAD_PARAMETER = -1130
CANCEL_REJECTED = -2011
NO_SUCH_ORDER = -2013
BAD_KEY = -2015
WOULD_TRIGGER = -2021
MODE = -4061
NO_MODIFY = -5027
USE_ALGO = -4120
CLOSES_ALREADY = -4130
NO_MAKER = -5022

SAID: dict[No, tuple[int, str]] = {
    No.PARAMETER: (BAD_PARAMETER, ""),
    No.UNKNOWN_INSTRUMENT: (BAD_SYMBOL, "Invalid symbol."),
    No.NOT_FOUND: (CANCEL_REJECTED, "Unknown order sent."),
    No.DUPLICATE_ID: (-4116, "ClientOrderId is duplicated."),
    No.PRICE_RANGE: (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit."),
    No.PRICE_STEP: (PRECISION, "Precision is over the maximum defined for this asset."),
    No.LEAST_QUANTITY: (-4003, "Quantity less than or equal to zero."),
    No.MOST_QUANTITY: (-4005, "Quantity greater than max quantity."),
    No.LEAST_VALUE: (-4164, "Order's notional must be no smaller than 5.0 (unless you choose reduce only)"),
    No.NO_MONEY: (-2019, "Margin is insufficient."),
    No.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    No.MODE: (MODE, "Order's position side does not match user's setting."),
    No.WOULD_TRIGGER_RISING: (WOULD_TRIGGER, "Order would immediately trigger."),
    No.WOULD_TRIGGER_FALLING: (WOULD_TRIGGER, "Order would immediately trigger."),
    No.TOO_MANY_ORDERS: (-2025, "Reach max open order limit."),
    No.TOO_MANY_STOPS: (-4045, "Reach max stop order limit."),
    No.TOO_MANY_PARTS: (-4045, "Reach max stop order limit."),
    No.NO_POSITION: (-2022, "ReduceOnly Order is rejected."),
    No.WRONG_STOP: (WOULD_TRIGGER, "Order would immediately trigger."),
    No.HAS_POSITION: (-4068, "Position side cannot be changed if there exists position."),
    No.HAS_ORDERS: (-4067, "Position side cannot be changed if there exists open orders."),
    No.MODE_UNCHANGED: (-4059, "No need to change position side."),
    No.LEVERAGE: (-4028, "Leverage is not valid"),
    No.LEVERAGE_UNCHANGED: (0, ""),  # a success here
    No.MARGIN_MODE_UNCHANGED: (-4046, "No need to change margin type."),
    No.STOPS_UNCHANGED: (0, ""),  # there is no such call
    No.ORDER_UNCHANGED: (NO_MODIFY, "No need to modify the order."),
    No.NOT_TRADING: (-4140, "Invalid symbol status for opening position."),
    No.WOULD_LIQUIDATE: (-2023, "User in liquidation mode now."),
}


class BinanceRefused(Refused):
    """A request refused with a code of Binance's own."""

    def __init__(self, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(status, code, message)


def missing(name: str) -> BinanceRefused:
    return BinanceRefused(MISSING, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
