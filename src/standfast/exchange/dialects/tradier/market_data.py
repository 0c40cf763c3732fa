"""Tradier's market data over REST: quotes, chains, expirations and strikes.

The exchange publishes quotes and no tape, so `last` is the middle of the quote, and what a day's statistics would be
is left empty or zero. Greeks are the model's (`exchange.greeks`), fitted to the quote itself.
"""

from datetime import date, timedelta
from decimal import Decimal

from standfast.exchange.assets import INDEX, Asset, Quote
from standfast.exchange.contracts import Contract
from standfast.exchange.dialects.gate import Call, Reply, Route, as_json
from standfast.exchange.dialects.tradier.manner import bad
from standfast.exchange.dialects.tradier.wire import Row, form, milliseconds, number, one_or_many, several
from standfast.exchange.faults import Stale
from standfast.exchange.greeks import LEAST_SCALE, days_left, greeks, scale_from

WEEKLY_MONTH_DAYS = (15, 21)  # the third Friday lies in it
FRIDAY = 4
TRUE = "true"


# Quotes


def quotes(call: Call) -> Reply:
    """One symbol or many, by query or form. Unknown ones are listed apart."""
    asked = form(call.body) if call.body else call.query
    symbols = [symbol.strip().upper() for symbol in asked.get("symbols", "").split(",") if symbol.strip()]
    if not symbols:
        raise bad("symbols", "is required")
    with_greeks = asked.get("greeks", "").lower() == TRUE
    known = {asset.instrument: asset for asset in call.venue.engine.assets()}
    found = call.venue.faults.thin([each for each in symbols if each in known], call.fault, lambda symbol: symbol)
    rows = [quote_row(call, known[symbol], with_greeks=with_greeks) for symbol in found]
    reply: Row = {}
    if rows:
        reply["quote"] = one_or_many(rows)
    unknown = [symbol for symbol in symbols if symbol not in known]
    if unknown:
        reply["unmatched_symbols"] = {"symbol": one_or_many(unknown)}
    return _json({"quotes": reply or "null"})


def quote_row(call: Call, asset: Asset, *, with_greeks: bool) -> Row:
    quote = _quote(call, asset.instrument)
    contract = asset.contract
    last = _last(call, asset, quote)
    at = milliseconds(call.venue.now if quote is None else quote.at)
    row: Row = {
        "symbol": asset.instrument,
        "description": _description(asset),
        "exch": "Q" if contract is None else "C",
        "type": _kind(asset),
        "last": last,
        "change": None if last is None else 0.0,
        "volume": 0,
        "open": None,
        "high": None,
        "low": None,
        "close": None,
        "bid": None if quote is None else number(quote.bid),
        "ask": None if quote is None else number(quote.ask),
    }
    if contract is not None:
        row |= {"underlying": contract.underlying, "strike": number(contract.strike)}
        row["greeks"] = _greeks_row(call, contract, quote) if with_greeks else None
    row |= {
        "change_percentage": None if last is None else 0.0,
        "average_volume": 0,
        "last_volume": 0,
        "trade_date": at,
        "prevclose": last,
        "week_52_high": 0.0,
        "week_52_low": 0.0,
        "bidsize": 0 if quote is None else int(quote.bid_size),
        "bidexch": "Q" if contract is None else "C",
        "bid_date": at,
        "asksize": 0 if quote is None else int(quote.ask_size),
        "askexch": "Q" if contract is None else "C",
        "ask_date": at,
    }
    if contract is None:
        roots = sorted({root for each in call.venue.engine.assets() if (root := _root_of(each, asset.instrument))})
        return row | ({"root_symbols": ",".join(roots)} if roots else {})
    return row | {
        "open_interest": 0,
        "contract_size": int(contract.multiplier),
        "expiration_date": contract.expiry.isoformat(),
        "expiration_type": "standard" if _is_monthly(contract.expiry) else "weeklys",
        "option_type": contract.right,
        "root_symbol": contract.root,
    }


def _last(call: Call, asset: Asset, quote: Quote | None) -> float | None:
    """An index has a level even where nobody quotes it, and after the close the one its options settle at."""
    level = call.venue.engine.level(asset.instrument) if asset.asset_class == INDEX else None
    if level is not None:
        return number(round(level, 2))
    return None if quote is None or not (quote.bid or quote.ask) else number(quote.middle)


def _root_of(asset: Asset, underlying: str) -> str | None:
    contract = asset.contract
    return contract.root if contract is not None and contract.underlying == underlying else None


def _quote(call: Call, name: str) -> Quote | None:
    if isinstance(call.fault, Stale):
        return call.venue.past.quote(name, call.venue.now - timedelta(seconds=call.fault.age))
    return call.venue.last_quote(name)


def _kind(asset: Asset) -> str:
    if asset.contract is not None:
        return "option"
    return "index" if asset.asset_class == INDEX else "stock"


def _description(asset: Asset) -> str:
    contract = asset.contract
    if contract is None:
        return asset.name or asset.instrument
    day = f"{contract.expiry:%b} {contract.expiry.day} {contract.expiry.year}"
    return f"{contract.root} {day} ${contract.strike:.2f} {contract.right.capitalize()}"


def _is_monthly(day: date) -> bool:
    first, last = WEEKLY_MONTH_DAYS
    return day.weekday() == FRIDAY and first <= day.day <= last


def _greeks_row(call: Call, contract: Contract, quote: Quote | None) -> Row | None:
    """None where nothing can be said: no quote, or nothing that tells where the underlying stands."""
    engine = call.venue.engine
    spot = engine.spot(contract.underlying, contract.expiry)
    if quote is None or not quote.middle or not spot:
        return None
    days = days_left(contract, quote.at)

    def volatility(price: Decimal) -> float:
        scale = scale_from(contract, price, spot)
        return 0.0 if scale <= LEAST_SCALE else greeks(contract, float(spot), scale, days).volatility

    found = greeks(contract, float(spot), scale_from(contract, quote.middle, spot), days)
    return {
        "delta": found.delta,
        "gamma": found.gamma,
        "theta": found.theta,
        "vega": found.vega,
        "rho": 0.0,
        "phi": 0.0,
        "bid_iv": round(volatility(quote.bid), 6),
        "mid_iv": round(volatility(quote.middle), 6),
        "ask_iv": round(volatility(quote.ask), 6),
        "smv_vol": round(found.volatility, 3),
        "updated_at": f"{quote.at:%Y-%m-%d %H:%M:%S}",
    }


# Chains


def chains(call: Call) -> Reply:
    symbol, expiry = _asked_symbol(call), _asked_expiry(call)
    with_greeks = call.query.get("greeks", "").lower() == TRUE
    found = [asset for asset in _options(call, symbol) if asset.contract and asset.contract.expiry == expiry]
    left = call.venue.faults.thin(found, call.fault, lambda asset: asset.instrument)
    rows = [quote_row(call, asset, with_greeks=with_greeks) for asset in left]
    return _json({"options": several("option", rows)})


def expirations(call: Call) -> Reply:
    days = {asset.contract.expiry for asset in _options(call, _asked_symbol(call)) if asset.contract}
    return _json({"expirations": several("date", [day.isoformat() for day in sorted(days)])})


def strikes(call: Call) -> Reply:
    symbol, expiry = _asked_symbol(call), _asked_expiry(call)
    found = {
        contract.strike
        for asset in _options(call, symbol)
        if (contract := asset.contract) is not None and contract.expiry == expiry
    }
    return _json({"strikes": several("strike", [number(strike) for strike in sorted(found)])})


def _options(call: Call, symbol: str) -> list[Asset]:
    """An underlying's contracts, or those of one root."""
    found = [
        (contract.expiry, contract.strike, contract.right, asset)
        for asset in call.venue.engine.assets()
        if (contract := asset.contract) is not None and symbol in (contract.underlying, contract.root)
    ]
    return [asset for *_, asset in sorted(found, key=lambda row: row[:3])]


def _asked_symbol(call: Call) -> str:
    symbol = call.query.get("symbol", "").upper()
    if not symbol:
        raise bad("symbol", "is required")
    return symbol


def _asked_expiry(call: Call) -> date:
    text = call.query.get("expiration", "")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad("expiration", f"{text or 'empty'} is not a date") from None


TABLE = (
    Route("GET", "/v1/markets/quotes", "quotes", quotes),
    Route("POST", "/v1/markets/quotes", "quotes", quotes),
    Route("GET", "/v1/markets/options/chains", "chains", chains),
    Route("GET", "/v1/markets/options/expirations", "chains", expirations),
    Route("GET", "/v1/markets/options/strikes", "chains", strikes),
)


def _json(value: object) -> Reply:
    return Reply(200, as_json(value))
