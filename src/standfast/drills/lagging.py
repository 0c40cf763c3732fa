"""`rollback-doubles` over many seeds: an entry at an exchange whose positions are late, and what else a seed draws.

That is which exchange, which side, whether the bot asks the guard or sends the order itself, whether the stream speaks,
whether the entry is answered, whether a stop is taken, whether the guard is killed meanwhile.

What is counted is read at the exchange itself; the bounds are the promises' (README), from the moment the list of
positions shows what is held.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from standfast.drills.line import NoAnswer, Refused
from standfast.drills.perpetual.audit import holding, wrong_way
from standfast.drills.perpetual.scene import AVL, At, PerpetualScene
from standfast.drills.perpetual.stage import PerpetualStage, play
from standfast.drills.perpetual.truth import HEDGES
from standfast.drills.playing import quiet
from standfast.drills.rollback_doubles import NOT_NOW
from standfast.drills.telling import Stuck
from standfast.exchange.faults import Delayed, Lost, NeverAnswered, ServerError, Slow, Stale
from standfast.exchange.perpetual.contract import symbol_of

LAG_MAX = 30.0
WATCHED, AFTER = 75, 75
"""Seconds that are watched with the price where it was, and after it has gone through the stop."""
LOOK = 0.5
PROVEN = 2.0
"""Seconds after a fill that is beyond doubt in which it is covered (P3)."""
POLL = 5.0
"""Seconds between two polls of the positions, where no stream says that something has happened."""
REFUSALS = 4.0
"""Seconds for which a refused stop is tried again before an opening is rolled back, and for the roll-back."""
UNANSWERED = 5.0
"""Seconds for an entry's answer. A trade at Binance names no client order id: until it comes that is nobody's."""
START = 10.0
"""Seconds that a guard which begins may take to read everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What one seed makes of the story. `fault`: what becomes of the entry's answer."""

    seed: int
    at: At
    is_long: bool
    is_hedged: bool
    is_through_guard: bool
    lag: float
    is_steady: bool
    """Whether each read is as late as the next, or as late as is drawn for it."""
    stream: str
    answer: str
    look_ups_fail: float
    is_stop_refused: bool
    is_killed: bool

    @property
    def index(self) -> int:
        return (1 if self.is_long else 2) if self.is_hedged else 0

    @property
    def quantity(self) -> Decimal:
        return Decimal(43 if self.is_long else -43)

    @property
    def allowed(self) -> float:
        """Seconds without cover that the policy allows from the moment the list shows the position."""
        allowed = PROVEN + self.look_ups_fail
        allowed += POLL if self.stream != "up" or not self.is_steady else 0.0
        allowed += REFUSALS if self.is_stop_refused else 0.0
        allowed += UNANSWERED if self.answer != "comes" and self.at == "binance" else 0.0
        return allowed + (START if self.is_killed else 0.0)

    def __str__(self) -> str:
        words = [f"seed {self.seed} at {self.at}: {self.quantity:+}", f"lag {self.lag:.1f} s"]
        words += [] if self.is_steady else ["at most, each read by itself"]
        words += ["hedged"] if self.is_hedged else []
        words += ["through the guard" if self.is_through_guard else "beside the guard"]
        words += [f"the stream is {self.stream}", f"the entry's answer {self.answer}"]
        words += [f"look-ups fail for {self.look_ups_fail:.1f} s"] if self.look_ups_fail else []
        words += ["stops are refused"] if self.is_stop_refused else []
        words += ["the guard is killed"] if self.is_killed else []
        return ", ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One seed's result. `naked`, `untracked`: the longest, in seconds, once the exchange showed what was held."""

    drawn: Drawn
    wrong_way: tuple[str, ...]
    naked: float
    untracked: float
    trouble: str

    @property
    def holds(self) -> bool:
        late = max(self.naked, self.untracked) > self.drawn.allowed
        return not (self.wrong_way or late or self.trouble)


@dataclass(slots=True)
class Figures:
    """Over all seeds so far."""

    seeds: int = 0
    wrong_way: int = 0
    untracked: int = 0
    naked: int = 0
    """Seeds in which something was bare for longer than the policy allows."""
    longest: float = 0.0
    longest_promised: float = 0.0
    """Of seeds in which nothing but the positions was late."""
    failed: list[Ran] = field(default_factory=list)

    def add(self, ran: Ran) -> None:
        self.seeds += 1
        self.wrong_way += len(ran.wrong_way)
        self.untracked += ran.untracked > ran.drawn.allowed
        self.naked += ran.naked > ran.drawn.allowed
        self.longest = max(self.longest, ran.naked)
        if ran.drawn.allowed == PROVEN:
            self.longest_promised = max(self.longest_promised, ran.naked)
        if not ran.holds:
            self.failed.append(ran)


def draw(seed: int) -> Drawn:
    chance = Random(f"rollback-doubles/{seed}")
    through = chance.random() < 0.6
    return Drawn(
        seed=seed,
        at=chance.choice(("bybit", "binance")),
        is_long=chance.random() < 0.5,
        is_hedged=chance.random() < 0.3,
        is_through_guard=through,
        lag=chance.uniform(0, LAG_MAX),
        is_steady=chance.random() < 0.7,
        stream=chance.choices(("up", "late", "lost"), (6, 2, 2))[0],
        answer=chance.choices(("comes", "is lost", "comes late"), (6, 2, 2))[0],
        look_ups_fail=chance.uniform(1, 10) if chance.random() < 0.3 else 0.0,
        is_stop_refused=through and chance.random() < 0.4,
        is_killed=chance.random() < 0.2,
    )


def measure(first: int, count: int, told: Callable[[Ran], None] = lambda ran: None) -> Figures:
    """`told` of every seed as it has been played."""
    figures = Figures()
    for seed in range(first, first + count):
        ran = run_one(draw(seed))
        figures.add(ran)
        told(ran)
    return figures


def run_one(drawn: Drawn) -> Ran:
    scene = PerpetualScene(prices={AVL: ("19.999", "20.000")}, at=drawn.at, hedged=drawn.is_hedged)

    async def told(stage: PerpetualStage) -> Ran:
        return await _Watch(stage, drawn).tell()

    with quiet():
        return play(scene, told, is_guarded=True, wire=False, seed=drawn.seed)


class _Watch:
    """One seed's story, and what is seen of it from half second to half second."""

    def __init__(self, stage: PerpetualStage, drawn: Drawn) -> None:
        self.stage, self.drawn = stage, drawn
        self.untracked = timedelta(0)
        self.here_since: datetime | None = None

    async def tell(self) -> Ran:
        trouble = ""
        try:
            await self._start()
            self._troubles()
            await self._enter()
            await self._watch(WATCHED)
            await self.stage.price(AVL, "15.000" if self.drawn.is_long else "25.000")
            await self._watch(AFTER)
            trouble = self._left()
        except (Stuck, NoAnswer, Refused) as error:
            trouble = f"{error}"
        return Ran(
            drawn=self.drawn,
            wrong_way=tuple(wrong_way(self.stage, await self.stage.entries())[1]),
            naked=self._naked(),
            untracked=self.untracked.total_seconds(),
            trouble=trouble,
        )

    async def _start(self) -> None:
        await self.stage.start_guard()
        await self.stage.wait(1)
        self.here_since = self.stage.now

    def _troubles(self) -> None:
        drawn, stage = self.drawn, self.stage
        late = Stale(age=drawn.lag) if drawn.is_steady else Stale(age=0, at_most=drawn.lag)
        stage.fault("positions", late)
        if drawn.stream != "up":
            stage.fault("stream", Lost() if drawn.stream == "lost" else Delayed(seconds=4), seconds=60)
        if drawn.answer != "comes":
            stage.fault("submit", NeverAnswered() if drawn.answer == "is lost" else Slow(seconds=3), count=1)
        if drawn.look_ups_fail:
            for operation in ("orders", "order", "executions"):
                stage.fault(operation, ServerError(status=503), seconds=drawn.look_ups_fail)
        if drawn.is_stop_refused:
            stage.fault("submit", NOT_NOW[drawn.at], count=3, skip=1 if drawn.answer == "comes" else 0)

    async def _enter(self) -> None:
        stage, drawn = self.stage, self.drawn
        if drawn.is_through_guard:
            name = str(holding(AVL, drawn.index))
            await stage.ask("open", instrument=name, quantity=str(drawn.quantity), key="entry")
        else:
            send = stage.bot.buy if drawn.is_long else stage.bot.sell
            stage.meanwhile(self._sent(send(AVL, abs(drawn.quantity), side_of=drawn.index)))
        await stage.until(lambda: stage.truth.net(AVL, drawn.index), 10, "the entry to fill")
        if drawn.is_killed:
            await stage.wait(1)
            await stage.stop_guard()
            await stage.wait(1)
            await self._start()

    async def _sent(self, sending: Awaitable[str]) -> None:
        try:
            await sending
        except (NoAnswer, Refused):
            return

    async def _watch(self, seconds: int) -> None:
        for _ in range(int(seconds / LOOK)):
            await self.stage.wait(LOOK)
            self._look()

    def _look(self) -> None:
        """How long what is held has not been in the books, since it was shown and the guard was here."""
        stage, index = self.stage, self.drawn.index
        since = stage.truth.kept(AVL, index).held_since
        net = stage.truth.net(AVL, index)
        if since is None or self.here_since is None or net in stage.book.net(holding(AVL, index)):
            return
        shown = max(since + timedelta(seconds=self.drawn.lag), self.here_since)
        self.untracked = max(self.untracked, stage.now - shown)

    def _naked(self) -> float:
        """The longest stretch without cover, from when the list shows it."""
        kept = self.stage.truth.kept(AVL, self.drawn.index)
        stretches = list(kept.stretches)
        if kept.naked_since is not None:
            stretches.append((kept.naked_since, self.stage.now))
        lag = timedelta(seconds=self.drawn.lag)
        return max([0.0, *((until - since - lag).total_seconds() for since, until in stretches)])

    def _left(self) -> str:
        """What should not be there in the end."""
        stage, index = self.stage, self.drawn.index
        net, working = stage.truth.net(AVL, index), stage.truth.working(AVL, index)
        booked = stage.book.net(holding(AVL, index))
        if net or working or stage.positions():
            names = f"{symbol_of(AVL)}{HEDGES[index]}"
            return f"{names}: {net} held, {len(working)} orders, {booked} in the books, in the end"
        return ""
