"""What the demo plays: four trades of a careless bot, the distances kept around them, and when it begins.

The four trades are one each of what goes wrong. Their strategy names tie everything together: the bot's client order
ids begin with them, the guard's policies are matched by them, the report is written by them.

- `day`: closed by the operator while all is well; its end is what makes the bot rewrite its list.
- `watch`: no exits at the broker; the bot means to watch it and then forgets it.
- `swing`: kept over the close, with exits that are good for the day.
- `scalp`: bought and sold by the broker's bracket between two looks of the bot.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

ACCOUNT = "paper"
DAY, WATCH, SWING, SCALP = "day", "watch", "swing", "scalp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One trade of the bot. Distances are percent of the price."""

    name: str
    instrument: str
    quantity: int
    after: int
    """Exchange seconds after the bot's start."""
    stop: Decimal
    """The policy's; the bot's own bracket, if it has one, is `bracket` wide on both sides."""
    target: Decimal | None = None
    bracket: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    title: str
    trades: Sequence[Trade]
    prices: Sequence[Path]
    start: datetime
    close: datetime
    morning: datetime | None
    """Where the next session is played: a minute before its open."""
    end: datetime | None
    speed: int
    is_real: bool

    def trade(self, name: str) -> Trade:
        return next(trade for trade in self.trades if trade.name == name)

    @property
    def instruments(self) -> list[str]:
        return list(dict.fromkeys(trade.instrument for trade in self.trades))

    def plan(self) -> str:
        """The bot's plan, JSON."""
        return json.dumps([_planned(trade) for trade in sorted(self.trades, key=lambda trade: trade.after)], indent=1)

    def settings(self, url: str) -> str:
        """standfast.toml, as a newcomer could have written it."""
        stream = url.replace("http", "ws", 1)
        strategies = ", ".join(f'"{trade.name}-*" = "{trade.name}"' for trade in self.trades)
        return f"""\
[[accounts]]
name = "{ACCOUNT}"
broker = "alpaca"
mode = "repair"
key_id = "key"
secret = "secret"
rest_url = "{url}"
stream_url = "{stream}"
data_url = "{url}"
data_stream_url = "{stream}"
clock = "exchange"
foreign = "adopt"
foreign_strategies = {{ {strategies} }}

{"".join(_policy(trade) for trade in self.trades)}
[[policies]]
name = "default"
stop_loss = "2%"

[[alerts]]
url = "log://"
from = "info"
"""


def trades(instruments: Sequence[str], quantities: Sequence[int], widths: Sequence[str]) -> list[Trade]:
    """Day, watch, swing, scalp. Widths: day's stop, the watched one, swing's, scalp's bracket."""
    day, watch, swing, scalp = instruments
    far, watched, overnight, narrow = map(Decimal, widths)
    return [
        Trade(name=DAY, instrument=day, quantity=quantities[0], after=10, stop=far, bracket=far),
        Trade(name=WATCH, instrument=watch, quantity=quantities[1], after=60, stop=watched),
        Trade(
            name=SWING,
            instrument=swing,
            quantity=quantities[2],
            after=440,
            stop=overnight,
            target=2 * overnight,
            bracket=overnight,
        ),
        Trade(name=SCALP, instrument=scalp, quantity=quantities[3], after=630, stop=far, bracket=narrow),
    ]


def _planned(trade: Trade) -> dict[str, object]:
    planned: dict[str, object] = {
        "after": trade.after,
        "name": trade.name,
        "symbol": trade.instrument,
        "quantity": trade.quantity,
    }
    if trade.bracket is None:
        return {**planned, "watch": float(trade.stop)}
    return {**planned, "stop": float(trade.bracket), "target": float(trade.bracket)}


def _policy(trade: Trade) -> str:
    target = f'take_profit = "{trade.target}%"\n' if trade.target is not None else ""
    return f"""\
[[policies]]
name = "{trade.name}"
match = {{ strategy = "{trade.name}" }}
exits_held_by = "broker"
stop_loss = "{trade.stop}%"
{target}
"""
