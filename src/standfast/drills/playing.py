"""Play one drill: the same story on a bare stage and on a guarded one, judged and told."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import cast

import structlog
from structlog.typing import EventDict, WrappedLogger

from standfast.drills import in_process
from standfast.drills import words as words_of_shares
from standfast.drills.audit import audit as audit_shares
from standfast.drills.drill import Drill
from standfast.drills.perpetual import stage as perpetuals
from standfast.drills.perpetual import words as words_of_perpetuals
from standfast.drills.perpetual.audit import audit as audit_perpetuals
from standfast.drills.perpetual.drill import PerpetualDrill
from standfast.drills.perpetual.scene import At
from standfast.drills.perpetual.stage import PerpetualStage
from standfast.drills.played import Claim, NotPlayedThere, Played, Side
from standfast.drills.stage import Stage
from standfast.drills.telling import Telling
from standfast.exchange.quotes_name import UnreadableQuotes
from standfast.model.journal import Entry

CENT = Decimal("0.01")
SETTLING = 2.0
"""Seconds a guard has looked around before the story begins."""


AnyDrill = Drill | PerpetualDrill


def load(name: str) -> AnyDrill:
    """ModuleNotFoundError for a name without a file."""
    found = import_module(f"standfast.drills.{name.replace('-', '_')}").DRILL
    assert isinstance(found, AnyDrill), name
    return found


def run(name: str, *, wire: bool, replay: Path | None = None, at: str | None = None) -> Played:
    """UnreadableQuotes where this drill is not played on recorded quotes, or not on these; NotPlayedThere where it is
    not played at that exchange."""
    drill = load(name)
    if replay is not None:
        if not isinstance(drill, Drill) or drill.replayed is None:
            raise UnreadableQuotes(f"{name} is not played on recorded quotes")
        drill = drill.replayed(replay)
    return play(drill if at is None else moved(drill, at), wire=wire)


def moved(drill: AnyDrill, at: str) -> AnyDrill:
    """The same at another exchange. Raises NotPlayedThere."""
    if isinstance(drill, Drill):
        usual: str = drill.scene.dialect
        if at == usual:
            return drill
    else:
        usual = drill.scene.at
        if at == usual or (drill.elsewhere and at in perpetuals.BROKERS):
            return replace(drill, scene=replace(drill.scene, at=cast(At, at)))
    raise NotPlayedThere(f"{drill.name} is played at {usual}, not at {at}")


def play(drill: AnyDrill, *, wire: bool) -> Played:
    with quiet():
        bare, bare_lines = _play(drill, is_guarded=False, wire=wire)
        guarded, guarded_lines = _play(drill, is_guarded=True, wire=wire)
    return Played(name=drill.name, bare=bare, guarded=guarded, timeline=(*bare_lines, *guarded_lines))


@contextmanager
def quiet() -> Iterator[None]:
    """The timeline is what a drill tells; the guard's log of a staged failure would only frighten. Its status lines
    are kept for the stage: some claims are about what a person could read there."""
    before = structlog.get_config()
    structlog.configure(
        processors=[_kept],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)


_stage: list[Telling] = []
"""The one that is played on."""


def _kept(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for stage in _stage:
        stage.hears(event)
    raise structlog.DropEvent


def _play(drill: AnyDrill, *, is_guarded: bool, wire: bool) -> tuple[Side, list[str]]:
    if isinstance(drill, PerpetualDrill):
        return perpetuals.play(drill.scene, partial(_tell_perpetual, drill), is_guarded=is_guarded, wire=wire)
    if wire:
        from standfast.drills import over_wire

        return over_wire.play(drill.scene, partial(_tell, drill), is_guarded=is_guarded)
    return in_process.play(drill.scene, partial(_tell, drill), is_guarded=is_guarded)


async def _tell(drill: Drill, stage: Stage) -> tuple[Side, list[str]]:
    entries = await _happens(stage, lambda: drill.story(stage))
    _audited(stage, lambda: audit_shares(stage, entries))
    return _side(stage, drill.name, "times of New York", words_of_shares.timeline(stage.truth, entries, stage.said))


async def _tell_perpetual(drill: PerpetualDrill, stage: PerpetualStage) -> tuple[Side, list[str]]:
    entries = await _happens(stage, lambda: drill.story(stage))
    _audited(stage, lambda: audit_perpetuals(stage, entries))
    told = words_of_perpetuals.timeline(stage.truth, entries, stage.said)
    return _side(stage, drill.name, f"at {stage.scene.at}, times in UTC", told)


async def _happens(stage: Telling, story: Callable[[], Awaitable[None]]) -> Sequence[Entry]:
    """The journal it left. A wait that did not end, or a guard that died, is a claim broken and not a drill lost."""
    _stage[:] = [stage]
    try:
        if stage.is_guarded:
            await stage.start_guard()
        await stage.wait(SETTLING)
        await story()
    except AssertionError as error:
        why = f"{error}" if error.__cause__ is None else f"{error} ({error.__cause__!r})"
        stage.claim("the story can be played to its end", why, holds=False)
    return await stage.entries()


def _audited(stage: Telling, audit: Callable[[], None]) -> None:
    try:
        if stage.is_guarded:
            audit()
    except AssertionError as error:
        stage.claim("there is a guard whose books can be audited", str(error), holds=False)


def _side(stage: Telling, name: str, where: str, told: list[str]) -> tuple[Side, list[str]]:
    side = Side(held=all(claim.holds for claim in stage.claims), loss=stage.loss.quantize(CENT))
    title = "with the guard" if stage.is_guarded else "the bot alone"
    lines = ["", f"--- {name}: {title} ({where}) ---", *told]
    lines += [_judged(claim) for claim in stage.claims]
    return side, [*lines, f"loss {side.loss} USD"]


def _judged(claim: Claim) -> str:
    return f"{'holds ' if claim.holds else 'BROKEN'}  {claim.text}: {claim.evidence}"
