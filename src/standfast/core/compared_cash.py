"""Realised profit beside the broker's cash: what the books have earned, and what the money says they have.

`core/cash.py` says what the cash must be. Here is when a difference may be spoken of, and what is written down.

1. Nothing is compared while a quantity differs, or fills are on their way: the money goes with them.
2. A difference is a finding at once, and confirmed when it has stood for an hour and the session is on: a row about a
   charge may be told later than it was taken, and what is taken at night is told before the morning.
3. It stays until the two agree again, or a person has seen the alarm and acknowledged it: then counting begins anew.
4. Where nothing can be said, nothing is: the comparison begins anew, and says why. A confirmed difference stands; one
   that is not, and has stood longer than what explains it takes to come, is told before it is dropped.
5. What was too small to speak of is remembered: a row that is told later explains it then.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from standfast.core.cash import Expected, expected, is_quiet
from standfast.core.situation import Situation
from standfast.core.tell import alarm
from standfast.model.alert import Severity
from standfast.model.breaks import Break, BreakKind, Finding
from standfast.model.evidence import CashRead
from standfast.model.journal import BreakEnded, CashCompared, Fact
from standfast.model.order import ZERO

EVERY = timedelta(hours=1)
"""Between two comparisons that are written down where they agree."""
STOOD = timedelta(hours=1)
"""How long a difference stands before it is told."""
FRESH = timedelta(minutes=10)
"""How old a reading may be that confirms one."""
ON_THEIR_WAY = timedelta(minutes=5)
"""How long the fills of an order that has filled are waited for. What has none then is missing, as the money says."""
CENT = Decimal("0.01")
OF_A_ROW = Decimal("0.005")
"""What a broker that keeps whole cents may round off each row."""

IN_QUESTION = frozenset({BreakKind.ORPHAN_POSITION, BreakKind.GHOST_POSITION, BreakKind.QUANTITY, BreakKind.SIDE})
PROFIT = "profit"
"""Subject of the finding."""
JUDGED = frozenset({BreakKind.PNL})


def cash_facts(s: Situation) -> Iterator[Fact]:
    """What is written down of the comparison: that it begins, that it agrees, that it begins anew."""
    read, kept = s.snapshot.cash, s.book.state.cash
    if read is None or not _may_compare(s):
        return
    found = _open(s)
    if found is not None and found.confirmed:
        if _is_accepted(s, found):
            yield from _anew(s, read, "the difference was acknowledged", found)
    elif kept.base is None or kept.doubt:
        yield from _anew(s, read, kept.doubt or "nothing was known before", found)
    elif found is None:
        yield from _agreed(s, read)


def cash_findings(s: Situation) -> tuple[Finding, ...] | None:
    """The difference, if there is one; None where nothing can be said."""
    read, kept, base = s.snapshot.cash, s.book.state.cash, s.book.state.cash.base
    if read is None or base is None or kept.doubt or not _may_compare(s):
        return None
    must = expected(kept, read)
    if must is None:
        return None
    gap, known = _gap(base, read, must), _open(s)
    if known is not None and _is_as_told(known, gap, must):
        return (known.finding,)
    return () if abs(gap) <= _rounding(must) else (_finding(base, read, must, gap),)


def has_stood(s: Situation, known: Break) -> bool:
    """Whether a difference is more than a row that comes late: seen again, an hour later, with the session on."""
    read = s.snapshot.cash
    if read is None or read.asked_after < known.number or abs(s.now - read.asked_at) > FRESH:
        return False
    return s.in_session and s.now - s.surely(known.first_seen) >= STOOD


def _may_compare(s: Situation) -> bool:
    exceeding = (s.book.state.orders[id].changed_at for id in s.book.exceeding)
    if s.booking or any(s.now - s.surely(at) < ON_THEIR_WAY for at in exceeding):
        return False
    return not any(found.finding.kind in IN_QUESTION for found in s.book.state.breaks.values())


def _open(s: Situation) -> Break | None:
    return next((found for found in s.book.breaks_at(None) if found.finding.kind is BreakKind.PNL), None)


def _is_accepted(s: Situation, found: Break) -> bool:
    """Whether a person has acknowledged it as it reads now."""
    times = (alert.acknowledged_at for alert in s.book.state.alerts.values() if alert.break_id == found.id)
    return any(at is not None and (found.told_at is None or at >= found.told_at) for at in times)


def _anew(s: Situation, read: CashRead, why: str, found: Break | None) -> Iterator[Fact]:
    """Count from this reading on, if nothing moved as it was made and it is late enough to have what is in doubt."""
    kept = s.book.state.cash
    if not is_quiet(kept, read) or (kept.base is not None and read.since < kept.base.until):
        return
    if kept.doubted_at is not None:
        waited = abs(read.asked_at - kept.doubted_at)  # abs: a clock may have been put back
        if read.asked_after < kept.doubted or waited < s.contract.staleness:
            return
    yield CashCompared(cash=read.cash, charges=read.charges, since=read.since, until=read.until, agrees=False, why=why)
    if found is not None:
        if not found.confirmed and s.now - s.surely(found.first_seen) >= ON_THEIR_WAY:
            yield alarm(s, Severity.WARNING, _dropped(s, found, why), key=f"profit {found.id} dropped")
        yield BreakEnded(id=found.id, by=f"compared anew: {why}")


def _dropped(s: Situation, found: Break, why: str) -> str:
    return (
        f"{s.book.account}: {found.finding.evidence}, and whether it is can be seen no longer: {why}, which may be the "
        "reason for it or not. Counting begins anew. Needed: look for the amount in the broker's own statement."
    )


def _agreed(s: Situation, read: CashRead) -> Iterator[Fact]:
    kept = s.book.state.cash
    if kept.base is None or read.since - kept.base.until < EVERY:
        return
    must = expected(kept, read)
    if must is None or not must.rows:
        return
    if abs(_gap(kept.base, read, must)) <= _rounding(must):
        yield CashCompared(
            cash=read.cash,
            charges=read.charges,
            since=read.since,
            until=read.until,
            agrees=True,
            profit=must.profit,
            rows=must.rows,
            left=kept.base.left + _unexplained(kept.base, read, must),
        )


def _gap(base: CashCompared, read: CashRead, must: Expected) -> Decimal:
    """What is there beyond what must be, and beyond what rows that are told by now had been missing before."""
    gap = _unexplained(base, read, must)
    if gap * base.left >= 0:
        return gap
    return max(gap + base.left, ZERO) if gap > 0 else min(gap + base.left, ZERO)


def _unexplained(base: CashCompared, read: CashRead, must: Expected) -> Decimal:
    """What is there beyond what must be. Charges that no row tells of yet may be taken off the cash already, or not."""
    gap = read.cash - must.cash
    return min(gap, gap + read.charges - base.charges, key=abs)


def _rounding(must: Expected) -> Decimal:
    return CENT + must.rows * OF_A_ROW


def _is_as_told(known: Break, gap: Decimal, must: Expected) -> bool:
    """Whether it is nearer to what was told than to nothing: rows that may be rounded off explain no more each day."""
    told = _gap_of(known)
    return abs(told - gap) <= min(_rounding(must) + CENT, abs(told) / 2)


def _gap_of(found: Break) -> Decimal:
    return Decimal(found.finding.reported) - Decimal(found.finding.booked)


def _finding(base: CashCompared, read: CashRead, must: Expected, gap: Decimal) -> Finding:
    booked, gap = Decimal(f"{must.profit:.2f}"), Decimal(f"{gap:.2f}")  # of any size: a price may be nonsense
    return Finding(
        kind=BreakKind.PNL,
        holding=None,
        subject=PROFIT,
        booked=str(booked),
        reported=str(booked + gap),
        evidence=(
            f"from {base.until:%Y-%m-%d %H:%M:%S} to {read.until:%Y-%m-%d %H:%M:%S} UTC the cash went from "
            f"{base.cash:.2f} to {read.cash:.2f}; by the {must.rows} fills and other rows booked it would be "
            f"{must.cash + ZERO:.2f}: {gap:+} is unexplained"
        ),
        gap=abs(gap),
    )
