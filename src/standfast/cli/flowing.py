"""`drill fuzz --flows`: every point of the canonical flows; and with `--point` one of them again."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from standfast.cli.arguments import Options

if TYPE_CHECKING:
    from standfast.cli.doors import FlowPlayed, FlowsFound


def play(options: Options) -> int:
    """All points, or the one that is named; returns the exit code."""
    return _one(options) if options.point else _all(options)


def _all(options: Options) -> int:
    from standfast.cli import doors, render

    first = options.first if options.first is not None else 0
    with _progress(quiet=options.json) as shown:
        found = doors.flows().play_all(options.jobs, shown, options.flows, first=first, some=options.seeds)
    if options.json:
        render.document(_document(found))
    else:
        _print_found(found)
    return 0 if found.held else 1


def _one(options: Options) -> int:
    from standfast.cli import doors, render
    from standfast.model.errors import StandfastError

    flows = doors.flows()
    try:
        point = flows.named(options.point)
    except ValueError as error:
        raise StandfastError(str(error)) from error
    played = flows.play(point)
    if options.json:
        render.document(_played(played))
    elif played.violation is not None:
        _print_failure(played)
    else:
        render.line(f"{point.name}: held, struck at {played.struck or 'nothing'}", render.GOOD)
    return 0 if played.violation is None else 1


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, where somebody looks at it."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("points", total=None)
        yield lambda done, every: bar.update(task, completed=done, total=every)


def _document(found: "FlowsFound") -> dict[str, object]:
    return {
        "effects": dict(found.effects),
        "played": dict(found.played),
        "missed": [point.name for point in found.missed],
        "failures": [_played(each) for each in found.violations],
    }


def _played(played: "FlowPlayed") -> dict[str, object]:
    return {
        "point": played.point.name,
        "struck": played.struck,
        "violation": list(played.violation) if played.violation is not None else None,
        "timeline": list(played.timeline),
    }


def _print_found(found: "FlowsFound") -> None:
    from standfast.cli import render

    for each in found.violations:
        _print_failure(each)
    columns = (render.Column("FLOW"), render.Column("EFFECTS", right=True))
    render.table(columns, [(name, f"{count:,}") for name, count in found.effects.items()], empty="No flows.")
    played = ", ".join(f"{count:,} {kind}" for kind, count in found.played.items())
    render.line(f"{sum(found.played.values()):,} points: {played}")
    if found.missed:
        render.line(f"Struck nowhere: {', '.join(point.name for point in found.missed)}", render.BAD)
    if found.violations:
        render.line(f"{len(found.violations)} points FAILED", render.BAD)
    elif not found.missed:
        render.line("held: no promise was broken at any point", render.GOOD)


def _print_failure(played: "FlowPlayed") -> None:
    from standfast.cli import render

    assert played.violation is not None, played
    id, text = played.violation
    render.line(f"{played.point.name}, struck at {played.struck}: {id}: {text}", render.BAD)
    for each in played.timeline:
        render.line(f"    {each}")
    render.line(f"  again: standfast drill fuzz --point {played.point.name}")
