"""The way between the guard and the exchange: drawn delays, faults, outages; requests outlive who sent them.

Theory: a request travels, is carried out at the exchange, and its answer travels back. Each half is a timer of the
world, not of the guard, so a guard that gives up or is killed takes neither back: what has left arrives.

Invariants
1. The engine sees every request at the loop's own time, never earlier than what was due before it.
2. Only `Unreachable` is raised for what never left; whatever left and was not answered is `OutcomeUnknown`.
3. All chance is drawn from one seeded stream, in the order in which requests leave.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from random import Random
from typing import Any, Generic, TypeVar

from standfast.exchange.engine import Engine
from standfast.exchange.faults import (
    Fault,
    Faults,
    Garbled,
    NeverAnswered,
    NeverArrives,
    RateLimited,
    RefusedWith,
    Reset,
    ServerError,
    Slow,
)
from standfast.exchange.past import Past
from standfast.exchange.refusal import Refused
from standfast.model.errors import BrokerError, Malformed, OutcomeUnknown, Rejected, Unreachable
from standfast.sim.effects import effect, effect_of
from standfast.sim.handles import SimHandle
from standfast.sim.loop import PROCESS, Died, Process, current
from standfast.sim.translate import rejected

Answer = TypeVar("Answer")
Deed = Callable[[Fault | None], Answer]

WRITES = frozenset({"submit", "replace", "cancel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """Seconds; delays are drawn evenly between the two ends."""

    there: tuple[float, float] = (0.002, 0.020)
    back: tuple[float, float] = (0.002, 0.020)
    stream: tuple[float, float] = (0.002, 0.030)
    deadline: float = 5.0
    """How long an answer is waited for."""
    reconnect: tuple[float, float] = (0.5, 1.5)


class Line(ABC):
    """An account's line to the exchange, whatever travels on it; every guard of the run uses the same one."""

    def __init__(self, travel: Travel, draw: Random) -> None:
        self.travel = travel
        self.asked: Counter[str] = Counter()
        """Requests that left, by operation."""
        self.cutters: list[Callable[[str], None]] = []
        """Every open stream's way to be cut."""
        self.outside = Context()
        """The context of what happens to nobody in particular: it belongs to no process."""
        self.spoil: Callable[[str, bytes], bytes] = lambda _operation, body: body
        """What becomes of a body (or, under the name `frame`, of a stream's message) on its way to the real adapter."""
        self._draw = draw
        self._down_until: datetime | None = None

    @abstractmethod
    def catch_up(self) -> datetime:
        """Let the exchange come up to now."""

    def outage(self, seconds: float) -> None:
        """No name resolves and no stream lives for this long: nothing leaves."""
        self._down_until = current().present + timedelta(seconds=seconds)
        self.cut("the network is down")

    def heal(self) -> None:
        """End an outage before its time."""
        self._down_until = None

    def cut(self, reason: str) -> None:
        """End every open stream now."""
        for cutter in tuple(self.cutters):
            cutter(reason)

    @property
    def is_down(self) -> bool:
        return self._down_until is not None and current().present < self._down_until

    def draw(self, span: tuple[float, float]) -> float:
        return self._draw.uniform(*span)

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        current().call_later(seconds, act, context=self.outside)


class Wire(Line):
    """To the engine for shares and options."""

    def __init__(self, engine: Engine, account: str, *, faults: Faults, seed: int, travel: Travel) -> None:
        super().__init__(travel, Random(f"wire-{seed}"))
        self.engine = engine
        self.account = account
        self.faults = faults
        self.past = Past(engine)

    def catch_up(self) -> datetime:
        engine, now = self.engine, current().present
        before = engine.now
        engine.advance(now if now > before else before)
        return engine.now

    # --- requests -------------------------------------------------------------------------------

    async def ask(self, operation: str, instrument: str | None, deed: Deed[Answer]) -> Answer:
        """One request: `deed` is what the exchange does and answers, given the fault that strikes the answer.

        Raises what `ports.Broker` says: of reads and of writes.
        """
        effect(_named("send", operation), _REFUSED)
        if self.is_down:
            await asyncio.sleep(0.01)
            raise Unreachable("the name does not resolve")
        loop, travel = current(), self.travel
        fault = self.faults.decide(operation, instrument, loop.present, account=self.account)
        self.asked[operation] += 1
        answer: asyncio.Future[Answer] = loop.create_future()
        there, back = self._draw.uniform(*travel.there), self._draw.uniform(*travel.back)
        if fault is not None and isinstance(fault, Slow):
            there, back = (there + fault.seconds, back) if fault.late == "request" else (there, back + fault.seconds)
        deadline = travel.deadline
        patience = _Patience(answer, operation, loop.time() + deadline, deadline)
        if there + back >= deadline or (fault is not None and isinstance(fault, NeverArrives | NeverAnswered)):
            patience.begin()  # otherwise the answer is there in time, unless it is lost: `_arrive` knows
        arriving = (operation, PROCESS.get(), deed, fault, patience, back)
        loop.call_later(there, self._arrive, *arriving, context=self.outside)
        try:
            found = await answer
        except _Unanswered as error:
            raise OutcomeUnknown(str(error)) from None
        except BrokerError:
            effect(_named("answer", operation))
            raise
        finally:
            patience.end()
        effect(_named("answer", operation), partial(_not_understood, operation))
        return found

    def _arrive(
        self,
        operation: str,
        process: Process | None,
        deed: Deed[Answer],
        fault: Fault | None,
        patience: "_Patience[Answer]",
        back: float,
    ) -> None:
        self.catch_up()
        error: BrokerError | None = None
        found: list[Answer] = []
        if fault is None or fault.is_applied:
            try:
                found.append(deed(fault))
            except Refused as refused:
                error = rejected(operation, refused)
            except BrokerError as its_own:
                error = its_own
        if fault is not None and isinstance(fault, NeverArrives | NeverAnswered):
            _is_lost(operation, process)
            return
        if _is_lost(operation, process):
            patience.begin()
            return
        if fault is not None:
            error = _spoilt(operation, fault) or error
        current().call_later(back, _settle, patience.answer, found, error, context=self.outside)


def _spoilt(operation: str, fault: Fault) -> BrokerError | None:
    """What the adapter makes of a spoilt answer."""
    match fault:
        case RateLimited(reset_after=seconds):
            return Rejected("over the request limit (429)", kind="rate_limited", code="429", retry_after=seconds)
        case ServerError(status=status):
            return OutcomeUnknown(f"{operation}: answered {status}, which proves nothing")
        case Reset():
            return OutcomeUnknown(f"{operation}: the connection was reset")
        case Garbled():
            return _not_understood(operation)
        case RefusedWith(status=429):
            return Rejected("over the request limit (429)", kind="rate_limited", code="429")
        case RefusedWith(status=status, body=body):
            return rejected(operation, _as_refused(status, body))
        case _:
            return None


class _Unanswered(Exception):
    """Who asked has waited long enough."""


class _Patience(Generic[Answer]):
    """How long an answer is waited for. A timer only where it may be late: most come in time, and each timer costs."""

    __slots__ = ("_asker", "_due", "_operation", "_seconds", "_timer", "answer")

    def __init__(self, answer: "asyncio.Future[Answer]", operation: str, due: float, seconds: float) -> None:
        """`due`: the loop's time at which it ends."""
        self.answer = answer
        self._operation, self._due, self._seconds = operation, due, seconds
        self._asker = copy_context()
        self._timer: SimHandle | None = None

    def begin(self) -> None:
        """From here on somebody may wait in vain."""
        if self._timer is None and not self.answer.done():
            self._timer = current().call_at(
                self._due, _give_up, self.answer, self._operation, self._seconds, context=self._asker
            )

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


_REFUSED = partial(Unreachable, "the connection was refused")
_ANSWER_LOST = partial(OutcomeUnknown, "the answer was lost")


@lru_cache(maxsize=256)
def _named(moment: str, operation: str) -> str:
    """The effect's name."""
    return f"{moment} {operation}"


def _give_up(answer: "asyncio.Future[Any]", operation: str, seconds: float) -> None:
    if not answer.done():
        answer.set_exception(_Unanswered(f"{operation}: no answer within {seconds:g} s"))


def _not_understood(operation: str) -> BrokerError:
    kind = OutcomeUnknown if operation in WRITES else Malformed
    return kind(f"{operation}: the answer cannot be understood")


def _is_lost(operation: str, process: Process | None) -> bool:
    """Whether the answer is lost by plan, or with who asked: the exchange has acted, whatever becomes of them."""
    if process is None or not process.is_alive:
        return False  # what a dead process sent still arrives, and is no effect of anybody
    try:
        effect_of(process, _named("acted", operation), _ANSWER_LOST)
    except (OutcomeUnknown, Died):
        return True
    return False


def _as_refused(status: int, body: dict[str, object]) -> Refused:
    details = {name: str(value) for name, value in body.items() if name not in ("code", "message")}
    code = body.get("code")
    return Refused(status, code if isinstance(code, int) else 0, str(body.get("message", "")), details)


def _settle(answer: "asyncio.Future[Answer]", found: list[Answer], error: BrokerError | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
        answer.exception()  # seen: who asked may have been killed meanwhile, and nobody is to be told then
    else:
        current().settle(answer, found[0])
