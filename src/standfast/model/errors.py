"""Every error Standfast raises on purpose.

StandfastError
├── BrokerError
│   ├── Unreachable         nothing was sent: trying again is safe
│   │   └── Withdrawn       nothing was sent, because it was not wanted any more when its turn came
│   ├── Rejected            the broker said no: nothing changed
│   ├── OutcomeUnknown      it was sent and no answer proves the result: verify first
│   ├── Incomplete          a read that cannot be shown to be whole: use none of it
│   ├── Malformed           a read answered with something unknown: never guess
│   └── Unauthorised        the keys are refused: stop sending, tell someone
├── JournalError
│   ├── JournalUnavailable  we cannot record, so we may not act
│   ├── JournalDamaged      the chain does not verify: refuse to start
│   └── LeaseLost           another process writes this account: stop
│       └── Superseded      it was ours to write until the other took over
├── RecordUnreadable        the bot's own record cannot be read now: evidence of nothing
└── SettingsError           found before anything starts

A class exists when a caller may do something different. `AssertionError` is for our own bugs and ends
the process. Venue and driver exceptions are translated in the adapter and never seen above it.

The text of an error holds no loaded secret, whoever wrote the words in it: it goes into the journal, alerts and logs.
"""

from standfast.model.secret import redact


class StandfastError(Exception):
    """The root: catch it at a process's edge only."""

    def __init__(self, *told: object) -> None:
        super().__init__(*(redact(each) if isinstance(each, str) else each for each in told))


class BrokerError(StandfastError):
    """Something about one request to one broker."""


class Unreachable(BrokerError):
    """Nothing was sent: trying again is safe. Evidence of nothing."""


class Withdrawn(Unreachable):
    """Nothing was sent: it was not wanted any more when its turn came."""


class Rejected(BrokerError):
    """The broker said no: nothing changed.

    `code` is the broker's own stable number or word, `kind` ours: `held_quantity`, `duplicate_id`, `wash_trade`,
    `buying_power`, `not_found`, `not_cancellable`, `rate_limited`, `price`, `not_fractionable`, `not_tradable`,
    `other`.
    """

    def __init__(self, text: str, *, kind: str = "other", code: str = "", retry_after: float | None = None) -> None:
        super().__init__(text)
        self.kind = kind
        self.code = code
        self.retry_after = retry_after
        """Seconds the broker asked us to wait, where it did."""


class OutcomeUnknown(BrokerError):
    """It was sent and no answer proves the result: verify first."""


class Incomplete(BrokerError):
    """A read that cannot be shown to be whole: use none of it."""


class Malformed(BrokerError):
    """A read answered with something unknown: never guess. The text names the field and the value."""


class Unauthorised(BrokerError):
    """The keys are refused: stop sending, tell someone."""


class JournalError(StandfastError):
    """Something about our own record."""


class JournalUnavailable(JournalError):
    """We cannot record, so we may not act."""


class JournalDamaged(JournalError):
    """The chain does not verify, an entry is missing, or the file is not the one we knew."""


class LeaseLost(JournalError):
    """Another process writes this account: stop."""


NAMED_MAX = 500


def named(error: BaseException) -> str:
    """Kind and words of any error, fit for the journal and for people: short, and without a loaded secret."""
    return redact(f"{type(error).__name__}: {error}")[:NAMED_MAX]


class Superseded(LeaseLost):
    """It was ours to write until another process took over, because we were away (a suspended machine)."""


class RecordUnreadable(StandfastError):
    """The bot's own record cannot be read now: evidence of nothing. The text says why."""


class SettingsError(StandfastError):
    """Found before anything starts: names the key, the value and the remedy."""
