"""A trading bot that asks its guard: it buys when a price has risen for three looks, and sells when it falls back.

It holds no state of its own. What it holds is in the guard's books; what it asked is known by ids made of the look that
caused it. So it may be killed at any moment and started again, and buys nothing twice.

    python asking_bot.py --config standfast.toml --instrument AAPL --prices 250.0 250.2 250.5 250.9 250.1
"""

import argparse
import sys
from collections.abc import Iterable
from decimal import Decimal

import standfast

STRATEGY = "three up"
QUANTITY = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--config", default="standfast.toml")
    parser.add_argument("--account", default=None)
    parser.add_argument("--instrument", default="AAPL")
    parser.add_argument("--prices", nargs="+", type=Decimal, required=True, help="what it sees, one after the other")
    options = parser.parse_args()
    guard = standfast.connect(options.config, options.account, by="asking bot", strategy=STRATEGY)
    try:
        trade(guard, options.instrument, options.prices)
    except standfast.AskError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def trade(guard: standfast.Client, instrument: str, prices: Iterable[Decimal]) -> None:
    seen: list[Decimal] = []
    for price in prices:
        seen.append(price)
        held = mine(guard, instrument)
        if held is None and is_rising(seen):
            buy(guard, instrument, look=len(seen))
        elif held is not None and price < max(seen[-2:]):
            proof = guard.close(held, reason="it falls back").wait()
            print("sold:", proof.detail)


def mine(guard: standfast.Client, instrument: str) -> standfast.Position | None:
    held = (each for each in guard.positions() if each.strategy == STRATEGY)
    return next((each for each in held if each.instrument == instrument), None)


def is_rising(seen: list[Decimal]) -> bool:
    last = seen[-4:]
    return len(last) == 4 and last == sorted(set(last))


def buy(guard: standfast.Client, instrument: str, *, look: int) -> None:
    answer = guard.open(instrument, QUANTITY, id=f"{STRATEGY} {instrument} {look}")
    if not answer:
        print("refused:", "; ".join(answer.reasons))
        return
    proof = answer.wait()
    assert proof.position is not None
    if not proof.position.is_closed:  # this look was acted on in an earlier life, and is over
        print("bought:", proof.detail)


if __name__ == "__main__":
    sys.exit(main())
