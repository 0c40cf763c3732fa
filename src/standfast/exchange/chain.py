"""A made-up market in options: a chain on each underlying, quoted by the model of `greeks` as the underlying moves.

`Chain` is a source of prices on top of another (see `market.Prices`): whenever the underlying is quoted and `every` has
passed, so are its contracts, at the same instant. Like its base it keeps no clock and gives the same quotes twice, and
like the model it uses nothing that differs between platforms: a quote is a whole number of ticks.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from operator import itemgetter
from zoneinfo import ZoneInfo

from standfast.exchange.contracts import Contract, contract_of
from standfast.exchange.greeks import days_left, scale_of, value
from standfast.exchange.market import Prices
from standfast.exchange.quotes_file import FileQuote

NEW_YORK = ZoneInfo("America/New_York")
CLOSES = time(16)
CHEAP = 3.0  # below it the tick is finer
FINE, COARSE = Decimal("0.05"), Decimal("0.10")
SPREAD_SHARE = 0.02
STEPS = (Decimal(1), Decimal("2.5"), Decimal(5), Decimal(10), Decimal(25), Decimal(50), Decimal(100))
STEP_SHARE = Decimal("0.005")
WEEKLY_ROOT = {"SPX": "SPXW", "NDX": "NDXP", "RUT": "RUTW"}
SIZE = Decimal(50)


class Chain:
    """See the module. `volatility` is a year's; the same for all contracts."""

    def __init__(
        self,
        underlyings: Prices,
        contracts: Sequence[Contract],
        *,
        volatility: float = 0.16,
        every: timedelta = timedelta(seconds=5),
    ) -> None:
        self._underlyings = underlyings
        self._contracts: dict[str, list[Contract]] = {}
        for contract in sorted(contracts, key=lambda each: each.name):
            self._contracts.setdefault(contract.underlying, []).append(contract)
        self._volatility = volatility
        self._every = every

    def quotes(self, start: datetime, end: datetime) -> Iterator[FileQuote]:
        """See `Prices`."""
        due: dict[str, datetime] = {}
        for at, together in groupby(self._underlyings.quotes(start, end), key=itemgetter(0)):
            rows: list[FileQuote] = []
            for quote in together:
                rows.append(quote)
                if quote.is_two_sided and at >= due.get(quote.instrument, at):
                    due[quote.instrument] = at + self._every
                    rows.extend(self._of(quote))
            yield from sorted(rows, key=itemgetter(1))

    def _of(self, underlying: FileQuote) -> Iterator[FileQuote]:
        assert underlying.bid is not None
        assert underlying.ask is not None
        spot = float((underlying.bid + underlying.ask) / 2)
        for contract in self._contracts.get(underlying.instrument, ()):
            if underlying.at < ends_at(contract):
                scale = scale_of(self._volatility, spot, days_left(contract, underlying.at))
                yield _quote(contract, value(contract, spot, scale), underlying.at)


def _quote(contract: Contract, worth: float, at: datetime) -> FileQuote:
    """Around the model's value, a tick or a fiftieth wide; worth less than half a tick it has no bid."""
    tick = FINE if worth < CHEAP else COARSE
    wide = max(1, round(worth * SPREAD_SHARE / float(tick)))
    bid = round(worth / float(tick) - wide / 2)
    ask = tick * (max(bid, 0) + wide)
    if bid <= 0:
        return FileQuote(at, contract.name, None, ask, None, SIZE)
    return FileQuote(at, contract.name, tick * bid, ask, SIZE, SIZE)


def ends_at(contract: Contract) -> datetime:
    """When it trades no more, on a day of full length."""
    return datetime.combine(contract.expiry, CLOSES, NEW_YORK)


def listed(underlying: str, price: Decimal, days: Sequence[date], strikes: int) -> list[Contract]:
    """Calls and puts of these days, that many strikes on either side of the price. Indices get their weekly root."""
    root = WEEKLY_ROOT.get(underlying, underlying)
    step = next((each for each in STEPS if each >= price * STEP_SHARE), STEPS[-1])
    middle = (price / step).to_integral_value(ROUND_HALF_UP) * step
    found = [
        contract_of(f"{root}{day:%y%m%d}{right}{int((middle + n * step) * 1000):08d}")
        for day in days
        for right in "CP"
        for n in range(-strikes, strikes + 1)
        if middle + n * step > 0
    ]
    return [contract for contract in found if contract is not None]
