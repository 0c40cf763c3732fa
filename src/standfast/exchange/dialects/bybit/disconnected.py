"""Bybit's dead man's switch: orders are cancelled when an account's private streams have been gone too long.

It watches streams that subscribed to `dcp`; it cancels what works and what waits for a price, and no position's own
stops: those stay with the position.
"""

from collections import Counter

from standfast.exchange.dialects.perpetuals import Perpetuals
from standfast.exchange.perpetual.orders import OF_POSITION, Ended


class Switches:
    def __init__(self, venue: Perpetuals) -> None:
        self._venue = venue
        self._windows: dict[str, int] = {}
        self._watching: Counter[str] = Counter()
        self._turns: Counter[str] = Counter()  # how often somebody came: a fuse of before has no meaning after

    def window(self, account: str) -> int:
        """Seconds, 0 while it is off."""
        return self._windows.get(account, 0)

    def set(self, account: str, seconds: int) -> None:
        self._windows[account] = seconds

    def came(self, account: str) -> None:
        self._watching[account] += 1
        self._turns[account] += 1

    def left(self, account: str) -> None:
        self._watching[account] -= 1
        seconds, turn = self.window(account), self._turns[account]
        if seconds and not self._watching[account]:
            self._venue.later(seconds, lambda: self._strike(account, turn))

    def _strike(self, account: str, turn: int) -> None:
        if self._turns[account] != turn:
            return
        engine = self._venue.engine
        for order in engine.working(account):
            if order.role not in OF_POSITION:
                engine.cancel(account, order.id, Ended.DISCONNECTED)
