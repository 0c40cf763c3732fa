"""The library for bots without an event loop."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from standfast.client.line import Line
from standfast.client.results import Order, Position, Proof
from standfast.client.values import duration
from standfast.client.verbs import PATIENCE, Verbs
from standfast.client.waiting import run
from standfast.desk.acts import Act
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

    @property
    def _about(self) -> PositionId | None:
        return PositionId(self.position_id) if self.position_id is not None else None


class Answer(Answered):
    """An answer, and the way to its proof."""

    __slots__ = ()

    def wait(self, timeout: float = PROOF_WITHIN) -> Proof:
        """The proof that it is done, within so many seconds.

        Raises Refused where it was not accepted, NotDone where it came to nothing, Unproven when the time is over: it
        may still come to be, and may be waited for again.
        """
        self._refuse()
        within = duration("timeout", timeout)
        return run(self._line.prove(RequestId(self.request), self._about, within=within))


class Client(Verbs[Answer]):
    """One account, asked and read through the ledger of its guard. Nothing stays open; use as many as you like."""

    def is_guarded(self) -> bool:
        """Whether a living guard holds the account now."""
        return self._line.is_guarded()

    def positions(self, *, closed_too: bool = False, unguarded_too: bool = False) -> Sequence[Position]:
        """Every position the books hold, of every strategy, foreign ones too; spreads after the others.

        Read from the ledger: no broker is asked. Raises NoGuard unless `unguarded_too`: what nobody keeps up to date is
        no ground to trade on.
        """
        return self._line.positions(closed_too=closed_too, unguarded_too=unguarded_too)

    def position(self, id: str, *, unguarded_too: bool = False) -> Position | None:
        """One position, closed ones too; None where the books have none of that id (any more)."""
        found = self.positions(closed_too=True, unguarded_too=unguarded_too)
        return next((each for each in found if each.id == id), None)

    def orders(self, *, finished_too: bool = False, unguarded_too: bool = False) -> Sequence[Order]:
        """Orders that may still fill, with `finished_too` every one the books keep."""
        return self._line.orders(finished_too=finished_too, unguarded_too=unguarded_too)

    def _ask(self, act: Act, request: RequestId, position: PositionId | None, id: str | None) -> Answer:
        said = run(self._line.ask(act, request, patience=self._patience))
        return Answer(
            account=self.account,
            verb=act.verb,
            request=request,
            id=id,
            position_id=position,
            accepted=said.accepted,
            reasons=said.reasons,
            _line=self._line,
        )


def connect(
    config: str = "standfast.toml",
    account: str | None = None,
    *,
    by: str = "",
    strategy: str = "",
    patience: float = PATIENCE,
) -> Client:
    """The account of that name, or the only one of the settings file.

    `by`: who asks, kept in the journal (default: login and host). `strategy`: of what is opened without naming one.
    `patience`: seconds an act waits for a guard to be there, or back, before it raises NoGuard. Nothing is asked here,
    and nothing opened; SettingsError and Misasked say what is wrong with file or name.
    """
    return Client(config, account, by=by, strategy=strategy, patience=patience)
