"""ccxt as we use it: it knows addresses, signatures, names and streams. It sends no request by itself.

Every call of the library ends in `fetch2`, which is replaced: the call is handed to whoever sends it, unsigned, and is
signed in the moment it leaves. So no request waits with an old time stamp, none is tried twice, none has a budget or a
deadline of its own.

Invariants
- Numbers stay as they are written: the library is told to make text of them, and JSON fractions are kept as text.
- Addresses are the settings' own: scheme and host are replaced wherever the library has one.
"""

import functools
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from standfast.brokers.shared.transport import Response
from standfast.model.errors import SettingsError
from standfast.model.secret import Secret
from standfast.ports import Clock

Send = Callable[[str, Sequence[str], str, Mapping[str, Any]], Awaitable[Response]]
"""How a call travels: path, API, method, parameters."""

Take = Callable[[Response], None]
"""Raises for an answer that is a refusal."""

AHEAD_FROM = timedelta(seconds=1)
"""Less is the way there and back."""

Library = Any
"""An exchange object of ccxt's; it has no types of its own."""

logging.getLogger("ccxt").setLevel(logging.WARNING)  # at debug level it would write signed requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where an account is reached and with what; an empty address is the library's own."""

    id: str
    key_id: Secret
    secret: Secret
    passphrase: Secret
    live: bool
    rest_url: str = ""
    stream_url: str = ""

    def without_keys(self) -> "Access":
        """For what anybody may read."""
        return replace(self, key_id=Secret(""), secret=Secret(""), passphrase=Secret(""))


def open_library(access: Access, clock: Clock) -> Library:
    """An exchange object of this account. Raises SettingsError for an exchange ccxt does not know."""
    keys = {"apiKey": access.key_id.reveal(), "secret": access.secret.reveal(), "password": access.passphrase.reveal()}
    library = class_of(access.id)({name: key for name, key in keys.items() if key} | {"enableRateLimit": False})
    library.number = str
    library.options["maxRetriesOnFailure"] = 0
    library.has["fetchCurrencies"] = False  # it asks another host, and for nothing we use
    library.newUpdates = True
    library.timeout_on_exit = 0
    library.ahead = 0
    library.milliseconds = lambda: int(clock.now().timestamp() * 1000) + library.ahead
    if not access.rest_url and not access.live:
        if "test" not in library.urls:
            raise SettingsError(
                f'ccxt:{access.id} has no test side that ccxt knows. Write live = true, or rest_url = "https://...".'
            )
        library.set_sandbox_mode(enable=True)
    library.urls["api"] = _elsewhere(library.urls["api"], access.rest_url, access.stream_url)
    return library


def note_time(library: Library, ahead: timedelta) -> None:
    """How far the exchange's clock is ahead of ours: it refuses what is signed at another time than its own."""
    library.ahead = int(ahead.total_seconds() * 1000) if abs(ahead) > AHEAD_FROM else 0


async def forget_connections(library: Library) -> None:
    """The next one starts as the first did."""
    for client in list(library.clients.values()):
        try:
            await client.close()
        except Exception:  # noqa: BLE001, S110 - a broken socket fails to close in many ways; it is forgotten below
            pass
    library.clients.clear()


def is_known(id: str) -> bool:
    """Whether ccxt has an exchange of that name. Raises SettingsError without ccxt."""
    return id in _ccxt().exchanges


def near(id: str) -> list[str]:
    """Exchanges of ccxt's that are called nearly so, the nearest first."""
    return get_close_matches(id.lower(), _ccxt().exchanges, n=4)


def unknown(id: str) -> str:
    """What is to be said of an exchange that ccxt does not know."""
    names = near(id)
    hint = f"Near it: {', '.join(names)}." if names else "See the list at docs.ccxt.com."
    return f"ccxt knows no exchange of that name. {hint}"


def send_through(library: Library, send: Send, take: Take) -> None:
    """Let every call of the library travel by `send`; `take` judges the answer."""

    async def fetch2(
        path: str,
        api: str | Sequence[str] = "public",
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        config: object = None,
    ) -> object:
        names = [api] if isinstance(api, str) else list(api)
        response = await send(path, names, method, dict(params or {}))
        take(response)
        return decoded(response.body)

    library.fetch2 = fetch2
    library.request = fetch2


def decoded(body: bytes) -> Any:
    """JSON with its fractions as text: no number passes through a float. Raises ValueError."""
    return json.loads(body, parse_float=str)


@functools.cache
def _ccxt() -> Any:
    try:
        import ccxt.pro as library
    except ModuleNotFoundError as missing:
        raise SettingsError(
            f'broker = "ccxt:...": {missing.name} is not installed. Install it: pip install "standfast[ccxt]".'
        ) from None
    return library


def class_of(id: str) -> Any:
    """ccxt's class of an exchange. Raises SettingsError for one it does not know."""
    if not is_known(id):
        raise SettingsError(f'broker = "ccxt:{id}": {unknown(id)}')
    return getattr(_ccxt(), id)


def _elsewhere(urls: Any, rest: str, stream: str) -> Any:
    """The same addresses at our scheme and host, paths as they are."""
    if isinstance(urls, dict):
        return {name: _elsewhere(each, rest, stream) for name, each in urls.items()}
    if not isinstance(urls, str):
        return urls
    parts = urlsplit(urls.replace("{hostname}", "hostname"))
    ours = stream if parts.scheme in ("ws", "wss") else rest
    return f"{ours.rstrip('/')}{parts.path}" if ours else urls
