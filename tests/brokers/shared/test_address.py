"""Accounts that share an address share its budget: what is urgent in one goes before what is not in another."""

import asyncio

import pytest

from standfast.brokers.shared.address import AtAddress
from standfast.brokers.shared.throttle import Throttle
from standfast.model.effects import Urgency
from standfast.model.errors import Unreachable
from tests.brokers.clocks import ManualClock

ACCOUNT_HEADER = "x-bapi-limit-status"


def throttle(clock: ManualClock, limit: int, window: float = 5.0) -> Throttle:
    return Throttle(clock, requests_per_minute=limit, rate_share=1.0, window=window)


def two(clock: ManualClock, limit: int) -> tuple[AtAddress, AtAddress]:
    address = throttle(clock, limit)
    one, other = (AtAddress(throttle(clock, 100), address, clock, of_account=ACCOUNT_HEADER) for _ in range(2))
    return one, other


async def test_accounts_together_ask_no_more_than_their_address_may() -> None:
    clock = ManualClock()
    one, other = two(clock, 4)
    for account in (one, other, one, other):
        await account.admit(Urgency.CLOSE, within=1)

    waits = asyncio.ensure_future(one.admit(Urgency.CLOSE, within=20))
    await clock.advance(4)
    assert not waits.done()
    await clock.advance(2)
    await waits


async def test_a_close_of_one_account_goes_before_the_reads_of_another() -> None:
    clock = ManualClock()
    one, other = two(clock, 2)
    for account in (one, other):
        await account.admit(Urgency.CLOSE, within=1)
    read = asyncio.ensure_future(one.admit(Urgency.READ, within=60))
    await clock.advance(1)
    close = asyncio.ensure_future(other.admit(Urgency.CLOSE, within=60))

    await clock.advance(4.5)

    assert (close.done(), read.done()) == (True, False)
    read.cancel()
    await asyncio.wait({read})


async def test_who_gets_no_turn_at_the_address_has_used_none_of_its_own() -> None:
    clock = ManualClock()
    address = throttle(clock, 1)
    own = throttle(clock, 1, window=600)
    account = AtAddress(own, address, clock, of_account="")
    await address.admit(Urgency.CLOSE, within=1)
    waits = asyncio.ensure_future(account.admit(Urgency.CLOSE, within=2))
    await clock.advance(3)
    with pytest.raises(Unreachable):
        await waits

    await clock.advance(5)
    await account.admit(Urgency.CLOSE, within=1)


@pytest.mark.parametrize(
    ("headers", "closed"), [({}, True), ({ACCOUNT_HEADER: "0"}, False)], ids=["address", "account"]
)
async def test_a_refusal_stops_whom_it_is_given(headers: dict[str, str], *, closed: bool) -> None:
    clock = ManualClock()
    one, other = two(clock, 100)
    number = await one.admit(Urgency.READ, within=1)

    one.heard(number, headers, refused=True)

    asks = asyncio.ensure_future(other.admit(Urgency.CLOSE, within=1))
    await clock.advance(0.5)
    assert asks.done() is not closed
    await clock.advance(60)
    await asyncio.wait({asks})
    if closed:
        assert isinstance(asks.exception(), Unreachable)
