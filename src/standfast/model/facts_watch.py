"""Facts about breaks, foreign quantity, alarms and operators."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from standfast.model.alert import Severity
from standfast.model.breaks import Finding
from standfast.model.ids import AlertId, BreakId, EntryNumber, Holding, RequestId
from standfast.model.recorded import Recorded


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ForeignAcknowledged(Recorded):
    """The holding's foreign quantity that is known and left alone, as a whole (signed)."""

    holding: Holding
    quantity: Decimal
    by: str
    before: Decimal = Decimal(0)
    """What was acknowledged until then; an undo goes back to it."""
    bare: Decimal = Decimal(0)
    """What of the change was read and no booked fill explains: fills behind it are matched, and not added."""
    seen_at: datetime | None = None
    """When that was read, by the broker's clock: only fills of until then are behind it."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class BreakSeen(Recorded):
    """First sight, or a changed reading of the same break (which then must be confirmed anew)."""

    id: BreakId
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class BreakConfirmed(Recorded):
    id: BreakId


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class BreakActed(Recorded):
    id: BreakId
    action: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class BreakEnded(Recorded):
    id: BreakId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class AlertRaised(Recorded):
    id: AlertId
    severity: Severity
    text: str
    break_id: BreakId | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class AlertDelivered(Recorded):
    id: AlertId
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class AlertFailed(Recorded):
    id: AlertId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class AlertAcknowledged(Recorded):
    id: AlertId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CashCompared(Recorded):
    """The broker's cash, from which on profit is held against it. `agrees`: what was booked before explains it."""

    cash: Decimal
    charges: Decimal
    since: datetime
    until: datetime
    """By the broker's clock: it is what the account had at some moment between the two."""
    agrees: bool
    profit: Decimal = Decimal(0)
    """What the books had realised from the comparison before to this one."""
    rows: int = 0
    """Fills and other rows with an amount between the two."""
    left: Decimal = Decimal(0)
    """What no row explained up to here, each time too small to be more than rounding."""
    why: str = ""
    """Why it begins anew, where it does not agree with the one before."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class RequestTaken(Recorded):
    request: RequestId
    verb: str
    arguments: Mapping[str, str]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class RequestDone(Recorded):
    request: RequestId
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Frozen(Recorded):
    """No openings on this instrument, or on the account (empty scope)."""

    scope: str
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Thawed(Recorded):
    scope: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FlattenRequested(Recorded):
    request: RequestId
    everything: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FlattenEnded(Recorded):
    request: RequestId
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Undone(Recorded):
    """A later entry that takes back an earlier repair of the books; `detail` says what was restored."""

    entry: EntryNumber
    by: str
    detail: str
