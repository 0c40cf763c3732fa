"""The ways this exchange says no, each with a cause that a dialect has a code for. Nothing has happened then."""

from enum import StrEnum

from standfast.exchange.refusal import Refused


class No(StrEnum):
    """Why."""

    PARAMETER = "parameter"
    UNKNOWN_INSTRUMENT = "unknown instrument"
    NOT_FOUND = "order not found, or too late"
    DUPLICATE_ID = "client order id is taken"
    PRICE_RANGE = "price outside the range"
    PRICE_STEP = "price or quantity off its step"
    LEAST_QUANTITY = "below the least quantity"
    MOST_QUANTITY = "above the most quantity"
    LEAST_VALUE = "below the least value"
    NO_MONEY = "not enough margin"
    REDUCE_ONLY = "nothing to reduce"
    MODE = "position side does not match the mode"
    WOULD_TRIGGER_RISING = "trigger is not above the price"
    WOULD_TRIGGER_FALLING = "trigger is not below the price"
    TOO_MANY_ORDERS = "too many working orders"
    TOO_MANY_STOPS = "too many conditional orders"
    TOO_MANY_PARTS = "too many stops for parts"
    NO_POSITION = "no position"
    WRONG_STOP = "stop on the wrong side of the price"
    HAS_POSITION = "there are positions"
    HAS_ORDERS = "there are orders"
    MODE_UNCHANGED = "mode is so already"
    LEVERAGE = "leverage outside its range"
    LEVERAGE_UNCHANGED = "leverage is so already"
    MARGIN_MODE_UNCHANGED = "margin mode is so already"
    STOPS_UNCHANGED = "stops are so already"
    ORDER_UNCHANGED = "order is so already"
    NOT_TRADING = "instrument does not trade"
    WOULD_LIQUIDATE = "would be liquidated at once"


class PerpetualRefused(Refused):
    """`http_status` and `code` mean nothing here: the dialect looks at `why`."""

    def __init__(self, why: No, message: str = "") -> None:
        super().__init__(400, 0, message or why.value)
        self.why = why
