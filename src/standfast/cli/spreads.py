"""Structures as rows and headings for reading; what they say stands in `desk/structures.py`."""

from decimal import Decimal

from standfast.cli import render
from standfast.cli.render import BAD, DIM, GOOD, WARN, Cell
from standfast.core.book import Book
from standfast.core.shapes import entry, kind_of, whole_units
from standfast.core.structures import phase_of, structure_of
from standfast.desk.documents import ShownRules, number
from standfast.desk.structures import legs_of, pnl, result, short_delta_limit, stop
from standfast.model.order import ZERO
from standfast.model.position import Phase
from standfast.model.structure import BookedStructure, Structure, legs_text, weight


def row(book: Book, booked: BookedStructure, rules: ShownRules | None, *, is_watched: bool = True) -> list[Cell | str]:
    """As a position's row; the quantity counts units."""
    structure, phase = structure_of(book, booked), phase_of(book, booked)
    is_closed = phase is Phase.CLOSED
    level = None if is_closed else stop(structure, rules)
    held = booked.units if is_closed else whole_units(structure)
    has_exits = any(position.closed for _, position in legs_of(book, booked))
    cover = _cover(level, held, is_watched=is_watched) if held or phase is not Phase.OPENING else Cell("-", DIM)
    return [
        booked.id,
        book.account,
        booked.strategy,
        name(structure),
        number(held) or "-",
        Cell(phase.value, DIM if is_closed else WARN if phase is Phase.CLOSING else ""),
        shown(entry(structure)),
        shown(level),
        Cell("-", DIM) if is_closed else shows_delta(cover, short_delta_limit(structure, rules)),
        f"rung {booked.trail.rung} at {booked.trail.stop:+.1%}" if booked.trail is not None else "-",
        render.money(pnl(book, booked)) if has_exits else "-",
        render.at(structure.opened_at),
    ]


def name(structure: Structure) -> str:
    return f"{kind_of(structure.shape).value.replace('_', ' ')} {legs_text(structure.shape)}"


def _cover(level: Decimal | None, held: Decimal, *, is_watched: bool) -> Cell:
    if level is None:
        return Cell("no stop by policy", WARN)
    return Cell(f"{number(held)} by guard", GOOD) if is_watched else Cell(f"0 of {number(held)} by broker", BAD)


def shows_delta(cover: Cell, limit: Decimal | None) -> Cell:
    """Who covers it, and the delta at which what is sold of it is bought back, where there is one."""
    return cover._replace(text=f"{cover.text}, delta {number(limit)}") if limit is not None else cover


def past_row(book: Book, booked: BookedStructure) -> list[str | Cell]:
    """As a closed position's row in the history."""
    structure, made = structure_of(book, booked), result(book, booked)
    return [
        booked.id,
        book.account,
        booked.strategy,
        name(structure),
        number(booked.units) or "-",
        shown(entry(structure)),
        shown(out(structure)),
        render.at(structure.opened_at),
        render.at(booked.closed_at),
        booked.close_reason.value if booked.close_reason is not None else "-",
        render.money(pnl(book, booked)),
        f"{made:+.2%}" if made is not None else "-",
    ]


def out(structure: Structure) -> Decimal | None:
    """Net price of one unit at its exit."""
    prices = [(weight(held.leg, structure.multiplier), held.exit_price) for held in structure.legs]
    known = [points * price for points, price in prices if price is not None]
    return sum(known, ZERO) if len(known) == len(prices) else None


def shown(price: Decimal | None) -> str:
    return number(round(price, 4)) or "-" if price is not None else "-"


def summary(book: Book, booked: BookedStructure) -> list[str]:
    """The head of its proof trail."""
    structure = structure_of(book, booked)
    text = f"{name(structure)}, {number(booked.units)} units, {phase_of(book, booked).value}"
    prices = (("entry", entry(structure)), ("exit", out(structure)))
    text += "".join(f", {what} {shown(price)}" for what, price in prices if price is not None)
    if any(position.closed for _, position in legs_of(book, booked)):
        text += f", realised {number(pnl(book, booked))}"
    legs = [f"leg {position.id} {position.net:+} {leg.holding}" for leg, position in legs_of(book, booked)]
    return [text, *legs, *([f"proof: {booked.proof}"] if booked.proof else []), ""]
