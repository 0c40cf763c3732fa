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
├── AskError                what a program asked of a guard has no proof
│   ├── Misasked            it cannot be meant so: nothing was asked
│   ├── AskedOtherwise      its id asked for something else before: nothing was asked
│   ├── NoGuard             nobody guards the account: nothing was asked
│   ├── Unanswered          asked, and no guard has answered: ask again under the same id
│   ├── NotDone             accepted, and it came to nothing
│   │   └── Refused         it was not accepted: nothing was sent
│   └── Unproven            accepted, and not proven in time: go on waiting
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
    `clock`, `other`.
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


class AskError(StandfastError):
    """What a program asked of a guard (`standfast.client`) has no proof. The text says where, what, and what to do."""


class Misasked(AskError):
    """It cannot be meant so: nothing was asked. The text names the value and the remedy."""


class AskedOtherwise(AskError):
    """Its id asked for something else before: nothing was asked. One id is one act."""


class NoGuard(AskError):
    """Nobody guards the account: nothing was asked."""


class Unanswered(AskError):
    """Asked, and no guard has answered in time. Ask again under the same id: it is not done twice."""


class NotDone(AskError):
    """Accepted, and it came to nothing: an order that was refused, an opening that was rolled back."""


class Refused(NotDone):
    """It was not accepted: nothing was sent. `reasons` holds every one."""

    def __init__(self, text: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.reasons = tuple(redact(each) for each in reasons)


class Unproven(AskError):
    """Accepted, and not proven in time: it may still come to be, or to nothing. Go on waiting."""
