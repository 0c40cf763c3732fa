"""An independent judge of a guard: it reads what the exchange wrote down (`standfast exchange --log`) and the ledger's
file, and nothing else. No code of Standfast is used: it opens the database itself, walks the chain itself, adds up
fills itself, so that a mistake of the guard's own reading cannot hide here.

`judge(Case.read(...))` gives the violations, each under the name of its invariant (docs/concepts/safety.md):

- `S1` every own order that came to the exchange was meant in the journal before, in equal terms;
- `S2` an opening filled at most what was asked for;
- `S3` no reducing order added exposure, or went through zero;
- `S4` reducing orders taken by the exchange never summed up to more than was held;
- `S5` nothing filled on an order that the journal had called over;
- `S6` every own live order is one the journal still follows;
- `S8` a life that is over writes and sends nothing;
- `S9` the journal is gapless and every entry follows the one before;
- `books` fills and quantities are the exchange's, each fill once;
- `cover` at the end every position has live stops for exactly its quantity.

S3 and S4 are excused where somebody else had reduced the same holding within `EXCUSED` before.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.acceptance.case import ZERO, Case, Entry, Floor, Row

SETTLED = frozenset({"filled", "cancelled", "expired", "rejected", "replaced"})
"""The exchange's words for an order that is over, in the ledger's spelling."""
STOPS = frozenset({"stop", "stop_limit", "trailing_stop"})
CLOCKS = timedelta(seconds=1)
"""How far the guard's and the exchange's clocks may be apart, in exchange time."""
FLIGHT = timedelta(seconds=12)
"""A request may be under way for that long, and its sender be dead meanwhile."""


@dataclass(slots=True)
class Judgement:
    """`violations` by the invariant's name. `seen`: how much there was to judge; nothing passes unlooked at."""

    violations: dict[str, list[str]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return "\n".join(f"{name}: {text}" for name, texts in self.violations.items() for text in texts)


def judge(case: Case, *, is_at_rest: bool = True) -> Judgement:
    """Every violation there is. `is_at_rest` False: the end was not waited for; what holds only then is not asked."""
    found = Judgement()
    for name, check in CHECKS.items():
        if name in AT_REST and not is_at_rest:
            continue
        if texts := list(check(case)):
            found.violations[name] = texts
    found.seen.update(row["row"] for row in case.rows)
    found.seen["own orders"] = sum(1 for _ in case.submitted)
    found.seen["fills"] = len(case.fills)
    found.seen["entries"] = len(case.entries)
    found.seen["lives"] = len({entry.epoch for entry in case.entries})
    return found


# --- the journal alone ------------------------------------------------------------------------------


def is_chained(case: Case) -> Iterator[str]:
    """S9: numbers without a gap, each hash over the one before and everything stored of the entry."""
    name = case.account.encode()
    previous = bytes(32)
    for place, entry in enumerate(case.entries, start=1):
        if entry.number != place:
            yield f"entry {entry.number} stands where {place} belongs"
            return
        head = f"{entry.number} {entry.epoch} {entry.at} {entry.kind} {entry.version} {len(entry.body)}\n"
        previous = hashlib.sha256(previous + f"{len(name)} ".encode() + head.encode() + name + entry.body).digest()
        if previous.hex() != entry.hash:
            yield f"entry {entry.number} ({entry.kind}) does not follow from the one before"
            return


def has_one_writer(case: Case) -> Iterator[str]:
    """S8: epochs never fall; what an older life meant does not arrive once the next has lived for a flight time."""
    began: dict[int, datetime] = {}
    newest = 0
    for entry in case.entries:
        if entry.epoch < newest:
            yield f"entry {entry.number} is of epoch {entry.epoch}, behind epoch {newest}"
        newest = max(newest, entry.epoch)
        began.setdefault(entry.epoch, entry.time)
    asked_again = {fact["id"]: entry.epoch for entry, fact in case.facts("OrderMissing")}
    came = dict[str, datetime]()
    for row in case.submitted:
        came.setdefault(row["client_order_id"], datetime.fromisoformat(row["at"]))
    for id_, (meant, _) in case.intents.items():
        later = [e for e, since in began.items() if e > meant.epoch and id_ in came and came[id_] > since + FLIGHT]
        if later and asked_again.get(id_, 0) <= meant.epoch:  # else the later life looked for it and sent it anew
            yield f"{id_} of epoch {meant.epoch} arrived at {came[id_]}, in epoch {max(later)}"


# --- what was sent ----------------------------------------------------------------------------------


def was_meant_before(case: Case) -> Iterator[str]:
    """S1."""
    intents = case.intents
    for row in case.submitted:
        id_ = row["client_order_id"]
        if id_ not in intents:
            yield f"{id_} came to the exchange and the journal does not know it"
            continue
        entry, intent = intents[id_]
        if entry.time > datetime.fromisoformat(row["at"]) + CLOCKS:
            yield f"{id_} came at {row['at']} and was meant at {entry.at}"
        if different := [name for name, (meant, sent) in _terms(intent, row).items() if meant != sent]:
            yield f"{id_} was sent otherwise than meant in {', '.join(different)}: {intent['terms']} and {dict(row)}"


def _terms(intent: Any, row: Row) -> dict[str, tuple[object, object]]:
    """What the journal meant and what was sent, in equal words, as far as the request says it."""
    terms = intent["terms"]
    if row["what"] == "replace":  # what it leaves out stays as it was
        names = {"quantity": "quantity", "stop_price": "stop_price", "limit_price": "limit_price"}
        return {
            name: (_number(terms[meant]), _number(row[name])) for name, meant in names.items() if row[name] is not None
        }
    stop, target = row["stop_price"], None
    if row["order_class"] == "oco":
        stop, target = row["stop_loss"]["stop_price"], row["take_profit"]["limit_price"]
    limit = None if row["order_class"] == "oco" else row["limit_price"]
    kind = terms["type"] if row["order_class"] == "oco" else row["type"]
    return {
        "instrument": (intent["holding"][0], row["instrument"]),
        "side": (terms["side"], row["side"]),
        "type": (terms["type"], kind),
        "time_in_force": (terms["time_in_force"], row["time_in_force"]),
        "quantity": (_number(terms["quantity"]), _number(row["quantity"])),
        "limit_price": (_number(terms["limit_price"]), _number(limit)),
        "stop_price": (_number(terms["stop_price"]), _number(stop)),
        "target_price": (_number(terms["target_price"]), _number(target)),
    }


def _number(text: object) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def opened_as_asked(case: Case) -> Iterator[str]:
    """S2."""
    asked = {fact["position"]: Decimal(fact["quantity"]) for _, fact in case.facts("OpeningRequested")}
    roles = {id_: (fact["role"], fact["position"]) for id_, (_, fact) in case.intents.items()}
    opened: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in case.fills:
        role, position = roles.get(fill["client_order_id"], ("", ""))
        if role == "open":
            opened[position] += Decimal(fill["fill_quantity"])
    for position, quantity in opened.items():
        if quantity > abs(asked.get(position, ZERO)):
            yield f"{position}: {quantity} filled of {asked.get(position)} asked for"


# --- what came of it --------------------------------------------------------------------------------


def reduces_only(case: Case) -> Iterator[str]:
    """S3."""
    floor = Floor(case)
    for row in case.events:
        before = floor.net[row["instrument"]]
        order = floor.take(row)
        if row["execution_id"] is None or not floor.reduces(order) or floor.is_excused(row):
            continue
        after = floor.net[row["instrument"]]
        if abs(after) >= abs(before) or before * after < 0:
            yield f"{order.meant}: its fill at {row['at']} took {row['instrument']} from {before} to {after}"


def covers_at_most(case: Case) -> Iterator[str]:
    """S4."""
    floor = Floor(case)
    for row in case.events:
        is_new = row["order_id"] not in floor.orders
        order = floor.take(row)
        if not is_new or not order.is_live or not floor.reduces(order) or floor.is_excused(row):
            continue
        held, reducing = floor.net[row["instrument"]], floor.reducing(row["instrument"])
        if reducing > abs(held) or held * order.sign > 0:
            yield f"{order.meant} at {row['at']}: {reducing} {row['side']} against {held} {row['instrument']} held"


def fills_nothing_settled(case: Case) -> Iterator[str]:
    """S5."""
    settled = _settled(case)
    for fill in case.fills:
        id_ = fill["client_order_id"]
        if id_ in settled and datetime.fromisoformat(fill["at"]) > settled[id_].time + CLOCKS:
            yield f"{id_} filled at {fill['at']}; entry {settled[id_].number} had called it over at {settled[id_].at}"
    filled: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in case.fills:
        filled[fill["client_order_id"]] += Decimal(fill["fill_quantity"])
    for entry, fact in case.facts("OrderObserved"):
        report = fact["report"]
        if report["state"] in SETTLED and Decimal(report["filled"]) != filled[report["client_id"]]:
            yield (
                f"{report['client_id']}: entry {entry.number} says {report['filled']} filled in the end, "
                f"the exchange {filled[report['client_id']]}"
            )


def _settled(case: Case) -> dict[str, Entry]:
    """The entry that first called each order over."""
    found: dict[str, Entry] = {}
    for entry, fact in case.facts("OrderRejected", "OrderNeverArrived", "OrderObserved"):
        if entry.kind != "OrderObserved":
            found.setdefault(fact["id"], entry)
        elif fact["report"]["state"] in SETTLED:
            found.setdefault(fact["report"]["client_id"], entry)
    return found


def _at_the_end(case: Case) -> Floor:
    floor = Floor(case)
    for row in case.events:
        floor.take(row)
    return floor


def forgets_no_order(case: Case) -> Iterator[str]:
    """S6."""
    settled = _settled(case)
    for order in _at_the_end(case).orders.values():
        if not order.is_live or not order.meant:
            continue
        if order.meant not in case.intents:
            yield f"{order.meant} is live and nobody meant it"
        elif order.row["client_order_id"] in settled:
            yield f"{order.meant} is live, and entry {settled[order.row['client_order_id']].number} calls it over"


def books_what_was_filled(case: Case) -> Iterator[str]:
    """Each fill once and as it was; quantities as the exchange has them. Its lists know a fill by another id than its
    stream does, so fills are matched by all they say."""
    true = Counter(_said(fill["order_id"], fill["instrument"], fill, "fill_") for fill in case.fills)
    booked: Counter[str] = Counter()
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry, fact in case.facts("FillBooked", "FillMatched"):
        fill, name = fact["fill"], fact["fill"]["holding"][0]
        booked[fill["execution_id"]] += 1
        if entry.kind == "FillBooked":
            held[name] += Decimal(fill["quantity"]) * (1 if fill["side"] == "buy" else -1)
        said = _said(fill["broker_order_id"], name, fill)
        true[said] -= 1
        if true[said] < 0:
            yield f"entry {entry.number} books {said}, which never was, or not so often"
    yield from (f"{id_} is booked {times} times" for id_, times in booked.items() if times > 1)
    for _, fact in case.facts("PositionAdopted"):
        held[fact["holding"][0]] += Decimal(fact["quantity"])
    net = _at_the_end(case).net
    for name in sorted({*net, *held}):
        if net[name] != held[name]:
            yield f"{name}: {held[name]} in the books, {net[name]} at the exchange"


def _said(order: str, instrument: str, fill: Row, lead: str = "") -> tuple[object, ...]:
    return order, instrument, fill["side"], Decimal(fill[f"{lead}quantity"]), Decimal(fill[f"{lead}price"])


def covers_exactly(case: Case) -> Iterator[str]:
    """At rest: live stops on the closing side for exactly what is held, and none where nothing is."""
    floor = _at_the_end(case)
    stops: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in floor.orders.values():
        if order.is_live and order.row["type"] in STOPS:
            stops[order.row["instrument"]] -= order.sign * order.remaining
    for name in sorted({*floor.net, *stops}):
        if stops[name] != floor.net[name]:
            yield f"{name}: {floor.net[name]} held, stops for {stops[name]}"


CHECKS: Mapping[str, Callable[[Case], Iterator[str]]] = {
    "S1": was_meant_before,
    "S2": opened_as_asked,
    "S3": reduces_only,
    "S4": covers_at_most,
    "S5": fills_nothing_settled,
    "S6": forgets_no_order,
    "S8": has_one_writer,
    "S9": is_chained,
    "books": books_what_was_filled,
    "cover": covers_exactly,
}
AT_REST = frozenset({"S6", "books", "cover"})
"""What may be under way while something still moves. S5's sums count only orders the journal calls over."""
