"""Sessions of Tradier's streams (brokers/README §2.10): made over REST, used within five minutes, one at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID, uuid5

from standfast.exchange.dialects.gate import Call, Handler, Reply, Route, as_json
from standfast.exchange.dialects.venue import Venue

USED_WITHIN = timedelta(minutes=5)
NAMES = UUID("0f0d5a56-3f2e-5d5c-8d0a-6b1f6d7f6a11")


@dataclass(frozen=True, slots=True)
class _Made:
    token: str
    at: datetime


class Sessions:
    """Those of one stream, at `path`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._made: dict[str, _Made] = {}
        self._count = count(1)

    def route(self) -> Route:
        return Route("POST", f"{self.path}/session", "session", self._handler())

    def _handler(self) -> Handler:
        def create(call: Call) -> Reply:
            token = call.venue.engine.spec(call.account).secret
            name = str(uuid5(NAMES, f"{self.path}/{token}/{next(self._count)}"))
            self._made = {known: made for known, made in self._made.items() if made.token != token}
            self._made[name] = _Made(token, call.venue.now)
            url = f"ws://{call.host}{self.path}"
            return Reply(200, as_json({"stream": {"url": url, "sessionid": name}}))

        return create

    def token(self, venue: Venue, session: object) -> str | None:
        """Whose session this is; None when it is unknown, replaced by a newer one, or was used too late."""
        made = self._made.get(session) if isinstance(session, str) else None
        if made is None or venue.now - made.at > USED_WITHIN:
            return None
        return made.token
