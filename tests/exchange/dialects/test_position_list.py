"""The kept list of positions is what encoding every one anew would give."""

from hypothesis import given

from standfast.exchange.dialects.alpaca.position_list import PositionList
from standfast.exchange.dialects.alpaca.rows import position_row
from standfast.exchange.dialects.gate import as_json
from standfast.exchange.engine import Engine
from tests.exchange.dialects.busy import STEPS, Account


def written_anew(engine: Engine) -> bytes:
    return as_json([position_row(row, engine.asset(row.instrument)) for row in engine.positions("paper")])


@given(STEPS)
def test_the_kept_list_is_what_encoding_every_row_would_give(steps: list[tuple[str, str]]) -> None:
    account = Account()
    kept = PositionList(account.engine, "paper")
    for what, name in steps:
        account.step(what, name)
        if what == "read":
            kept.body()

    assert kept.body() == written_anew(account.engine)
