"""A trading bot as many are written: it buys, keeps a list of its trades in a JSON file, and looks every five minutes.

It uses the official alpaca-py client, knows nothing of Standfast, and makes three ordinary mistakes:

1. the exits of its brackets are day orders, so they end with the session although the position does not;
2. what begins and ends between two looks never reaches its list;
3. its list is rewritten with positions in the list that were counted before new trades went in front of them, so when
   a trade ends in the same five minutes in which another begins, the wrong one is dropped (look for CARELESS).

    python careless_bot.py --url http://127.0.0.1:8790 --plan plan.json --record positions.json --pace 40

`--pace` says how many times faster than real time the exchange's clock runs. The plan is a list of trades, each
`{"after": seconds, "name": ..., "symbol": ..., "quantity": ..., "stop": percent, "target": percent}`; a trade without
stop and target is one the bot means to watch itself, and sell when it is `watch` percent down.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import StockLatestQuoteRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import (
    GetOrderByIdRequest,
    MarketOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
)

LOOK_EVERY = 300.0  # seconds between two looks at the positions
ENDED = (OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED)

Trade = dict[str, Any]


class Bot:
    def __init__(self, url: str, key: str, secret: str, record: Path) -> None:
        self.client: Any = TradingClient(key, secret, paper=True, url_override=url)
        self.quotes: Any = StockHistoricalDataClient(key, secret, url_override=url)
        self.record = record
        self.bought: list[Trade] = []  # since the last look
        self.save([])

    def price(self, symbol: str) -> float:
        quote = self.quotes.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=symbol))[symbol]
        return float(quote.ask_price)

    def buy(self, plan: Trade) -> None:
        """A market order; a bracket where the plan has exits."""
        symbol, price = plan["symbol"], self.price(plan["symbol"])
        exits: dict[str, Any] = {}
        if "stop" in plan:
            exits = {
                "order_class": OrderClass.BRACKET,
                "take_profit": TakeProfitRequest(limit_price=round(price * (1 + plan["target"] / 100), 2)),
                "stop_loss": StopLossRequest(stop_price=round(price * (1 - plan["stop"] / 100), 2)),
            }
        order = MarketOrderRequest(
            symbol=symbol,
            qty=plan["quantity"],
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,  # and so its exits are for the day
            client_order_id=f"{plan['name']}-1",
            **exits,
        )
        kept = "with exits good for the day" if exits else "without exits: I watch it myself"
        print(f"buying {plan['quantity']} {symbol} at about {price:.2f}, {kept}", flush=True)
        placed = self.client.submit_order(order)
        self.bought.append({**plan, "price": price, "order": str(placed.id)})

    def look(self) -> None:
        """Every five minutes: bring the list up to date, then look after the trades on it."""
        held = {position.symbol for position in self.client.get_all_positions()}
        record: list[Trade] = json.loads(self.record.read_text(encoding="utf-8"))
        gone = [index for index, trade in enumerate(record) if trade["symbol"] not in held or self.is_over(trade)]
        new = [trade for trade in self.bought if trade["symbol"] in held and not self.is_over(trade)]
        self.bought.clear()
        record = list(reversed(new)) + record  # the newest first
        for index in reversed(gone):
            del record[index]  # CARELESS: the indexes were counted before the new trades went in front
        self.save(record)
        print(f"looked: my list is {', '.join(map(called, record)) or 'empty'}", flush=True)
        for trade in record:
            if "watch" in trade and self.price(trade["symbol"]) < trade["price"] * (1 - trade["watch"] / 100):
                print(f"selling {called(trade)}", flush=True)
                self.client.close_position(trade["symbol"])

    def is_over(self, trade: Trade) -> bool:
        """Whether one of its exits has ended (a trade without exits ends when its symbol is not held any more)."""
        order = self.client.get_order_by_id(trade["order"], GetOrderByIdRequest(nested=True))
        return any(leg.status in ENDED for leg in order.legs or [])

    def save(self, record: list[Trade]) -> None:
        self.record.write_text(json.dumps(record, indent=1), encoding="utf-8")


def called(trade: Trade) -> str:
    return f"{trade['symbol']} ({trade['name']})"


def run(bot: Bot, plan: list[Trade], pace: float) -> None:
    """Buy as planned, look every five minutes, for ever."""
    began = time.monotonic()
    duties = [(float(trade["after"]), trade) for trade in plan]
    next_look = LOOK_EVERY
    while True:
        passed = (time.monotonic() - began) * pace
        try:
            while duties and duties[0][0] <= passed:
                bot.buy(duties.pop(0)[1])
            if next_look <= passed:
                next_look += LOOK_EVERY
                bot.look()
        except (APIError, OSError) as error:
            print(f"error, never mind: {error}", flush=True)
        due = min([next_look, *(after for after, _ in duties[:1])])
        time.sleep(max(0.0, due / pace - (time.monotonic() - began)))


def main() -> None:
    parser = argparse.ArgumentParser(description="a careless trading bot")
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", default="key")
    parser.add_argument("--secret", default="secret")
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--pace", type=float, default=1.0)
    asked = parser.parse_args()
    bot = Bot(asked.url, asked.key, asked.secret, asked.record)
    print("started", flush=True)
    run(bot, json.loads(asked.plan.read_text(encoding="utf-8")), asked.pace)


if __name__ == "__main__":
    main()
