"""`[[policies]]` and `[limits]`: what is kept around positions. A rule that is not written is off."""

from datetime import time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from standfast.core.policy import FlatBy, HeldBy, Limits, Match, Policy, Rung
from standfast.settings.report import Report
from standfast.settings.shapes import LaterRules
from standfast.settings.table import Table
from standfast.settings.values import (
    count,
    distance,
    duration,
    entry_point,
    flag,
    give_back,
    money,
    one_of,
    share,
    some_time,
    text,
    wall_time,
    word,
)

DISTANCES = ("stop_loss", "take_profit", "emergency_stop")
LATER = ("expiring_flat_by", "short_delta_limit", "user_rule")


def expiring_default() -> FlatBy:
    """Options on their last day: before brokers liquidate (design.md §7)."""
    return FlatBy(at=time(15, 10), zone=ZoneInfo("America/New_York"))


def read_limits(table: Table) -> Limits:
    limits = Limits(
        open_positions=table.read("open_positions", count, None),
        notional_per_instrument=table.read("notional_per_instrument", money, None),
        notional_per_account=table.read("notional_per_account", money, None),
        orders_per_minute=table.read("orders_per_minute", count, None),
    )
    table.close()
    return limits


def read_policies(tables: list[Table], report: Report) -> tuple[tuple[Policy, ...], dict[str, LaterRules]]:
    """The policies in their order, and by name what the core does not carry yet."""
    policies: list[Policy] = []
    later: dict[str, LaterRules] = {}
    for table in tables:
        policy = _policy(table, report)
        if policy.name and policy.name in later:
            table.wrong("name", "is taken by an earlier policy", "Give each policy a name of its own")
        policies.append(policy)
        later[policy.name] = _later_rules(table)
        table.close()
    _judge_matches(tables, policies, report)
    return tuple(policies), later


def _policy(table: Table, report: Report) -> Policy:
    name = table.need("name", text, "", remedy='Give the policy a name: name = "default"')
    report.names[table.path] = name or str(table.path[-1])
    rules = {key: table.read(key, distance, None) for key in DISTANCES}
    policy = Policy(
        name=name,
        match=_match(table.table("match")),
        held_by=table.read("exits_held_by", word(HeldBy), HeldBy.BROKER),
        stop_loss=rules["stop_loss"],
        take_profit=rules["take_profit"],
        emergency_stop=rules["emergency_stop"],
        trailing=_trailing(table),
        minimum_hold=_minimum_hold(table),
        maximum_hold=table.read("maximum_hold", some_time, None),
        flat_by=table.read("flat_by", wall_time, None),
        adopted_too=table.read("adopted_too", flag, default=False),
    )
    _judge(policy, table)
    return policy


def _match(table: Table) -> Match:
    match = Match(
        account=table.read("account", text, "*"),
        strategy=table.read("strategy", text, "*"),
        instrument=table.read("instrument", text, "*"),
        kind=table.read("kind", one_of("equity", "option", "perpetual", "*"), "*"),
    )
    table.close()
    return match


def _trailing(table: Table) -> tuple[Rung, ...]:
    """The ladder from its lowest rung up, however it was written."""
    ladder: dict[Decimal, Rung] = {}
    for rung in table.tables("trailing"):
        arm = rung.need("arm", distance, Decimal(0), remedy='Write the result that arms the rung: arm = "10%"')
        back = rung.need("give_back", give_back, None, remedy='Write give_back = "to entry" or "8pt"')
        rung.close()
        if arm in ladder and arm:
            rung.wrong("arm", "is the arm of another rung", "Keep one of the two")
        if str(rung.values.get("give_back", "")).strip().endswith("%"):
            rung.warn("give_back", 'is taken in points of result, not as a part of the peak; "8pt" says so')
        ladder[arm] = Rung(arm=arm, give_back=back)
    return tuple(ladder[arm] for arm in sorted(ladder))


def _minimum_hold(table: Table) -> timedelta:
    hold = table.read("minimum_hold", duration, timedelta(0))
    if hold and "emergency_stop" not in table:
        table.wrong(
            "minimum_hold",
            "delays every stop, and there is no emergency_stop for the time it runs",
            'Write an emergency_stop beside it, such as emergency_stop = "40%"',
        )
    return hold if table.read("emergency_stop", distance, None) is not None else timedelta(0)


def _judge(policy: Policy, table: Table) -> None:
    """Rules that are fine by themselves and not beside each other."""
    if policy.stop_loss and policy.emergency_stop and policy.emergency_stop < policy.stop_loss:
        table.wrong(
            "emergency_stop",
            "is tighter than stop_loss, so stop_loss could never fire",
            "Make emergency_stop the wider of the two",
        )
    if policy.maximum_hold is not None and policy.minimum_hold > policy.maximum_hold:
        table.wrong("minimum_hold", "is longer than maximum_hold", "Make maximum_hold the longer of the two")
    if policy.stop_loss is None and policy.emergency_stop is None:
        table.warn("", "has neither stop_loss nor emergency_stop: its positions have no protective stop")
    elif policy.held_by is HeldBy.BOTH and policy.emergency_stop is None:
        table.warn("exits_held_by", "rests the emergency_stop at the broker, and none is written")


def _later_rules(table: Table) -> LaterRules:
    for key in LATER:
        if key in table:
            table.warn(key, "is checked and kept, and not acted on by this version")
    return LaterRules(
        expiring_flat_by=table.read("expiring_flat_by", wall_time, expiring_default()),
        short_delta_limit=table.read("short_delta_limit", share, None),
        user_rule=table.read("user_rule", entry_point, None),
    )


def _judge_matches(tables: list[Table], policies: list[Policy], report: Report) -> None:
    """First match wins, so a catch-all belongs last and there should be one."""
    catch_all = next((index for index, policy in enumerate(policies) if policy.match == Match()), None)
    if catch_all is None:
        report.warn(
            ("policies",), "no policy matches everything: what none matches has no rules and no protective stop"
        )
        return
    for table in tables[catch_all + 1 :]:
        table.warn("", f'is never used: "{policies[catch_all].name}" before it matches everything')
