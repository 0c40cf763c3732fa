"""What a guard has said of an act, whoever waits for it and however."""

from dataclasses import dataclass, field

from standfast.client.line import Line
from standfast.client.results import Proof
from standfast.client.values import duration
from standfast.client.waiting import Steps
from standfast.model.errors import Refused
from standfast.model.ids import PositionId, RequestId

PROOF_WITHIN = 60.0
"""Seconds `wait` gives to a proof unless it is told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a guard said when it was asked. True in a condition means accepted."""

    account: str
    verb: str
    request: str
    """`standfast explain REQUEST` shows everything it went through."""
    id: str | None
    """The bot's own, where it gave one."""
    position_id: str | None
    """The position it is about; of an opening, the one it makes. None where it is about none."""
    accepted: bool
    """It has begun. Not proof that it is done: that is what `wait` returns."""
    reasons: tuple[str, ...]
    """Why it was refused, every reason at once; empty where it was accepted."""
    _line: Line = field(repr=False, compare=False)

    def __bool__(self) -> bool:
        return self.accepted

    def _refuse(self) -> None:
        if not self.accepted:
            raise Refused(f"{self.account}: {self.verb} was refused: {'; '.join(self.reasons)}", self.reasons)

    def _proof(self, timeout: float | None) -> Steps[Proof]:
        self._refuse()
        about = PositionId(self.position_id) if self.position_id is not None else None
        return self._line.prove(
            RequestId(self.request), about, within=duration("timeout", PROOF_WITHIN if timeout is None else timeout)
        )
