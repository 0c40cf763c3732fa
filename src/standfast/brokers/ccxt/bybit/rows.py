"""Bybit's replies as they come: only the fields we use. Numbers are text, sometimes bare, sometimes empty.

Invariant: a field that may be absent or null has a default; every other absence is refused while decoding.
"""

from typing import Annotated

import msgspec

from standfast.brokers.shared.reading import Number, Text

Whole = int | Annotated[str, msgspec.Meta(max_length=20)]
"""A code or a stamp, bare or as text."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Around every reply; HTTP says 200 whatever `retCode` says."""

    ret_code: Whole
    ret_msg: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")
    time: Whole = 0


class PositionRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    symbol: Text
    side: Text
    size: Number
    position_idx: Whole = 0
    avg_price: Number | None = ""
    liq_price: Number | None = ""
    position_status: Text = ""


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    order_id: Text
    symbol: Text
    side: Text
    qty: Number
    order_status: Text
    order_type: Text
    order_link_id: Text | None = ""
    price: Number | None = ""
    cum_exec_qty: Number | None = ""
    avg_price: Number | None = ""
    time_in_force: Text = ""
    stop_order_type: Text | None = ""
    trigger_price: Number | None = ""
    trigger_direction: Whole = 0
    reduce_only: bool = False
    close_on_trigger: bool = False
    position_idx: Whole = 0
    create_type: Text | None = ""
    reject_reason: Text | None = ""
    cancel_type: Text | None = ""
    created_time: Whole | None = None
    updated_time: Whole | None = None


class ExecutionRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    exec_id: Text
    symbol: Text
    side: Text
    exec_price: Number
    exec_qty: Number
    exec_time: Whole
    exec_type: Text
    order_id: Text = ""
    order_link_id: Text | None = ""
    exec_fee: Number | None = ""
    closed_size: Number | None = ""
    create_type: Text | None = ""


class PositionList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    list: list[PositionRow]
    next_page_cursor: str | None = ""
    category: str = ""


class OrderList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    list: list[OrderRow]
    next_page_cursor: str | None = ""
    category: str = ""


class ExecutionList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    list: list[ExecutionRow]
    next_page_cursor: str | None = ""
    category: str = ""


class Created(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All that create, amend and cancel say."""

    order_id: Text
    order_link_id: Text | None = ""


class WalletRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    total_equity: Number | None = ""
    total_available_balance: Number | None = ""
    account_type: Text = ""


class WalletList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    list: list[WalletRow]


class KeyRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    user_id: int | Text = msgspec.field(name="userID", default="")
    read_only: Whole = 0
    permissions: dict[str, list[str] | None] = {}


class TickerRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    symbol: Text
    bid1_price: Number | None = ""
    ask1_price: Number | None = ""
    mark_price: Number | None = ""


class TickerList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    list: list[TickerRow]
    category: str = ""


class TimeRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    time_nano: Text
