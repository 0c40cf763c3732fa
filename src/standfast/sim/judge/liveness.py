"""Bounds (reliability.md §3.2, design.md §1): what must come to an end, and within how much healthy time.

Theory: a stopwatch runs while something that must end has not ended, and only while the guard could do something about
it. It stops in unhealthy time and goes on afterwards; it does not begin anew. Each is for one instrument, position or
order; what it measures is what is truly so at the exchange and what the journal says, never what the guard believes.

Invariants
1. A stopwatch never runs for longer than its bound without a `Violation`.
2. `worst` is the most healthy time each kind of trouble has lasted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from standfast.core.policy import Foreign, HeldBy, Mode, Policy, Rules
from standfast.exchange.orders import Order, OrderType
from standfast.model.breaks import BreakKind
from standfast.model.contract import Contract
from standfast.model.ids import ClientOrderId, Holding, InstrumentId
from standfast.model.position import Standing
from standfast.sim.judge.patience import until
from standfast.sim.judge.retold import ZERO, Lot, Retold
from standfast.sim.judge.witness import Witness, reducing_quantity, stop_cover
from standfast.sim.watch import Violation

TRACKED = 60.0
EXPLAINED = 300.0
"""What is listed as a break and policy wants in the books must get there: P8's worst."""
COVERED = 165.0
CORRECTED = 60.0
CLOSED = 120.0
DECIDED = 30.0
"""B4, its first half: a rule that is due is acted on in seconds, at the latest after a round of reads and a start."""
ROLLED_BACK = 45.0 + CLOSED
TOLD = 60.0
SUCCEEDED = 60.0
"""B6: lease, one round of reads, flight, staleness."""
SETTLED_BESIDE = 30.0
"""B5: beyond flight and staleness."""
LOOK_EVERY = timedelta(seconds=5)
"""Between two looks at everything held."""

UNTRACKED_KINDS = frozenset({BreakKind.ORPHAN_POSITION, BreakKind.GHOST_POSITION, BreakKind.QUANTITY, BreakKind.SIDE})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that must end: `bound` in healthy seconds, `worst` names its statistics, `tradable`: whether it can
    only end while the instrument trades."""

    id: str
    subject: str
    worst: str
    bound: float
    text: str
    tradable: bool = False


@dataclass(slots=True)
class Stopwatch:
    trouble: Trouble
    seconds: float = 0.0


class Liveness:
    """`look` at an instrument when anything about it changed; `tick` once a second."""

    def __init__(
        self,
        witness: Witness,
        retold: Retold,
        rules: Rules,
        contract: Contract,
        is_healthy: Callable[[str], bool],
    ) -> None:
        self.witness, self.retold, self.rules, self.contract = witness, retold, rules, contract
        self.worst: dict[str, float] = dict.fromkeys(("naked", "untracked", "close", "unknown", "over", "untold"), 0.0)
        self.edited: dict[str, list[datetime]] = {}
        """When somebody else took an exit of ours away."""
        self.refused: dict[str, list[datetime]] = {}
        """When the exchange refused an order of ours."""
        self.is_healthy = is_healthy
        self._watches: dict[str, dict[tuple[str, str], Stopwatch]] = {}
        self._dirty: set[str] = set()
        self._calm: dict[str, tuple[int, bool, Decimal, list[Order]]] = {}
        """What was so of an instrument when nothing was wrong with it: while it is, nothing is, but what is due."""
        self._ticked = self._looked = witness.engine.now

    def touch(self, instrument: str) -> None:
        """Something about it has changed: look at the next tick."""
        self._dirty.add(instrument)

    @property
    def running(self) -> list[Stopwatch]:
        return [watch for watches in self._watches.values() for watch in watches.values()]

    @property
    def is_idle(self) -> bool:
        """Whether nothing has changed and no stopwatch runs."""
        return not self._dirty and not self._watches

    def tick(self, now: datetime) -> None:
        """Let healthy time pass for what runs; look again at what changed or runs."""
        passed = (now - self._ticked).total_seconds()
        self._ticked = now
        if now - self._looked >= LOOK_EVERY:  # rules become due and waits end without an event
            self._looked = now
            self._dirty.update(holding.instrument for holding, lots in self.retold.at.items() if lots)
        for instrument in sorted(self._dirty.union(self._watches)):
            watches = self._watches.get(instrument, {})
            if watches and self.is_healthy(instrument):
                self._pass(instrument, watches, passed)
            self._look(instrument, watches)
        self._dirty.clear()

    def _pass(self, instrument: str, watches: dict[tuple[str, str], Stopwatch], passed: float) -> None:
        is_tradable = self.witness.engine.is_tradable(instrument)
        for watch in watches.values():
            trouble = watch.trouble
            if trouble.tradable and not is_tradable:
                continue
            watch.seconds += passed
            self.worst[trouble.worst] = max(self.worst[trouble.worst], watch.seconds)

    def _look(self, instrument: str, watches: dict[tuple[str, str], Stopwatch]) -> None:
        found = {(trouble.id, trouble.subject): trouble for trouble in self.troubles(instrument)}
        for key in [key for key in watches if key not in found]:
            del watches[key]
        for key, trouble in found.items():
            watch = watches.setdefault(key, Stopwatch(trouble))
            watch.trouble = trouble
            if watch.seconds > trouble.bound:
                raise Violation(
                    trouble.id, f"{trouble.text}, for {watch.seconds:.0f} healthy seconds ({trouble.bound:.0f} at most)"
                )
        if watches:
            self._watches[instrument] = watches
        else:
            self._watches.pop(instrument, None)

    # --- what must end --------------------------------------------------------------------------

    def troubles(self, instrument: str) -> Iterator[Trouble]:
        """Everything about one instrument that is not as it shall be, now."""
        holding = Holding(InstrumentId(instrument))
        if not self.retold.began:
            return
        engine, orders = self.witness.engine, self.witness.working(instrument)
        judged = (self.retold.head, engine.is_tradable(instrument), self.witness.net(instrument), orders)
        if self._calm.get(instrument) != judged:
            found = [*self._untracked(holding), *self._unknown(holding), *self._untold(holding)]
            if self.rules.mode is Mode.REPAIR:
                found += [*self._naked(holding, orders), *self._over(holding, orders)]
            yield from found
            if not found and self.exposed(holding, orders)[0] <= 0:  # else what is wanted is a question of time as well
                self._calm[instrument] = judged
        if self.rules.mode is Mode.REPAIR:
            yield from self._closing(holding)

    def _untracked(self, holding: Holding) -> Iterator[Trouble]:
        """B1: what is held and what the books explain differ, and no break says so; or says so for ever."""
        truly, booked = self.witness.net(holding.instrument), self.retold.net(holding)
        if truly == booked:
            return
        text = f"{truly} {holding} is held, {booked} is booked"
        listed = any(
            found.holding == holding and found.kind in UNTRACKED_KINDS for found in self.retold.breaks.values()
        )
        if not listed:
            yield Trouble("B1", f"{holding}", "untracked", TRACKED, f"{text}, and nothing lists it")
        is_wanted = self.rules.foreign_for(holding) is not Foreign.ALERT and self.rules.mode is Mode.REPAIR
        if is_wanted and not self._untold_of(holding):
            yield Trouble("B1", f"{holding} explained", "untracked", EXPLAINED, text)

    def _untold_of(self, holding: Holding) -> Decimal:
        """How far a trade taken back has set books and exchange apart, where nobody is told: for a person to end."""
        if self.contract.tells_movements:
            return ZERO
        fills = self.witness.engine.truth(self.rules.account).fills
        if not any(fill.kind == "bust" and fill.instrument == holding.instrument for fill in fills):
            return ZERO
        return abs(self.retold.net(holding) - self.witness.net(holding.instrument))

    def _unknown(self, holding: Holding) -> Iterator[Trouble]:
        """B5: an intent whose order nobody knows anything about.

        A new life of the guard waits anew (§3.4, rule 3), and so does one whose clock was set (`core.verify`).
        """
        patience = (self.contract.flight + self.contract.staleness).total_seconds()
        for intent in self.retold.intents_at.get(holding, {}).values():
            if not intent.is_known:
                text = f"{intent.fact.id} ({intent.fact.role}) is {intent.fate}"
                subject = f"{intent.fact.id}/{self.retold.epoch}/{self.retold.put_back + self.retold.put_ahead}"
                yield Trouble("B5", subject, "unknown", patience + SETTLED_BESIDE, text)

    def _untold(self, holding: Holding) -> Iterator[Trouble]:
        """S11: a confirmed break that raises no alarm."""
        for id, found in self.retold.breaks.items():
            silent = found.holding != holding or found.confirmed_at is None or found.told
            if not silent and self.rules.mode_for(found.kind) is not Mode.OBSERVE:
                wait = TOLD
                if found.kind is BreakKind.ORPHAN_POSITION:
                    wait += self.rules.confirm.orphan.total_seconds()
                yield Trouble("S11", id, "untold", wait, f"{found.kind} of {found.subject or holding} is told nobody")

    def _over(self, holding: Holding, orders: list[Order]) -> Iterator[Trouble]:
        """B3: exits of ours that would do more than end what is held."""
        own = [order for order in orders if self.witness.is_own(order) and not self._opens(order)]
        held = self.witness.net(holding.instrument)
        for sign in (1, -1):
            resting = reducing_quantity(own, sign)
            if resting > max(held * sign, ZERO):
                text = f"exits for {resting} rest and {held} {holding} is held"
                yield Trouble("B3", f"{holding}", "over", CORRECTED, text, tradable=True)

    def _opens(self, order: Order) -> bool:
        if order.parent_id is not None:
            return False
        intent = self.retold.intents.get(ClientOrderId(order.client_order_id))
        return intent is not None and not intent.fact.terms.reduces

    # --- cover ----------------------------------------------------------------------------------

    def _naked(self, holding: Holding, orders: list[Order]) -> Iterator[Trouble]:
        """B2, B8: what is held without a live stop, and is not being closed."""
        exposed, closing = self.exposed(holding, orders)
        if exposed <= 0:
            return
        text = f"{exposed} {holding} rests without a stop"
        instrument = str(holding.instrument)
        now = self.witness.engine.now
        held_up = holding in self.retold.suspended or self.may_wait(instrument)
        turned_away = now < until(self.refused.get(instrument), now, 1, 2, 60)
        told = any(found.told and found.holding == holding for found in self.retold.breaks.values())
        beyond = self._beyond_reach(holding, orders) + self._untold_of(holding)
        reserved = told and exposed - beyond <= closing
        if exposed > closing and not reserved and not (told and (held_up or turned_away)):
            yield Trouble("B2", f"{holding}", "naked", COVERED, text)
        if held_up or reserved:
            return
        ours = [lot for lot in self.retold.lots_at(holding) if lot.standing is Standing.OWNED and self.wants_stop(lot)]
        if not ours or stop_cover(orders, ours[0].sign) >= sum((lot.held for lot in ours), ZERO):
            return  # what lacks a stop is somebody else's, beside ours
        for lot in ours:
            if lot.held > 0 and lot.closing is None and exposed > closing:
                yield Trouble("B8", lot.id, "naked", ROLLED_BACK, f"{lot.id}: {text}", tradable=True)

    def may_wait(self, instrument: str) -> bool:
        """Whether an exit that somebody took away may still wait to be put back."""
        now = self.witness.engine.now
        return now < until(self.edited.get(instrument), now, 5, 3, 600)

    def exposed(self, holding: Holding, orders: list[Order]) -> tuple[Decimal, Decimal]:
        """(what lacks a live stop and wants one, what of it is being closed)."""
        net = self.witness.net(holding.instrument)
        if not net:
            return ZERO, ZERO
        sign = 1 if net > 0 else -1
        lots = [lot for lot in self.retold.lots_at(holding) if lot.sign == sign and lot.held]
        unwanted = sum((lot.held for lot in lots if not lot.is_guarded or not self.wants_stop(lot)), ZERO)
        unwanted += max(self.retold.acknowledged.get(holding, ZERO) * sign, ZERO)
        wanted = abs(net) - unwanted
        if self.rules.foreign_for(holding) is not Foreign.ADOPT:  # then only what is ours
            wanted = min(wanted, sum((lot.held for lot in lots if lot.is_guarded and self.wants_stop(lot)), ZERO))
        elif not _rests(self._policy("foreign", holding)) and not any(self.wants_stop(lot) for lot in lots):
            return ZERO, ZERO
        if not self.contract.fractional_stops:  # the fraction of each position is the guard's own to hold
            wanted -= sum((lot.held % 1 for lot in lots if lot.is_guarded and self.wants_stop(lot)), ZERO)
            wanted = wanted.to_integral_value(rounding=ROUND_FLOOR)
        closing = sum((lot.held - lot.closing.remain for lot in lots if lot.closing is not None), ZERO)
        return wanted - stop_cover(orders, sign), closing

    def _beyond_reach(self, holding: Holding, orders: list[Order]) -> Decimal:
        """What cannot be covered where quantity is reserved: orders of others hold it, and stop nothing.

        What came with the entry of a lot holds that lot's; the rest holds first what wants no stop.
        """
        if not self.contract.reserves_quantity:
            return ZERO
        net = self.witness.net(holding.instrument)
        sign = 1 if net > 0 else -1
        strays = [order for order in orders if not self.witness.is_own(order)]
        beyond, wanting = ZERO, ZERO
        for lot in self.retold.lots_at(holding):
            if lot.sign == sign and lot.is_guarded and self.wants_stop(lot):
                brought = [order for order in strays if lot.order is not None and order.parent_id == lot.order]
                beyond += min(_only_held(brought, sign), lot.held)
                wanting += lot.held
        lots = {lot.order for lot in self.retold.lots_at(holding)}
        loose = [order for order in strays if order.parent_id is None or order.parent_id not in lots]
        return beyond + max(_only_held(loose, sign) - max(abs(net) - wanting, ZERO), ZERO)

    def wants_stop(self, lot: Lot) -> bool:
        """Whether its policy, or who opened it, wants a stop to rest at the broker."""
        policy = self._policy(lot.strategy, lot.holding)
        if lot.bare or policy.held_by is HeldBy.GUARD:
            return False
        return lot.stop is not None or _rests(policy)

    def _policy(self, strategy: str, holding: Holding) -> Policy:
        return self.rules.policy(strategy, holding)

    # --- closes ---------------------------------------------------------------------------------

    def _closing(self, holding: Holding) -> Iterator[Trouble]:
        """B4: a close that was decided, or that a rule asks for, and is not done."""
        for lot in self.retold.lots_at(holding):
            if not lot.is_guarded or lot.held <= 0:
                continue
            if lot.closing is not None:
                left = lot.held - lot.closing.remain
                left -= self._untold_of(holding)
                if left > self._at_market(lot) and not (left < 1 and lot.id in self.retold.fractions):
                    text = f"{lot.id} is to be closed ({lot.closing.reason}) and {lot.held} is held"
                    yield Trouble("B4", lot.id, "close", CLOSED, text, tradable=True)
                continue
            why = self._due(lot)
            if why:
                text = f"{lot.id} of {lot.held}: {why}"
                yield Trouble("B4", lot.id, "close", CLOSED, text, tradable=True)
                yield Trouble(
                    "B4", f"{lot.id} undecided", "close", DECIDED, f"{text}, and no close is decided", tradable=True
                )

    def _at_market(self, lot: Lot) -> Decimal:
        """What orders at the market are closing already: how soon they fill is for the market to say."""
        orders = [o for o in self.witness.working(lot.holding.instrument) if o.terms.type is OrderType.MARKET]
        meant = ((order, self.retold.intents.get(ClientOrderId(order.client_order_id))) for order in orders)
        return sum((o.remaining for o, intent in meant if intent is not None and intent.fact.position == lot.id), ZERO)

    def _due(self, lot: Lot) -> str:
        """The rule that asks for its close now, by the market as it truly is; empty when there is none."""
        policy, now = self._policy(lot.strategy, lot.holding), self.witness.engine.now
        since = lot.opened_at
        if since is None or lot.holding in self.retold.suspended or self._in_question(lot):
            return ""
        longest = policy.maximum_hold if lot.standing is Standing.OWNED else None
        if longest is not None and now - since > longest:
            return f"held for longer than {longest}"
        quote, basis = self.witness.engine.last_quote(lot.holding.instrument), lot.basis
        if quote is None or basis is None or lot.bare:
            return ""
        price = quote.bid if lot.sign > 0 else quote.ask
        distance = policy.stop_loss or policy.emergency_stop
        if distance is not None and quote.ask - quote.bid > distance * basis / 2:
            price = quote.middle  # too wide for this rule: it is judged at the mid
        losses = (
            [policy.emergency_stop] if now - since < policy.minimum_hold else [policy.stop_loss, policy.emergency_stop]
        )
        levels = [basis * (1 - loss * lot.sign) for loss in losses if loss is not None]
        if lot.stop is not None and now - since >= policy.minimum_hold:
            levels = [lot.stop, *levels[1:]]
        beyond = [level for level in levels if (level * (1 - lot.sign * MARGIN) - price) * lot.sign >= 0]
        return f"the price {price} stands beyond its stop {beyond[0]:.4f}" if beyond else ""

    def _in_question(self, lot: Lot) -> bool:
        """Whether the numbers themselves are: no price rule may fire then, and B1 counts."""
        kinds = (BreakKind.QUANTITY, BreakKind.SIDE)
        return any(found.holding == lot.holding and found.kind in kinds for found in self.retold.breaks.values())


def _rests(policy: Policy) -> bool:
    """Whether a policy by itself wants a stop to rest at the broker."""
    return policy.held_by is not HeldBy.GUARD and (policy.stop_loss is not None or policy.emergency_stop is not None)


def _only_held(orders: list[Order], sign: int) -> Decimal:
    """What these would take off and do not stop."""
    return max(reducing_quantity(orders, sign) - stop_cover(orders, sign), ZERO)


MARGIN = Decimal("0.0005")
"""How far beyond a level the price must stand before the checker calls it so: prices are rounded to ticks."""


def is_reserved(witness: Witness, retold: Retold, instrument: str) -> bool:
    """Whether exits of somebody else hold what is to be closed: of nothing we guard, or for more than it has left."""
    net = witness.net(instrument)
    lots = [lot for lot in retold.lots_at(Holding(InstrumentId(instrument))) if lot.held]
    known = {lot.order for lot in lots if lot.is_guarded and lot.order is not None}
    theirs = [order for order in witness.working(instrument) if not witness.is_own(order)]
    sign = 1 if net > 0 else -1
    held = reducing_quantity([order for order in theirs if order.parent_id not in known], sign)
    for lot in (lot for lot in lots if lot.is_guarded and lot.order is not None):
        held += max(reducing_quantity([o for o in theirs if o.parent_id == lot.order], sign) - lot.held, ZERO)
    ours = sum((lot.held for lot in lots if lot.is_guarded), ZERO)
    return bool(held) and abs(net) - held < ours and any(lot.closing is not None for lot in lots)
