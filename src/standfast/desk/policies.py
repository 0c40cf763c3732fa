"""Policies as far as `positions` shows them, straight from the file.

The settings room reads all of a policy and checks it; importing that room and the core's rules costs a reading verb
more than all its own work. This is the part that is shown: who holds the exits, and how far the stop is. What cannot
be read here is left out, never guessed: `standfast doctor` names it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import NamedTuple

from standfast.model.ids import Holding
from standfast.model.share import share_of


class Policy(NamedTuple):
    """Distances are fractions of entry, as in `core.policy`."""

    held_by: str
    stop_loss: Decimal | None
    emergency_stop: Decimal | None
    match: Mapping[str, str]
    short_delta_limit: Decimal | None = None


NONE = Policy("broker", None, None, {})


class Rules(NamedTuple):
    """One account's policies, first match first."""

    account: str
    policies: Sequence[Policy]

    def policy(self, strategy: str, holding: Holding, kind: str = "equity") -> Policy:
        """The first policy that matches; one without rules where none does."""
        names = {"account": self.account, "strategy": strategy, "instrument": holding.instrument, "kind": kind}
        for policy in self.policies:
            if all(fnmatchcase(name, policy.match.get(key, "*")) for key, name in names.items()):
                return policy
        return NONE


def read(settings: Mapping[str, object]) -> tuple[Policy, ...]:
    """The `[[policies]]` of a settings file that was parsed."""
    tables = settings.get("policies")
    return tuple(_policy(table) for table in tables if isinstance(table, dict)) if isinstance(tables, list) else ()


def _policy(table: Mapping[str, object]) -> Policy:
    match = table.get("match")
    return Policy(
        held_by=str(table.get("exits_held_by", "broker")),
        stop_loss=_distance(table.get("stop_loss")),
        emergency_stop=_distance(table.get("emergency_stop")),
        match={key: str(glob) for key, glob in match.items()} if isinstance(match, dict) else {},
        short_delta_limit=_share(table.get("short_delta_limit")),
    )


def _share(value: object) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _distance(value: object) -> Decimal | None:
    return share_of(value) if isinstance(value, str) else None
