"""What a key may do is said at a start, where it is too much or too little."""

from dataclasses import replace

import pytest

from standfast.brokers.alpaca.adapter import AlpacaBroker
from standfast.model.evidence import AccountRead, Rights
from standfast.sim.world import World, play
from tests.sim.stories import START, STILL, STOP_ONLY, guarded, told

MUCH = Rights(may_withdraw=True, detail="coins can be sent to 1 approved address(es)")


async def started(world: World) -> list[str]:
    await guarded(world)
    return await told(world)


def test_a_key_that_may_do_what_it_must_is_no_alarm() -> None:
    assert play(started, STOP_ONLY, STILL, start=START, through="alpaca") == []


def test_a_key_that_can_send_money_out_is_said_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    async def rights(self: AlpacaBroker) -> Rights:
        return MUCH

    async def twice(world: World) -> list[str]:
        await guarded(world)
        world.stop_guard()
        await world.run_for(2)
        return await started(world)

    monkeypatch.setattr(AlpacaBroker, "rights", rights)
    (said,) = play(twice, STOP_ONLY, STILL, start=START, through="alpaca")
    assert "more than a guard needs" in said
    assert "approved address" in said


def test_an_account_that_may_not_trade_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = AlpacaBroker.account

    async def blocked(self: AlpacaBroker) -> AccountRead:
        return replace(await reads(self), blocked=True, reason="trading blocked")

    monkeypatch.setattr(AlpacaBroker, "account", blocked)
    (said,) = play(started, STOP_ONLY, STILL, start=START, through="alpaca")
    assert "can neither close nor protect" in said
    assert "trading blocked" in said
