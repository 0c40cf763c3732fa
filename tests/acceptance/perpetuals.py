"""Exchanges of perpetual futures, served, and a guard of an account there: what their stories are told with."""

from decimal import Decimal
from typing import Any

import pytest

from standfast.model.journal import PositionSettled
from standfast.model.order import Role
from tests.acceptance.stage import BROKER_HOLDS, FOLLOWING, Exchange, Stage

BTC, NAME = "BTCUSDT", "BTC/USDT:USDT"
LONG, SHORT = f"{NAME}:long", f"{NAME}:short"
ACCOUNT = f"""\
[[accounts]]
name = "paper"
broker = "{{broker}}"
mode = "repair"
key_id = "key"
secret = "secret"
rest_url = "{{url}}"
foreign = "adopt"
{FOLLOWING}
[[policies]]
name = "default"
{{policy}}
[[alerts]]
url = "log://"
from = "info"
"""


class Venue(Exchange):
    """The exchange as its operator sees it, and as somebody who trades on the account without a word to us."""

    def trade(self, side: str, quantity: str, **more: object) -> None:
        self.ask("POST", "/sim/order", {"instrument": BTC, "side": side, "quantity": quantity, **more})

    def truth(self) -> Any:
        return self.ask("GET", "/sim/truth")["accounts"]["paper"]

    def held(self) -> dict[int, Decimal]:
        """By side of the account."""
        rows = self.truth()["positions"]
        return {int(row["index"]): Decimal(row["quantity"]) for row in rows if Decimal(row["quantity"])}

    def resting(self) -> list[Any]:
        return list(self.truth()["orders"])

    def is_stopped_once_above(self, floor: Decimal) -> bool:
        return [Decimal(row["trigger_price"]) >= floor for row in self.resting()] == [True]

    def traded(self) -> Decimal:
        """Quantity of every trade there ever was."""
        return sum((abs(Decimal(row["quantity"])) for row in self.truth()["fills"]), Decimal(0))

    def moved(self, bid: str) -> None:
        self.quote(BTC, bid, str(Decimal(bid) + Decimal("0.1")))


class Place(Stage):
    """A served Bybit, and a guard of an account there."""

    broker, dialect = "ccxt:bybit", "bybit"
    stop_ids = r"sf[a-z0-9]{4}-s[a-z0-9]{16}"
    """As the exchange has the client ids of our stops."""

    def venue(self, clock: str = "x10") -> Venue:
        still = ("--no-market", "--per-minute", "0", "--log", str(self.tape), "--dialect", self.dialect)
        started = Venue(("--port", "0", "--clock", clock, *still, "--instrument", f"{BTC}=50000"), self.folder)
        self.started.append(started)
        started.moved("50000")
        return started

    def at(self, venue: Venue, policy: str = BROKER_HOLDS) -> None:
        self.configure(ACCOUNT.format(broker=self.broker, url=venue.url, policy=policy))

    def configure(self, text: str) -> None:
        self.config.write_text(text)
        self.config.chmod(0o600)

    def stops(self) -> dict[str, Decimal]:
        """Working stops of ours by holding, as the books have them."""
        return {
            str(order.holding): order.remaining
            for order in self.book().state.orders.values()
            if order.role is Role.STOP and order.is_settled and not order.is_finished
        }

    def nets(self) -> dict[str, Decimal]:
        return {str(each.holding): each.net for each in self.book().state.positions.values() if each.held}

    def settled(self, count: int) -> list[PositionSettled]:
        facts = self.facts(PositionSettled)
        return facts if len(facts) == count else []


class BinancePlace(Place):
    broker, dialect = "ccxt:binanceusdm", "binance"
    stop_ids = f"algo:{Place.stop_ids}"


class AnyPlace(Place):
    """ccxt knows Bybit of Indonesia as an exchange of its own; we do not, and it is served all the same."""

    broker = "ccxt:bybitid"


LOST_ANSWER = {"kind": "server_error", "status": 504, "after": True}
NEVER_THERE = {"kind": "server_error", "status": 502}
lost_answers = pytest.mark.parametrize("fault", [LOST_ANSWER, NEVER_THERE], ids=["taken", "not taken"])
