"""The library for bots without an event loop."""

from collections.abc import Sequence

from standfast.client.answers import Answered
from standfast.client.results import Break, Order, Position, Proof
from standfast.client.verbs import Verbs
from standfast.client.waiting import run
from standfast.desk.acts import Act
from standfast.model.ids import PositionId, RequestId


class Answer(Answered):
    """An answer, and the way to its proof."""

    __slots__ = ()

    def wait(self, timeout: float | None = None) -> Proof:
        """The proof that it is done, within so many seconds (60).

        Raises Refused where it was not accepted, NotDone where it came to nothing, Unproven when the time is over: it
        may still come to be, and may be waited for again.
        """
        return run(self._proof(timeout))


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

    def breaks(self, *, unguarded_too: bool = False) -> Sequence[Break]:
        """What the guard found to differ, or cannot see (`blind`), and is open now. None: books and broker agree."""
        return self._line.breaks(unguarded_too=unguarded_too)

    def _ask(self, act: Act, request: RequestId, position: PositionId | None, id: str | None) -> Answer:
        return run(self._answer(Answer, act, request, position, id))


def connect(
    config: str = "standfast.toml",
    account: str | None = None,
    *,
    by: str = "",
    strategy: str = "",
    patience: float | None = None,
    good_for: float | None = None,
) -> Client:
    """The account of that name, or the only one of the settings file.

    `by`: who asks, kept in the journal (default: login and host). `strategy`: of what is opened without naming one.
    `patience`: seconds an act waits for a guard to be there, or back, before it raises NoGuard (10). `good_for`:
    seconds within which a guard has to take an act, which is not done after that (30). Nothing is asked here, and no
    file stays open; SettingsError and Misasked say what is wrong with file or name.
    """
    return Client(config, account, by=by, strategy=strategy, patience=patience, good_for=good_for)
