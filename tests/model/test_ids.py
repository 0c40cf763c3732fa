"""Tests of `model/ids.py`: ids are functions of what they stand for."""

import string

from hypothesis import given
from hypothesis import strategies as st

from standfast.model.ids import AccountId, Holding, InstrumentId, PositionId, client_order_id, digest, is_own

names = st.text(min_size=1, max_size=20)


@given(names, names, st.sampled_from(["open", "stop", "target", "close", "rollback"]), st.integers(1, 10_000))
def test_a_client_order_id_fits_every_broker_and_names_its_account(
    account: str, position: str, role: str, attempt: int
) -> None:
    made = client_order_id(AccountId(account), PositionId(position), role, attempt)

    assert len(made) <= 36
    assert set(made) <= set(string.ascii_lowercase + string.digits + "-")
    assert made == client_order_id(AccountId(account), PositionId(position), role, attempt)
    assert is_own(made, AccountId(account))


@given(st.lists(st.tuples(names, names), unique=True, min_size=2, max_size=20))
def test_different_parts_have_different_digests(parts: list[tuple[str, str]]) -> None:
    assert len({digest(*each) for each in parts if "\x1f" not in each[0] + each[1]}) == len(
        [each for each in parts if "\x1f" not in each[0] + each[1]]
    )


def test_another_accounts_orders_are_not_ours() -> None:
    made = client_order_id(AccountId("a"), PositionId("p"), "open", 1)

    assert not is_own(made, AccountId("b"))
    assert not is_own("sf-mine", AccountId("a"))


def test_an_id_never_changes_from_one_version_to_the_next() -> None:
    """It was sent under this id by an earlier version, and is looked up by it."""
    assert client_order_id(AccountId("paper"), PositionId("p1"), "stop", 1) == "sfhatd-sjfpvkdsgs7ce2hcj"


def test_a_holding_shows_its_side_where_it_has_one() -> None:
    assert (str(Holding(InstrumentId("SPY"))), str(Holding(InstrumentId("BTC"), "long"))) == ("SPY", "BTC:long")
