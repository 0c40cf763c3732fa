"""Start the command line; refuse where Python would strip the assertions.

Assertions are part of the safety of this program (STYLE.md, rule 11): a guard that runs without them keeps acting on
a state it would otherwise have stopped at. So -O and PYTHONOPTIMIZE end here, before anything of ours is imported.
"""

import gc
import sys

REFUSED = 2
"""Exit code of a start that was refused: the same as for a wrong command line, since the cure is another one."""


def run() -> None:
    """Entry point of `standfast` and of `python -m standfast`: exits the process with the code of the verb."""
    code = _start(sys.argv[1:])
    gc.freeze()  # what is left goes with the process: looking for garbage in it took longer than many verbs
    sys.exit(code)


def _start(argv: list[str]) -> int:
    if sys.flags.optimize:
        sys.stderr.write("standfast: refusing to run under -O or PYTHONOPTIMIZE, which strip its safety assertions\n")
        return REFUSED
    from standfast.cli.main import main  # here, so that the refusal needs nothing but the interpreter

    return main(argv)


if __name__ == "__main__":
    run()
