"""An account's budget within that of the address of the internet that several accounts ask from.

Invariants
- Nothing leaves without a turn in both; a turn that is not used is given back in both.
- In the shared budget closes of one account go before reads of another, as within an account.
- A refusal that the exchange gives the account closes its budget; one that it gives the address closes everybody's.
"""

from collections.abc import Mapping

from standfast.brokers.shared.throttle import Budgeted
from standfast.ports import Clock


class AtAddress:
    """Takes the place of an account's own `Throttle`."""

    def __init__(self, own: Budgeted, address: Budgeted, clock: Clock, *, of_account: str) -> None:
        """`of_account`: a header that only answers about the account's own limit have."""
        self._own = own
        self._address = address
        self._clock = clock
        self._of_account = of_account
        self._numbers: dict[int, int] = {}
        """Of requests that have no answer yet: their numbers in the shared budget."""

    async def admit(self, urgency: int, *, rank: float = 0.0, within: float) -> int:
        """As `Throttle.admit`, in both budgets. Raises Unreachable."""
        began = self._clock.monotonic()
        number = await self._own.admit(urgency, rank=rank, within=within)
        left = max(within - (self._clock.monotonic() - began), 0.0)
        try:
            self._numbers[number] = await self._address.admit(urgency, rank=rank, within=left)
        except BaseException:
            self._own.give_back(number)
            raise
        return number

    def heard(self, number: int, headers: Mapping[str, str], *, refused: bool) -> float | None:
        ours = refused and (not self._of_account or self._of_account in headers)
        shared = self._numbers.pop(number, None)
        if shared is not None:
            self._address.heard(shared, headers, refused=refused and not ours)
        return self._own.heard(number, headers, refused=refused)

    def give_back(self, number: int) -> None:
        shared = self._numbers.pop(number, None)
        if shared is not None:
            self._address.give_back(shared)
        self._own.give_back(number)
