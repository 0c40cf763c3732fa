"""May this opening go ahead, and if not, every reason.

The gate guards opening only; closing and protecting never pass through it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from standfast.core.at_once import Exits, entered, fires_at_once
from standfast.core.at_stake import at_stake, counted_at, unit_price
from standfast.core.covering import delivers
from standfast.core.policy import HeldBy, Policy
from standfast.core.results import Levels
from standfast.core.several import can_share, left_by_others, sides_held
from standfast.core.short_delta import closes_at_once
from standfast.core.situation import Situation
from standfast.core.worth import Sides
from standfast.model.booked import Stage
from standfast.model.ids import Holding
from standfast.model.option import option_contract
from standfast.model.order import ZERO
from standfast.model.position import CloseReason, Phase
from standfast.model.share import share_text

WIDE_FROM = Decimal("0.5")
"""As `results.judge`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An opening as it was asked for; quantity signed."""

    holding: Holding
    quantity: Decimal
    strategy: str
    key: str
    limit: Decimal | None = None
    stop: Decimal | None = None
    stop_loss: Decimal | None = None
    """In place of its policy's."""
    target: Decimal | None = None


def reasons_against(s: Situation, asked: Asked) -> tuple[str, ...]:
    """Every reason to refuse; empty means accepted."""
    return (
        *against_account(s, asked),
        *against_instrument(s, asked),
        *_side(asked),
        *_terms(s, asked),
        *_limits(s, asked),
    )


def against_account(s: Situation, asked: Asked) -> Iterator[str]:
    if not s.may_act:
        yield s.why_not
    for scope in ("", asked.holding.instrument):
        if scope in s.book.state.frozen:
            frozen = s.book.state.frozen[scope]
            yield f"{scope or 'the account'} is frozen by {frozen.by}{': ' + frozen.reason if frozen.reason else ''}"
    if s.book.state.flattening:
        yield "the account is being flattened"
    account = s.snapshot.account
    if account is not None and account.blocked:
        yield f"the broker has blocked trading: {account.reason}"
    if s.blind_since is not None:
        yield f"the broker cannot be read since {s.blind_since:%H:%M:%S} UTC"
    if not s.in_session and asked.limit is None:
        yield "the session is closed: a market order would wait for the open"


def against_instrument(s: Situation, asked: Asked) -> Iterator[str]:
    for found in s.book.breaks_at(asked.holding):
        if found.confirmed and found.finding.kind.value in ("ghost_position", "quantity", "side", "orphan_position"):
            yield f"{asked.holding} has an open break {found.id} ({found.finding.kind})"
    doubtful = [o for o in s.book.orders_on(asked.holding) if o.reduces and o.stage is Stage.IN_DOUBT]
    if doubtful:
        yield f"whether {doubtful[0].id}, an exit on {asked.holding}, has arrived is not known: it would close this one"
    instrument = s.instrument(asked.holding)
    if not instrument.tradable:
        yield f"{asked.holding} cannot be traded"
    if asked.quantity < 0 and not instrument.shortable:
        yield f"{asked.holding} cannot be sold short"
    yield from _no_place(s, asked)


def _no_place(s: Situation, asked: Asked) -> Iterator[str]:
    """Where so many stops may rest on an instrument and do: its own would be refused, and it closed again at once."""
    most = s.contract.stops_of_instrument
    policy = _policy(s, asked)
    if most is None or policy.held_by is HeldBy.GUARD:
        return
    name = asked.holding.instrument
    if can_share(s):
        sides = {asked.holding, *sides_held(s, name)}
        if left_by_others(s, name) < len(sides):
            yield f"stops of others rest on {name}, {most} may rest in all, and no place is left for its own"
        return
    listed = [each for at, found in s.orders_by_holding.items() if at.instrument == name for each in found]
    own = [
        order for order in s.book.state.orders.values() if order.holding.instrument == name and not order.is_finished
    ]
    resting = {each.client_id for each in listed if each.stop_price is not None and not each.is_finished}
    resting |= {order.id for order in own if order.is_stop}
    if len(resting) >= most:
        yield f"{len(resting)} stops rest on {name}, and {most} may: its own would be refused"


def _side(asked: Asked) -> Iterator[str]:
    """Each side of a hedged account is opened one way."""
    hedge = asked.holding.hedge
    if hedge and (hedge == "long") is not (asked.quantity > 0):
        way = "buying" if hedge == "long" else "selling"
        yield f"{asked.holding} is opened by {way}: the quantity has the other sign"


def _terms(s: Situation, asked: Asked) -> Iterator[str]:
    if asked.quantity == 0:
        yield "quantity is zero"
        return
    sign = 1 if asked.quantity > 0 else -1
    if any(position.sign != sign for position in s.book.guarded_at(asked.holding)):
        yield f"{asked.holding} is held the other way: close it first"
    if s.reported_net(asked.holding) * sign < 0:
        yield f"the broker holds {s.reported_net(asked.holding)} {asked.holding}: close it first"
    if asked.quantity != asked.quantity.to_integral_value() and not s.instrument(asked.holding).fractionable:
        yield f"{asked.holding} has no fractions: {asked.quantity}"
    named = (("limit", asked.limit), ("stop", asked.stop), ("target", asked.target))
    yield from (f"{name} {value} is no price" for name, value in named if value is not None and value <= 0)
    price = unit_price(s, asked.holding, sign, asked.limit)
    if price is None:
        unknown = " and no limit: its size" if asked.limit is None else ": what a sale brings"
        yield f"no quote for {asked.holding}{unknown} cannot be judged"
        return
    if asked.stop is not None and (price - asked.stop) * sign <= 0:
        yield f"stop {asked.stop} is not beyond {price}"
    if asked.target is not None and (asked.target - price) * sign <= 0:
        yield f"target {asked.target} is not beyond {price}"
    yield from against_share(asked.stop_loss, _policy(s, asked), is_long=sign > 0)
    yield from _at_once(s, asked, sign)
    yield from _too_near_the_money(s, asked)


def _at_once(s: Situation, asked: Asked, sign: int) -> Iterator[str]:
    """Stops of the policy, or its own, that lie inside the quotes of the moment."""
    sight = s.sights.get(asked.holding)
    if sight is None or not sight.quote.is_two_sided or not s.in_session:
        return
    quote = sight.quote  # of what is sold, prices count below nothing: less is worse for both
    now = Sides(sign * quote.closing_price(sign), sign * quote.closing_price(-sign))
    policy = _policy(s, asked)
    entry, after = entered(sign * asked.limit if asked.limit is not None else None, now)
    paid, stop = sign * entry, asked.stop
    if stop is None and policy.stop_loss is not None:
        stop = paid * (1 - sign * policy.stop_loss)
    emergency = paid * (1 - sign * policy.emergency_stop) if policy.emergency_stop is not None else None
    at = Levels(
        stop=sign * stop if stop is not None else None,
        stop_reason=CloseReason.STOP_LOSS,
        emergency=sign * emergency if emergency is not None else None,
        target=None,
    )
    yield from fires_at_once(Exits(at, policy, paid, WIDE_FROM), after)


def _too_near_the_money(s: Situation, asked: Asked) -> Iterator[str]:
    """A sold option whose delta is beyond its policy's limit, unless shares that no other call needs deliver it."""
    is_option = option_contract(asked.holding.instrument) is not None
    if asked.quantity > 0 or not is_option or delivers(s, asked.holding, -asked.quantity):
        return
    policy = _policy(s, asked)
    yield from closes_at_once(s, [asked.holding], policy)


def _policy(s: Situation, asked: Asked) -> Policy:
    found = s.rules.policy(asked.strategy, asked.holding, s.instrument(asked.holding).kind)
    return found.with_stop(asked.stop_loss)


def against_share(share: Decimal | None, policy: Policy, *, is_long: bool = False) -> Iterator[str]:
    """A stop of its own that would be none."""
    if share is None:
        return
    if share >= 1 and is_long:
        yield f"stop_loss {share_text(share)} is the whole entry price or more: it would have no stop"
    if policy.emergency_stop is not None and policy.emergency_stop < share:
        yield f"stop_loss {share_text(share)} could never fire: the emergency_stop of policy {policy.name} is nearer"


def against_count(s: Situation) -> Iterator[str]:
    """How many positions and orders there may be; a structure is one position, whatever its legs."""
    limits = s.rules.limits
    held = [p for p in s.book.state.positions.values() if p.is_guarded and p.structure is None]
    guarded = len([p for p in held if p.phase is not Phase.CLOSED]) + len(s.book.state.structures)
    if limits.open_positions is not None and guarded >= limits.open_positions:
        yield f"open_positions: {guarded} of {limits.open_positions}"
    recent = [at for at in s.book.state.openings if s.now - at < timedelta(minutes=1)]
    if limits.orders_per_minute is not None and len(recent) >= limits.orders_per_minute:
        yield f"orders_per_minute: {len(recent)} of {limits.orders_per_minute}"


def _limits(s: Situation, asked: Asked) -> Iterator[str]:
    yield from against_count(s)
    limits, sign = s.rules.limits, 1 if asked.quantity > 0 else -1
    price = counted_at(s, asked.holding, sign, asked.limit)
    if price is None:
        return
    multiplier = s.instrument(asked.holding).multiplier
    added = abs(asked.quantity) * price * multiplier
    worth = max(price, unit_price(s, asked.holding, 1, None) or ZERO) * multiplier
    here = abs(s.reported_net(asked.holding)) * worth + _opening_value(s, asked.holding, worth)
    if limits.notional_per_instrument is not None and here + added > limits.notional_per_instrument:
        yield f"notional_per_instrument: {here + added:.2f} over {limits.notional_per_instrument}"
    total = at_stake(s)
    if limits.notional_per_account is not None and total + added > limits.notional_per_account:
        yield f"notional_per_account: {total + added:.2f} over {limits.notional_per_account}"
    account = s.snapshot.account
    if account is not None:
        power = account.power_for([asked.holding] if sign > 0 else [])
        if added > power and not (s.contract.margined and power > 0):
            yield f"buying power: {added:.2f} over {power}"


def _opening_value(s: Situation, holding: Holding, price: Decimal) -> Decimal:
    """Openings under way whose fills the last positions read cannot show."""
    waiting = (p for p in s.book.guarded_at(holding) if p.phase is Phase.OPENING)
    return sum(((p.asked - p.opened) * price for p in waiting), ZERO)
