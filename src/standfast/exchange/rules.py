"""The exchange's settings: everything a drill may want different, with Alpaca's behaviour as the default."""

from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal

NOW = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Delays of zero mean: within the same call, after the acknowledgement has been made."""

    accept_after: timedelta = NOW  # pending_new -> new
    cancel_after: timedelta = NOW  # pending_cancel -> canceled
    replace_after: timedelta = NOW  # pending_replace -> replaced
    fill_after: timedelta = NOW  # new -> first moment it may fill
    siblings_end_after: timedelta = NOW  # one exit of a pair has filled -> the other one ends; until then it can fill
    cancels_wait_for_open: bool = False  # outside the session a cancel stays pending_cancel until the open
    limited_by_size: bool = False  # a quote fills no more than it displays
    day_orders_end_as_canceled: bool = False  # False: expired. Alpaca does both (§1.4)
    day_orders_end_after: timedelta = NOW  # from the close until a broker says so; nothing fills in between
    gtc_ends_with_day: bool = False  # a sandbox that keeps nothing overnight
    gtc_done_for_day: bool = False  # show resting GTC orders as `done_for_day` between sessions
    stop_leg_stays_held: bool = False  # show the live stop of an OCO pair as `held`, as Alpaca's examples do
    reverse_split_cancels_orders: bool = False
    split_adjusts_orders: bool = True  # resting simple GTC orders; never members of a group (§1.14)
    refuses_stop_beyond_market: bool = True  # a stop that would trigger at once
    refuses_wash_trades: bool = True
    fractional_gtc: bool = False
    gtc_days: int = 90
    collars_buy_stops: bool = True
    collar_below_50: Decimal = Decimal("0.04")
    collar_from_50: Decimal = Decimal("0.025")
    short_reserve: Decimal = Decimal("1.03")  # a short sale reserves this much of the ask
    expiry_settles_after: timedelta = NOW  # from the close of an option's last day until it is gone from the account
    liquidates_expiring_at: time | None = None  # New York; in the money, settled in shares, on the last day
    fee_per_unit: Decimal = Decimal(0)  # charged on sells, as one FEE row per fill, rounded up to the cent
