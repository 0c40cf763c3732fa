"""What is traded: linear perpetual futures, paid and margined in one currency.

A quantity is in contracts of `contract_size` units of the base each; on Bybit and Binance one contract is one unit.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from enum import StrEnum

ONE = Decimal(1)
SMALLEST = Decimal("1e-8")
CURRENCIES = ("USDT", "USDC")


class Standing(StrEnum):
    """Whether it trades."""

    TRADING = "trading"
    SETTLING = "settling"  # nothing opens any more
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Perpetual:
    """One contract. Rates are fractions; `symbol` is the exchange's own name for it."""

    symbol: str
    base: str
    settles_in: str = "USDT"
    contract_size: Decimal = ONE
    tick: Decimal
    step: Decimal
    least_quantity: Decimal
    most_quantity: Decimal
    least_value: Decimal = Decimal(5)  # of an order that may open
    leverage_max: Decimal = Decimal(100)
    maintenance_rate: Decimal = Decimal("0.005")
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.00055")
    price_guard: Decimal = Decimal("0.05")  # how far from the mark a market order may trade
    funding_every: timedelta = timedelta(hours=8)
    funding_rate: Decimal = Decimal("0.0001")  # what a long pays a short, of the value at mark
    standing: Standing = Standing.TRADING

    def on_tick(self, price: Decimal) -> Decimal:
        """The nearest price there is."""
        return (price / self.tick).quantize(ONE, ROUND_HALF_EVEN) * self.tick

    def on_step(self, quantity: Decimal) -> Decimal:
        """The largest quantity there is that is not more."""
        return (quantity / self.step).quantize(ONE, ROUND_DOWN) * self.step

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Money of so many contracts at that price, with the quantity's sign."""
        return quantity * self.contract_size * price


_KNOWN = {
    "BTCUSDT": ("0.10", "0.001", "1190"),
    "ETHUSDT": ("0.01", "0.01", "7240"),
    "SOLUSDT": ("0.010", "0.1", "79770"),
    "XRPUSDT": ("0.0001", "0.1", "2500000"),
    "ADAUSDT": ("0.0001", "1", "8000000"),
    "DOGEUSDT": ("0.00001", "1", "40000000"),
}
_OTHERS = ("0.0001", "0.1", "1000000")


def money(amount: Decimal) -> Decimal:
    """As an amount is booked: to the eighth place."""
    return amount.quantize(SMALLEST, ROUND_HALF_EVEN)


def perpetual(symbol: str, **changes: object) -> Perpetual:
    """A contract as the exchanges list it, or one in their manner for a symbol nobody knows. ValueError for a name
    that ends in no currency."""
    base, currency = _parts(symbol)
    tick, step, most = (Decimal(text) for text in _KNOWN.get(symbol, _OTHERS))
    usual = Perpetual(
        symbol=symbol,
        base=base,
        settles_in=currency,
        tick=tick,
        step=step,
        least_quantity=step,
        most_quantity=most,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # names of fields with values of theirs


def symbol_of(name: str) -> str:
    """The exchange's symbol for a name in either form: `BTC/USDT:USDT`, as recorded quotes have it, or its own."""
    return name.partition(":")[0].replace("/", "").upper()


def _parts(symbol: str) -> tuple[str, str]:
    for currency in CURRENCIES:
        if symbol.endswith(currency) and symbol != currency:
            return symbol.removesuffix(currency), currency
    raise ValueError(f"{symbol}: a linear perpetual ends in {' or '.join(CURRENCIES)}")
