"""`drill run rollback-doubles --seeds N`: one incident over many seeds, and the figures that come of it."""

from typing import TYPE_CHECKING

from standfast.cli import doors, render
from standfast.cli.arguments import Options
from standfast.model.errors import StandfastError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from standfast.cli.doors_seeds import SeedFigures, SeedRan

TOLD_EVERY = 100


def run_seeds(options: Options, names: "Sequence[str]") -> int:
    """Say every seed that does not hold, and the figures at the end; 0 when all held."""
    drills = doors.drills()
    _refuse_others(options, names, drills.SEEDED)
    played = 0

    def told(ran: "SeedRan") -> None:
        nonlocal played
        played += 1
        if options.json:
            return
        if not ran.holds:
            render.line(_in_words(ran), render.BAD)
        if played % TOLD_EVERY == 0:
            render.line(f"{played} seeds")

    found = drills.seeds(options.first, options.seeds, told)
    if options.json:
        render.document(_document(found))
    else:
        _print(found)
    return 1 if found.failed else 0


def _refuse_others(options: Options, names: "Sequence[str]", seeded: str) -> None:
    """Raises StandfastError for what does not go together."""
    if list(names) != [seeded]:
        raise StandfastError(f"--seeds goes with {seeded} alone")
    if options.wire or options.replay or options.broker:
        raise StandfastError("--seeds goes without --wire, --replay and --broker: each seed draws its exchange")
    if options.seeds < 1:
        raise StandfastError("--seeds: at least one")


def _in_words(ran: "SeedRan") -> str:
    words = [*ran.wrong_way, *([ran.trouble] if ran.trouble else [])]
    return f"{ran.drawn}: bare {ran.naked:.1f} s, not in the books {ran.untracked:.1f} s; {'; '.join(words)}"


def _print(found: "SeedFigures") -> None:
    render.line(f"{found.seeds} seeds: {'all held' if not found.failed else f'{len(found.failed)} NOT HELD'}")
    for number, what in (
        (found.wrong_way, "orders that pointed away from zero"),
        (found.untracked, "seeds with a position longer out of the books than promised, once the exchange showed it"),
        (found.naked, "seeds with a position bare for longer than the policy allows, once the exchange showed it"),
    ):
        render.line(f"  {number:>4}  {what}", render.BAD if number else render.GOOD)
    render.line(f"  longest without cover once shown: {found.longest:.1f} s;", "")
    render.line(f"  where nothing but the positions was late: {found.longest_promised:.1f} s", "")


def _document(found: "SeedFigures") -> dict[str, object]:
    return {
        "seeds": found.seeds,
        "wrong_way": found.wrong_way,
        "untracked": found.untracked,
        "naked": found.naked,
        "longest": round(found.longest, 3),
        "longest_promised": round(found.longest_promised, 3),
        "failed": [_in_words(ran) for ran in found.failed],
    }
