"""What a person is told, and whether it arrived. The journal is the outbox: raised with its cause, in one commit."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from standfast.model.ids import AlertId, BreakId


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return ("info", "warning", "critical").index(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    id: AlertId
    severity: Severity
    text: str
    """What happened, what was done, what is needed."""
    break_id: BreakId | None = None
    first_at: datetime
    delivered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    attempts: int = 0
    last_failure: str = ""
    failed_at: datetime | None = None
