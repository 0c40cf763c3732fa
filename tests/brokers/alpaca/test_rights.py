"""What is said of a key's rights: what is known, what is not, and never more."""

import pytest

from standfast.brokers.alpaca import rights
from standfast.brokers.alpaca.rows import AccountRow, WhitelistedRow
from standfast.exchange.faults import Reset, ServerError
from tests.brokers.served import desk

APPROVED = WhitelistedRow(status="APPROVED", asset="BTC")
PENDING = WhitelistedRow(status="PENDING", asset="BTC")


@pytest.mark.parametrize(
    ("crypto", "blocked", "addresses", "may", "said"),
    [
        ("ACTIVE", False, [APPROVED, PENDING, APPROVED], True, "2 approved"),
        ("ACTIVE", False, [PENDING], None, "no address is approved"),
        ("ACTIVE", False, [], None, "no address is approved"),
        ("ACTIVE", True, [APPROVED], False, "transfers are blocked"),
        ("INACTIVE", False, [], False, "crypto is not enabled"),
        ("", False, [], False, "crypto is not enabled"),
    ],
)
def test_coins_can_leave_only_where_crypto_is_on_nothing_is_blocked_and_an_address_is_approved(
    *, crypto: str, blocked: bool, addresses: list[WhitelistedRow], may: bool | None, said: str
) -> None:
    row = AccountRow(equity="1", buying_power="1", status="ACTIVE", crypto_status=crypto, transfers_blocked=blocked)

    found = rights.judge(row, addresses)

    assert found.may_withdraw is may
    assert said in found.detail


async def test_a_broker_that_does_not_tell_is_an_answer_and_no_error() -> None:
    async with desk() as at:
        assert "no address" in (await at.broker.rights()).detail

        at.fault("whitelists", ServerError(status=503))
        found = await at.broker.rights()

        assert found.may_withdraw is None
        assert "not told" in found.detail

        at.fault("*", Reset())
        found = await at.broker.rights()

        assert found.may_withdraw is None
