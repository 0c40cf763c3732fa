"""Tests of `model/evidence.py`: what reads say."""

from dataclasses import replace
from decimal import Decimal

from standfast.model.evidence import AccountRead
from standfast.model.ids import Holding, InstrumentId

SHARES, CALL = Holding(InstrumentId("SPY")), Holding(InstrumentId("SPY261218C00400000"))


def test_options_are_bought_without_margin_and_shares_beside_them_with_it() -> None:
    account = AccountRead(
        equity=Decimal(0), buying_power=Decimal(200), options_power=Decimal(100), currency="USD", blocked=False
    )

    assert account.power_for([CALL]) == 100
    assert account.power_for([SHARES]) == account.power_for([SHARES, CALL]) == account.power_for([]) == 200
    assert replace(account, options_power=None).power_for([CALL]) == 200
