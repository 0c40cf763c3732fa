"""What positions, orders, breaks and alerts print: a document, or a table of the same rows.

The table says what the document says, in the words of a person; nothing is computed twice.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from standfast.cli import render, spreads
from standfast.cli.arguments import Options
from standfast.cli.render import BAD, DIM, GOOD, WARN, Cell, Column
from standfast.core.book import Book
from standfast.desk import documents, held, ledger, structures
from standfast.model.alert import Alert, Severity
from standfast.model.booked import BookedOrder, Stage
from standfast.model.breaks import Break
from standfast.model.ids import AccountId
from standfast.model.position import Phase, Position, Standing

Row = list[Cell | str]

POSITION_COLUMNS = (
    Column("ID"),
    Column("ACCOUNT", spare=True),
    Column("STRATEGY", spare=True),
    Column("INSTRUMENT"),
    Column("QUANTITY", right=True),
    Column("PHASE", spare=True),
    Column("ENTRY", right=True),
    Column("STOP", right=True),
    Column("COVER"),
    Column("TRAIL", spare=True),
    Column("P&L", right=True),
    Column("OPENED", spare=True),
)
ORDER_COLUMNS = (
    Column("CLIENT ORDER ID"),
    Column("ACCOUNT", spare=True),
    Column("ROLE"),
    Column("SIDE"),
    Column("QUANTITY", right=True),
    Column("INSTRUMENT"),
    Column("TYPE", spare=True),
    Column("PRICE", right=True),
    Column("FILLED", right=True, spare=True),
    Column("STATE"),
    Column("PLACED", spare=True),
)
BREAK_COLUMNS = (
    Column("ID"),
    Column("ACCOUNT", spare=True),
    Column("KIND"),
    Column("INSTRUMENT"),
    Column("BOOKED", wraps=True),
    Column("REPORTED", wraps=True),
    Column("SINCE", spare=True),
    Column("STATE"),
    Column("DONE", wraps=True),
)
ALERT_COLUMNS = (
    Column("ID"),
    Column("SEVERITY"),
    Column("AT"),
    Column("DELIVERED", spare=True),
    Column("ACKNOWLEDGED", spare=True),
    Column("TEXT", wraps=True),
)
SEVERITY_STYLES = {Severity.INFO: "", Severity.WARNING: WARN, Severity.CRITICAL: BAD}


# --- positions ----------------------------------------------------------------------------------


def positions(options: Options) -> int:
    """Print every open position, with `--all` the closed ones before them."""
    now, everything = ledger.now(), options.all
    rules = ledger.rules(options.config)
    with ledger.opened(options.config) as books:
        found = list(books.of(options.account))
        guarded = {book.account for book in found if held.has_something_to_guard(book)}
        unwatched = held.unwatched(books, guarded, now)
    shown = [(book, rules.get(book.account), book.account not in unwatched) for book in found]
    if options.json:
        each = [
            held.positions(book, rule, now, closed_too=everything, is_watched=watched) for book, rule, watched in shown
        ]
        render.document({"positions": [document for documents in each for document in documents]})
        return 0
    rows = [
        _position_row(book, position, rule, documents.time_of(book, now), is_watched=watched)
        for book, rule, watched in shown
        for position in held.alone(book, closed_too=everything)
    ]
    rows += [
        spreads.row(book, whole, rule, is_watched=watched)
        for book, rule, watched in shown
        for whole in structures.kept(book, closed_too=everything)
    ]
    render.table(POSITION_COLUMNS, rows, empty="No positions.")
    for account in unwatched:
        render.aside(f"{account}: no guard runs, only what rests at the broker protects. Start it: standfast guard")
    return 0


def _position_row(
    book: Book, position: Position, rules: documents.ShownRules | None, now: datetime, *, is_watched: bool
) -> Row:
    cover = documents.cover(book, position, rules, now)
    is_closed = position.phase is Phase.CLOSED
    held = position.opened if is_closed else book.held(position)
    return [
        position.id,
        book.account,
        position.strategy,
        position.holding.instrument,
        documents.number(held * position.sign) or "-",
        Cell(position.phase.value, DIM if is_closed else WARN if position.phase is Phase.CLOSING else ""),
        price(position.entry_price),
        "-" if is_closed else price(cover.stop_price),
        Cell("-", DIM) if is_closed else _cover_of(position, cover, held, rules, is_watched=is_watched),
        _trail(position),
        render.money(position.pnl) if position.closed else "-",
        render.at(position.opened_at),
    ]


def _cover_of(
    position: Position, cover: documents.Cover, held: Decimal, rules: documents.ShownRules | None, *, is_watched: bool
) -> Cell:
    covered = cover_cell(position, cover, held, is_watched=is_watched)
    return spreads.shows_delta(covered, documents.short_delta_limit(position, rules))


def cover_cell(position: Position, cover: documents.Cover, held: Decimal, *, is_watched: bool = True) -> Cell:
    """Who covers how much of it, in the fewest words. Unwatched: no guard runs, only what rests at the broker does."""
    if position.standing is Standing.FOREIGN:
        return Cell("foreign, left alone", DIM)
    if position.bare:
        return Cell("none, as asked", WARN)
    if not cover.covered:
        return Cell(f"NAKED {documents.number(round(cover.naked_seconds, 1))} s", BAD)
    covering = cover.quantity if is_watched else cover.rests
    if covering < held:
        return Cell(f"{documents.number(covering)} of {documents.number(held)} by broker", BAD)
    return _covered_cell(cover, held, holder=(cover.held_by or "nobody") if is_watched else "broker")


def _covered_cell(cover: documents.Cover, held: Decimal, *, holder: str) -> Cell:
    if cover.quantity > held:
        return Cell(f"{documents.number(cover.quantity)} for {documents.number(held)} by {holder}", WARN)
    if holder == "broker" and cover.rests < cover.quantity:
        resting = f"{documents.number(cover.rests)} by broker, " if cover.rests else ""
        return Cell(f"{resting}{documents.number(cover.quantity - cover.rests)} by guard", GOOD)
    return Cell(f"{documents.number(cover.quantity)} by {holder}", GOOD)


def _trail(position: Position) -> str:
    if position.trail is None:
        return "-"
    return f"rung {position.trail.rung} at {position.trail.stop:+.1%}"


def price(value: Decimal | None) -> str:
    """A price for reading: up to four places."""
    return documents.number(round(value, 4)) or "-" if value is not None else "-"


# --- orders ---------------------------------------------------------------------------------------


def orders(options: Options) -> int:
    """Print the orders that may still fill, with `--all` every one the book keeps."""
    with ledger.opened(options.config) as books:
        found = [
            (book, order)
            for book in books.of(options.account)
            for order in book.state.orders.values()
            if options.all or not order.is_finished
        ]
    if options.json:
        render.document({"orders": [documents.order(book, order) for book, order in found]})
    else:
        rows = [_order_row(book, order) for book, order in found]
        render.table(ORDER_COLUMNS, rows, empty="No orders.")
    return 0


def _order_row(book: Book, order: BookedOrder) -> Row:
    shown = documents.order(book, order)
    style = BAD if order.stage is Stage.IN_DOUBT else DIM if order.is_finished else ""
    level = order.stop_price if order.stop_price is not None else documents.limit_price(order)
    return [
        order.id,
        book.account,
        documents.role(order).value,
        order.side.value,
        documents.number(order.quantity) or "-",
        order.holding.instrument,
        order.type.value,
        price(level),
        documents.number(order.filled) or "-",
        Cell(str(shown["state"]), style),
        render.at(documents.placed_at(order)),
    ]


# --- breaks ---------------------------------------------------------------------------------------


def breaks(options: Options) -> int:
    """Print the open breaks, with `--all` the ended ones before them."""
    with ledger.opened(options.config) as books:
        found = [
            (book.account, each)
            for book in books.of(options.account)
            for each in (*(book.state.ended_breaks.values() if options.all else ()), *book.state.breaks.values())
        ]
    if options.json:
        render.document({"breaks": [documents.broken(account, each) for account, each in found]})
    else:
        print_breaks(found)
    return 0


def print_breaks(found: Iterable[tuple[AccountId, Break]]) -> None:
    """The table of breaks, which `scan` prints too."""
    rows = [_break_row(account, each) for account, each in found]
    render.table(BREAK_COLUMNS, rows, empty="No breaks: the books and the broker agree.")


def _break_row(account: AccountId, found: Break) -> Row:
    finding = found.finding
    return [
        found.id,
        account,
        Cell(finding.kind.value, DIM if found.ended_at else BAD if found.confirmed else WARN),
        finding.holding.instrument if finding.holding is not None else "-",
        finding.booked,
        finding.reported,
        render.at(found.first_seen),
        "ended" if found.ended_at else "confirmed" if found.confirmed else "unconfirmed",
        found.ended_by or found.action or "-",
    ]


# --- alerts ---------------------------------------------------------------------------------------


def alerts(options: Options) -> int:
    """Print what people were told, oldest first."""
    with ledger.opened(options.config) as books:
        found = [
            (book.account, alert)
            for book in books.of(options.account)
            for alert in book.state.alerts.values()
            if not (options.open and alert.acknowledged_at)
        ]
    if options.json:
        render.document({"alerts": [documents.alert(account, alert) for account, alert in found]})
    else:
        render.table(ALERT_COLUMNS, [_alert_row(alert) for _, alert in found], empty="No alerts.")
    return 0


def _alert_row(alert: Alert) -> Row:
    delivered: Cell | str = render.at(alert.delivered_at)
    if alert.delivered_at is None and alert.last_failure:
        delivered = Cell(f"FAILED: {alert.last_failure}", BAD)
    return [
        alert.id,
        Cell(alert.severity.value, SEVERITY_STYLES[alert.severity]),
        render.at(alert.first_at),
        delivered,
        render.at(alert.acknowledged_at),
        alert.text,
    ]
