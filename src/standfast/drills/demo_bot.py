"""Where the careless bot is. It is an example (examples/careless_bot.py) that ships beside this file when installed."""

from importlib.util import find_spec
from pathlib import Path

from standfast.model.errors import StandfastError

NAME = "careless_bot.py"


def script() -> Path:
    """The bot's file. StandfastError, saying what to do, when it or the client it uses is not there."""
    if find_spec("alpaca") is None:
        raise StandfastError(
            "the demo's bot uses alpaca-py, which is not installed here; install it with the extra that holds it:"
            ' pip install "standfast[dev]" (in a clone: make setup)'
        )
    here = Path(__file__)
    for path in (here.with_name(NAME), here.parents[3] / "examples" / NAME):
        if path.is_file():
            return path
    raise StandfastError(f"{NAME} is not part of this installation; run the demo from a clone: make demo")
