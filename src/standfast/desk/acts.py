"""What may be asked of a guard, as it travels: a verb and flat text, checked as far as no book is needed.

What is refused here was never asked. The guard judges everything again, by its books and quotes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from standfast.desk.documents import number, time
from standfast.model.errors import Misasked
from standfast.model.ids import AccountId
from standfast.model.share import share_text


class Act:
    """One act, ready to travel: account, verb, and flat text arguments; empty ones are left out."""

    def __init__(self, account: AccountId, verb: str, arguments: Mapping[str, str]) -> None:
        self.account = account
        self.verb = verb
        self.arguments = {name: value for name, value in arguments.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an opening shall be, beside what it is of."""

    key: str = ""
    """The same key is the same opening."""
    strategy: str = ""
    stop: Decimal | None = None
    stop_loss: Decimal | None = None
    """The stop as a share of the entry, in place of the policy's."""
    target: Decimal | None = None
    until: datetime | None = None
    """By the machine's clock: what no guard has taken by then is not opened any more."""

    def __post_init__(self) -> None:
        if self.stop is not None and self.stop_loss is not None:
            raise Misasked("stop and stop_loss: one is a price, the other a share of the entry; give one of them")

    @property
    def arguments(self) -> dict[str, str]:
        return {
            "strategy": self.strategy,
            "stop": text(self.stop),
            "stop_loss": share_text(self.stop_loss) if self.stop_loss is not None else "",
            "target": text(self.target),
            "key": self.key,
            "until": time(self.until) or "",
        }


def opening(
    account: AccountId, instrument: str, quantity: Decimal, wanted: Wanted, *, limit: Decimal | None = None
) -> Act:
    """A position in one instrument; quantity signed. Raises Misasked for exits that lie on the wrong sides."""
    refuse_wrong_side(quantity, wanted.stop, wanted.target)
    named = {"instrument": instrument, "quantity": text(quantity), "limit": text(limit)}
    return Act(account, "open", {**named, **wanted.arguments})


def opening_of_legs(account: AccountId, legs: str, units: Decimal, wanted: Wanted, *, net: Decimal | None) -> Act:
    """A structure, `CONTRACT:RATIO ...`; `net` is what a unit shall bring at least, negative for what it may cost."""
    if net == 0:
        raise Misasked("credit 0: as a price it asks for nothing; leave it out to open at the market")
    prices = {"credit": text(net) if net is not None and net > 0 else "", "debit": ""}
    if net is not None and net < 0:
        prices["debit"] = text(-net)
    named = {"legs": " ".join(legs.upper().split()), "quantity": text(units)}
    return Act(account, "open", {**named, **prices, **wanted.arguments})


def net_of(credit: Decimal | None, debit: Decimal | None) -> Decimal | None:
    """What a unit shall bring: a credit as it is, a debit below nothing. Raises Misasked for both at once."""
    if credit is not None and debit is not None:
        raise Misasked("credit and debit: a unit brings something or costs something; give one of them")
    if debit is not None:
        return -debit
    return credit


def closing(account: AccountId, position: str, *, quantity: Decimal | None, reason: str) -> Act:
    """Of a structure the quantity counts units."""
    return Act(account, "close", {"position": position, "quantity": text(quantity), "reason": reason})


def protecting(
    account: AccountId, position: str, *, stop: Decimal | None, target: Decimal | None, bare: bool = False
) -> Act:
    """Prices of its own; neither: back to its policy. Bare: nothing is kept around it."""
    if bare and (stop is not None or target is not None):
        raise Misasked("--none leaves a position without protection: write it without --stop and --target")
    chosen = {"stop": text(stop), "target": text(target), "none": "true" if bare else ""}
    return Act(account, "protect", {"position": position, **chosen})


def flattening(account: AccountId, *, everything: bool) -> Act:
    return Act(account, "flatten", {"everything": "true" if everything else ""})


def freezing(account: AccountId, verb: str, scope: str, reason: str) -> Act:
    """`freeze` or `thaw`, of one instrument or (no scope) of the account."""
    return Act(account, verb, {"scope": scope, "reason": reason})


def instrument_named(name: str) -> str:
    """As the broker writes it: upper case, no blanks; of a hedged account with its side. Raises Misasked."""
    if not name or any(character.isspace() for character in name):
        raise Misasked(f"{name!r}: an instrument has no blanks in it; write for example SPY")
    whole, _, side = name.rpartition(":")
    return f"{whole.upper()}:{side.lower()}" if whole and side.lower() in ("long", "short") else name.upper()


def refuse_wrong_side(quantity: Decimal, stop: Decimal | None, target: Decimal | None) -> None:
    """A stop lies on the losing side of a target: seen before anything is asked of a broker."""
    for name, price in (("stop", stop), ("target", target)):
        if price is not None and price <= 0:
            raise Misasked(f"{name} {price}: give a price above zero; only a spread's may lie below")
    if stop is None or target is None:
        return
    if (target - stop) * quantity <= 0:
        direction, words = ("long", "below") if quantity > 0 else ("short", "above")
        raise Misasked(f"stop {stop}: the stop of a {direction} position lies {words} its target {target}; swap them")


def text(value: Decimal | None) -> str:
    return number(value) or ""
