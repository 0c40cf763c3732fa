"""Binance's listen keys: one for each account, good for an hour after it was asked for or kept alive.

Asking again while it is good gives the same one. When it ends, every stream of it is told so.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from standfast.exchange.dialects.binance.codes import NO_LISTEN_KEY, BinanceRefused
from standfast.exchange.dialects.binance.wire import replied
from standfast.exchange.dialects.gate import Reply, RouteAt
from standfast.exchange.dialects.perpetuals import PerpetualCall, Perpetuals
from standfast.exchange.ids import Ids

LIVES = timedelta(hours=1)
PATH = "/fapi/v1/listenKey"


class ListenKeys:
    def __init__(self, venue: Perpetuals) -> None:
        self._venue = venue
        self._ids = Ids(0)
        self._keys: dict[str, str] = {}  # by account
        self._until: dict[str, datetime] = {}  # by key
        self.on_expired: list[Callable[[str, str], None]] = []
        """Told of account and key."""

    def routes(self) -> tuple[RouteAt[Perpetuals], ...]:
        return (
            RouteAt("POST", PATH, "session", self.start),
            RouteAt("PUT", PATH, "session", self.keep),
            RouteAt("DELETE", PATH, "session", self.end),
        )

    def account(self, key: str) -> str | None:
        """Whose it is, None for one that is not good."""
        return next((account for account, good in self._keys.items() if good == key), None)

    def start(self, call: PerpetualCall) -> Reply:
        key = self._keys.get(call.account)
        if key is None:
            key = self._keys[call.account] = self._ids.uuid().replace("-", "") * 2
        self._extend(call.account, key)
        return replied({"listenKey": key})

    def keep(self, call: PerpetualCall) -> Reply:
        key = self._keys.get(call.account)
        if key is None:
            raise BinanceRefused(NO_LISTEN_KEY, "This listenKey does not exist.")
        self._extend(call.account, key)
        return replied({"listenKey": key})

    def end(self, call: PerpetualCall) -> Reply:
        key = self._keys.get(call.account)
        if key is not None:
            self._expire(call.account, key)
        return replied({})

    def _extend(self, account: str, key: str) -> None:
        self._until[key] = self._venue.now + LIVES
        self._venue.later(LIVES.total_seconds(), lambda: self._check(account, key))

    def _check(self, account: str, key: str) -> None:
        if self._keys.get(account) == key and self._venue.now >= self._until[key]:
            self._expire(account, key)

    def _expire(self, account: str, key: str) -> None:
        del self._keys[account]
        del self._until[key]
        for told in self.on_expired:
            told(account, key)
