"""`[[policies]]` and `[limits]`: what is kept around positions. A rule that is not written is off."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from standfast.core.policy import FlatBy, HeldBy, Limits, Match, Mode, Policy, Rules, Rung
from standfast.settings.report import Report, Unfit
from standfast.settings.table import Table
from standfast.settings.values import (
    count,
    distance,
    duration,
    entry_point,
    flag,
    give_back,
    glob,
    instruments,
    money,
    one_of,
    share,
    some_time,
    text,
    wall_time,
    word,
)

DISTANCES = ("stop_loss", "take_profit", "emergency_stop")


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


def read_policies(tables: list[Table], report: Report) -> tuple[Policy, ...]:
    """The policies in their order."""
    policies: list[Policy] = []
    names: set[str] = set()
    for table in tables:
        policy = _policy(table, report)
        if policy.name and policy.name in names:
            table.wrong("name", "is taken by an earlier policy", "Give each policy a name of its own")
        policies.append(policy)
        names.add(policy.name)
        table.close()
    _judge_order(tables, policies)
    return tuple(policies)


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
        expiring_flat_by=table.read("expiring_flat_by", wall_time, expiring_default()),
        short_delta_limit=table.read("short_delta_limit", share, None),
        user_rule=":".join(table.read("user_rule", entry_point, ())) or None,
        adopted_too=table.read("adopted_too", flag, default=False),
    )
    _judge(policy, table)
    return policy


def _match(table: Table) -> Match:
    match = Match(
        account=table.read("account", glob, "*"),
        strategy=table.read("strategy", glob, "*"),
        instrument=table.read("instrument", instruments, "*"),
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
        elif not _holds_more(Rung(arm=arm, give_back=back), ladder.values()):
            rung.wrong(
                "give_back",
                "gives back so much that a lower rung has locked in more by then",
                "Give back less on the higher rung",
            )
        ladder[arm] = Rung(arm=arm, give_back=back)
    return tuple(ladder[arm] for arm in sorted(ladder))


def _holds_more(rung: Rung, others: Iterable[Rung]) -> bool:
    """Whether each rung, where it arms, puts the stop above every rung below it."""
    return all((rung.arm > each.arm) == (_level(rung) > _level(each)) for each in others)


def _level(rung: Rung) -> Decimal:
    """The result a rung locks in at the moment it arms."""
    return Decimal(0) if rung.give_back is None else rung.arm - rung.give_back


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
    for key in ("stop_loss", "emergency_stop"):
        found = policy.stop_loss if key == "stop_loss" else policy.emergency_stop
        if found is not None and found >= 1 and policy.match.kind in ("equity", "*"):
            table.wrong(
                key,
                "is the whole entry price or more: a long position would have no stop",
                'Write less than "100%", or match = { kind = "option" } for spreads',
            )
    if policy.maximum_hold is not None and policy.minimum_hold > policy.maximum_hold:
        table.wrong("minimum_hold", "is longer than maximum_hold", "Make maximum_hold the longer of the two")
    if policy.stop_loss is None and policy.emergency_stop is None:
        table.warn("", "has neither stop_loss nor emergency_stop: its positions have no protective stop")
    elif policy.held_by is HeldBy.BOTH and policy.emergency_stop is None:
        table.warn("exits_held_by", "rests the emergency_stop at the broker, and none is written")


def _judge_order(tables: list[Table], policies: list[Policy]) -> None:
    """First match wins: what stands behind a policy that matches everything is believed to hold and does not."""
    catch_all = next((policy.name for policy in policies if policy.match == Match()), None)
    behind = False
    for table, policy in zip(tables, policies, strict=True):
        if behind:
            table.wrong(
                "name", f'is never used: "{catch_all}" before it matches everything', "Put what matches everything last"
            )
        behind = behind or policy.match == Match()


def judge_accounts(
    tables: list[Table], policies: tuple[Policy, ...], accounts: Sequence[Rules], report: Report
) -> None:
    """Policies beside the accounts they are for: each is for one that exists, and what acts knows what to keep."""
    names = [str(rules.account) for rules in accounts]  # an empty one is a problem that is told already
    for table, policy in zip(tables, policies, strict=True):
        if names and all(names) and not any(fnmatchcase(name, policy.match.account) for name in names):
            table.table("match").wrong(
                "account", "matches no account of this file", f"Accounts here: {', '.join(names)}"
            )
    for rules in accounts:
        if any(_is_for_all_of(policy.match, rules.account) for policy in policies):
            continue
        if rules.mode is Mode.REPAIR and policies:
            report.wrong(
                ("policies",),
                None,
                Unfit(
                    f"no policy matches everything of account {rules.account}, which is in repair mode: what none "
                    "matches would have no stop",
                    'Add a last policy with match = { account = "*" }, without rules where that is what you want',
                    shown="...",
                ),
            )
        else:
            report.warn(
                ("policies",),
                f"no policy matches everything of account {rules.account}: what none matches has no rules and no "
                "protective stop",
            )


def _is_for_all_of(match: Match, account: str) -> bool:
    return fnmatchcase(account, match.account) and (match.strategy, match.instrument, match.kind) == ("*", "*", "*")


OPEN, CLOSE = time(9, 30), time(16, 0)
"""The regular session of the US exchanges, New York time."""
WINTER, SUMMER = date(2026, 1, 15), date(2026, 7, 15)


def judge_sessions(tables: list[Table]) -> None:
    """For accounts that trade in US sessions: a time at which nothing can be closed is none to be flat by."""
    for table in tables:
        for key in ("flat_by", "expiring_flat_by"):
            found = table.read(key, wall_time, None)
            if found is not None and not all(OPEN < _in_new_york(found, day) < CLOSE for day in (WINTER, SUMMER)):
                table.wrong(
                    key,
                    "is outside the session, when nothing can be closed (09:30 to 16:00 America/New_York)",
                    'Write a time inside it, such as "15:55 America/New_York"',
                )


def _in_new_york(found: FlatBy, day: date) -> time:
    return datetime.combine(day, found.at, found.zone).astimezone(ZoneInfo("America/New_York")).time()
