"""What can go wrong between a client and the exchange: a script of rules, and the decision which of them strikes now.

A rule names an operation, when it strikes and what happens. `Faults.decide` picks the first rule that matches; who
asks (the HTTP gate, the streams, the in-process broker of the simulation) carries the fault out. Nothing here waits or
sends.

Invariants:

1. The same seed and the same questions in the same order give the same faults.
2. A rule with a count strikes that often and never again; one that was only skipped or lost its draw is not used up.
3. A fault changes what a client is told or when, never what is so: the engine does not know this module.

Operations are the words of `OPERATIONS`; a rule may use globs (`*`, `cancel*`). Times are exchange seconds.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from random import Random
from typing import Literal, TypeVar

import msgspec

OPERATIONS = (
    "profile", "account", "configurations", "whitelists", "positions", "position", "close", "close_all", "orders",
    "order", "submit", "replace", "cancel", "cancel_all", "activities", "clock", "calendar", "assets", "asset",
    "quotes", "trades", "snapshots", "chains", "gainloss", "preview", "session", "stream", "stream_connect",
    "quote_stream", "quote_stream_connect", "executions", "outcomes", "leverage", "mode", "stops", "position_stream",
)  # fmt: skip
HOLD_SECONDS = 60.0  # how long a dead connection is held open before it is cut
HTML = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"

Row = TypeVar("Row")


class Fault(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What happens to one request or one stream message."""

    @property
    def is_applied(self) -> bool:
        """Whether a request so struck is carried out all the same."""
        return True


class Slow(Fault, frozen=True, tag="slow"):
    """The answer, or with `late="request"` the request itself, is `seconds` late. A late request is applied late."""

    seconds: float
    late: Literal["answer", "request"] = "answer"


class Stale(Fault, frozen=True, tag="stale"):
    """A read as it was `age` seconds ago; with `at_most`, as old as is drawn between the two for each read."""

    age: float
    at_most: float | None = None


class EmptyList(Fault, frozen=True, tag="empty"):
    """A list without its rows."""


class PartialList(Fault, frozen=True, tag="partial"):
    """A list that lacks the rows of `without`, and `missing` more drawn by chance."""

    without: tuple[str, ...] = ()
    missing: int = 0


class NeverArrives(Fault, frozen=True, tag="never_arrives"):
    """The request is lost on its way; the client hears nothing."""

    hold: float = HOLD_SECONDS

    @property
    def is_applied(self) -> bool:
        return False


class NeverAnswered(Fault, frozen=True, tag="never_answered"):
    """The request is carried out and its answer is lost; the client hears nothing."""

    hold: float = HOLD_SECONDS


class RateLimited(Fault, frozen=True, tag="rate_limited"):
    """429, with the headers of an exhausted budget."""

    reset_after: float = 60.0

    @property
    def is_applied(self) -> bool:
        return False


class ServerError(Fault, frozen=True, tag="server_error"):
    """A 5xx; with `after`, once the request has been carried out. Without a body: JSON for 500, HTML otherwise."""

    status: int = 500
    after: bool = False
    body: str | None = None

    @property
    def is_applied(self) -> bool:
        return self.after


class Garbled(Fault, frozen=True, tag="garbled"):
    """The request is carried out and the answer, status 200, is not what it should be."""

    body: str = HTML
    content_type: str = "text/html"


class Reset(Fault, frozen=True, tag="reset"):
    """The connection is reset; with `after`, once the request has been carried out."""

    after: bool = False

    @property
    def is_applied(self) -> bool:
        return self.after


class RefusedWith(Fault, frozen=True, tag="refused"):
    """The exchange says no, in these words, and does nothing."""

    status: int
    body: dict[str, object]

    @property
    def is_applied(self) -> bool:
        return False


class Misreport(Fault, frozen=True):
    """The answer is well formed, and says of something that is so what is not so: see `misreport`."""


class AlteredIds(Misreport, frozen=True, tag="altered_ids"):
    """The orders in the answer bear their client order ids cut off, in other letters, or not at all."""

    how: Literal["cut", "lower", "upper", "none"] = "upper"


class OtherInstrument(Misreport, frozen=True, tag="other_instrument"):
    """What the answer says of one instrument it says of another: every row of it bears that name."""

    instrument: str = "WRONG"


class OtherAccount(Misreport, frozen=True, tag="other_account"):
    """The account in the answer is somebody else's."""

    number: str = "PA0000000000"


class NewState(Misreport, frozen=True, tag="new_state"):
    """The orders in the answer are in a state that nobody has heard of."""

    word: str = "levitating"


class NewType(Misreport, frozen=True, tag="new_type"):
    """The orders in the answer are of a type that nobody has heard of."""

    word: str = "hovering"


class Lost(Fault, frozen=True, tag="lost"):
    """Streams: the message is never sent."""


class Doubled(Fault, frozen=True, tag="doubled"):
    """Streams: the message is sent again `times` times, `seconds` later."""

    seconds: float = 0.0
    times: int = 1


class Delayed(Fault, frozen=True, tag="delayed"):
    """Streams: the message is sent `seconds` late; later ones do not wait for it."""

    seconds: float


class Overtaken(Fault, frozen=True, tag="overtaken"):
    """Streams: the next message of the account goes first."""


class Cut(Fault, frozen=True, tag="cut"):
    """Streams: the connection ends instead of carrying the message. For `…_connect`: it is refused."""


AnyFault = (
    Slow | Stale | EmptyList | PartialList | NeverArrives | NeverAnswered | RateLimited | ServerError | Garbled | Reset
    | RefusedWith | AlteredIds | OtherInstrument | OtherAccount | NewState | NewType | Lost | Doubled | Delayed
    | Overtaken | Cut
)  # fmt: skip


_fits = lru_cache(maxsize=4096)(fnmatchcase)
"""Each request and each message is held against every rule in force, and there are few names."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a fault strikes. `count` None: every time. The globs match everything unless set."""

    operation: str
    fault: AnyFault
    count: int | None = None
    skip: int = 0  # let that many matching requests pass first
    probability: float = 1.0
    instrument: str = "*"  # when set, requests about no single instrument do not match
    account: str = "*"
    since: datetime | None = None  # exchange time
    until: datetime | None = None
    label: str = ""  # what its strikes are counted under

    def __post_init__(self) -> None:
        if not any(fnmatchcase(name, self.operation) for name in OPERATIONS):
            raise ValueError(f"no operation matches {self.operation!r}; there are {', '.join(OPERATIONS)}")
        if not 0 < self.probability <= 1:
            raise ValueError(f"a probability lies in (0, 1], not {self.probability}")

    def matches(self, operation: str, instrument: str | None, account: str | None, at: datetime) -> bool:
        return (
            _fits(operation, self.operation)
            and (self.instrument == "*" or (instrument is not None and _fits(instrument, self.instrument)))
            and (self.account == "*" or (account is not None and _fits(account, self.account)))
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
        )


def parse_rules(script: bytes | str) -> list[Rule]:
    """A JSON list of rules. ValueError for anything else, naming the place."""
    try:
        return msgspec.json.decode(script, type=list[Rule])
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Struck:
    """One fault as it was decided."""

    at: datetime
    operation: str
    instrument: str | None
    account: str | None
    fault: Fault
    label: str = ""


@dataclass(slots=True)
class _Standing:
    rule: Rule
    seen: int = 0
    struck: int = 0


class Faults:
    """The rules in force. One object for a whole exchange, whichever way in is used."""

    def __init__(self, rules: Iterable[Rule] = (), *, seed: int = 0) -> None:
        self._chance = Random(seed)
        self._standing: list[_Standing] = []
        self.struck: list[Struck] = []
        self.install(*rules)

    def install(self, *rules: Rule) -> None:
        """Add rules; earlier ones are asked first."""
        self._standing.extend(_Standing(rule) for rule in rules)

    def withdraw(self, *rules: Rule) -> None:
        """Take back these very rules, as they were installed."""
        gone = {id(rule) for rule in rules}
        self._standing = [standing for standing in self._standing if id(standing.rule) not in gone]

    def clear(self) -> None:
        self._standing.clear()

    def decide(
        self, operation: str, instrument: str | None, at: datetime, *, account: str | None = None
    ) -> Fault | None:
        """The fault that strikes this request or message, if any. Asking uses it up: ask once for each."""
        for standing in self._standing:
            if standing.rule.matches(operation, instrument, account, at) and self._strikes(standing):
                fault = self._drawn(standing.rule.fault)
                self.struck.append(Struck(at, operation, instrument, account, fault, standing.rule.label))
                return fault
        return None

    def thin(self, rows: Sequence[Row], fault: Fault | None, instrument_of: Callable[[Row], str]) -> list[Row]:
        """What is left of a list under this fault, in its order."""
        match fault:
            case EmptyList():
                return []
            case PartialList(without=without, missing=missing):
                left = [row for row in rows if instrument_of(row) not in without]
                gone = set(self._chance.sample(range(len(left)), min(missing, len(left))))
                return [row for index, row in enumerate(left) if index not in gone]
            case _:
                return list(rows)

    def _drawn(self, fault: AnyFault) -> AnyFault:
        """The fault with what is left to chance in it decided."""
        if isinstance(fault, Stale) and fault.at_most is not None:
            return Stale(age=self._chance.uniform(fault.age, fault.at_most))
        return fault

    def _strikes(self, standing: _Standing) -> bool:
        rule = standing.rule
        if rule.count is not None and standing.struck >= rule.count:
            return False
        standing.seen += 1
        if standing.seen <= rule.skip:
            return False
        if rule.probability < 1 and self._chance.random() >= rule.probability:
            return False
        standing.struck += 1
        return True
