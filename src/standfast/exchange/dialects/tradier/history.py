"""Tradier's history and gain/loss (brokers/README §2.2, §2.11): made at night, dates without times, no order numbers.

What happened today is in neither until the night has passed. An option that expired, was exercised or assigned is a row
of type `option` that does not say which contract it was. The sandbox has no history.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from standfast.exchange.accounts import TrueFill
from standfast.exchange.activities import Activity, FillActivity
from standfast.exchange.assets import Asset
from standfast.exchange.dialects.gate import Call, Reply, Route, as_json
from standfast.exchange.dialects.tradier.asking import count, day
from standfast.exchange.dialects.tradier.manner import plainly
from standfast.exchange.dialects.tradier.wire import NEW_YORK, Row, day_of, money, number, several
from standfast.exchange.orders import ZERO
from standfast.exchange.queries import ActivityQuery

PAGE = 25
OPTION_ENDS = {"OPEXP": ("OPTEXP", "Expired"), "OPASN": ("OPTASN", "Assigned"), "OPEXC": ("OPTEXR", "Exercised")}
SETTLED = "OPCSH"
CORRECTIONS = frozenset({"bust", "correction"})
DELIVERED = "OPTRD"


class History:
    """The handlers; `is_sandbox`: there is none."""

    def __init__(self, *, is_sandbox: bool) -> None:
        self._is_sandbox = is_sandbox

    def table(self) -> tuple[Route, ...]:
        account = "/v1/accounts/{account_id}"
        return (
            Route("GET", f"{account}/history", "activities", self.history),
            Route("GET", f"{account}/gainloss", "gainloss", self.gain_loss),
        )

    def history(self, call: Call) -> Reply:
        """Newest first."""
        self._check()
        wanted, symbol = call.query.get("type"), call.query.get("symbol", "").upper()
        kept = [
            (activity, row)
            for activity in _before_today(call)
            if (row := history_row(activity, call)) is not None
            and _is_between(call, row["date"])
            and wanted in (None, "", row["type"])
            and (not symbol or activity.instrument == symbol)
        ]
        left = call.venue.faults.thin(kept, call.fault, lambda pair: pair[0].instrument or "")
        rows = [row for _, row in left]
        return Reply(200, as_json({"history": several("event", _paged(call, rows))}))

    def gain_loss(self, call: Call) -> Reply:
        """Newest first."""
        self._check()
        today = call.venue.now.astimezone(NEW_YORK).date()
        closed = [lot for lot in closings(call) if lot.closed_at.astimezone(NEW_YORK).date() < today]
        left = call.venue.faults.thin(closed[::-1], call.fault, lambda lot: lot.instrument)
        rows = [closed_row(lot) for lot in left]
        return Reply(200, as_json({"gainloss": several("closed_position", _paged(call, rows))}))

    def _check(self) -> None:
        if self._is_sandbox:
            raise plainly("Not available in the sandbox", 404)


def _before_today(call: Call) -> Iterator[Activity]:
    """Newest first."""
    today = call.venue.now.astimezone(NEW_YORK).date()
    token: str | None = None
    while rows := call.venue.engine.activities(call.account, ActivityQuery(page_token=token)):
        yield from (row for row in rows if row.at.astimezone(NEW_YORK).date() < today)
        token = rows[-1].id


def history_row(activity: Activity, call: Call) -> Row | None:
    if isinstance(activity, FillActivity):
        if activity.status == "correct":
            return None  # how Tradier would show it is not known
        sign = 1 if (activity.side == "buy") is (activity.status != "canceled") else -1
        return _trade(call, activity.at, activity.instrument, sign * activity.quantity, activity.price)
    signed = activity.quantity or ZERO
    if activity.activity_type == DELIVERED and activity.instrument is not None:
        return _trade(call, activity.at, activity.instrument, signed, activity.price or ZERO)
    row: Row = {"amount": money(activity.net_amount), "date": day_of(activity.at)}
    if activity.activity_type in OPTION_ENDS or activity.activity_type == SETTLED:
        settled = OPTION_ENDS["OPEXC" if signed < 0 else "OPASN"]
        word, description = OPTION_ENDS.get(activity.activity_type, settled)
        ended = {"option_type": word, "description": description, "quantity": number(signed)}
        return row | {"type": "option", "option": ended}
    kind = {"FEE": "fee", "JNLC": "journal", "CSD": "ach", "CSW": "ach"}.get(activity.activity_type, "adjustment")
    described = {"description": activity.description or (activity.instrument or ""), "quantity": number(signed)}
    return row | {"type": kind, "adjustment" if kind == "adjustment" else kind: described}


def _trade(call: Call, at: datetime, name: str, signed: Decimal, price: Decimal) -> Row:
    asset = call.venue.engine.asset(name)
    return {
        "amount": money(ZERO - signed * price * asset.multiplier),
        "date": day_of(at),
        "type": "trade",
        "trade": {
            "commission": 0.0,
            "description": _words(asset),
            "price": number(price),
            "quantity": number(signed),
            "symbol": name,
            "trade_type": "Equity" if asset.contract is None else "Option",
        },
    }


def _words(asset: Asset) -> str:
    """`CALL GE     06/22/18    14`."""
    contract = asset.contract
    if contract is None:
        return asset.name or asset.instrument
    right = contract.right.upper()
    return f"{right} {contract.underlying:<6} {contract.expiry:%m/%d/%y} {contract.strike.normalize():>5f}"


@dataclass(frozen=True, slots=True)
class Closing:
    """What one execution closed of a position. `quantity` unsigned, amounts in money."""

    instrument: str
    quantity: Decimal
    cost: Decimal
    proceeds: Decimal
    opened_at: datetime
    closed_at: datetime


def closings(call: Call) -> list[Closing]:
    """Oldest first, from the exchange's own books."""
    nets: dict[str, Decimal] = {}
    opened: dict[str, datetime] = {}
    found: list[Closing] = []
    for fill in call.venue.engine.truth(call.account).fills:
        net = nets.get(fill.instrument, ZERO)
        if net * fill.quantity < 0 and fill.kind not in CORRECTIONS:
            multiplier = call.venue.engine.asset(fill.instrument).multiplier
            found.append(_closing(fill, min(abs(net), abs(fill.quantity)), multiplier, opened[fill.instrument]))
        nets[fill.instrument] = net + fill.quantity
        if not net or net * nets[fill.instrument] < 0:
            opened[fill.instrument] = fill.at
    return found


def _closing(fill: TrueFill, quantity: Decimal, multiplier: Decimal, opened_at: datetime) -> Closing:
    """A sale's amount is the proceeds and its gain says the cost; of a purchase that covers, the other way round."""
    amount = quantity * fill.price * multiplier
    is_sale = fill.quantity < 0
    cost, proceeds = (amount - fill.realised, amount) if is_sale else (amount, amount + fill.realised)
    return Closing(fill.instrument, quantity, cost, proceeds, opened_at, fill.at)


def closed_row(lot: Closing) -> Row:
    opened, closed = (at.astimezone(NEW_YORK).date() for at in (lot.opened_at, lot.closed_at))
    gain = lot.proceeds - lot.cost
    return {
        "close_date": _at_midnight(closed),
        "cost": money(lot.cost),
        "gain_loss": money(gain),
        "gain_loss_percent": float(round(gain / lot.cost * 100, 4)) if lot.cost else 0.0,
        "open_date": _at_midnight(opened),
        "proceeds": money(lot.proceeds),
        "quantity": number(lot.quantity),
        "symbol": lot.instrument,
        "term": max(1, (closed - opened).days),
    }


def _at_midnight(of: date) -> str:
    return f"{of:%Y-%m-%d}T00:00:00.000Z"


def _is_between(call: Call, at: object) -> bool:
    text = str(at)[:10]
    return (day(call.query, "start") or "") <= text <= (day(call.query, "end") or "9999")


def _paged(call: Call, rows: list[Row]) -> list[Row]:
    page, size = count(call.query, "page", 1), count(call.query, "limit", PAGE)
    return rows[(page - 1) * size : page * size]
