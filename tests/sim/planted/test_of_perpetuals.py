"""Every planted bug of perpetual futures is found in its calm plan, and the same plan without it is blameless."""

import pytest

from standfast.sim.chaos import play
from standfast.sim.planted.of_perpetuals import OF_PERPS, PlantedPerp, calm


@pytest.mark.timeout(600)
@pytest.mark.parametrize("planted", OF_PERPS.values(), ids=OF_PERPS)
def test_a_planted_bug_is_found(planted: PlantedPerp) -> None:
    found = planted.found().violation
    assert found is not None, f"{planted.name} was not found: {planted.why}"
    assert found[0] in planted.caught_by, f"{planted.name} was found by another check: {found}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("at", ["bybit", "binance"])
@pytest.mark.parametrize("hedged", [False, True], ids=["one-way", "hedged"])
def test_without_a_bug_a_calm_account_is_blameless(at: str, *, hedged: bool) -> None:
    outcome = play(calm(at, hedged=hedged))
    assert outcome.violation is None
    assert {"an execution of kind adl", "an execution of kind liquidation"} <= set(outcome.sometimes)
