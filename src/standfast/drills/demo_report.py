"""What the demo has shown, judged from the ledger and from the exchange's own account of the truth.

Every line of the report is one claim with its evidence; the exit code is 0 only when all of them held. Losses are
figured from fills and from the last price of the run, never written down beforehand.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from standfast.drills.demo_play import Play
from standfast.drills.demo_story import DAY, SCALP, SWING, WATCH
from standfast.drills.demo_words import is_bots, money, price
from standfast.model.position import CloseReason, Phase, Position

CENT = Decimal("0.01")
BACK_WITHIN = 60.0
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One thing shown. `without`: what it would have cost with no guard, where that can be figured."""

    title: str
    held: bool
    happened: str
    without: Decimal | None = None
    with_guard: Decimal | None = None
    missing: str = ""
    """Why it did not hold."""


def judge(play: Play) -> list[Claim]:
    """Every claim, in the order of the story."""
    checks: Sequence[Callable[[Play], Claim]] = (_kept, _restored, _between, _closed, _revived, _agree)
    return [check(play) for check in checks]


def _kept(play: Play) -> Claim:
    title = "A position the bot lost from its list, and Standfast kept"
    notes, position = play.notes, play.ledger.position(WATCH)
    if position is None or position.entry_price is None or notes.forgotten_at is None:
        return Claim(title=title, held=False, happened="", missing="the bot did not lose it, or it was never booked")
    what = f"{position.opened} {position.holding}"
    bid = play.view.bids[position.holding.instrument]
    alone = _at(position, bid)
    if position.phase is Phase.CLOSED:
        is_stopped = position.close_reason is CloseReason.STOP_LOSS and _sold(play, position)
        happened = (
            f"{what} bought at {price(position.entry_price)}; forgotten by the bot; sold by its stop at"
            f" {price(position.exit_price)}. The price is now {price(bid)}."
        )
        return Claim(
            title=title,
            held=is_stopped,
            happened=happened,
            without=alone,
            with_guard=_result(position),
            missing="" if is_stopped else f"it was closed by {position.close_reason}, not by its stop",
        )
    stops = [order for order in play.ledger.stops(position) if not is_bots(order) and order.remaining == position.held]
    happened = f"{what} lay under a live stop throughout; the price did not fall to it, so it is still held."
    missing = "" if stops else "it is open without a stop for all of it"
    return Claim(title=title, held=bool(stops), happened=happened, without=alone, with_guard=alone, missing=missing)


def _restored(play: Play) -> Claim:
    title = "Exits that lapsed at the close, and came back"
    notes, position = play.notes, play.ledger.position(SWING)
    if position is None or notes.restored is None or not notes.lapsed:
        return Claim(title=title, held=False, happened="", missing="the day exits did not lapse, or none came back")
    resting = notes.restored
    happened = (
        f"The bot's exits for {position.opened} {position.holding} were good for the day and ended with it. Standfast"
        f" put a stop at {price(Decimal(resting['stop']))} back, good till cancelled."
    )
    bid = play.view.bids[position.holding.instrument]
    if play.story.end is None:
        exposed = bid * position.held
        happened += f" Without it ${exposed:,.2f} would lie through the night with no exit at all."
        return Claim(title=title, held=position.phase is Phase.OPEN, happened=happened)
    if position.phase is not Phase.CLOSED:
        return Claim(title=title, held=False, happened=happened, missing="the stop did not sell it in the morning")
    is_stopped = position.close_reason is CloseReason.STOP_LOSS and _sold(play, position)
    happened += f" Next morning the price fell; the stop sold at {price(position.exit_price)}. It is now {price(bid)}."
    missing = "" if is_stopped else f"it was closed by {position.close_reason}, not by its stop"
    return Claim(
        title=title,
        held=is_stopped,
        happened=happened,
        without=_at(position, bid),
        with_guard=_result(position),
        missing=missing,
    )


def _between(play: Play) -> Claim:
    title = "Bought and sold between two looks of the bot, and booked"
    notes, position = play.notes, play.ledger.position(SCALP)
    if position is None:
        return Claim(title=title, held=False, happened="", missing="it is not in the books")
    if position.phase is not Phase.CLOSED:
        happened = (
            f"The day moved less than the bracket: {position.opened} {position.holding} is still held, and booked."
        )
        return Claim(title=title, held=_is_booked(play, position), happened=happened)
    assert position.opened_at is not None
    assert position.closed_at is not None
    lived = (position.closed_at - position.opened_at).total_seconds()
    happened = (
        f"{position.opened} {position.holding} lived {lived:.0f} s: in at {price(position.entry_price)}, out at"
        f" {price(position.exit_price)}, {_results(position)}, by the bot's own bracket."
        f" The bot's list {'had it' if notes.scalp_was_listed else 'never had it'}."
    )
    if notes.scalp_was_listed:
        happened += " (The day was so quiet that it lived past a look.)"
    is_booked = position.close_reason is CloseReason.BROKER_EXIT and _sold(play, position)
    return Claim(title=title, held=is_booked, happened=happened, missing="" if is_booked else "not booked as it was")


def _closed(play: Play) -> Claim:
    title = "A close asked for, and proven"
    notes, position = play.notes, play.ledger.position(DAY)
    if position is None or notes.close_code is None:
        return Claim(title=title, held=False, happened="", missing="standfast close was not asked for or did not end")
    if position.phase is not Phase.CLOSED:
        return Claim(title=title, held=False, happened="", missing=f"it is still open: {notes.close_said}")
    is_proven = notes.close_code == 0 and _sold(play, position)
    happened = f"standfast close {position.id}: {position.proof}; {_results(position)}."
    if notes.ghost_listed:
        happened += f" The bot's list still had the {position.opened} {position.holding} afterwards."
    return Claim(title=title, held=is_proven, happened=happened, missing="" if is_proven else notes.close_said)


def _revived(play: Play) -> Claim:
    title = "The guard killed with -9, and back"
    notes = play.notes
    if notes.killed is None or notes.back_after is None:
        return Claim(title=title, held=False, happened="", missing="the worker was not killed, or did not come back")
    is_back = notes.back_after <= BACK_WITHIN and notes.lives == 2
    happened = f"Worker {notes.killed} died; the next one had the ledger back after {notes.back_after:.1f} s."
    return Claim(title=title, held=is_back, happened=happened, missing="" if is_back else "; ".join(notes.ends))


def _agree(play: Play) -> Claim:
    """Quantities and realised profit, books against the exchange's own truth, to the cent."""
    title = "Books and exchange agree at the end"
    book = play.ledger.book.state
    booked: dict[str, Decimal] = {}
    for position in book.positions.values():
        booked[position.holding.instrument] = booked.get(position.holding.instrument, ZERO) + position.net
    held = {name: quantity for name, quantity in play.view.held.items() if quantity}
    pnl = sum((each.pnl for each in (*book.positions.values(), *book.closed.values())), ZERO)
    realised = Decimal(play.view.truth["realised"])
    is_so = {name: net for name, net in booked.items() if net} == held and abs(pnl - realised) < CENT
    names = ", ".join(f"{quantity.normalize():f} {name}" for name, quantity in held.items()) or "nothing"
    happened = f"Held: {names}. Realised: {money(pnl)} in the books, {money(realised)} at the exchange."
    return Claim(title=title, held=is_so, happened=happened, missing="" if is_so else f"the books hold {booked}")


def _at(position: Position, bid: Decimal) -> Decimal:
    """The result had all of it been kept until now."""
    assert position.entry_price is not None
    return (bid - position.entry_price) * position.opened * position.sign


def _result(position: Position) -> Decimal:
    """What it brought by its own prices; the books count at the average cost of the instrument, as the broker does."""
    assert position.entry_price is not None
    assert position.exit_price is not None
    return (position.exit_price - position.entry_price) * position.closed * position.sign


def _results(position: Position) -> str:
    own = _result(position)
    is_same = abs(own - position.pnl) < CENT
    return money(own) if is_same else f"{money(own)} ({money(position.pnl)} at the account's average cost)"


def _sold(play: Play, position: Position) -> bool:
    """The exchange's own fills say that as much left as had come, through orders of this position."""
    orders = {order for order, owner in play.ledger.book.state.retired.items() if owner == position.id}
    orders |= {order.broker_id for order in play.ledger.book.orders_for(position.id) if order.broker_id is not None}
    mine = [fill for fill in play.view.truth["fills"] if fill["order_id"] in orders]
    net = sum((Decimal(fill["quantity"]) for fill in mine), ZERO)
    return bool(mine) and net == 0 and position.opened == position.closed


def _is_booked(play: Play, position: Position) -> bool:
    return position.opened == play.story.trade(position.strategy).quantity


# --- telling --------------------------------------------------------------------------------------


def report(claims: Sequence[Claim]) -> Iterator[tuple[str, str]]:
    """Lines with their style."""
    yield "", ""
    yield "What you have just seen", "bold"
    for number, claim in enumerate(claims, 1):
        yield "", ""
        mark, style = ("held", "green") if claim.held else ("NOT HELD", "red")
        yield f"{number}. {claim.title}: {mark}", style
        if claim.happened:
            yield f"   {claim.happened}", ""
        if claim.missing:
            yield f"   {claim.missing}", "red"
        if claim.without is not None and claim.with_guard is not None:
            yield f"   without Standfast {money(claim.without)}, with it {money(claim.with_guard)}", ""
    yield from _sum(claims)


def _sum(claims: Sequence[Claim]) -> Iterator[tuple[str, str]]:
    pairs = [(c.without, c.with_guard) for c in claims if c.without is not None and c.with_guard is not None]
    without = sum((each for each, _ in pairs), ZERO)
    guarded = sum((each for _, each in pairs), ZERO)
    yield "", ""
    yield f"Without Standfast {money(without)}, with it {money(guarded)}: {money(guarded - without)} kept.", "bold"
    yield "", ""
    yield "Everything ran on this machine and is gone. Next, with your own paper account: standfast init", ""
