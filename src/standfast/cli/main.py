"""Find the verb, build its parser, run it, turn what it raises into an exit code.

1. The way to a verb's help imports argparse, this file and the verb's own module: no event loop, no store, no HTTP.
2. 2 is a usage error, whatever the verb; 78 is a configuration that cannot be used.
3. What is printed for an error is redacted: a secret that was loaded never reaches the terminal.
"""

import sys
from collections.abc import Sequence
from errno import ENOSPC
from typing import NamedTuple

from standfast.cli.arguments import DEFAULT_CONFIG, USAGE, Options, Verb, parser_for

OK = 0
FAILED = 1
BAD_CONFIG = 78
GUARDED_ALREADY = 79
INTERRUPTED = 130

GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "start": {
        "demo": ("shows", "a careless bot, a market and the guard, on one screen"),
        "init": ("init", "ask, and write standfast.toml"),
        "doctor": ("doctor", "check configuration, keys, broker, alerts"),
    },
    "guard": {
        "guard": ("guarding", "guard the accounts: the main job"),
        "scan": ("guarding", "compare books and broker once, read-only"),
    },
    "look": {
        "positions": ("reading", "what is held, and under which stop"),
        "portfolio": ("reading", "all of it priced: delta, theta, the worst that can come of it at expiry"),
        "orders": ("reading", "what was asked for, and what became of it"),
        "breaks": ("reading", "differences between books and broker"),
        "history": ("history", "closed positions, fills, profit and loss by day"),
        "alerts": ("reading", "what people were told, and whether it arrived"),
        "explain": ("explain", "the whole proof trail of a position, order, break or alert"),
    },
    "act": {
        "open": ("acts", "open a position, protected"),
        "close": ("acts", "close a position, proven flat"),
        "protect": ("acts", "choose stop and target of a position"),
        "flatten": ("acts", "close everything of an account"),
        "freeze": ("acts", "stop opening on an account or instrument"),
        "thaw": ("acts", "end a freeze"),
        "adopt": ("acts", "take what a break found into the books"),
        "ignore": ("acts", "leave what a break found alone"),
        "ack": ("acts", "acknowledge an alert"),
        "undo": ("acts", "take back a repair of the books"),
    },
    "ledger": {
        "journal verify": ("journal", "walk the hash chain"),
        "journal backup": ("journal", "copy the ledger while it is in use"),
        "journal export": ("journal", "write the journal as JSON Lines"),
        "journal tail": ("journal", "show the last entries"),
        "journal rebuild": ("journal", "fold the books again from the journal"),
        "import": ("importing", "take the bot's existing record into the books"),
    },
    "rehearse": {
        "drill list": ("shows", "name the incidents that can be played"),
        "drill run": ("shows", "play incidents bare and guarded"),
        "drill fuzz": ("fuzzing", "put the guard under fire in simulated hours"),
        "drill replay": ("replaying", "play recorded days of options, and prove every exit"),
        "exchange": ("shows", "serve the simulated exchange"),
    },
}

VERBS = {name: home for group in GROUPS.values() for name, home in group.items()}


class Asked(NamedTuple):
    """The command line, taken apart as far as the verb."""

    config: str
    json: bool
    rest: list[str]


def main(argv: Sequence[str]) -> int:
    """Run one command line; returns the exit code and raises nothing."""
    try:
        code = _run(argv)
        sys.stdout.flush()
    except SystemExit as ended:  # argparse ends this way, for help and for usage errors
        return ended.code if isinstance(ended.code, int) else USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _pipe_closed()
    except OSError as error:
        return _no_room(error) if error.errno == ENOSPC else _crashed(error)
    except Exception as error:  # noqa: BLE001  # the interpreter would print it as it is, and it may quote a secret
        return _crashed(error)
    return code


def _run(argv: Sequence[str]) -> int:
    asked = _before_verb(argv)
    if isinstance(asked, int):
        return asked
    name, rest = _verb_of(asked.rest)
    if name not in VERBS:
        return _no_verb(name, rest)
    if name in GROUPS["look"]:
        _collect_seldom()
    verb = _load(name)
    options = parser_for(name, verb, config=asked.config, json=asked.json).parse_args(rest)
    options.verb = name
    return _guarded_run(verb, options)


def _before_verb(argv: Sequence[str]) -> Asked | int:
    """Take the options that may stand before the verb; an exit code where they already are the whole question."""
    config, json = DEFAULT_CONFIG, False
    rest = list(argv)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word in ("-h", "--help"):
            return _overview(OK)
        if word == "--version":
            return _version()
        if word == "--json":
            json = True
        elif word.startswith("--config="):
            config = word.partition("=")[2]
        elif word == "--config" and rest:
            config = rest.pop(0)
        else:
            return _usage(f"{word} is not an option before a verb, or lacks its value; known: --config FILE, --json")
    if rest[:1] == ["help"]:
        rest = [*rest[1:], "--help"]
        return _overview(OK) if rest == ["--help"] else Asked(config, json, rest)
    return Asked(config, json, rest) if rest else _overview(USAGE)


def _verb_of(words: list[str]) -> tuple[str, list[str]]:
    """The longest verb the words begin with (`journal verify` before `journal`), and what follows it."""
    both = " ".join(words[:2])
    return (both, words[2:]) if both in VERBS else (words[0], words[1:])


def _collect_seldom() -> None:
    """A verb that reads and ends makes little garbage: looking for it while modules load is a twentieth of its time."""
    import gc

    gc.set_threshold(50_000)


def _load(name: str) -> Verb:
    from importlib import import_module

    module = import_module(f"standfast.cli.{VERBS[name][0]}")
    verb = module.VERBS[name]
    assert isinstance(verb, Verb), name
    return verb


def _guarded_run(verb: Verb, options: Options) -> int:
    from standfast.model.errors import SettingsError, StandfastError

    try:
        return verb.run(options)
    except SettingsError as error:
        return _failed(error, BAD_CONFIG)
    except StandfastError as error:
        return _failed(error, FAILED)


def _failed(error: Exception, code: int) -> int:
    from standfast.model.secret import redact

    told = redact(str(error)) or type(error).__name__
    print("\n".join(f"standfast: {line}" for line in told.splitlines()), file=sys.stderr)
    return code


def _crashed(error: Exception) -> int:
    """A bug of ours: the whole traceback, without local variables and without what was loaded."""
    from traceback import format_exception

    from standfast.model.secret import redact

    print(redact("".join(format_exception(error))), end="", file=sys.stderr)
    return FAILED


def _no_verb(name: str, rest: list[str]) -> int:
    inner = [verb.partition(" ")[2] for verb in VERBS if verb.startswith(f"{name} ")]
    if inner and (not rest or rest[0] in ("-h", "--help")):
        return _actions(name, OK if rest else USAGE)
    from difflib import get_close_matches

    wanted, known = (rest[0], inner) if inner else (name, [verb.partition(" ")[0] for verb in VERBS])
    near = get_close_matches(wanted, known, n=1, cutoff=0.5)
    lead = f"{name} " if inner else ""
    hint = f"did you mean: standfast {lead}{near[0]}" if near else "see: standfast --help"
    return _usage(f"{lead}{wanted} is not a verb; {hint}")


def _usage(text: str) -> int:
    print(f"standfast: {text}", file=sys.stderr)
    return USAGE


def _actions(name: str, code: int) -> int:
    lines = [f"  standfast {verb:<16} {does}" for verb, (_, does) in VERBS.items() if verb.startswith(f"{name} ")]
    text = f"usage: standfast {name} ACTION\n\n" + "\n".join(lines)
    print(text, file=sys.stdout if code == OK else sys.stderr)
    return code


def _overview(code: int) -> int:
    lines = ["usage: standfast VERB [--config FILE] [--json]", ""]
    for group, verbs in GROUPS.items():
        lines += [f"{group}:", *(f"  {verb:<16} {does}" for verb, (_, does) in verbs.items()), ""]
    lines.append("More about a verb: standfast VERB --help. First steps: standfast demo, then standfast init.")
    print("\n".join(lines), file=sys.stdout if code == OK else sys.stderr)
    return code


def _version() -> int:
    from standfast import __version__

    print(f"standfast {__version__}")
    return OK


def _no_room(error: OSError) -> int:
    """What the verb did is done; what it said is lost."""
    print(f"standfast: the output could not be written: {error.strerror}", file=sys.stderr)
    _pipe_closed()
    return FAILED


def _pipe_closed() -> int:
    """The reader has gone (`| head`): that is its right, and no failure of ours."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains while it ends
    return OK
