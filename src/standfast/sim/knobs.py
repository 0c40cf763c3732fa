"""The rules of a drawn account: everything an operator could have written, the unwise included."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from standfast.core.policy import Confirm, Every, FlatBy, Foreign, HeldBy, Limits, Mode, Policy, Rules, Rung
from standfast.model.ids import AccountId

ACCOUNT = AccountId("sim")
NEW_YORK = ZoneInfo("America/New_York")
STATUS = timedelta(minutes=5)
"""Between two lines of status, which nobody reads here."""
TIGHT = 0.35
"""Share of accounts whose stop is within the market's noise."""


def draw_rules(
    chance: Random, names: Sequence[str], start: datetime, chaos: float, policies: Sequence[Policy] | None
) -> Rules:
    """`policies`: a user's own, kept as they are."""
    mode = chance.choices((Mode.REPAIR, Mode.ALERT, Mode.OBSERVE), (0.9, 0.07, 0.03))[0]
    foreign = chance.choices((Foreign.ADOPT, Foreign.ALERT, Foreign.IGNORE), (0.65, 0.25, 0.1))[0]
    ignored = (chance.choice(list(names)),) if len(names) > 1 and chance.random() < 0.15 else ()
    drawn = _policy(chance, start, chaos)
    if policies is not None:
        mode = Mode.REPAIR
    return Rules(
        account=ACCOUNT,
        mode=mode,
        foreign=foreign,
        foreign_ignore=ignored,
        foreign_strategies={"bot-1*": "alpha"} if chance.random() < 0.3 else {},
        policies=(drawn,) if policies is None else tuple(policies),
        limits=_limits(chance),
        every=draw_every(chance),
        confirm=Confirm(reads=chance.choice((2, 2, 2, 3)), orphan=timedelta(seconds=chance.choice((5, 30, 30, 60)))),
    )


def _share(chance: Random, low: int, high: int) -> Decimal:
    """Between so many thousandths."""
    return Decimal(chance.randrange(low, high + 1)) / 1000


def _policy(chance: Random, start: datetime, chaos: float) -> Policy:
    is_tight = chance.random() < TIGHT
    stop = _share(chance, 1, 4) if is_tight else _share(chance, 5, 60)
    emergency = stop * chance.choice((2, 3, 5)) if chance.random() < 0.45 else None
    held_by = chance.choices((HeldBy.BROKER, HeldBy.GUARD, HeldBy.BOTH), (0.6, 0.15, 0.25))[0]
    if held_by is HeldBy.BOTH and emergency is None:
        emergency = stop * 3
    policy = Policy(
        name="drawn",
        held_by=held_by,
        stop_loss=stop,
        emergency_stop=emergency,
        take_profit=chance.choice((None, None, _share(chance, 2, 10), _share(chance, 10, 100))),
        trailing=draw_trailing(chance),
        maximum_hold=chance.choice((None, None, None, timedelta(seconds=chance.randrange(60, 240)))),
        adopted_too=chance.random() < 0.3,
    )
    if emergency is not None and chance.random() < 0.3:
        policy = replace(policy, minimum_hold=timedelta(seconds=chance.choice((20, 45, 300, 1200))))
    if chance.random() < 0.15:
        at = start + timedelta(seconds=chance.uniform(chaos / 4, chaos))
        policy = replace(
            policy, flat_by=FlatBy(at=at.astimezone(NEW_YORK).time().replace(microsecond=0), zone=NEW_YORK)
        )
    return policy


def draw_trailing(chance: Random) -> tuple[Rung, ...]:
    if chance.random() < 0.7:
        return ()
    first = _share(chance, 1, 10)
    rungs = [Rung(arm=first, give_back=None if chance.random() < 0.5 else first / 2)]
    if chance.random() < 0.5:
        rungs.append(Rung(arm=first * 2, give_back=first / 2))
    return tuple(rungs)


def _limits(chance: Random) -> Limits:
    if chance.random() < 0.6:
        return Limits()
    return Limits(
        open_positions=chance.choice((None, 2, 5)),
        notional_per_instrument=chance.choice((None, Decimal(8_000))),
        notional_per_account=chance.choice((None, Decimal(60_000))),
        orders_per_minute=chance.choice((None, 3, 10)),
    )


def draw_every(chance: Random) -> Every:
    """The usual rhythm in half of all accounts."""
    if chance.random() < 0.5:
        return Every(status=STATUS)
    return Every(
        positions=timedelta(seconds=chance.choice((2, 3, 5, 8))),
        orders=timedelta(seconds=chance.choice((2, 3, 5, 8))),
        fills=timedelta(seconds=chance.choice((5, 10, 15))),
        full=timedelta(seconds=chance.choice((30, 60, 60, 90))),
        status=STATUS,
    )
