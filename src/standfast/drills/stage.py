"""The stage a drill is played on: one exchange, one bot, and on a guarded stage a guard with its ledger.

A story sees nothing else. There are two stages, in process under virtual time (`in_process`) and over real sockets
(`over_wire`), and a story cannot tell which it is on. What it shares with other stages is in `telling`.
"""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from standfast.drills.line import Line, NoAnswer, Refused
from standfast.drills.scene import Board, Scene
from standfast.drills.telling import Said, Stuck, Telling
from standfast.drills.truth import Truth
from standfast.exchange.engine import Engine
from standfast.exchange.faults import ServerError

__all__ = ["Line", "NoAnswer", "Refused", "Said", "Stage", "Stuck"]


class Stage(Telling):
    """See the module."""

    board: Board
    engine: Engine
    truth: Truth
    bot: Line

    def __init__(self, scene: Scene, *, is_guarded: bool) -> None:
        super().__init__(is_guarded=is_guarded)
        self.scene = scene
        self.record = "[]"
        """What the bot has written down."""

    def writes(self, record: str) -> None:
        """The bot writes its record anew."""
        self.record = record

    def shown_id(self, order: str) -> str:
        """What the broker's clients know the exchange's order as."""
        return order

    # --- the market -----------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.engine.now

    @property
    def result(self) -> Decimal:
        return self.truth.result

    async def price(self, bid: str, ask: str, instrument: str = "AAPL") -> None:
        """Move the market there; returns when everybody can see it."""
        await self.prices({instrument: (bid, ask)})

    async def prices(self, moved: Mapping[str, tuple[str, str]]) -> None:
        """Several at once."""
        self.shows(", ".join(f"{instrument} {bid} / {ask}" for instrument, (bid, ask) in moved.items()))
        for instrument, (bid, ask) in moved.items():
            self.board.set(instrument, Decimal(bid), Decimal(ask))
        await self.until(lambda: self._are_quoted(moved), 90, f"quotes of {', '.join(moved)}")

    def _are_quoted(self, moved: Mapping[str, tuple[str, str]]) -> bool:
        return all(self._quotes(name, Decimal(bid), Decimal(ask)) for name, (bid, ask) in moved.items())

    async def slide(self, *bids: str, each: float = 10.0, instrument: str = "AAPL") -> None:
        """Move the market from bid to bid, two cents wide, so many seconds between them."""
        for bid in bids:
            await self.price(bid, str(Decimal(bid) + Decimal("0.02")), instrument)
            await self.wait(each)

    def _quotes(self, instrument: str, bid: Decimal, ask: Decimal) -> bool:
        quote = self.engine.last_quote(instrument)
        return quote is not None and (quote.bid, quote.ask) == (bid, ask)

    def no_quotes(self, seconds: float) -> None:
        """For so long whoever asks for a quote hears of an error; and none is streamed, where they are."""
        self.fault("quotes", ServerError(status=502), seconds=seconds)

    # --- time --------------------------------------------------------------------------------------

    async def night(self, opens: datetime) -> None:
        """Until five seconds after the open. The machine of bot and guard is off meanwhile, so the night costs nothing
        and the guard has to find everything again."""
        self._note("story", "the machine is switched off for the night")
        await self.stop_guard()
        await self.leap(opens - timedelta(minutes=1))
        self._note("story", "the machine is switched on again, a minute before the open")
        if self.is_guarded:
            await self.start_guard()
        await self.wait_until(opens + timedelta(seconds=5))

    @abstractmethod
    async def hours(self, at: datetime) -> None:
        """Let hours pass in which nobody does anything. Where they would take too long they are left out."""

    @abstractmethod
    def outage(self, seconds: float) -> None:
        """For so long no name resolves: nothing of this machine leaves, no stream lives."""

    @abstractmethod
    async def crash_guard(self) -> None:
        """Its worker dies where it stands, as by `kill -9`, and is started again as its parent process would do it:
        after the parent's own pause, and told why."""
