"""The settings room: `standfast.toml` and the environment become rules and connection settings, right by construction.

`load` reads everything and raises one `SettingsError` that names every problem found: place, key, value, remedy.
`load_here` does so with the process's own environment, and takes the secrets out of it.
`quick` answers the two questions of the verbs that only read the ledger, without importing anything heavy; that is
why the names below are loaded when asked for.

Validation is our own and not pydantic's: a problem has to name the line and the cure, all problems have to be told at
once, secrets must not be repeated in a message, and a start costs 0.2 s and 15 MB less.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from standfast.settings.process import load_here
    from standfast.settings.quick import account_names, ledger_url
    from standfast.settings.reading import load
    from standfast.settings.shapes import AccountSettings, AlertChannel, ApiSettings, Settings, TrackerSettings

__all__ = [
    "AccountSettings",
    "AlertChannel",
    "ApiSettings",
    "Settings",
    "TrackerSettings",
    "account_names",
    "ledger_url",
    "load",
    "load_here",
]

_HOMES = {"load": "reading", "load_here": "process", "account_names": "quick", "ledger_url": "quick"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"standfast.settings.{_HOMES.get(name, 'shapes')}"), name)
