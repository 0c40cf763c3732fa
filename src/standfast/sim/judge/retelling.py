"""What each kind of entry does to the retold journal."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from standfast.core.put_back import STEP
from standfast.model import journal as j
from standfast.model.ids import BrokerOrderId, Holding
from standfast.model.order import OrderReport
from standfast.model.position import Standing
from standfast.sim.judge.retold import ZERO, Fate, Intent, Listed, Lot, Retold


def retell(retold: Retold, entry: j.Entry) -> None:
    """Take the next entry."""
    tell = TELLERS.get(type(entry.fact))
    if tell is not None:
        tell(retold, entry.fact, entry)
    retold.put_back += retold.last_at is not None and entry.at < retold.last_at - STEP
    retold.head, retold.epoch, retold.last_at = entry.number, entry.epoch, entry.at


def _intended(r: Retold, fact: j.OrderIntended, entry: j.Entry) -> None:
    intent = Intent(fact, entry.at, entry.epoch)
    r.intents[fact.id] = intent
    r.of.setdefault(fact.position, []).append(intent)
    r.file(intent)


def _end(r: Retold, intent: Intent, by: str) -> None:
    intent.fate, intent.ended_by = Fate.OVER, by
    r.file(intent)


def _accepted(r: Retold, fact: j.OrderAccepted, entry: j.Entry) -> None:
    intent = r.intents.get(fact.id)
    if intent is not None:
        intent.broker_id = fact.broker_id
        r.by_broker[fact.broker_id] = fact.id
        if intent.fate is not Fate.OVER:
            intent.fate = Fate.WORKING


def _refused(r: Retold, fact: j.OrderRejected, entry: j.Entry) -> None:
    intent = r.intents.get(fact.id)
    if intent is not None and not intent.is_known:
        _end(r, intent, "rejected")


def _not_sent(r: Retold, fact: j.OrderNotSent, entry: j.Entry) -> None:
    intent = r.intents.get(fact.id)
    if intent is not None and intent.fate is Fate.MEANT:
        _end(r, intent, "not sent")


def _doubted(r: Retold, fact: j.OrderInDoubt | j.OrderMissing, entry: j.Entry) -> None:
    intent = r.intents.get(fact.id)
    if intent is not None and not intent.is_known:
        intent.fate = Fate.DOUBTED


def _never(r: Retold, fact: j.OrderNeverArrived, entry: j.Entry) -> None:
    intent = r.intents.get(fact.id)
    if intent is not None and not intent.is_known:
        _end(r, intent, "never arrived")


def _observed(r: Retold, fact: j.OrderObserved, entry: j.Entry) -> None:
    for report in (fact.report, *fact.report.legs):
        _report(r, report)
    intent = r.intents.get(fact.report.client_id)
    if intent is not None and fact.report.legs:
        for leg in fact.report.legs:
            before, _ = intent.legs.get(leg.broker_id, (ZERO, 0))
            intent.legs[leg.broker_id] = (max(before, leg.filled), leg.side.sign)
            r.by_parent[leg.broker_id] = intent
        r.file(intent)


def _report(r: Retold, report: OrderReport) -> None:
    intent = r.intents.get(report.client_id)
    if intent is None:
        return
    intent.broker_id = report.broker_id
    r.by_broker[report.broker_id] = report.client_id
    intent.reported = max(intent.reported, report.filled)
    if report.is_finished:
        _end(r, intent, str(report.state))
    elif intent.fate is not Fate.OVER:
        intent.fate = Fate.WORKING
        r.file(intent)


def _cancelling(r: Retold, fact: j.CancelIntended, entry: j.Entry) -> None:
    r.given_up.add(fact.broker_id)
    id = r.by_broker.get(fact.broker_id)
    if id is not None:
        r.intents[id].cancel_at = entry.at


def _fill_booked(r: Retold, fact: j.FillBooked, entry: j.Entry) -> None:
    fill = fact.fill
    _count(r, fill.execution_id, fill.broker_order_id, fill.quantity)
    bought, sold = r.traded.get(fill.holding, (ZERO, ZERO))
    is_bought = fill.side.sign > 0
    r.traded[fill.holding] = (bought + fill.quantity, sold) if is_bought else (bought, sold + fill.quantity)
    for part in fact.allocations:
        if part.position is None:
            _acknowledge(r, fill.holding, r.acknowledged.get(fill.holding, ZERO) + part.quantity * fill.side.sign)
            continue
        lot = r.lots[part.position]
        if part.opens:
            lot.opened += part.quantity
            lot.value += part.quantity * fill.price
            lot.opened_at = lot.opened_at or fill.at
        else:
            lot.closed += part.quantity
        if lot.closing is not None and 0 < lot.held <= lot.closing.remain:
            lot.closing = lot.closing_at = None


def _busted(r: Retold, fact: j.FillBusted, entry: j.Entry) -> None:
    for part in fact.parts:
        assert part.position is not None, fact
        lot = r.lots[part.position]
        if part.opens:
            lot.opened -= part.quantity
            lot.value -= part.quantity * fact.price
        else:
            lot.closed -= part.quantity
        if lot.over:
            lot.over, lot.closing, lot.closing_at = False, None, None
            r.put(lot)


def _moved_out(r: Retold, fact: j.MovedOut, entry: j.Entry) -> None:
    for part in fact.parts:
        if part.position is None:
            _acknowledge(r, fact.holding, r.acknowledged.get(fact.holding, ZERO) - part.quantity * fact.sign)
        else:
            r.lots[part.position].closed += part.quantity


def _count(r: Retold, execution: str, order: BrokerOrderId, quantity: Decimal) -> None:
    r.executions.add(execution)
    r.booked[order] = r.booked.get(order, ZERO) + quantity
    id = r.by_broker.get(order)
    if order in r.by_parent:
        r.file(r.by_parent[order])
    if id is not None:
        intent = r.intents[id]
        intent.executed += quantity
        if intent.executed >= intent.fact.terms.quantity and intent.fate is not Fate.OVER:
            intent.fate, intent.ended_by = Fate.OVER, "filled"
        r.file(intent)


def _matched(r: Retold, fact: j.FillMatched, entry: j.Entry) -> None:
    _count(r, fact.fill.execution_id, fact.fill.broker_order_id, fact.fill.quantity)


def _acknowledge(r: Retold, holding: Holding, quantity: Decimal) -> None:
    if quantity:
        r.acknowledged[holding] = quantity
    else:
        r.acknowledged.pop(holding, None)


def _acknowledged(r: Retold, fact: j.ForeignAcknowledged, entry: j.Entry) -> None:
    _acknowledge(r, fact.holding, fact.quantity)


def _rescaled(r: Retold, fact: j.Rescaled, entry: j.Entry) -> None:
    r.rescaled.add(fact.holding)
    for lot in r.lots_at(fact.holding):
        lot.asked, lot.opened, lot.closed = lot.asked * fact.ratio, lot.opened * fact.ratio, lot.closed * fact.ratio
        lot.anchor = lot.anchor / fact.ratio if lot.anchor is not None else None
        lot.stop = lot.stop / fact.ratio if lot.stop is not None else None
        if lot.closing is not None:
            lot.closing = replace(lot.closing, remain=lot.closing.remain * fact.ratio)
    if fact.holding in r.acknowledged:
        r.acknowledged[fact.holding] *= fact.ratio


def _requested(r: Retold, fact: j.OpeningRequested, entry: j.Entry) -> None:
    sign = 1 if fact.quantity > 0 else -1
    lot = Lot(fact.position, fact.holding, sign, Standing.OWNED, fact.strategy, asked=abs(fact.quantity))
    lot.stop = fact.stop
    r.put(lot)


def _lot_found(r: Retold, fact: j.LotFound, entry: j.Entry) -> None:
    r.put(Lot(fact.position, fact.holding, fact.sign, fact.standing, fact.strategy, order=fact.order))


def _adopted(r: Retold, fact: j.PositionAdopted, entry: j.Entry) -> None:
    sign, quantity = 1 if fact.quantity > 0 else -1, abs(fact.quantity)
    lot = Lot(fact.position, fact.holding, sign, Standing.ADOPTED, fact.strategy, anchor=fact.anchor)
    lot.opened, lot.value, lot.opened_at = quantity, quantity * fact.price, entry.at
    r.put(lot)


def _lot_split(r: Retold, fact: j.LotSplit, entry: j.Entry) -> None:
    lot = r.lots[fact.position]
    part = Lot(fact.part, lot.holding, lot.sign, lot.standing, lot.strategy, anchor=lot.anchor, order=lot.order)
    value = lot.value * fact.quantity / lot.opened
    part.opened, part.value, part.opened_at = fact.quantity, value, lot.opened_at
    lot.opened, lot.value = lot.opened - fact.quantity, lot.value - value
    r.put(part)


def _described(r: Retold, fact: j.PositionDescribed, entry: j.Entry) -> None:
    lot = r.lots.get(fact.position)
    if lot is not None:
        lot.strategy = fact.strategy or lot.strategy
        lot.opened_at = fact.opened_at or lot.opened_at
        lot.value = lot.value if fact.price is None else lot.opened * fact.price


def _standing(r: Retold, fact: j.StandingChanged, entry: j.Entry) -> None:
    lot = r.lots.get(fact.position)
    if lot is not None:
        lot.standing, lot.anchor = fact.standing, fact.anchor


def _close_requested(r: Retold, fact: j.CloseRequested, entry: j.Entry) -> None:
    lot = r.lots.get(fact.position)
    if lot is not None and not lot.over:
        lot.closing, lot.closing_at = fact, entry.at


def _close_withdrawn(r: Retold, fact: j.CloseWithdrawn, entry: j.Entry) -> None:
    lot = r.lots.get(fact.position)
    if lot is not None:
        lot.closing = lot.closing_at = None


def _settled(r: Retold, fact: j.PositionSettled, entry: j.Entry) -> None:
    r.drop(fact.position)


def _written_off(r: Retold, fact: j.PositionWrittenOff, entry: j.Entry) -> None:
    if fact.position in r.lots:
        r.written_off.add(r.lots[fact.position].holding)
    r.drop(fact.position)


def _reinstated(r: Retold, fact: j.PositionReinstated, entry: j.Entry) -> None:
    lot = r.lots.get(fact.position)
    if lot is not None:
        lot.over, lot.closing, lot.closing_at = False, None, None
        r.put(lot)


def _protection(r: Retold, fact: j.ProtectionChosen, entry: j.Entry) -> None:
    lot = r.lots.get(fact.position)
    if lot is not None:
        lot.stop, lot.bare = fact.stop, fact.bare


def _suspended(r: Retold, fact: j.PricesSuspended, entry: j.Entry) -> None:
    r.suspended[fact.holding] = entry.at


def _resumed(r: Retold, fact: j.PricesResumed, entry: j.Entry) -> None:
    r.suspended.pop(fact.holding, None)


def _seen(r: Retold, fact: j.BreakSeen, entry: j.Entry) -> None:
    found = fact.finding
    known = r.breaks.get(fact.id)
    r.breaks[fact.id] = Listed(found.kind, found.holding, found.subject, told=known is not None and known.told)


def _confirmed(r: Retold, fact: j.BreakConfirmed, entry: j.Entry) -> None:
    if fact.id in r.breaks:
        r.breaks[fact.id].confirmed_at = entry.at


def _ended(r: Retold, fact: j.BreakEnded, entry: j.Entry) -> None:
    r.breaks.pop(fact.id, None)


def _alarmed(r: Retold, fact: j.AlertRaised, entry: j.Entry) -> None:
    if "the broker takes no order for a fraction" in fact.text:
        r.fractions.add(fact.text.split()[0])
    if fact.break_id in r.breaks:
        r.breaks[fact.break_id].told = True


def _taken(r: Retold, fact: j.RequestTaken, entry: j.Entry) -> None:
    r.taken[fact.request] = entry.epoch
    r.asked[fact.request] = fact


def _done(r: Retold, fact: j.RequestDone, entry: j.Entry) -> None:
    r.taken.pop(fact.request, None)
    r.done[fact.request] = fact


def _began(r: Retold, fact: j.GuardingBegan, entry: j.Entry) -> None:
    r.began = True


TELLERS: dict[type[j.Fact], Callable[[Retold, Any, j.Entry], None]] = {
    j.GuardingBegan: _began,
    j.OrderIntended: _intended,
    j.OrderAccepted: _accepted,
    j.OrderRejected: _refused,
    j.OrderNotSent: _not_sent,
    j.OrderInDoubt: _doubted,
    j.OrderMissing: _doubted,
    j.OrderNeverArrived: _never,
    j.OrderObserved: _observed,
    j.CancelIntended: _cancelling,
    j.FillBooked: _fill_booked,
    j.FillMatched: _matched,
    j.FillBusted: _busted,
    j.MovedOut: _moved_out,
    j.ForeignAcknowledged: _acknowledged,
    j.Rescaled: _rescaled,
    j.OpeningRequested: _requested,
    j.LotFound: _lot_found,
    j.PositionAdopted: _adopted,
    j.LotSplit: _lot_split,
    j.PositionDescribed: _described,
    j.StandingChanged: _standing,
    j.CloseRequested: _close_requested,
    j.CloseWithdrawn: _close_withdrawn,
    j.PositionSettled: _settled,
    j.PositionWrittenOff: _written_off,
    j.PositionReinstated: _reinstated,
    j.ProtectionChosen: _protection,
    j.PricesSuspended: _suspended,
    j.PricesResumed: _resumed,
    j.BreakSeen: _seen,
    j.BreakConfirmed: _confirmed,
    j.BreakEnded: _ended,
    j.AlertRaised: _alarmed,
    j.RequestTaken: _taken,
    j.RequestDone: _done,
}
