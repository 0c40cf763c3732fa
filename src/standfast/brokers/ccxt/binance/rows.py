"""Binance's replies as they come: only the fields we use. Numbers are text; ids and stamps are bare.

Invariant: a field that may be absent has a default; every other absence is refused while decoding.
"""

import msgspec

from standfast.brokers.shared.reading import Number, Text


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a 4xx, and of the few successes that say no more than that."""

    code: int | Text
    msg: str = ""


class PositionRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    symbol: Text
    position_amt: Number
    position_side: Text = "BOTH"
    entry_price: Number = ""
    liquidation_price: Number = ""


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An ordinary order."""

    symbol: Text
    order_id: int
    client_order_id: Text
    side: Text
    status: Text
    type: Text
    orig_qty: Number
    executed_qty: Number
    orig_type: Text = ""
    avg_price: Number = ""
    price: Number = ""
    stop_price: Number = ""
    time_in_force: Text = ""
    position_side: Text = "BOTH"
    reduce_only: bool = False
    close_position: bool = False
    time: int = 0
    update_time: int = 0


class AlgoRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A conditional order; what it became once triggered is an ordinary one, `actual_order_id`."""

    algo_id: int
    symbol: Text
    side: Text
    order_type: Text
    algo_status: Text
    client_algo_id: Text = ""
    quantity: Number = ""
    trigger_price: Number = ""
    price: Number = ""
    time_in_force: Text = ""
    position_side: Text = "BOTH"
    reduce_only: bool = False
    close_position: bool = False
    actual_order_id: int | Text = ""
    create_time: int = 0
    update_time: int = 0


class TradeRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    symbol: Text
    id: int
    order_id: int
    side: Text
    price: Number
    qty: Number
    time: int
    position_side: Text = "BOTH"
    commission: Number = "0"
    commission_asset: Text = ""


class IncomeRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    income_type: Text
    income: Number
    time: int
    symbol: Text = ""
    asset: Text = ""
    tran_id: int | Text = ""
    trade_id: int | Text = ""


class AccountRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    total_margin_balance: Number
    available_balance: Number


class BalanceRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    account_alias: Text = ""
    """The same for every coin of an account."""


class KeyRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a key may do."""

    enable_withdrawals: bool
    enable_futures: bool
    enable_internal_transfer: bool = False
    ip_restrict: bool = False


class ModeRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    dual_side_position: bool


class TickerRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    symbol: Text
    bid_price: Number
    ask_price: Number
    time: int = 0


class TimeRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    server_time: int
