"""Standfast guards the positions of a trading bot at its broker: it records before it acts and proves what it did.

For bots: `connect` (or `connect_async`), see `standfast.client`. Names are loaded when they are asked for.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from standfast.client.beside import AsyncAnswer as AsyncAnswer
    from standfast.client.beside import AsyncClient as AsyncClient
    from standfast.client.beside import connect_async as connect_async
    from standfast.client.client import Answer as Answer
    from standfast.client.client import Client as Client
    from standfast.client.client import connect as connect
    from standfast.client.results import Break as Break
    from standfast.client.results import Leg as Leg
    from standfast.client.results import Order as Order
    from standfast.client.results import Position as Position
    from standfast.client.results import Proof as Proof
    from standfast.client.results import Protection as Protection
    from standfast.model.errors import AskedOtherwise as AskedOtherwise
    from standfast.model.errors import AskError as AskError
    from standfast.model.errors import JournalError as JournalError
    from standfast.model.errors import Misasked as Misasked
    from standfast.model.errors import NoGuard as NoGuard
    from standfast.model.errors import NotDone as NotDone
    from standfast.model.errors import Refused as Refused
    from standfast.model.errors import SettingsError as SettingsError
    from standfast.model.errors import StandfastError as StandfastError
    from standfast.model.errors import Unanswered as Unanswered
    from standfast.model.errors import Unproven as Unproven

_HOMES = {
    "standfast.client.beside": ("AsyncAnswer", "AsyncClient", "connect_async"),
    "standfast.client.client": ("Answer", "Client", "connect"),
    "standfast.client.results": ("Break", "Leg", "Order", "Position", "Proof", "Protection"),
    "standfast.model.errors": (
        *("AskError", "AskedOtherwise", "JournalError", "Misasked", "NoGuard", "NotDone", "Refused", "SettingsError"),
        *("StandfastError", "Unanswered", "Unproven"),
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # a name that is none is an error to whoever checks types

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module 'standfast' has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(_HOME[name]), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
