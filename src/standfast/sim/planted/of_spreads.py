"""Planted bugs of structures, each with the story in which it shows: see `known`."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from standfast.exchange.dialects import tradier
from standfast.exchange.rules import Rules as ExchangeRules
from standfast.sim.planted import bugs_of_spreads as bugs
from standfast.sim.planted import stories_of_spreads as told
from standfast.sim.planted.plant import Planted
from standfast.sim.planted.stories import Setting
from standfast.sim.planted.stories_of_spreads import TRAILED, market, of_spreads
from standfast.sim.spreads.checker import SpreadChecker

MISTAKE = "issue 4: what must not be"
FOUND = "found by seeds of spreads"


def _planted(name: str, origin: str, why: str, setting: Setting, *caught_by: str) -> Planted:
    return Planted(
        name=name, why=why, origin=origin, changes=getattr(bugs, name), setting=setting, caught_by=frozenset(caught_by)
    )


SETTLES_SOON = tradier.rules(ExchangeRules(expiry_settles_after=timedelta(seconds=90)))
OF_SPREADS = (
    _planted(
        "shorts_go_last",
        MISTAKE,
        "leg by leg what was bought is sold first, and what was sold has no bound meanwhile",
        of_spreads(told.an_order_for_all_legs_is_refused),
        "S14",
    ),
    _planted(
        "together_for_more",
        MISTAKE,
        "an order for all legs asks for a unit more than is held",
        of_spreads(told.a_close_of_all_legs),
        "S4",
    ),
    _planted(
        "ratio_lost_unseen",
        MISTAKE,
        "a structure that has lost one leg is taken for whole",
        of_spreads(told.a_bot_sells_the_cover),
        "B2",
        "B4",
    ),
    _planted(
        "worse_side_for_better",
        MISTAKE,
        "a stop is judged at what closing would bring at the better side of every quote",
        of_spreads(told.a_move_of_what_was_sold, prices=market((told.SOLD, 60, "5.90", "6.30"))),
        "B4",
    ),
    _planted(
        "target_at_the_better_side",
        MISTAKE,
        "a target is judged at what closing would bring at the better side of every quote",
        of_spreads(
            told.a_move_of_what_was_sold,
            policy=replace(told.KEPT, take_profit=Decimal("0.1")),
            prices=market((told.SOLD, 120, "3.50", "4.00")),
        ),
        "S15",
    ),
    _planted(
        "expired_is_gone",
        MISTAKE,
        "a contract whose last session is over counts as gone, whatever the broker still lists",
        replace(
            of_spreads(told.a_spread_expires, exchange=SETTLES_SOON, policy=told.HELD),
            start=told.SHORTLY_BEFORE_THE_CLOSE,
        ),
        "S7",
    ),
    _planted(
        "half_made_is_kept",
        MISTAKE,
        "what an opening has half made is left as it is",
        replace(of_spreads(told.an_opening_leg_by_leg_whose_second_is_refused, through="engine"), judge=SpreadChecker),
        "B4",
    ),
    _planted(
        "a_leg_trails_alone",
        FOUND,
        "the trailing stop an option had climbed before it was a leg sells it, and what it bounds is bare",
        of_spreads(
            told.an_option_that_has_climbed_becomes_a_cover,
            policy=TRAILED,
            prices=market((told.BOUGHT, 40, "1.40", "1.45"), (told.BOUGHT, 120, "0.90", "0.95")),
        ),
        "S14",
    ),
    _planted(
        "nothing_leaves_beyond_zero",
        FOUND,
        "shares that an assignment takes to the other side stay in the books on the one they were",
        of_spreads(told.more_shares_are_called_away_than_are_held, policy=replace(told.KEPT, stop_loss=Decimal("0.9"))),
        "B1",
    ),
)
