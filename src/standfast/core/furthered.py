"""Which breaks a read may bring further that shows what the one before it did: only those are a reason for a look."""

from standfast.core.policy import Foreign, Rules
from standfast.core.reconcile import COVER_KINDS, ORDER_KINDS
from standfast.model.breaks import Break, BreakKind


def is_left_to_people(rules: Rules, found: Break) -> bool:
    """Whether nothing more is done about a break until somebody acts or something changes, but to tell it each hour.

    A look finds it as the last one left it, however often the same is read: only what changes is a reason for one.
    """
    finding = found.finding
    if finding.kind is not BreakKind.ORPHAN_POSITION or finding.holding is None:
        return False
    is_told = found.confirmed and found.alarmed_at is not None
    return is_told and rules.foreign_for(finding.holding) is Foreign.ALERT


def is_furthered(rules: Rules, found: Break, read: str) -> bool:
    """Whether a read of this kind that shows what the one before it did may bring a break further.

    One of positions may by being late enough to be compared, one of orders by following a first sight. All else that is
    done about a break follows what changes, or a moment that the last look has named.
    """
    kind = found.finding.kind
    if kind in ORDER_KINDS:
        return read == "orders" and not found.confirmed
    if kind in COVER_KINDS or kind in (BreakKind.IN_DOUBT, BreakKind.BLIND):
        return False
    return read == "positions" and not is_left_to_people(rules, found)
