"""The demo as it runs: real processes, an operator who acts twice, and an observer who notes what was really so.

The operator closes one position and kills the guard's worker. Everything else happens by itself; what is noted here is
what the report is judged by, so nothing is noted that was not seen at the exchange, in the ledger or in the bot's list.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from standfast.drills import demo_bot, demo_view
from standfast.drills.demo_processes import Child, Children, standfast, wait_for
from standfast.drills.demo_screen import Screen
from standfast.drills.demo_story import DAY, SCALP, SWING, WATCH, Story, Trade
from standfast.drills.demo_view import Exchange, Ledger, View, of
from standfast.drills.demo_words import Line, lapse, lapsed, words
from standfast.model.errors import StandfastError
from standfast.model.journal import Entry, Fact, GuardStarted
from standfast.model.position import Phase
from standfast.runtime.clock import monotonic

TICK = 0.2
"""Real seconds between two looks."""
LONGEST = 230.0
"""Real seconds after which something is wrong."""
SETTLED_REAL = 4.0
"""Real seconds the guard is watched after it is back, where no morning follows."""
GRACE = timedelta(minutes=15)
"""How long after the close the exits may take to come back before the demo gives up on it."""


@dataclass(slots=True, kw_only=True)
class Notes:
    """What was seen, for the report."""

    forgotten_at: datetime | None = None
    scalp_was_listed: bool = False
    lapsed: bool = False
    restored: Mapping[str, Any] | None = None
    """The exit pair of the swing at the exchange, after the close."""
    close_asked: bool = False
    close_code: int | None = None
    close_said: str = ""
    ghost_listed: bool = False
    killed: int | None = None
    killed_at: float = 0.0
    back_after: float | None = None
    """Real seconds from the kill to the next life's first entry."""
    lives: int = 0
    ends: list[str] = field(default_factory=list)
    """How the guard's workers ended, in the parent's words."""


class Play:
    """One run. `run` returns when the story is over; StandfastError when it cannot go on."""

    def __init__(self, story: Story, folder: Path, children: Children, screen: Screen) -> None:
        self.story, self.folder, self.children, self.screen = story, folder, children, screen
        self.config = folder / "standfast.toml"
        self.record = folder / "positions.json"
        self.ledger = Ledger(folder / "standfast.db")
        self.notes = Notes()
        self.worker = 0
        self._watch_was_listed = False
        self.view = View(now=story.start, held={}, bids={}, listed=[])
        self.exchange: Exchange
        self.guard: Child
        self.bot: Child
        self.closing: Child | None = None

    def run(self) -> None:
        until = monotonic() + LONGEST
        self._start()
        while not self._is_over():
            self.tick()
            self._operate()
            self.children.check()
            if monotonic() > until:
                raise StandfastError(f"the story did not end within {LONGEST:g} s")
            self._pause()
        self._say("The story is over; ending the processes.")

    # --- beginning --------------------------------------------------------------------------------

    def _start(self) -> None:
        _, url = self.children.exchange(self.story)
        self.exchange = Exchange(url, self.story.instruments)
        plan = self.folder / "plan.json"
        os.mkfifo(plan)  # the bot is there, and waits for its plan: what its start takes is no time of the story
        command = [sys.executable, str(demo_bot.script()), "--url", url, "--plan", str(plan)]
        pace = ["--record", str(self.record), "--pace", str(self.story.speed)]
        self.bot = self.children.start("bot", [*command, *pace])
        wait_for(self.bot.lines, "the bot to start", self.bot)
        self.exchange.advance(self.story.start)
        self.config.write_text(self.story.settings(url), encoding="utf-8")
        self._say(f"A simulated exchange, on this machine only: {self.story.title}, at x{self.story.speed}.")
        if self.story.is_real:
            self._say(
                "All trades are in one instrument: realised profit is at their average cost, as brokers count it."
            )
        self.guard = self.children.start("guard", standfast("--config", str(self.config), "guard"))
        wait_for(self._listening, "the guard to follow the account", self.guard)
        self._say("Standfast guards the account: its ordinary guard, a parent and a worker.")
        self._hand_out(plan)
        self._say("A trading bot starts. It knows nothing of Standfast and looks at its positions every five minutes.")

    def _hand_out(self, plan: Path) -> None:
        try:
            with os.fdopen(os.open(plan, os.O_WRONLY | os.O_NONBLOCK), "w", encoding="utf-8") as pipe:
                pipe.write(self.story.plan())
        except OSError as error:
            raise StandfastError(f"the bot does not read its plan ({error.strerror}): {self.bot.tail()}") from None

    def _listening(self) -> list[str]:
        return ["yes"] if self.exchange.is_listened_to() else []

    # --- looking ------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Look at everything once: tell what is new, note what was seen, draw."""
        entries = self.ledger.read()
        self.view = demo_view.look(self.exchange, self.record)
        said_at = min([self.view.now, *(entry.at for entry in entries[:1])])
        for text in self.bot.lines():  # read after the ledger and told before it: the bot says what it does beforehand
            self.screen.tell(said_at, Line("the bot", text))
        for entry in entries:
            self._take(entry)
        self._follow_guard()
        self._note()
        self.screen.draw(self.view, self.ledger)

    def _take(self, entry: Entry) -> None:
        ended = lapsed(entry.fact, self.ledger.book)
        self.notes.lapsed = self.notes.lapsed or (ended is not None and ended.strategy == SWING)
        self.ledger.take(entry)
        line = words(entry, self.ledger.book) if ended is None else lapse(ended)
        if line is not None:
            self.screen.tell(entry.at, line)
        self._count_lives(entry.fact)

    def _count_lives(self, fact: Fact) -> None:
        if not isinstance(fact, GuardStarted):
            return
        self.notes.lives += 1
        if self.notes.killed is not None and self.notes.back_after is None:
            self.notes.back_after = monotonic() - self.notes.killed_at

    def _follow_guard(self) -> None:
        """The worker's process id and how the one before ended, from the lines their parent writes."""
        for text in self.guard.lines():
            if '"the worker is started"' in text:
                self.worker = int(json.loads(text)["process"])
            elif '"the worker is restarted"' in text:
                self.notes.ends.append(str(json.loads(text)["reason"]))

    def _note(self) -> None:
        self._note_list()
        swing = self.ledger.position(SWING)
        is_late = self.view.now >= self.story.close and swing is not None and swing.phase is Phase.OPEN
        if is_late and self.notes.restored is None and self.notes.lapsed:
            self.notes.restored = _resting(self.exchange.open_orders(), self.story.trade(SWING))

    def _note_list(self) -> None:
        notes, listed = self.notes, self.view.listed
        notes.scalp_was_listed = notes.scalp_was_listed or of(listed, SCALP)
        day, watch = self.ledger.position(DAY), self.ledger.position(WATCH)
        if day is not None and day.phase is Phase.CLOSED and of(listed, DAY):
            notes.ghost_listed = True
        is_lost = self._watch_was_listed and not of(listed, WATCH) and bool(listed)
        self._watch_was_listed = self._watch_was_listed or of(listed, WATCH)
        if is_lost and notes.forgotten_at is None and watch is not None and watch.phase is not Phase.CLOSED:
            notes.forgotten_at = self.view.now
            what = f"{watch.held} {watch.holding}"
            self._say(f"The bot has just lost {what} from its list. The broker still holds it; only Standfast watches.")

    # --- acting as the operator ---------------------------------------------------------------------

    def _operate(self) -> None:
        if self.closing is None and self._watch_was_listed and of(self.view.listed, DAY):
            self._close()
        if self.closing is not None and self.notes.close_code is None and self.closing.has_ended:
            self.notes.close_code = self.closing.process.returncode
            self.notes.close_said = self.closing.tail()
            self.screen.tell(self.view.now, Line("you", self.notes.close_said.splitlines()[-1]))
        if self.notes.killed is None and self.notes.restored is not None and self.worker:
            self._kill()

    def _close(self) -> None:
        day = self.ledger.position(DAY)
        if day is None:
            return
        self.screen.tell(self.view.now, Line("you", f"standfast close {day.id}    ({day.held} {day.holding})", "bold"))
        command = standfast("--config", str(self.config), "close", day.id, "--reason", "enough for today")
        self.closing = self.children.start("close", command)

    def _kill(self) -> None:
        """The worker dies without a word; while it is away the night passes, where there is a next morning to play."""
        self._say(f"kill -9 of the guard's worker (process {self.worker}).")
        os.kill(self.worker, signal.SIGKILL)
        self.notes.killed, self.notes.killed_at = self.worker, monotonic()
        if self.story.morning is not None:
            self.exchange.advance(self.story.morning)
            self._say("The night passes; the next session opens in a minute.")

    # --- ending -------------------------------------------------------------------------------------

    def _is_over(self) -> bool:
        if self.notes.back_after is None:
            return not self._may_go_on()
        if self.story.end is not None:
            return self.view.now >= self.story.end
        return monotonic() - self.notes.killed_at > self.notes.back_after + SETTLED_REAL

    def _may_go_on(self) -> bool:
        """False when what the rest waits for will not come any more: the report then says what is missing."""
        return self.notes.killed is not None or self.view.now < self.story.close + GRACE

    def _say(self, text: str) -> None:
        self.screen.tell(self.view.now, Line("the demo", text, "bold"))

    def _pause(self) -> None:
        """Until the next look, or until the exchange is gone."""
        try:
            self.children.all[0].process.wait(TICK)
        except subprocess.TimeoutExpired:
            return


def _resting(orders: list[Any], trade: Trade) -> Mapping[str, Any] | None:
    """Of the exchange's working orders, the GTC exit pair with a stop for the whole of that trade."""
    for order in orders:
        legs = [order, *(order["legs"] or [])]
        stops = [leg for leg in legs if leg["type"] == "stop" and leg["time_in_force"] == "gtc"]
        is_ours = order["symbol"] == trade.instrument and order["side"] == "sell"
        if is_ours and any(int(float(leg["qty"])) == trade.quantity for leg in stops):
            return {"stop": stops[0]["stop_price"], "quantity": stops[0]["qty"], "client_id": order["client_order_id"]}
    return None
