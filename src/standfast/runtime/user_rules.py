"""Rules of the operator's own: asked once a second about every position they are for, each in a process of its own.

The core never runs them. A verdict is something seen, like a quote: a look may use it for as long as it is fresh.
A rule that cannot be loaded, raises, answers rubbish or does not answer within a second is an alarm and no verdict; the
rest of the policy holds on.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator

import structlog

from standfast.core.results import judge, result_at
from standfast.core.shapes import entry, whole_units
from standfast.core.situation import Situation, Verdict
from standfast.core.structures import structure_of
from standfast.core.tell import alarm
from standfast.core.worth import judge_structure, result_of, worth
from standfast.model.alert import Severity
from standfast.model.ids import Holding, PositionId
from standfast.model.position import Position
from standfast.model.seen import Seen
from standfast.model.structure import BookedStructure, legs_text
from standfast.runtime.ledger import Ledger
from standfast.runtime.rule_process import texts

log = structlog.get_logger("standfast.user_rules")

EVERY = 1.0
"""Seconds between two rounds of questions."""
NOBODY_ASKS = 60.0
"""Seconds between two looks for a policy with such a rule, while there is none."""
ANSWER_WITHIN = 1.0
LOAD_WITHIN = 10.0
"""Real seconds: a rule's own time, whatever speed the account's clock runs at."""
PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")
"""What a rule's process gets of our environment. Keys may be in the rest."""


class RuleFailed(Exception):
    """A rule gave no verdict; the text says why. Never leaves this module."""


class RuleProcess:
    """One rule in its process, started when it is first asked, and anew after it was ended for not answering."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self._process: asyncio.subprocess.Process | None = None

    async def judge(self, position: Seen) -> str:
        """Why the position is to be closed; empty if it is not. Raises RuleFailed."""
        process = self._process if self._process is not None else await self._start()
        line = json.dumps(texts(position)) + "\n"
        return str((await self._exchange(process, line, ANSWER_WITHIN)).get("close", ""))

    async def _start(self) -> asyncio.subprocess.Process:
        module, _, name = self.rule.partition(":")
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "standfast.runtime.rule_process",
                module,
                name,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={key: os.environ[key] for key in PASSED_ON if key in os.environ},
            )
        except OSError as error:
            raise RuleFailed(f"its process cannot be started ({error})") from None
        try:
            await self._exchange(self._process, "", LOAD_WITHIN)
        except RuleFailed:
            await self.end()
            raise
        return self._process

    async def _exchange(self, process: asyncio.subprocess.Process, line: str, within: float) -> dict[str, object]:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(within):
                process.stdin.write(line.encode())
                await process.stdin.drain()
                answer = json.loads(await process.stdout.readline() or "{}")
        except TimeoutError:
            await self.end()
            raise RuleFailed(f"did not answer within {within:g} s, and was ended") from None
        except (OSError, ValueError) as error:
            await self.end()
            raise RuleFailed(f"its process ended: {type(error).__name__}") from None
        if not isinstance(answer, dict) or not answer:
            await self.end()
            raise RuleFailed("its process ended without an answer")
        if "error" in answer:
            raise RuleFailed(str(answer["error"]))
        return answer

    async def end(self) -> None:
        """Kill it; the next question starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.communicate()


class UserRules:
    """Asks, keeps the verdicts, and tells of those that fail."""

    def __init__(
        self, ledger: Ledger, situation: Callable[[], Situation], look_at: Callable[[Iterable[Holding]], None]
    ) -> None:
        self.ledger = ledger
        self.verdicts: dict[PositionId, Verdict] = {}
        self._situation, self._look_at = situation, look_at
        self._processes: dict[str, RuleProcess] = {}

    async def run(self) -> None:
        """Ask for ever; ends every process of a rule when it is cancelled."""
        try:
            while True:
                asked = any(policy.user_rule for policy in self.ledger.rules.policies)
                if asked:
                    await self.ask_all()
                await self.ledger.clock.sleep(EVERY if asked else NOBODY_ASKS)
        finally:
            for process in self._processes.values():
                await process.end()

    async def ask_all(self) -> None:
        """One round: every position that a rule is for, one after the other."""
        s = self._situation()
        shown = list(judgeable(s))
        self.verdicts = {id: self.verdicts[id] for id, *_ in shown if id in self.verdicts}
        for id, rule, position in shown:
            process = self._processes.setdefault(rule, RuleProcess(rule))
            try:
                detail = await process.judge(position)
            except RuleFailed as failed:
                self.verdicts.pop(id, None)
                await self._tell(rule, str(failed))
                continue
            if detail:
                self.verdicts[id] = Verdict(detail=detail, at=self.ledger.clock.now())
                held = s.book.state.positions.get(id) or s.book.state.structures.get(id)
                self._look_at([held.holding] if held is not None else [])
            else:
                self.verdicts.pop(id, None)

    async def _tell(self, rule: str, why: str) -> None:
        s = self._situation()
        text = (
            f"{s.book.account}: the user rule {rule} {why}. It gives no verdict; the rest of its policy holds on. "
            "Needed: mend it, or take it out of the policy."
        )
        told = alarm(s, Severity.CRITICAL, text, key=f"user rule/{rule}/{why}/{s.now:%Y%m%d%H}")
        if told.id not in s.book.state.alerts:
            log.warning("user rule", rule=rule, failed=why)
            await self.ledger.record([told])


def judgeable(s: Situation) -> Iterator[tuple[PositionId, str, Seen]]:
    """Every position a rule can judge now: open, guarded, with a price that can be trusted."""
    for position in list(s.book.state.positions.values()) if s.in_session else []:
        rule = s.policy(position).user_rule
        shown = _seen(s, position) if rule is not None and position.is_guarded and position.closing is None else None
        if rule is not None and shown is not None:
            yield position.id, rule, shown
    for booked in list(s.book.state.structures.values()) if s.in_session else []:
        rule = s.structure_policy(booked).user_rule
        shown = _seen_whole(s, booked) if rule is not None and booked.is_guarded and booked.closing is None else None
        if rule is not None and shown is not None:
            yield booked.id, rule, shown


def _seen_whole(s: Situation, booked: BookedStructure) -> Seen | None:
    """A structure: prices are net, of one unit, at the worse and the better side of every leg."""
    structure = structure_of(s.book, booked)
    found, cost, units = worth(s, structure.shape), entry(structure), whole_units(structure)
    judged = judge_structure(found, structure, s.structure_policy(booked))
    since = structure.adopted_at or structure.opened_at
    if not units or not cost or found.now is None or judged.price is None or since is None:
        return None
    return Seen(
        position=booked.id,
        account=s.book.account,
        strategy=booked.strategy,
        instrument=legs_text(structure.shape),
        quantity=units,
        entry_price=cost,
        opened_at=since,
        bid=found.now.worst,
        ask=found.now.best,
        result=result_of(judged.price, cost),
        now=s.broker_now,
    )


def _seen(s: Situation, position: Position) -> Seen | None:
    entry, sight = s.book.entry_price(position), s.sights.get(position.holding)
    judged = judge(s, position, s.policy(position))
    since = position.adopted_at or position.opened_at
    if s.book.held(position) <= 0 or not entry or sight is None or judged.price is None or since is None:
        return None
    return Seen(
        position=position.id,
        account=s.book.account,
        strategy=position.strategy,
        instrument=str(position.holding),
        quantity=s.book.held(position) * position.sign,
        entry_price=entry,
        opened_at=since,
        bid=sight.quote.bid,
        ask=sight.quote.ask,
        result=result_at(position, judged.price, of=entry),
        now=s.broker_now,
    )
