"""A real account's day played through the engine ends in that account's positions."""

from pathlib import Path

from tests.exchange.spxw_day import D, exchange, happenings, orders, quote_legs, recorded, ticket


def test_the_recorded_orders_end_in_the_recorded_positions(shared: Path) -> None:
    rows = orders(shared)
    engine = exchange(rows)
    taken: dict[int, str] = {}

    for each in happenings(rows):
        engine.advance(max(each.at, engine.now))
        number = each.order["id"]
        if each.what == "submit":
            taken[number] = engine.submit("a", ticket(each.order)).id
        elif each.what == "fill":
            assert engine.order("a", taken[number]).status == "new", f"{number} filled before its time"
            quote_legs(engine, each.order, each.at)
        else:
            engine.cancel("a", taken[number])

    for row in rows:
        order = engine.order("a", taken[row["id"]])
        if row["status"] == "filled":
            assert order.status == "filled"
            assert order.average_price is not None
            assert abs(order.average_price - row["avg_fill_price"]) <= D("0.005"), row["id"]
    held = {view.instrument: (view.quantity, view.cost_basis) for view in engine.positions("a")}
    assert held == {
        row["symbol"]: (row["quantity"], row["cost_basis"])
        for row in recorded(shared, "positions_9_spxw_legs.json")["positions"]["position"]
    }
