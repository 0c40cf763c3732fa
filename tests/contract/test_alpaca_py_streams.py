"""alpaca-py's TradingStream and StockDataStream, unchanged, against the served exchange."""

from collections.abc import Iterator

import pytest

from tests.contract.official import asks, order_stream, quote_stream, trading_client
from tests.contract.served import Served, serving

BUY = asks.MarketOrderRequest(symbol="SPY", qty=10, side="buy", time_in_force="day", client_order_id="mine")


@pytest.fixture(params=[True, False], ids=["binary", "text"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with serving(is_binary=request.param) as served:
        served.quote("SPY", "599.99", "600.01")
        yield served


def test_an_order_is_told_from_acceptance_to_fill(served: Served) -> None:
    with order_stream(served) as heard, trading_client(served) as client:
        order = client.submit_order(BUY)
        updates = [heard.next()]
        while updates[-1].event != "fill":
            updates.append(heard.next())

    assert [update.event for update in updates][-2:] == ["new", "fill"]
    fill = updates[-1]
    assert (fill.order.id, fill.order.client_order_id) == (order.id, "mine")
    assert (fill.price, fill.qty, fill.position_qty) == (600.01, 10, 10)
    assert len({update.execution_id for update in updates}) == len(updates)


def test_trades_of_others_on_the_account_are_told_too(served: Served) -> None:
    with order_stream(served) as heard:
        served.operate("order", {"instrument": "SPY", "side": "sell", "quantity": "3"})
        while (update := heard.next()).event != "fill":
            pass

    assert (update.qty, update.position_qty) == (3, -3)


def test_a_doubled_and_a_lost_message_arrive_so(served: Served) -> None:
    served.operate("faults", [{"operation": "stream", "fault": {"kind": "lost"}, "count": 1},
                              {"operation": "stream", "fault": {"kind": "doubled"}, "count": 1}])  # fmt: skip
    with order_stream(served) as heard, trading_client(served) as client:
        client.submit_order(BUY)
        events = [heard.next().event]
        while events[-1] != "fill":
            events.append(heard.next().event)

    assert len(events) - len(set(events)) == 1
    assert len(served.operate("faults")["struck"]) == 2


def test_a_cut_stream_connects_again_and_nothing_is_told_twice(served: Served) -> None:
    with order_stream(served) as heard, trading_client(served) as client:
        served.operate("faults", [{"operation": "stream", "fault": {"kind": "cut"}, "count": 1}])
        client.submit_order(BUY)
        served.wait_for(lambda venue: not venue.listeners()[0])
        served.wait_for(lambda venue: bool(venue.listeners()[0]))
        served.operate("order", {"instrument": "SPY", "side": "sell", "quantity": "1"})

        assert heard.next().order.side.value == "sell"


def test_quotes_of_subscribed_symbols_are_streamed(served: Served) -> None:
    with quote_stream(served, "SPY") as heard:
        served.quote("AAPL", "249", "251")
        served.quote("SPY", "601.25", "601.27")
        quote = heard.next()

    assert (quote.symbol, quote.bid_price, quote.ask_price) == ("SPY", 601.25, 601.27)
    assert quote.timestamp.isoformat() == "2026-01-05T14:30:00+00:00"
