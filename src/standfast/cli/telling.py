"""Each kind of fact in one plain sentence, as a person reads it at three in the morning.

`TELL` has a sentence for every kind of fact; a test checks that none is missing. Words are those of STYLE.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from standfast.desk.documents import number, time
from standfast.model import journal as j
from standfast.model.ids import Holding
from standfast.model.order import Fill, OrderReport, Terms
from standfast.model.share import share_text


def sentence(fact: j.Fact) -> str:
    """What happened."""
    tell = TELL.get(type(fact))
    return tell(fact) if tell is not None else _spelled_out(fact)  # at three in the morning any words beat none


def _spelled_out(fact: object) -> str:
    names = [each.name for each in fields(fact)] if is_dataclass(fact) else []
    return ", ".join(f"{name} {getattr(fact, name)}" for name in names)


def _terms(terms: Terms, holding: Holding) -> str:
    text = f"{terms.side.value} {number(terms.quantity)} {holding} {terms.type.value}"
    prices = (("limit", terms.limit_price), ("stop", terms.stop_price), ("target", terms.target_price))
    text += "".join(f", {name} {number(price)}" for name, price in prices if price is not None)
    return f"{text}, {terms.time_in_force.value}"


def _for_several(fact: j.OrderIntended) -> str:
    return f", for {fact.position} and {', '.join(fact.also)} together" if fact.also else ""


def _report(report: OrderReport) -> str:
    text = f"{report.side.value} {number(report.quantity)} {report.holding} {report.type.value} is {report.state.value}"
    if report.filled:
        text += f", {number(report.filled)} filled"
        text += f" at {number(round(report.average_price, 8))}" if report.average_price is not None else ""
    text += f", stop {number(report.stop_price)}" if report.stop_price is not None else ""
    text += f": {report.reason}" if report.reason else ""
    return text


def _fill(fill: Fill) -> str:
    fee = f", fee {number(fill.fee)}" if fill.fee else ""
    return (
        f"{fill.side.value} {number(fill.quantity)} {fill.holding} at {number(fill.price)}{fee}"
        f" (execution {fill.execution_id}, {time(fill.at)})"
    )


def _booked(fact: j.FillBooked) -> str:
    parts = ", ".join(
        f"{number(part.quantity)} {'opens' if part.opens else 'closes'} {part.position or 'foreign quantity'}"
        + ("" if part.opens else f", realised {number(part.realised)}")
        for part in fact.allocations
    )
    reason = f"; reason {fact.reason.value}" if fact.reason is not None else ""
    return f"{_fill(fact.fill)}: {parts}{reason}"


def _observed(fact: j.OrderObserved) -> str:
    legs = "".join(f"; leg {leg.broker_id}: {_report(leg)}" for leg in fact.report.legs)
    return f"broker's word on {fact.report.client_id} ({fact.report.broker_id}): {_report(fact.report)}{legs}"


def _opening(fact: j.OpeningRequested) -> str:
    prices = (("limit", fact.limit), ("stop", fact.stop), ("target", fact.target))
    more = "".join(f", {name} {number(price)}" for name, price in prices if price is not None) + _share(fact.stop_loss)
    return f"{_by(fact.by)} asks to open {number(fact.quantity)} {fact.holding} for {fact.strategy}{more}"


def _share(stop_loss: Decimal | None) -> str:
    return f", stop {share_text(stop_loss)} from its entry" if stop_loss is not None else ""


def _legs(units: Decimal, legs: Iterable[j.LegAsked]) -> str:
    return f"{number(units)} x {' '.join(f'{leg.holding}:{leg.ratio:+}' for leg in legs)}"


def _structure(fact: j.StructureRequested) -> str:
    prices = (("limit", fact.limit), ("stop", fact.stop), ("target", fact.target))
    more = "".join(f", {name} {number(price)}" for name, price in prices if price is not None) + _share(fact.stop_loss)
    return f"{_by(fact.by)} asks to open {_legs(fact.units, fact.legs)} for {fact.strategy}{more}"


def _together(fact: j.TogetherIntended) -> str:
    legs = " ".join(f"{leg.terms.side.value} {number(leg.terms.quantity)} {leg.holding}" for leg in fact.legs)
    price = f"for at least {number(fact.net)}" if fact.net is not None else "at the market"
    return f"means to send {fact.role.value} order {fact.id} for all legs, {price}: {legs}{_why(fact.reason)}"


def _close(fact: j.CloseRequested) -> str:
    left = f", leaving {number(fact.remain)}" if fact.remain else ""
    return f"{_by(fact.by)} asks to close{left}: {fact.reason.value}{_why(fact.detail)}"


def _protection(fact: j.ProtectionChosen) -> str:
    if fact.bare:
        return f"{_by(fact.by)} leaves it without protection"
    return (
        f"{_by(fact.by)} chooses stop {number(fact.stop) or 'by policy'}, target {number(fact.target) or 'by policy'}"
    )


def _break_seen(fact: j.BreakSeen) -> str:
    found = fact.finding
    where = f" {found.holding}" if found.holding is not None else ""
    evidence = f" ({found.evidence})" if found.evidence else ""
    return f"{found.kind.value}{where}: booked {found.booked}, reported {found.reported}{evidence}"


def _request(fact: j.RequestTaken) -> str:
    arguments = " ".join(f"{name}={value}" for name, value in fact.arguments.items())
    return f"{_by(fact.by)} asked for: {fact.verb} {arguments}".rstrip()


def _by(who: str) -> str:
    return who or "someone"


def _why(text: str) -> str:
    return f" ({text})" if text else ""


def _scope(scope: str) -> str:
    return scope or "the account"


TELL: Mapping[type[j.Fact], Callable[[Any], str]] = {
    j.GuardStarted: lambda f: f"guard {f.version} started in mode {f.mode}{_why(f.host)}",
    j.GuardFailed: lambda f: f"guard failed after entry {f.entry}: {f.error}",
    j.GuardingBegan: lambda f: (
        f"guarding began at {f.broker} ({time(f.at_broker)})"
        f"{f', with what {len(f.orders)} orders had just filled' if f.orders else ''}"
    ),
    j.GuardStopped: lambda f: f"guard stopped: {f.reason}",
    j.WatermarkMoved: lambda f: f"activities read up to {f.watermark}",
    j.CashCompared: lambda f: (
        f"the broker's cash, {f.cash:f}, agrees with the {f.rows} rows booked; realised {f.profit:f}"
        f"{f', rounded off so far {f.left:f}' if f.left else ''}"
        if f.agrees
        else f"the broker's cash, {f.cash:f}, is compared from here on: {f.why}"
    ),
    j.AccountSeen: lambda f: f"this journal is of account {f.number} at the broker",
    j.SessionSeen: lambda f: (
        f"session is {'open' if f.is_open else 'closed'}; opens {time(f.next_open)}, closes {time(f.next_close)}"
    ),
    j.OrderIntended: lambda f: (
        f"means to send {f.role.value} order {f.id}: {_terms(f.terms, f.holding)}{_for_several(f)}{_why(f.reason)}"
    ),
    j.OrderAccepted: lambda f: f"broker accepted {f.id} as {f.broker_id}",
    j.OrderRejected: lambda f: f"broker refused {f.id}: {f.reason}{_why(' '.join((f.kind, f.code)).strip())}",
    j.CopyRefused: lambda f: f"broker refused a second copy of {f.id}, an earlier may still arrive: {f.reason}",
    j.OrderNotSent: lambda f: f"{f.id} never left: {f.reason}",
    j.OrderInDoubt: lambda f: f"outcome of {f.id} unknown: {f.reason}",
    j.OrderMissing: lambda f: f"asked for {f.id}: the broker does not know it (no proof alone)",
    j.OrderNeverArrived: lambda f: f"{f.id} never arrived: {f.reason}",
    j.OrderObserved: _observed,
    j.CancelIntended: lambda f: f"asks to cancel {f.broker_id}{_why(f.reason)}",
    j.CancelAnswered: lambda f: f"cancel of {f.broker_id}: {f.outcome}{_why(f.reason)}",
    j.FillBooked: _booked,
    j.FillMatched: lambda f: (
        f"{_fill(f.fill)}: already in {f.position or 'what is acknowledged'}, matched and not added"
    ),
    j.ProfitRestated: lambda f: (
        f"{f.late} on {f.holding} came after later fills: profit changes by"
        f" {number(sum((each.realised for each in f.corrections), Decimal(0)))}"
    ),
    j.FillBusted: lambda f: f"the broker has taken back the trade {f.execution} on {f.holding}: its parts are undone",
    j.MovedOut: lambda f: (
        f"{number(sum((part.quantity for part in f.parts), Decimal(0)))} {f.holding} left by no trade"
        f" ({', '.join(f.movements)}): {f.reason.value}"
    ),
    j.MovementBooked: lambda f: (
        f"{f.movement.kind.value} {f.movement.holding or ''} {number(f.movement.quantity)} ({f.movement.id},"
        f" {f.movement.status})"
    ),
    j.EndRestated: lambda f: (
        f"{f.holding} was worth {number(f.price)} at its end by the broker's account, {number(f.was)} as inferred:"
        f" profit changes by {number(sum((each.realised for each in f.corrections), Decimal(0)))}"
    ),
    j.EndsCompared: lambda f: f"how options ended on {f.day} {'agrees' if f.agrees else 'DIFFERS'}: {f.told}",
    j.Rescaled: lambda f: f"{f.holding} split: quantities times {number(f.ratio)} ({f.movement})",
    j.PricesSuspended: lambda f: f"price rules of {f.holding} suspended: {f.reason}",
    j.PricesResumed: lambda f: f"price rules of {f.holding} resumed: {f.reason}",
    j.OpeningRequested: _opening,
    j.OpeningRefused: lambda f: f"opening of {f.holding} refused: {'; '.join(f.reasons)}",
    j.StructureRequested: _structure,
    j.LotSplit: lambda f: f"{number(f.quantity)} of {f.position} go on as {f.part}",
    j.StructureFormed: lambda f: (
        f"{_by(f.by)} makes {', '.join(f'{leg.position}:{leg.ratio:+}' for leg in f.legs)} one structure"
        f" of {number(f.units)}{_why(f.why)}"
    ),
    j.LegsSwapped: lambda f: f"changes its leg in {f.holding} with {f.other}: a close was booked to the wrong one",
    j.CloseMoved: lambda f: (
        f"what others closed of {f.holding}, {number(f.quantity)}, was booked to {f.booked}: it is {f.belongs}'s"
    ),
    j.StructureDissolved: lambda f: f"{_by(f.by)} takes it apart, its legs go on alone{_why(f.reason)}",
    j.TogetherIntended: _together,
    j.LotFound: lambda f: f"position found behind foreign order {f.order} on {f.holding}: {f.standing.value}",
    j.PositionAdopted: lambda f: f"{_by(f.by)} adopts {number(f.quantity)} {f.holding} at {number(f.price)}",
    j.PositionDescribed: lambda f: (
        f"{_by(f.by)} says it is {f.strategy or 'as it was'}"
        + (f", entered at {number(f.price)}" if f.price is not None else "")
        + (f", since {f.opened_at:%Y-%m-%d %H:%M} UTC" if f.opened_at is not None else "")
    ),
    j.StandingChanged: lambda f: f"{_by(f.by)} makes it {f.standing.value}",
    j.CloseRequested: _close,
    j.CloseStalled: lambda f: f"close put off, its exits go back: {f.reason}",
    j.CloseWithdrawn: lambda f: f"close withdrawn: {f.reason}",
    j.PositionSettled: lambda f: f"closed, proven flat: {f.reason.value}; proof: {f.proof}",
    j.PositionWrittenOff: lambda f: f"written off by {_by(f.by)}: {f.reason.value}{_why(f.detail)}",
    j.PositionReinstated: lambda f: f"{_by(f.by)} takes its write-off back: it is in the books again",
    j.TrailMoved: lambda f: (
        f"trail at rung {f.trail.rung}: best result {number(f.trail.peak)}, stop now at {number(f.trail.stop)}"
    ),
    j.ProtectionChosen: _protection,
    j.OpeningVerified: lambda f: f"opening {f.answer}: {f.detail}",
    j.NakedBegan: lambda f: "without the cover its policy asks for, from here on",
    j.NakedEnded: lambda f: "covered again",
    j.ForeignAcknowledged: lambda f: f"{_by(f.by)} acknowledges {number(f.quantity)} {f.holding} as foreign",
    j.BreakSeen: _break_seen,
    j.BreakConfirmed: lambda f: "confirmed by a second look",
    j.BreakActed: lambda f: f"done about it: {f.action}",
    j.BreakEnded: lambda f: f"ended by {f.by}",
    j.AlertRaised: lambda f: f"{f.severity.value} alert: {f.text}",
    j.AlertDelivered: lambda f: f"alert delivered by {f.channel}",
    j.AlertFailed: lambda f: f"alert not delivered: {f.reason}",
    j.AlertAcknowledged: lambda f: f"alert acknowledged by {_by(f.by)}",
    j.RequestTaken: _request,
    j.RequestDone: lambda f: f"request {'done' if f.ok else 'not done'}{_why(f.detail)}",
    j.Frozen: lambda f: f"{_by(f.by)} freezes {_scope(f.scope)}{_why(f.reason)}",
    j.Thawed: lambda f: f"{_by(f.by)} thaws {_scope(f.scope)}",
    j.FlattenRequested: lambda f: f"{_by(f.by)} flattens {'everything' if f.everything else 'what the books hold'}",
    j.FlattenEnded: lambda f: f"flatten ended: {f.detail}",
    j.Undone: lambda f: f"{_by(f.by)} takes back entry {f.entry}: {f.detail}",
}
