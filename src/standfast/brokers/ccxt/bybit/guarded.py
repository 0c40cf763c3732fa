"""What can and cannot be guarded on Bybit, said before it matters."""

from collections.abc import Set

from standfast.brokers.ccxt.bybit.rows import KeyRow
from standfast.brokers.ccxt.markets import Markets
from standfast.model.evidence import Guarded


def statements(markets: Markets, key: KeyRow, hedged: Set[str]) -> list[Guarded]:
    trades = "Order" in (key.permissions.get("ContractTrade") or []) and not int(key.read_only)
    moves = "Position" in (key.permissions.get("ContractTrade") or [])
    mode = f"hedge mode for {', '.join(sorted(hedged))}: each side by itself" if hedged else "one-way mode"
    return [
        Guarded(
            "positions",
            ok=True,
            detail=f"{len(markets.by_id)} linear contracts in {', '.join(markets.settles)}; {mode}; inverse contracts, "
            "options, spot and anything lent are not looked at",
        ),
        Guarded(
            "orders",
            ok=trades,
            detail="the key may trade" if trades else "the key may not trade contracts: nothing can be closed",
            remedy="" if trades else "give the key the right to contract orders and positions",
        ),
        Guarded(
            "protection",
            ok=trades and moves,
            detail="stops rest as conditional reduce-only orders, judged by the last price; a target beside a stop is "
            "held by the guard; a trailing stop moves by placing the new one before the old is cancelled",
        ),
        Guarded(
            "fills",
            ok=True,
            detail="every execution, with funding, liquidation, auto-deleveraging, delivery and settlement",
        ),
    ]
