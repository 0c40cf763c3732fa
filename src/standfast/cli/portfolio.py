"""What `portfolio` prints: everything an account holds, priced now, and what may come of it at expiry.

1. Each position is shown at the worse side of its quotes, where its rules judge it, and at the mid beside that.
2. What lacks a price or greeks is named and never counted as nothing: no total is shown that leaves something out.
3. What the books do not hold is not in it; open breaks are counted, so that nobody takes it for the whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from standfast.cli import doors, render, spreads
from standfast.cli.arguments import Options
from standfast.cli.render import BAD, DIM, GOOD, WARN, Cell, Column
from standfast.core.book import Book
from standfast.core.portfolio import Portfolio, WorstCase
from standfast.core.portfolio import portfolio as together
from standfast.core.shapes import cost, entry, kind_of, sold_in
from standfast.core.structures import alone, structure_of
from standfast.core.worth import is_usable, result_of, sides
from standfast.desk import documents, ledger
from standfast.desk.documents import Document, number, time
from standfast.desk.structures import short_delta_limit
from standfast.model.ids import AccountId, Holding
from standfast.model.order import ZERO
from standfast.model.structure import Structure

if TYPE_CHECKING:
    from standfast.model.greeks import Greeks
    from standfast.model.quote import Quote

UNASKED = 3
NONE, NO_BOUND = Cell("-", DIM), Cell("without bound", BAD)

POSITION_COLUMNS = (
    Column("ID"),
    Column("ACCOUNT", spare=True),
    Column("WHAT", wraps=True),
    Column("UNITS", right=True),
    Column("ENTRY", right=True),
    Column("NOW", right=True),
    Column("MID", right=True),
    Column("RESULT", right=True),
    Column("AT MID", right=True),
    Column("P&L", right=True),
    Column("P&L AT MID", right=True, spare=True),
    Column("SHORT DELTA", right=True, spare=True),
    Column("QUOTED", spare=True),
)
LEAN_COLUMNS = (
    Column("ACCOUNT", spare=True),
    Column("UNDERLYING"),
    Column("DELTA", right=True),
    Column("THETA A DAY", right=True),
)
CASE_COLUMNS = (
    Column("ACCOUNT", spare=True),
    Column("UNDERLYING"),
    Column("ENDS"),
    Column("WORST", right=True),
    Column("AT", right=True),
    Column("BEST", right=True),
    Column("AT", right=True),
    Column("WORST OF EACH", right=True, spare=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One position and what its quotes say; None where a leg of it has none that can be used."""

    structure: Structure
    entry: Decimal | None
    now: Decimal | None = None
    """Net price of one unit at the worse side; `mid` at the middle."""
    mid: Decimal | None = None
    pnl: Decimal | None = None
    """Money that closing what is held would make, at the worse side; fees are not in it."""
    pnl_mid: Decimal | None = None
    short_delta: Decimal | None = None
    """Of what is sold of it the one nearest to the money, without its sign, where the broker tells it of all."""
    limit: Decimal | None = None
    """What its policy allows of that."""
    quoted_at: datetime | None = None
    """When the oldest of its quotes was true."""
    lacks: tuple[Holding, ...] = ()

    def result(self, price: Decimal | None) -> Decimal | None:
        return result_of(price, self.entry).quantize(Decimal("0.000001")) if price is not None and self.entry else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One account."""

    account: AccountId
    positions: tuple[Shown, ...]
    seen: Portfolio
    breaks: int
    failure: str = ""


def portfolio(options: Options) -> int:
    """Print it; 3 where something is missing from it."""
    with ledger.opened(options.config) as books:
        found = [(book, _held(book)) for book in books.of(options.account)]
    wanted = {book.account: sorted({leg.holding for each in held for leg in each.shape}) for book, held in found}
    with doors.quietly():
        priced = doors.pricing().priced(Path(options.config), wanted)
    rules = ledger.rules(options.config)
    wholes = [_whole(book, held, priced.get(book.account), rules.get(book.account)) for book, held in found]
    if options.json:
        render.document({"portfolio": [_document(each) for each in wholes]})
    else:
        _print(wholes)
    is_whole = all(not each.failure and not each.seen.unknown and not _lacking(each) for each in wholes)
    return 0 if is_whole else UNASKED


def _held(book: Book) -> list[Structure]:
    """Everything the books hold, each thing once: structures, and what belongs to none as a structure of its own."""
    found = [alone(book, each) for each in book.state.positions.values() if each.structure is None]
    found += [structure_of(book, each) for each in book.state.structures.values()]
    return [each for each in found if not each.is_flat]


def _whole(
    book: Book, held: Sequence[Structure], priced: "doors.Priced | None", rules: documents.ShownRules | None
) -> Whole:
    quotes = priced.quotes if priced is not None else {}
    greeks = priced.greeks if priced is not None else {}
    return Whole(
        account=book.account,
        positions=tuple(
            replace(_shown(each, quotes), short_delta=_short_delta(each, greeks), limit=short_delta_limit(each, rules))
            for each in held
        ),
        seen=together(held, greeks),
        breaks=len(book.state.breaks),
        failure=priced.failure if priced is not None else "",
    )


def _shown(structure: Structure, quotes: "Mapping[Holding, Quote]") -> Shown:
    legs = structure.shape
    usable = {leg.holding: quotes[leg.holding] for leg in legs if _has_price(quotes, leg.holding)}
    lacks = tuple(leg.holding for leg in legs if leg.holding not in usable)
    if lacks:
        return Shown(structure=structure, entry=entry(structure), lacks=lacks)
    net, paid = sides(legs, usable), cost(structure)
    return Shown(
        structure=structure,
        entry=entry(structure),
        now=net.worst,
        mid=net.mid,
        pnl=_value(structure, {leg.holding: usable[leg.holding].closing_price(leg.sign) for leg in legs}) - paid,
        pnl_mid=_value(structure, {holding: quote.mid for holding, quote in usable.items()}) - paid,
        quoted_at=min(each.at for each in usable.values()),
    )


def _short_delta(structure: Structure, greeks: "Mapping[Holding, Greeks]") -> Decimal | None:
    sold = sold_in(structure)
    known = [abs(greeks[holding].delta) for holding in sold if holding in greeks]
    return max(known) if known and len(known) == len(sold) else None


def _has_price(quotes: "Mapping[Holding, Quote]", holding: Holding) -> bool:
    return holding in quotes and is_usable(quotes[holding])


def _value(structure: Structure, prices: Mapping[Holding, Decimal]) -> Decimal:
    """Money, leg by leg: right too where the ratio is lost."""
    return sum((each.net * prices[each.leg.holding] * each.leg.multiplier for each in structure.legs), ZERO)


def _lacking(whole: Whole) -> list[Holding]:
    return sorted({holding for each in whole.positions for holding in each.lacks})


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """None where one is missing: a sum that leaves something out is no sum."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if len(known) == len(amounts) else None


# --- as a document --------------------------------------------------------------------------------


def _document(whole: Whole) -> Document:
    seen = whole.seen
    return {
        "account": whole.account,
        "positions": [_position(each) for each in whole.positions],
        "pnl": _cents(_sum([each.pnl for each in whole.positions])),
        "pnl_mid": _cents(_sum([each.pnl_mid for each in whole.positions])),
        "underlyings": [
            {"underlying": name, "delta": number(round(lean.delta, 4)), "theta": _cents(lean.theta)}
            for name, lean in seen.leans.items()
        ],
        "theta": _cents(seen.theta),
        "greeks_at": time(seen.figured_at),
        "worst_cases": [_case(each) for each in seen.worst],
        "worst_total": _cents(seen.worst_total),
        "without_quote": [str(each) for each in _lacking(whole)],
        "without_greeks": [str(each) for each in seen.unknown],
        "open_breaks": whole.breaks,
        "failure": whole.failure or None,
    }


def _position(shown: Shown) -> Document:
    structure = shown.structure
    return {
        "id": structure.id,
        "strategy": structure.strategy,
        "kind": kind_of(structure.shape).value,
        "units": number(structure.units),
        "legs": [{"instrument": each.leg.holding.instrument, "quantity": number(each.net)} for each in structure.legs],
        "entry": _points(shown.entry),
        "now": _points(shown.now),
        "mid": _points(shown.mid),
        "result": number(shown.result(shown.now)),
        "result_mid": number(shown.result(shown.mid)),
        "pnl": _cents(shown.pnl),
        "pnl_mid": _cents(shown.pnl_mid),
        "short_delta": number(shown.short_delta),
        "short_delta_limit": number(shown.limit),
        "quoted_at": time(shown.quoted_at),
    }


def _case(case: WorstCase) -> Document:
    both = case.together
    return {
        "underlying": case.underlying,
        "expiry": case.expiry.isoformat() if case.expiry is not None else None,
        "worst": {"amount": _cents(both.worst.amount), "at": number(both.worst.at)},
        "best": {"amount": _cents(both.best.amount), "at": number(both.best.at)},
        "worst_of_each": _cents(case.apart),
        "exact": both.is_exact,
    }


def _points(price: Decimal | None) -> str | None:
    return number(round(price, 4)) if price is not None else None


def _cents(amount: Decimal | None) -> str | None:
    return number(round(amount, 2)) if amount is not None else None


# --- as tables ------------------------------------------------------------------------------------


def _print(wholes: Sequence[Whole]) -> None:
    rows = [_row(whole, each) for whole in wholes for each in whole.positions]
    render.table(POSITION_COLUMNS, rows, empty="Nothing is held.")
    if not rows:
        return
    leans: list[list[Cell | str]] = [
        [whole.account, name, number(round(lean.delta, 2)) or "-", render.money(lean.theta)]
        for whole in wholes
        for name, lean in whole.seen.leans.items()
    ]
    print()
    render.table(LEAN_COLUMNS, leans, empty="")
    print()
    render.table(CASE_COLUMNS, [_case_row(whole, each) for whole in wholes for each in whole.seen.worst], empty="")
    for whole in wholes:
        _print_remarks(whole)


def _row(whole: Whole, shown: Shown) -> list[Cell | str]:
    structure = shown.structure
    blind = Cell("no quote", BAD)
    return [
        structure.id,
        whole.account,
        spreads.name(structure),
        number(structure.units) or "-",
        spreads.shown(shown.entry),
        spreads.shown(shown.now) if shown.now is not None else blind,
        spreads.shown(shown.mid) if shown.mid is not None else blind,
        _share(shown.result(shown.now)),
        _share(shown.result(shown.mid)),
        _money(shown.pnl),
        _money(shown.pnl_mid),
        _delta(shown),
        render.at(shown.quoted_at),
    ]


def _delta(shown: Shown) -> str:
    if shown.short_delta is None:
        return "-"
    limit = f" of {number(shown.limit)}" if shown.limit is not None else ""
    return f"{number(round(shown.short_delta, 4))}{limit}"


def _case_row(whole: Whole, case: WorstCase) -> list[Cell | str]:
    both = case.together
    ends = case.expiry.isoformat() if case.expiry is not None else "never"
    return [
        whole.account,
        case.underlying,
        ends if both.is_exact else f"{ends}, and later",
        _money(both.worst.amount, NO_BOUND),
        number(both.worst.at) or "-",
        _money(both.best.amount, Cell("without bound", GOOD)),
        number(both.best.at) or "-",
        _money(case.apart, NO_BOUND),
    ]


def _share(result: Decimal | None) -> str:
    return f"{result:+.2%}" if result is not None else "-"


def _money(amount: Decimal | None, lacking: Cell = NONE) -> Cell:
    return render.money(amount) if amount is not None else lacking


def _print_remarks(whole: Whole) -> None:
    seen = whole.seen
    print()
    worst = f"{seen.worst_total:+,.2f}" if seen.worst_total is not None else "without bound"
    now, mid = (_sum([getattr(each, name) for each in whole.positions]) for name in ("pnl", "pnl_mid"))
    open_pnl = f"{now:+,.2f} (at the mid {mid:+,.2f})" if now is not None and mid is not None else "not known"
    render.line(f"{whole.account}: open profit {open_pnl}; theta {seen.theta:+,.2f} a day; worst of all {worst}")
    if whole.failure:
        render.line(f"{whole.account}: not priced: {whole.failure}", BAD)
    lacking = _lacking(whole)
    if lacking and not whole.failure:
        render.line(f"{whole.account}: no quote that can be used of {', '.join(map(str, lacking))}", BAD)
    if seen.unknown and not whole.failure:
        render.line(f"{whole.account}: delta and theta leave out {', '.join(map(str, seen.unknown))}", WARN)
    if whole.breaks:
        render.line(f"{whole.account}: {whole.breaks} breaks are open: what they found is not in this", WARN)
