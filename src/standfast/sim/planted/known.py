"""Planted bugs: what the checkers are tested with.

Each is a mistake that somebody has made, in this guard or in another one (reliability.md §2.2, incidents.md, the log of
this repository), put back into the real code by exchanging one function, for a simulation only. A checker that does not
find it proves nothing about a guard without it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from standfast.core.policy import Foreign, Mode
from standfast.exchange.assets import Asset
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.exchange.script import Script
from standfast.sim.planted import bugs
from standfast.sim.planted import bugs_of_books as books
from standfast.sim.planted import stories as told
from standfast.sim.planted.of_spreads import OF_SPREADS
from standfast.sim.planted.plant import Planted
from standfast.sim.planted.stories import BY_GUARD, POLICY, RULES, Setting, quoted, with_policy


def _planted(name: str, origin: str, why: str, setting: Setting, *caught_by: str) -> Planted:
    changes: Callable[[], Iterator[bugs.Change]] = getattr(bugs, name, None) or getattr(books, name)
    return Planted(name=name, why=why, origin=origin, changes=changes, setting=setting, caught_by=frozenset(caught_by))


TOY = "reliability.md §2.2"
ALERT = replace(RULES, foreign=Foreign.ALERT)
WATCHING = replace(RULES, mode=Mode.ALERT)
TWO_NAMES = {"instruments": (Asset(instrument="AAPL"), Asset(instrument="MSFT"))}
FALLS = quoted((0, "100.00", "100.02"), (20, "94.00", "94.02"))
SHORT_LIVED = with_policy(replace(POLICY, maximum_hold=timedelta(seconds=60)))

EACH = (
    _planted(
        "forget_stops",
        f"{TOY}, the one flaw of the toy; incident incomplete-list",
        "a resting stop that a list leaves out is taken for gone, without asking for it by its id",
        Setting(tell=told.a_list_leaves_orders_out),
        "S6",
    ),
    _planted(
        "skip_recovery",
        TOY,
        "what the life before had on its way is never asked for",
        Setting(tell=told.a_guard_dies_with_an_order_on_its_way),
        "B5",
        "B2",
    ),
    _planted(
        "trust_empty_list",
        f"{TOY}; incident empty-list",
        "a position that a list leaves out is settled, without a fill",
        Setting(tell=told.a_list_leaves_positions_out),
        "S7",
    ),
    _planted(
        "new_id_after_timeout",
        f"{TOY}; incident retry-doubles",
        "an order whose answer was lost is sent again under another id",
        Setting(tell=told.an_answer_is_lost),
        "S1",
    ),
    _planted(
        "timeout_is_a_rejection",
        "incident timeout-after-accept",
        "an order whose answer was lost is booked as rejected",
        Setting(tell=told.an_answer_is_lost_and_so_is_the_list),
        "S5",
    ),
    _planted(
        "not_found_is_never",
        TOY,
        "an order that is not found once is given up, though it may still be on its way",
        Setting(tell=told.a_request_is_late),
        "S5",
    ),
    _planted(
        "error_is_an_answer",
        "incident dns-outage",
        "a lookup that fails counts as one that found nothing",
        Setting(tell=told.an_answer_is_lost_and_nobody_can_ask),
        "S5",
        "S12",
    ),
    _planted(
        "close_over_the_stop",
        TOY,
        "a close goes out while the stop still holds the quantity",
        Setting(tell=told.a_close),
        "S4",
    ),
    _planted(
        "close_the_listed_net",
        f"{TOY}; incident close-flips",
        "a close takes its size from the list, however old, and not from what the position still holds",
        Setting(tell=told.a_part_is_closed_and_the_list_is_old),
        "S4",
    ),
    _planted(
        "wrong_side",
        f"{TOY}; incident rollback-doubles",
        "a close takes its side from the entry and doubles the position",
        Setting(tell=told.a_close),
        "S4",
    ),
    _planted(
        "acknowledged_cancel_is_final",
        f"{TOY}; incident filled-while-cancelling",
        "the answer to a cancel is taken for the end of the order",
        Setting(tell=told.a_cancel_that_takes_its_time),
        "S6",
    ),
    _planted(
        "cancel_is_asked_for_once",
        "found in session 1: a cancel that never arrived is asked for again",
        "a cancel that was lost is waited for, for ever",
        Setting(tell=told.a_cancel_that_is_lost),
        "B4",
    ),
    _planted(
        "lapsed_for_good",
        f"{TOY}; incident exits-expire",
        "a stop that has ended is not replaced",
        Setting(tell=told.somebody_cancels_the_stop, quiet=260),
        "B2",
    ),
    _planted(
        "one_stop_is_enough",
        "incident stop-wrong-size",
        "what fills after the first stop was placed is not covered",
        Setting(
            tell=told.a_purchase_in_two_parts,
            quiet=200,
            wishes={"exchange": ExchangeRules(refuses_wash_trades=False)},
        ),
        "B2",
    ),
    _planted(
        "part_is_the_whole",
        TOY,
        "a stop is sized by what an order asked for, and not by what it has filled",
        Setting(
            tell=told.an_opening_in_many_parts,
            prices=quoted((0, "100.00", "100.02"), size=8),
            wishes={"exchange": ExchangeRules(limited_by_size=True)},
        ),
        "S4",
        "S7",
    ),
    _planted(
        "count_a_fill_twice",
        TOY,
        "a fill that is reported twice is booked twice",
        Setting(tell=told.an_answer_is_lost),
        "S7",
    ),
    _planted(
        "stream_adds",
        TOY,
        "the stream's quantities are added to the books, and the read's as well",
        Setting(tell=told.a_close),
        "S7",
    ),
    _planted(
        "send_before_commit",
        TOY,
        "an order leaves before its intent is durable",
        Setting(tell=told.a_slow_disk),
        "S1",
    ),
    _planted(
        "ignore_the_epoch",
        TOY,
        "a guard whose lease is over goes on writing",
        Setting(tell=told.a_pause_and_a_second_guard, wishes={"restart_after": 5.0}),
        "S8",
    ),
    _planted(
        "minimum_hold_delays_all",
        "the mission: minimum hold is honoured except by the emergency stop",
        "the minimum hold delays the emergency stop too",
        Setting(tell=told.a_fall_soon_after_the_purchase, rules=with_policy(BY_GUARD), prices=FALLS),
        "B4",
    ),
    _planted(
        "never_too_old",
        "incident dead-manager",
        "nobody looks at the maximum hold",
        Setting(tell=told.held_for_too_long, rules=SHORT_LIVED),
        "B4",
    ),
    _planted(
        "exit_storm",
        "incident exit-storm",
        "a close is sent again while the first still works",
        Setting(tell=told.a_close_that_fills_late),
        "S4",
        "S12",
    ),
    _planted(
        "refused_and_no_pause",
        "found in session 1: a refused stop is tried at growing intervals",
        "a refused stop is tried again at once, for ever",
        Setting(tell=told.every_order_is_refused),
        "S12",
    ),
    _planted(
        "flatten_leaves_entries",
        "incident kill-switch-leftovers",
        "flatten is answered as done while an entry still rests",
        Setting(
            tell=told.a_flatten_with_an_entry_at_rest, prices=Script(told.TWO, size=Decimal(1000)), wishes=TWO_NAMES
        ),
        "S10",
    ),
    _planted(
        "done_when_asked",
        "incident dead-manager",
        "a close is answered as done when it was sent",
        Setting(tell=told.a_close),
        "S10",
    ),
    _planted(
        "silent_removal",
        "incident silent-removal",
        "closing one position drops the other one of its holding from the book",
        Setting(tell=told.two_purchases_and_one_close, quiet=60),
        "S7",
        "S9",
    ),
    _planted(
        "adopt_and_count",
        "found in session 1: a fill that was adopted already is matched, not added",
        "what was adopted from a read is added once more when its fill turns up",
        Setting(tell=told.fills_come_late),
        "S7",
    ),
    _planted(
        "first_look_confirms",
        "found in session 1: confirm only on settled reads; incident stale-after-cancel",
        "one look at a list that may be old is enough to adopt what it shows",
        Setting(tell=told.a_close_and_a_list_that_is_old),
        "S7",
        "S4",
    ),
    _planted(
        "limit_is_a_stop",
        "incident stop-not-seen, the other way round",
        "a target counts as cover",
        Setting(tell=told.a_stop_with_a_target_beside_it, quiet=200),
        "B2",
    ),
    _planted(
        "protects_what_is_foreign",
        "design.md §3, ownership",
        "a stranger's position is protected, and may be closed",
        Setting(tell=told.bought, rules=ALERT),
        "S3",
    ),
    _planted(
        "acts_in_any_mode",
        "design.md §7, modes",
        "orders are sent in a mode that may only tell",
        Setting(tell=told.bought, rules=WATCHING),
        "S12",
    ),
    _planted(
        "tells_nobody",
        "incident dead-manager",
        "what is confirmed as wrong is told nobody",
        Setting(tell=told.bought, rules=ALERT, quiet=120),
        "S11",
    ),
    _planted(
        "beside_the_journal",
        "reliability.md S9",
        "something is kept in the book that no entry says",
        Setting(tell=told.bought),
        "S9",
    ),
    _planted(
        "loses_what_it_acknowledged",
        "reliability.md §5.1: synchronous=NORMAL",
        "the last commit before a crash is not there afterwards",
        Setting(tell=told.a_kill_and_a_new_life),
        "S9",
        "S10",
    ),
    _planted(
        "puts_down_its_key",
        "reliability.md S13",
        "a secret is written into the journal",
        Setting(tell=told.bought),
        "S13",
    ),
    _planted(
        "logs_what_the_broker_says",
        "reliability.md S13; incident of a library that logged its headers",
        "the broker's words go into the log as they came, its key among them",
        Setting(tell=told.a_key_that_is_said_back),
        "S13",
    ),
)

PLANTED: Mapping[str, Planted] = {planted.name: planted for planted in (*EACH, *OF_SPREADS)}
