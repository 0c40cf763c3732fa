"""The name Tradier gives a multi-leg order by its looks (`butterfly` and `unknown` are recorded, `covered call` is
documented)."""

from collections.abc import Sequence

from standfast.exchange.contracts import Contract, contract_of
from standfast.exchange.orders import Order


def strategy(legs: Sequence[Order]) -> str:
    contracts = [contract_of(leg.instrument) for leg in legs]
    options = [contract for contract in contracts if contract is not None]
    if len(options) < len(legs):
        return _with_shares(options)
    signed = sorted(
        ((contract.strike, leg.ratio * leg.side.sign) for contract, leg in zip(options, legs, strict=True)),
    )
    ratios = tuple(int(ratio) for _, ratio in signed)
    if len(options) == 2:
        return _of_two(options, ratios)
    if len(options) == 3:
        return _of_three(options, [int(leg.ratio * leg.side.sign) for leg in legs])
    return _of_four(options, ratios)


def _with_shares(options: Sequence[Contract]) -> str:
    if len(options) != 1:
        return "collar"
    return "covered call" if options[0].right == "call" else "protective put"


def _of_two(options: Sequence[Contract], ratios: tuple[int, ...]) -> str:
    first, second = options
    if first.expiry != second.expiry:
        return "calendar" if first.strike == second.strike else "diagonal"
    if first.right != second.right:
        return "straddle" if first.strike == second.strike else "strangle"
    return "spread" if sum(ratios) == 0 else "ratio spread"


def _of_three(options: Sequence[Contract], ratios: list[int]) -> str:
    """A butterfly is known by its body being sent between its wings: body first is `unknown` [recorded]."""
    first, body, last = options
    is_one_kind = len({(contract.right, contract.expiry) for contract in options}) == 1
    is_even = body.strike - first.strike == last.strike - body.strike
    return "butterfly" if is_one_kind and is_even and ratios in ([1, -2, 1], [-1, 2, -1]) else "unknown"


def _of_four(options: Sequence[Contract], ratios: tuple[int, ...]) -> str:
    if len({contract.expiry for contract in options}) > 1 or ratios not in ((1, -1, -1, 1), (-1, 1, 1, -1)):
        return "unknown"
    rights = [contract.right for contract in sorted(options, key=lambda contract: contract.strike)]
    if len(set(rights)) == 1:
        return "condor"
    strikes = sorted(contract.strike for contract in options)
    return "iron butterfly" if strikes[1] == strikes[2] else "iron condor"
