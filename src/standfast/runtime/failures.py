"""What is inside the group of errors that a guard's tasks end with."""

from collections.abc import Iterator
from itertools import chain

from standfast.model.errors import JournalDamaged, JournalError, JournalUnavailable, LeaseLost, Superseded, named
from standfast.runtime.upkeep import remedied


def first_line(failed: BaseExceptionGroup[Exception]) -> str:
    """The first failure in words."""
    return named(first(failed))


def first(failed: BaseException) -> BaseException:
    """What stands first in a group, at any depth."""
    return first(failed.exceptions[0]) if isinstance(failed, BaseExceptionGroup) else failed


def ledger_failure(error: BaseException) -> JournalError | None:
    """What of a failure says that the ledger could not be written or read; None for a lost lease, or a bug of ours."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(ledger_failure, error.exceptions)), None)
    if isinstance(error, JournalDamaged):
        return remedied(error)
    return error if isinstance(error, JournalUnavailable) else None


def superseded(failed: BaseException) -> Superseded | None:
    """What of a failure while guarding says that another process guards an account by now."""
    if not isinstance(failed, BaseExceptionGroup):
        return None
    return next((Superseded(str(each)) for each in _every(failed) if isinstance(each, LeaseLost)), None)


def _every(failed: BaseException) -> Iterator[BaseException]:
    """What is inside the groups."""
    if isinstance(failed, BaseExceptionGroup):
        yield from chain.from_iterable(map(_every, failed.exceptions))
    else:
        yield failed
