"""The words an alarm uses: what happened, what was done, what is needed. For tired eyes at three in the morning."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from standfast.core.breaches import OURSELVES
from standfast.core.cover import cover_of
from standfast.core.own_record import RECORD, is_dropped
from standfast.core.policy import Foreign, Mode
from standfast.core.situation import Outcomes, Situation
from standfast.core.structures import structure_at
from standfast.model.alert import Severity
from standfast.model.breaks import Break, BreakKind, Finding
from standfast.model.ids import STRUCTURE, AlertId, BreakId, Holding, PositionId, digest
from standfast.model.journal import AlertRaised, CloseRequested, Fact, Frozen
from standfast.model.position import CloseReason

SEVERITY = {
    BreakKind.ORPHAN_POSITION: Severity.WARNING,
    BreakKind.ORPHAN_ORDER: Severity.INFO,
    BreakKind.GHOST_ORDER: Severity.WARNING,
    BreakKind.STRAY_EXIT: Severity.WARNING,
    BreakKind.OVER_COVERED: Severity.WARNING,
    BreakKind.PNL: Severity.WARNING,
}
"""Everything not named here is critical."""

WHAT = {
    BreakKind.ORPHAN_POSITION: "the broker holds what the books do not explain",
    BreakKind.GHOST_POSITION: "the books hold what the broker does not list; it stays booked until fills prove it flat",
    BreakKind.ORPHAN_ORDER: "an order that is not in the books",
    BreakKind.GHOST_ORDER: "an order of ours is booked as working and not listed",
    BreakKind.QUANTITY: "the broker's quantity differs from the books",
    BreakKind.SIDE: "the broker's side is the opposite of the books",
    BreakKind.UNCOVERED: "a position is not fully covered by a live stop",
    BreakKind.OVER_COVERED: "more is covered than is held",
    BreakKind.STRAY_EXIT: "an exit outlived its position",
    BreakKind.IN_DOUBT: "an order's outcome is still unknown",
    BreakKind.BLIND: "no usable quote: price rules of the guard cannot fire",
    BreakKind.STRUCTURE: "a spread lost its ratio",
    BreakKind.BOT_LOST: "the bot's own record dropped a live position",
    BreakKind.PNL: "realised profit differs from the broker's",
}


def alarm(s: Situation, severity: Severity, text: str, *, key: str, break_id: BreakId | None = None) -> AlertRaised:
    """An alarm whose id is derived from `key`: raised twice, it is one alarm."""
    return AlertRaised(id=_alert_id(s, key), severity=severity, text=text, break_id=break_id)


def _alert_id(s: Situation, key: str) -> AlertId:
    return AlertId(f"a{digest(s.book.account, key)[:9]}")


def alarm_once(s: Situation, severity: Severity, text: str, *, key: str) -> Iterator[AlertRaised]:
    """The alarm, unless it has been raised already."""
    told = alarm(s, severity, text, key=key)
    if told.id not in s.book.state.alerts:
        yield told


def short_price(price: Decimal | None) -> str:
    return "?" if price is None else f"{price:.4f}".rstrip("0").rstrip(".")


def wording(s: Situation, found: Break) -> tuple[Severity, str]:
    finding = found.finding
    if finding.kind is BreakKind.BOT_LOST or (finding.kind is BreakKind.BLIND and finding.subject == RECORD):
        return record_wording(s, found)
    if finding.kind is BreakKind.PNL:
        return SEVERITY[BreakKind.PNL], _profit(s, found)
    if finding.kind is BreakKind.STRUCTURE and finding.holding is not None and finding.holding.hedge != STRUCTURE:
        return _left_over(finding)
    severity = SEVERITY.get(finding.kind, Severity.CRITICAL)
    what = WHAT[finding.kind] if finding.holding is not None else "the broker cannot be read: the books go blind"
    subject = f" {finding.subject}" if finding.subject else ""
    lines = [f"{finding.holding or s.book.account}{subject}: {what}."]
    lines.append(f"Booked {finding.booked}, broker {finding.reported}.")
    if finding.evidence:
        lines.append(f"Evidence: {finding.evidence}.")
    refusal = s.book.state.refusals.get(PositionId(finding.subject))
    if refusal is not None:
        lines.append(f"The broker refused {refusal.count} times: {refusal.reason}. The guard holds the rule.")
    lines.append(_done(s, found))
    return severity, " ".join(lines)


def _left_over(finding: Finding) -> tuple[Severity, str]:
    text = (
        f"{finding.holding} {finding.subject}: {finding.reported} of it fit in no structure beside it. Held are "
        f"{finding.booked}. Evidence: {finding.evidence}. Needed: close it, or choose its stop with `standfast protect "
        f"{finding.subject}`."
    )
    return Severity.CRITICAL if finding.reported.startswith("-") else Severity.WARNING, text


def _profit(s: Situation, found: Break) -> str:
    finding = found.finding
    return (
        f"{s.book.account}: {WHAT[BreakKind.PNL]}. Booked {finding.booked}, by the broker's cash {finding.reported}. "
        f"Evidence: {finding.evidence}. Nothing is done: what is held agrees. Needed: look for the amount in the "
        "broker's own statement of that time (a trade, a charge, a transfer that the books lack), then acknowledge "
        "this alarm with `standfast ack`: counting begins anew."
    )


def record_wording(s: Situation, found: Break) -> tuple[Severity, str]:
    """Of the bot's own record: nothing is done to it, and what the guard holds does not hang on it."""
    finding = found.finding
    if finding.holding is None:
        told = (
            f"{s.book.account}: the bot's own record cannot be read ({finding.booked}): {finding.evidence}. What it "
            "drops is not noticed meanwhile; the guard goes on. Needed: see the bot and [accounts.tracker]."
        )
        return Severity.WARNING, told
    name = finding.holding.instrument if finding.holding.hedge == STRUCTURE else finding.holding
    lines = [f"{name}: the bot's own record has {finding.booked}, the broker holds {finding.reported}."]
    if not is_dropped(finding):
        lines.append("A bot that sells what it does not hold opens a position. Needed: correct its record.")
        return Severity.WARNING, " ".join([*lines, f"Evidence: {finding.evidence}."])
    lines += [f"Evidence: {finding.evidence}.", f"{_who_keeps(s, finding.holding)}."]
    return Severity.CRITICAL, " ".join([*lines, "Needed: see why the bot has lost it."])


def _who_keeps(s: Situation, holding: Holding) -> str:
    """What still closes a position that its bot has lost."""
    whole = structure_at(s.book, holding)
    is_ours = whole.is_guarded if whole is not None else bool(s.book.guarded_at(holding))
    if not is_ours:
        return "It is not ours in the books: nothing closes it"
    return "The guard keeps it under its rules" if s.may_act else f"Nothing closes it: {s.why_not}"


def _done(s: Situation, found: Break) -> str:
    if found.finding.kind is BreakKind.BLIND and found.finding.holding is None:
        return _blind(s)
    mode = s.rules.mode_for(found.finding.kind)
    if found.action:
        return f"Done: {found.action}."
    if mode is not Mode.REPAIR:
        return f"Nothing is done: mode is {mode}. Needed: look at `standfast explain {found.id}`."
    if found.finding.kind is BreakKind.ORPHAN_POSITION and found.finding.holding is not None:
        foreign = s.rules.foreign_for(found.finding.holding)
        if foreign is Foreign.ALERT:
            return (
                f"Left alone: foreign is alert. Needed: `standfast adopt {found.id}` or `standfast ignore {found.id}`."
            )
    return f"Being looked into. See `standfast explain {found.id}`."


def _blind(s: Situation) -> str:
    """What still bounds the losses while the broker cannot be read, and what does not."""
    guarded = [position for position in s.book.state.positions.values() if position.is_guarded]
    bare = [position.id for position in guarded if cover_of(s, position).stopped < s.book.held(position)]
    resting = len(guarded) - len(bare)
    parts = [f"{resting} of {len(guarded)} positions have their stop at the broker, which goes on without us."]
    if bare:
        parts.append(f"Only this guard protects {', '.join(bare[:10])}{', …' if len(bare) > 10 else ''}.")
    parts.append("The guard keeps asking. Needed: see whether the broker is down, or the line of this machine.")
    return " ".join(parts)


def rule_due(s: Situation, what: str, close: CloseRequested) -> Iterator[Fact]:
    """What may not be done is said, once a position and reason. A close put down now would be acted on much later."""
    if s.rules.mode is Mode.OBSERVE:
        return
    why = "the account is halted" if s.halted or s.stranger else f"mode is {s.rules.mode}"
    yield from alarm_once(
        s,
        Severity.CRITICAL,
        f"{close.position} {what}: {close.reason} is due, {close.detail}. Nothing is done: {why}. "
        "Needed: close it, or let the guard.",
        key=_rule_key(close.position, close.reason),
    )


def is_rule_said(s: Situation, position: PositionId, reason: CloseReason) -> bool:
    """Whether there is nothing to say, any more or at all, of a rule that is due where nothing may be done."""
    return s.rules.mode is Mode.OBSERVE or _alert_id(s, _rule_key(position, reason)) in s.book.state.alerts


def _rule_key(position: PositionId, reason: CloseReason) -> str:
    return f"rule/{position}/{reason}"


def ledger_trouble(s: Situation, text: str, *, key: str, freezes: str = "") -> Iterator[Fact]:
    """Something is wrong with the ledger itself: say it once for each `key`; `freezes` says why nothing is opened.

    What is held goes on being guarded. Openings wait for an operator's word: they are decided from the books.
    """
    if freezes and "" not in s.book.state.frozen:
        yield Frozen(scope="", by=OURSELVES, reason=freezes)
    yield from alarm_once(s, Severity.CRITICAL if freezes else Severity.WARNING, text, key=key)


def ledger_shortened(s: Situation, lost: str) -> Iterator[Fact]:
    """The journal's end is missing: it is an old copy, or was cut off, or stands in the place of one that is gone."""
    text = (
        f"The ledger has lost entries: {lost}. What the broker holds is taken in as `foreign` says, and what our own "
        "orders cover is ours; openings are frozen. Needed: look at `standfast positions` and `standfast breaks`, then "
        f"`standfast thaw {s.book.account}`."
    )
    yield from ledger_trouble(s, text, key=f"lost/{lost}/{s.book.head}", freezes="the ledger has lost entries")


SKEW_MAX = timedelta(seconds=2)
"""A clock further from the broker's makes time rules early or late and quotes look stale (reliability.md §4.1, A6)."""


def clock_skew(s: Situation) -> Outcomes:
    """Say once an hour that this machine's clock and the broker's differ."""
    if abs(s.clock_ahead) <= SKEW_MAX:
        return
    way = "behind" if s.clock_ahead > timedelta(0) else "ahead of"
    yield from alarm_once(
        s,
        Severity.WARNING,
        f"This machine's clock is {abs(s.clock_ahead).total_seconds():.1f} s {way} the broker's. Time rules use it. "
        "Needed: set it by NTP.",
        key=f"clock/{s.now:%Y%m%d%H}",
    )
