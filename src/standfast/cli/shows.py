"""`demo`, `drill` and `exchange`: rehearsals, with no broker's key and nobody's money."""

import argparse
from decimal import Decimal
from typing import TYPE_CHECKING

from standfast.cli.arguments import Options, Parser, Verb, port, price, whole

if TYPE_CHECKING:
    from standfast.cli.doors import Played
    from standfast.exchange.accounts import AccountSpec

# --- demo ---------------------------------------------------------------------------------------


def _demo_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--replay",
        metavar="PATH",
        help="play recorded quotes (a file or folder as LEAN keeps them) instead of a made-up day",
    )


def _demo(options: Options) -> int:
    from pathlib import Path

    from standfast.cli import doors

    replay = Path(options.replay) if options.replay else None
    if replay is not None and not replay.exists():
        raise _no_file(options.replay)
    return doors.demo().run(replay=replay)


# --- drill --------------------------------------------------------------------------------------


def _drill_arguments(parser: Parser) -> None:
    parser.add_argument("names", nargs="+", metavar="NAME", help='a drill, or "all"; see standfast drill list')
    parser.add_argument("--wire", action="store_true", help="over HTTP against a served exchange, in real time")
    parser.add_argument(
        "--replay",
        metavar="PATH",
        help="on recorded quotes (a file or folder as LEAN keeps them); silent-removal alone",
    )
    parser.add_argument(
        "--broker",
        choices=("bybit", "binance"),
        help="a drill of perpetual futures at this exchange, not its usual one",
    )
    parser.add_argument(
        "--seeds",
        type=whole,
        metavar="N",
        help="rollback-doubles alone, guarded: over so many seeds, with what else may go wrong drawn from each",
    )
    parser.add_argument("--from", dest="first", type=whole, default=0, metavar="S", help="the first seed (default: 0)")


def _drill_list(options: Options) -> int:
    from standfast.cli import doors, render

    names = doors.drills().NAMES
    if options.json:
        render.document({"drills": [{"name": name, "situation": text} for name, text in names.items()]})
    else:
        columns = (render.Column("DRILL"), render.Column("SITUATION", wraps=True))
        render.table(columns, list(names.items()), empty="No drills.")
    return 0


def _drill_run(options: Options) -> int:
    from pathlib import Path

    from standfast.cli import doors, render
    from standfast.model.errors import StandfastError

    drills = doors.drills()
    names = list(drills.NAMES) if options.names == ["all"] else options.names
    unknown = [name for name in names if name not in drills.NAMES]
    if unknown:
        raise StandfastError(f"{', '.join(unknown)}: no such drill; see standfast drill list")
    if options.seeds is not None:
        from standfast.cli.seeding import run_seeds

        return run_seeds(options, names)
    replay = Path(options.replay) if options.replay else None
    played = []
    for name in names:
        try:
            played.append(drills.run(name, wire=options.wire, replay=replay, at=options.broker))
        except (ValueError, OSError) as error:
            if replay is None and options.broker is None:
                raise
            raise StandfastError(f"{name} cannot be played on {replay or options.broker}: {error}") from error
        if not options.json:
            _print_played(played[-1])
    if options.json:
        documents = [_played(each) for each in played]
        render.document(documents[0] if len(documents) == 1 else {"drills": documents})
    return 0 if all(each.guarded.held and not each.bare.held for each in played) else 1


def _played(found: "Played") -> dict[str, object]:
    return {
        "name": found.name,
        "bare": {"held": found.bare.held, "loss": str(found.bare.loss)},
        "guarded": {"held": found.guarded.held, "loss": str(found.guarded.loss)},
        "timeline": list(found.timeline),
    }


def _print_played(found: "Played") -> None:
    from standfast.cli import render

    held = found.guarded.held and not found.bare.held
    render.line(f"{found.name}: {'held' if held else 'NOT HELD'}", render.GOOD if held else render.BAD)
    for each in found.timeline:
        render.line(f"  {each}")
    for name, side in (("bare", found.bare), ("guarded", found.guarded)):
        render.line(f"  {name:<8} {'held' if side.held else 'lost'}, loss {side.loss:,.2f} USD")


# --- exchange -----------------------------------------------------------------------------------


def _exchange_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--dialect",
        choices=("alpaca", "tradier", "bybit", "binance"),
        default="alpaca",
        help="whose API it speaks (default: alpaca)",
    )
    parser.add_argument("--sandbox", action="store_true", help="with --dialect tradier: as its sandbox is, not as live")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=port, default=8790, help="0 takes any free one (default: 8790)")
    parser.add_argument(
        "--account",
        action="append",
        type=account,
        metavar="NAME:KEY:SECRET[:CASH]",
        help="may be given several times (default: paper:key:secret:100000); Tradier's KEY is the account's number, its"
        " SECRET the token (default: paper:VA00000001:secret:100000)",
    )
    parser.add_argument(
        "--instrument", action="append", type=_priced, metavar="NAME=PRICE", help="of the made-up market; several times"
    )
    parser.add_argument(
        "--strikes",
        type=whole,
        metavar="N",
        help="options on each of them: N strikes on either side of its price, for the next three sessions"
        " (default: 10 in Tradier's dialect, 0 in Alpaca's)",
    )
    parser.add_argument("--replay", action="append", default=[], metavar="PATH", help="recorded quotes; several times")
    parser.add_argument("--seed", type=whole, default=1, help="of the made-up market (default: 1)")
    parser.add_argument("--no-market", action="store_true", help="no prices but those posted to /sim/quote")
    parser.add_argument(
        "--clock", type=speed, default=1.0, metavar="real|xN|manual", help="how time runs (default: real)"
    )
    parser.add_argument("--faults", metavar="FILE", help="a script of faults, JSON")
    parser.add_argument("--fault-seed", type=whole, default=0, metavar="N")
    parser.add_argument(
        "--per-minute",
        type=whole,
        default=200,
        metavar="N",
        help="request budget; 0: none (default: 200; Tradier has its own 120 and 60, Bybit and Binance theirs)",
    )
    parser.add_argument(
        "--log", metavar="FILE", help="write every request, order and fill to it as JSON lines, to judge clients by"
    )
    parser.add_argument(
        "--text-frames", action="store_true", help="order stream in text frames, as live accounts send it"
    )


def account(text: str) -> "AccountSpec":
    """`NAME:KEY:SECRET[:CASH]`, of an account of the simulated exchange."""
    from standfast.exchange.accounts import AccountSpec

    parts = text.split(":")
    if len(parts) not in (3, 4) or not all(parts):
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME:KEY:SECRET or NAME:KEY:SECRET:CASH")
    cash = price(parts[3]) if len(parts) == 4 else Decimal(100_000)
    return AccountSpec(name=parts[0], key_id=parts[1], secret=parts[2], cash=cash)


def _priced(text: str) -> tuple[str, Decimal]:
    name, equals, number = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=PRICE, for example SPY=600")
    return name.upper(), price(number)


def speed(text: str) -> float | None:
    """`real`, `x60` (sixty times as fast) or `manual` (moved by POST /sim/advance alone)."""
    if text in ("real", "manual"):
        return 1.0 if text == "real" else None
    try:
        times = float(text.removeprefix("x")) if text.startswith("x") else 0.0
    except ValueError:
        times = 0.0
    if not 0 < times < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: write real, manual, or xN such as x60")
    return times


def _exchange(options: Options) -> int:
    from pathlib import Path

    from standfast.exchange import server
    from standfast.model.errors import StandfastError

    for path in (*options.replay, *([options.faults] if options.faults else ())):
        if not Path(path).exists():
            raise _no_file(path)
    try:
        wanted = server.Options(
            host=options.host,
            port=options.port,
            dialect=options.dialect,
            is_sandbox=options.sandbox,
            accounts=tuple(options.account or server.USUAL_ACCOUNTS[options.dialect]),
            instruments=dict(options.instrument or server.USUAL_INSTRUMENTS[options.dialect]),
            strikes=server.USUAL_STRIKES[options.dialect] if options.strikes is None else options.strikes,
            seed=None if options.no_market else options.seed,
            replay=tuple(Path(path) for path in options.replay),
            speed=options.clock,
            faults=Path(options.faults) if options.faults else None,
            fault_seed=options.fault_seed,
            per_minute=options.per_minute or None,
            is_binary=not options.text_frames,
            log=Path(options.log) if options.log else None,
        )
        names = [each.name for each in wanted.accounts]
        return server.run(wanted, lambda url: _announced(url, names, json=options.json))
    except (ValueError, OSError) as error:
        raise StandfastError(f"the exchange cannot start: {error}") from error


def _announced(url: str, names: list[str], *, json: bool) -> None:
    """Where it can be reached: one line, or one document, flushed for whoever waits for it."""
    if json:
        from json import dumps

        print(dumps({"url": url, "accounts": names}), flush=True)
    else:
        print(f"The simulated exchange listens on {url} for {', '.join(names)}. Ctrl-C ends it.", flush=True)


def _no_file(path: str) -> Exception:
    from standfast.model.errors import StandfastError

    return StandfastError(f"{path}: there is no such file; check the path")


HELD = "0   held: the loss appeared in the bare run and not in the guarded one\n1   not\n2   usage error"

VERBS = {
    "demo": Verb(
        does="A market, a careless bot and the guard on one screen: a position lost by the bot and kept, an exit that\n"
        "lapsed and came back, an entry gone between polls and booked, a close proven. No keys, no network.",
        example="standfast demo\nstandfast demo --replay spy-20210104.zip",
        codes="0   shown, and everything it claims held\n1   not\n2   usage error",
        run=_demo,
        arguments=_demo_arguments,
    ),
    "drill list": Verb(
        does="Name the incidents that can be played, and what happened in each.",
        example="standfast drill list --json",
        codes="0   listed\n2   usage error",
        run=_drill_list,
    ),
    "drill run": Verb(
        does="Play incidents on the simulated exchange, each with a bare bot and with a guarded one, and compare.",
        example="standfast drill run exits-expire close-flips\nstandfast drill run all --wire\n"
        "standfast drill run silent-removal --replay 20210106_quote_european.zip\n"
        "standfast drill run rollback-doubles --broker binance\n"
        "standfast drill run rollback-doubles --seeds 100",
        codes=HELD,
        run=_drill_run,
        arguments=_drill_arguments,
    ),
    "exchange": Verb(
        does="Serve the simulated exchange in the dialect of Alpaca, Tradier, Bybit or Binance USD-M, for your\n"
        "bot and for the guard. It keeps its own time. In the last two it trades perpetual futures, day and night.",
        example="standfast exchange --port 8790 --clock x60\n"
        "standfast exchange --replay spy.zip --account paper:key:secret:50000\n"
        "standfast exchange --dialect tradier --replay spxw.zip\n"
        "standfast exchange --dialect bybit --instrument BTCUSDT=50000",
        codes="0   stopped as asked\n1   it cannot start\n2   usage error",
        run=_exchange,
        arguments=_exchange_arguments,
    ),
}
