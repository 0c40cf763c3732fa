"""Facts about breaks, foreign quantity, alarms and operators."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from standfast.model.alert import Severity
from standfast.model.breaks import Finding
from standfast.model.ids import AlertId, BreakId, EntryNumber, Holding, RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignAcknowledged:
    """The holding's foreign quantity that is known and left alone, as a whole (signed)."""

    holding: Holding
    quantity: Decimal
    by: str
    before: Decimal = Decimal(0)
    """What was acknowledged until then; an undo goes back to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakSeen:
    """First sight, or a changed reading of the same break (which then must be confirmed anew)."""

    id: BreakId
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakConfirmed:
    id: BreakId


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakActed:
    id: BreakId
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEnded:
    id: BreakId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    id: AlertId
    severity: Severity
    text: str
    break_id: BreakId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivered:
    id: AlertId
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFailed:
    id: AlertId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAcknowledged:
    id: AlertId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTaken:
    request: RequestId
    verb: str
    arguments: Mapping[str, str]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDone:
    request: RequestId
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """No openings on this instrument, or on the account (empty scope)."""

    scope: str
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thawed:
    scope: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenRequested:
    request: RequestId
    everything: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenEnded:
    request: RequestId
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A later entry that takes back an earlier repair of the books; `detail` says what was restored."""

    entry: EntryNumber
    by: str
    detail: str
