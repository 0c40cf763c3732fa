"""Facts compare, hash and show themselves as any frozen dataclass would."""

from dataclasses import FrozenInstanceError

import pytest

from standfast.model.ids import AlertId, PositionId
from standfast.model.journal import AlertDelivered, NakedBegan, NakedEnded


def test_facts_of_one_class_with_equal_fields_are_equal_and_hash_alike() -> None:
    one, same, other = (NakedBegan(position=PositionId(name)) for name in ("p1", "p1", "p2"))

    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != NakedEnded(position=PositionId("p1"))
    assert one != "p1"


def test_a_fact_shows_its_class_and_its_fields() -> None:
    assert repr(AlertDelivered(id=AlertId("a1"), channel="log")) == "AlertDelivered(id='a1', channel='log')"


def test_a_fact_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        NakedBegan(position=PositionId("p1")).position = PositionId("p2")  # type: ignore[misc]  # what is tested
