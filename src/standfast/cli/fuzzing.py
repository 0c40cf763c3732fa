"""`drill fuzz`: the guard under fire in simulated hours, with rules drawn at random or with your own."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from standfast.cli.arguments import Options, Parser, Verb, whole

if TYPE_CHECKING:
    from standfast.cli.doors import FuzzFailure, FuzzFound, FuzzOutcome

SEEDS = 100
FRESH = 10**9
"""Fresh seeds are drawn below this number."""
WORST = {
    "naked": "without a stop that was wanted",
    "untracked": "held and not in the books",
    "close": "from a due close to flat",
    "unknown": "an order's outcome unknown",
    "over": "exits for more than is held",
    "untold": "a confirmed break untold",
}


def _arguments(parser: Parser) -> None:
    parser.add_argument("--seeds", type=_some, default=SEEDS, metavar="N", help=f"how many (default: {SEEDS})")
    parser.add_argument("--from", dest="first", type=whole, metavar="S", help="the first one (default: fresh ones)")
    parser.add_argument(
        "--play",
        choices=("shares", "spreads", "perps", "both"),
        help="whose seeds: shares, spreads of options at Tradier (their numbers begin at 1,000,000,000), perpetual "
        "futures at Bybit and Binance (from 2,000,000,000 on), or shares and one in ten of spreads (both; so without "
        "--from)",
    )
    parser.add_argument(
        "--hours",
        type=_hours,
        default=1.0,
        metavar="H",
        help="simulated hours in each; of more than half a one, faults come in spells, the rest is quiet (default: 1)",
    )
    parser.add_argument("--jobs", type=_some, default=1, metavar="J", help="processes side by side (default: 1)")
    parser.add_argument(
        "--trace", metavar="FILE", help="write down all that happens in every seed; - for this terminal"
    )
    parser.add_argument("--until-failure", action="store_true", help="go on until a seed fails, whatever --seeds says")
    parser.add_argument(
        "--flows",
        nargs="?",
        const="once",
        choices=("once", "twice", "pairs", "alpaca"),
        help="no seeds: at every effect of eight canonical flows, kill and fail (once, if not given); kill again at "
        "every effect of the recovery (twice); --seeds pairs of both (pairs); through the real adapter (alpaca)",
    )
    parser.add_argument(
        "--point", metavar="FLOW:KIND:NUMBER", help="one point of the flows again, as a failure names it"
    )
    parser.add_argument(
        "--policy", metavar="FILE", help="a standfast.toml: its [[policies]] instead of rules drawn at random"
    )


def _some(text: str) -> int:
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1 up")
    return number


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0.05 <= hours <= 100:
        raise argparse.ArgumentTypeError(f"{text!r}: give hours from 0.05 to 100")
    return hours


def _fuzz(options: Options) -> int:
    from standfast.cli import doors, flowing, render
    from standfast.model.errors import StandfastError

    if options.flows or options.point:
        return flowing.play(options)
    fuzz = doors.fuzz()
    policy = Path(options.policy) if options.policy else None
    if policy is not None and not policy.exists():
        raise StandfastError(f"{policy}: there is no such file; check the path")
    first = options.first if options.first is not None else _fresh()
    seeds = None if options.until_failure else options.seeds
    with _trace(options.trace) as trace, _progress(seeds, first, quiet=options.json) as shown:

        def told(so_far: "FuzzFound", outcome: "FuzzOutcome") -> None:
            _write(trace, outcome)
            shown(so_far)

        found = fuzz.run(
            first=first,
            seeds=seeds,
            hours=options.hours,
            jobs=options.jobs,
            policy=policy,
            plays=options.play or ("both" if options.first is None else "as numbered"),
            whole=trace is not None,
            told=told,
        )
    if options.json:
        render.document(_document(found, first, options.hours))
    else:
        _print_found(found, first)
    return 1 if found.failures else 0


def _fresh() -> int:
    """A seed nobody has asked for: the one thing of a run that no seed decides."""
    import secrets

    return secrets.randbelow(FRESH)


# --- while it runs ------------------------------------------------------------------------------


@contextmanager
def _trace(name: str | None) -> Iterator[TextIO | None]:
    if name is None or name == "-":
        yield None if name is None else sys.stdout
        return
    with Path(name).open("w", encoding="utf-8") as file:
        yield file


def _write(trace: TextIO | None, outcome: "FuzzOutcome") -> None:
    if trace is not None:
        trace.write(f"seed {outcome.seed}, digest {outcome.digest}\n")
        trace.writelines(f"  {line}\n" for line in outcome.timeline)


@contextmanager
def _progress(seeds: int | None, first: int, *, quiet: bool) -> Iterator[Callable[["FuzzFound"], None]]:
    """A bar on standard error, where somebody looks at it."""
    if quiet or not sys.stderr.isatty():
        yield lambda found: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"seeds from {first}", total=seeds)

        def shown(found: "FuzzFound") -> None:
            text = f"seeds from {first}: {found.hours:,.0f} h, {len(found.failures)} failed"
            bar.update(task, completed=found.seeds, description=text)

        yield shown


# --- when it is over ----------------------------------------------------------------------------


def _document(found: "FuzzFound", first: int, hours: float) -> dict[str, object]:
    return {
        "seeds": found.seeds,
        "from": first,
        "hours_each": hours,
        "simulated_hours": round(found.hours, 3),
        "healthy_hours": round(found.healthy, 3),
        "cpu_seconds": round(found.cpu, 3),
        "effects": found.effects,
        "kills": found.kills,
        "orders": found.orders,
        "faults": found.named_faults(),
        "sometimes": dict(sorted(found.sometimes.items())),
        "states": len(found.states),
        "worst_seconds": {name: round(seconds, 3) for name, seconds in found.worst.items()},
        "bound": found.bound if not found.failures else None,
        "failures": [_failure(each) for each in found.failures],
    }


def _failure(found: "FuzzFailure") -> dict[str, object]:
    return {
        "seed": found.seed,
        "id": found.id,
        "text": found.text,
        "at": found.at,
        "faults": list(found.faults),
        "timeline": list(found.timeline),
        "replay": found.replay,
    }


def _print_found(found: "FuzzFound", first: int) -> None:
    from standfast.cli import render

    for each in found.failures:
        _print_failure(each)
    rate = found.hours / found.cpu if found.cpu else 0.0
    render.line(
        f"{found.seeds} seeds from {first}: {found.hours:,.1f} simulated hours in {found.cpu:,.1f} CPU seconds "
        f"({rate:.1f} h/s; {found.healthy:,.1f} h healthy), {found.effects:,} effects, "
        f"{found.kills:,} kills, {found.orders:,} orders"
    )
    for name, text in WORST.items():
        if name in found.worst:
            render.line(f"  {found.worst[name]:6.0f} s at worst {text}")
    struck = [(name, times) for name, times in found.named_faults().items()]
    render.line(f"  {sum(times for _, times in struck):,} faults of {sum(1 for _, n in struck if n)} kinds")
    columns = (render.Column("FAULT"), render.Column("STRUCK", right=True))
    render.table(columns, [(name, f"{times:,}") for name, times in struck if times], empty="No faults.")
    missing = [name for name, times in struck if not times]
    if missing:
        render.line(f"Never struck: {', '.join(missing)}", render.DIM)
    if found.failures:
        render.line(f"{len(found.failures)} of {found.seeds} seeds FAILED", render.BAD)
    else:
        bound = f"fewer than 3 in {found.seeds} seeds fail (95 % confidence)"
        render.line(f"held: no promise was broken; {bound}", render.GOOD)


def _print_failure(found: "FuzzFailure") -> None:
    from standfast.cli import render

    render.line(f"seed {found.seed}: {found.id} after {found.at:.0f} s: {found.text}", render.BAD)
    _print_lines("what is left of its faults and deeds:", found.faults)
    _print_lines("what happened last:", found.timeline)
    render.line(f"  again: {found.replay}")


def _print_lines(title: str, lines: Sequence[str]) -> None:
    from standfast.cli import render

    render.line(f"  {title}")
    for each in lines:
        render.line(f"    {each}")


VERBS = {
    "drill fuzz": Verb(
        does="Play the real guard against the simulated exchange in virtual time: prices, a careless bot, an operator\n"
        "and every kind of fault drawn from a seed, every promise checked at every event. Then the faults stop, and\n"
        "everything must converge and stay still. With --policy: what does my configuration do under fire? Of seeds\n"
        "from 1,000,000,000 on the account holds spreads of options at Tradier, and contracts expire, are assigned;\n"
        "from 2,000,000,000 on, perpetual futures at Bybit or Binance, one-way or hedged, with funding, liquidation\n"
        "and auto-deleveraging.",
        example="standfast drill fuzz --seeds 200 --jobs 2\n"
        "standfast drill fuzz --play spreads --hours 0.5\n"
        "standfast drill fuzz --play perps --hours 0.5\n"
        "standfast drill fuzz --policy standfast.toml\n"
        "standfast drill fuzz --seeds 1 --from 4711 --trace -\n"
        "standfast drill fuzz --flows --jobs 2\n"
        "standfast drill fuzz --flows pairs --seeds 2000 --jobs 2",
        codes="0   held: no promise was broken\n1   not: seed, faults, timeline and the command that replays it\n"
        "2   usage error",
        run=_fuzz,
        arguments=_arguments,
    ),
}
