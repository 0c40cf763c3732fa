"""Play one drill: the same story on a bare stage and on a guarded one, judged and told."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import structlog
from structlog.typing import EventDict, WrappedLogger

from standfast.drills import in_process
from standfast.drills.audit import audit
from standfast.drills.drill import Drill
from standfast.drills.played import Claim, Played, Side
from standfast.drills.stage import Stage
from standfast.drills.words import timeline
from standfast.exchange.quotes_name import UnreadableQuotes

CENT = Decimal("0.01")
SETTLING = 2.0
"""Seconds a guard has looked around before the story begins."""


def load(name: str) -> Drill:
    """ModuleNotFoundError for a name without a file."""
    found = import_module(f"standfast.drills.{name.replace('-', '_')}").DRILL
    assert isinstance(found, Drill), name
    return found


def run(name: str, *, wire: bool, replay: Path | None = None) -> Played:
    """UnreadableQuotes where this drill is not played on recorded quotes, or not on these."""
    drill = load(name)
    if replay is not None:
        if drill.replayed is None:
            raise UnreadableQuotes(f"{name} is not played on recorded quotes")
        drill = drill.replayed(replay)
    return play(drill, wire=wire)


def play(drill: Drill, *, wire: bool) -> Played:
    with _quiet():
        bare, bare_lines = _play(drill, is_guarded=False, wire=wire)
        guarded, guarded_lines = _play(drill, is_guarded=True, wire=wire)
    return Played(name=drill.name, bare=bare, guarded=guarded, timeline=(*bare_lines, *guarded_lines))


@contextmanager
def _quiet() -> Iterator[None]:
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


_stage: list[Stage] = []
"""The one that is played on."""


def _kept(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for stage in _stage:
        stage.hears(event)
    raise structlog.DropEvent


def _play(drill: Drill, *, is_guarded: bool, wire: bool) -> tuple[Side, list[str]]:
    async def told(stage: Stage) -> tuple[Side, list[str]]:
        return await _tell(drill, stage)

    if wire:
        from standfast.drills import over_wire

        return over_wire.play(drill.scene, told, is_guarded=is_guarded)
    return in_process.play(drill.scene, told, is_guarded=is_guarded)


async def _tell(drill: Drill, stage: Stage) -> tuple[Side, list[str]]:
    _stage[:] = [stage]
    await _happens(drill, stage)
    entries = await stage.entries()
    if stage.is_guarded:
        try:
            audit(stage, entries)
        except AssertionError as error:
            stage.claim("there is a guard whose books can be audited", str(error), holds=False)
    side = Side(held=all(claim.holds for claim in stage.claims), loss=stage.loss.quantize(CENT))
    title = "with the guard" if stage.is_guarded else "the bot alone"
    lines = ["", f"--- {drill.name}: {title} (times of New York) ---"]
    lines += timeline(stage.truth, entries, stage.said)
    lines += [_judged(claim) for claim in stage.claims]
    return side, [*lines, f"loss {side.loss} USD"]


async def _happens(drill: Drill, stage: Stage) -> None:
    """A wait that did not end, or a guard that died, is a claim broken and not a drill lost."""
    try:
        if stage.is_guarded:
            await stage.start_guard()
        await stage.wait(SETTLING)
        await drill.story(stage)
    except AssertionError as error:
        why = f"{error}" if error.__cause__ is None else f"{error} ({error.__cause__!r})"
        stage.claim("the story can be played to its end", why, holds=False)


def _judged(claim: Claim) -> str:
    return f"{'holds ' if claim.holds else 'BROKEN'}  {claim.text}: {claim.evidence}"
