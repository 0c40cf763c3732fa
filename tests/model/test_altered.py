"""`altered` gives what `dataclasses.replace` gives."""

from dataclasses import dataclass, replace

import pytest

from standfast.model.altered import altered
from standfast.model.evidence import Snapshot
from standfast.model.ids import EntryNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    name: str
    size: int = 1


def test_it_changes_what_is_given_and_keeps_the_rest() -> None:
    snapshot = Snapshot(orders_asked_after=EntryNumber(3))
    assert altered(snapshot, positions_asked_after=EntryNumber(7)) == replace(
        snapshot, positions_asked_after=EntryNumber(7)
    )
    assert altered(Named(name="a"), size=2) == Named(name="a", size=2)
    assert snapshot.positions_asked_after == 0


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        altered(Named(name="a"), colour="red")
