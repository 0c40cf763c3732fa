"""What can be traded, and the price it was last quoted at."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from standfast.exchange.contracts import INDEX_OF, Contract, contract_of

ONE = Decimal(1)
INDICES = frozenset(INDEX_OF.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One tradable thing. The id is the venue's own; "" lets the engine derive one."""

    instrument: str
    id: str = ""
    name: str = ""
    asset_class: str = "us_equity"
    venue: str = "NASDAQ"
    tradable: bool = True
    fractionable: bool = True
    shortable: bool = True
    marginable: bool = True

    @property
    def contract(self) -> Contract | None:
        """What an option is a right to; None for everything else."""
        return contract_of(self.instrument) if self.asset_class == OPTION else None

    @property
    def multiplier(self) -> Decimal:
        """Money per unit and unit of price."""
        contract = self.contract
        return ONE if contract is None else contract.multiplier


OPTION = "us_option"
INDEX = "index"


def asset_of(name: str) -> Asset:
    """The asset that a name stands for: an option by its OSI name, an index that is quoted and not traded, a stock."""
    if contract_of(name) is not None:
        return Asset(instrument=name, asset_class=OPTION, venue="OPRA", fractionable=False, marginable=False)
    if name in INDICES:
        return Asset(
            instrument=name, asset_class=INDEX, venue="CBOE", tradable=False, fractionable=False, shortable=False
        )
    return Asset(instrument=name)


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask, with displayed sizes in units, true at `at`. A side of zero has no quote."""

    instrument: str
    bid: Decimal
    ask: Decimal
    bid_size: Decimal
    ask_size: Decimal
    at: datetime

    @property
    def middle(self) -> Decimal:
        return (self.bid + self.ask) / 2 if self.ask else self.bid
