"""The seeded market: one seed, one market; events happen when and as written; prices are whole ticks."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import stdev
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.exchange.market import Drift, Event, Gap, Halt, Jump, Market, Slow, Walk, Widen
from standfast.exchange.quotes_file import FileQuote
from standfast.exchange.sessions import USSessions
from tests.exchange.recordings import utc

D = Decimal
START = utc("2024-11-26 15:00")
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
SPY = Walk(instrument="SPY", price=D(600))
AAPL = Walk(instrument="AAPL", price=D("230.50"), spread=D("0.04"))
STILL = Walk(instrument="SPY", price=D(600), volatility=0)


def an_hour(market: Market) -> list[FileQuote]:
    return list(market.quotes(START, START + HOUR))


def mid(quote: FileQuote) -> Decimal:
    assert quote.bid is not None
    assert quote.ask is not None
    return (quote.bid + quote.ask) / 2


def digest(quotes: Iterable[FileQuote]) -> str:
    return hashlib.sha256("\n".join(",".join(map(str, quote)) for quote in quotes).encode()).hexdigest()


GOLDEN = "7a1bd8ff1c1baed34a697c8a5b7c669390c48e84e3267c5d82093e9dde03576e"
PROGRAM = """
from tests.exchange.test_market import AAPL, SPY, Market, an_hour, digest
print(digest(an_hour(Market(7, [SPY, AAPL]))))
"""


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_one_seed_gives_one_market_whatever_the_process(hash_seed: str) -> None:
    """The digest is kept here, so another Python version that draws otherwise fails too."""
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, cwd=root
    )

    assert ran.stdout.strip() == GOLDEN


def test_another_seed_gives_another_market() -> None:
    assert an_hour(Market(1, [SPY])) != an_hour(Market(2, [SPY]))


def test_asking_twice_gives_the_same_quotes_twice() -> None:
    market = Market(1, [SPY, AAPL])

    assert an_hour(market) == an_hour(market)


def test_quotes_are_in_time_and_name_order_from_start_and_before_end() -> None:
    found = an_hour(Market(1, [SPY, AAPL], every=MINUTE))

    assert [(quote.at, quote.instrument) for quote in found] == [
        (START + n * MINUTE, name) for n in range(60) for name in ("AAPL", "SPY")
    ]


def test_another_instrument_a_halt_or_a_jump_leaves_the_noise_as_it_was() -> None:
    alone = an_hour(Market(1, [SPY]))
    halt = Halt("AAPL", START, START + HOUR)

    assert [quote for quote in an_hour(Market(1, [SPY, AAPL])) if quote.instrument == "SPY"] == alone
    assert an_hour(Market(1, [SPY, AAPL], events=[halt])) == alone
    jumped = an_hour(Market(1, [SPY], events=[Jump("SPY", START + 30 * MINUTE, D(500))]))
    assert jumped[:1800] == alone[:1800]
    assert [quote.bid_size for quote in jumped] == [quote.bid_size for quote in alone]


def test_volatility_is_the_deviation_of_an_hours_return() -> None:
    returns = [
        float(mid(list(Market(seed, [SPY], every=MINUTE).quotes(START, START + HOUR))[-1]) / 600 - 1)
        for seed in range(300)
    ]

    assert 0.0033 < stdev(returns) < 0.0047  # 0.004, give or take four standard errors


def test_a_reverting_walk_stays_near_its_anchor() -> None:
    def widest(reversion: float) -> Decimal:
        walk = Walk(instrument="SPY", price=D(600), volatility=0.02, reversion=reversion)
        return max(abs(mid(quote) - 600) for seed in range(5) for quote in an_hour(Market(seed, [walk], every=MINUTE)))

    assert widest(60) * 3 < widest(0)


def test_a_jump_lands_on_its_price_with_the_next_quote() -> None:
    found = an_hour(Market(1, [SPY], events=[Jump("SPY", START + timedelta(seconds=90, milliseconds=500), D(570))]))

    assert abs(mid(found[90]) - 600) < 5
    assert abs(mid(found[91]) - 570) <= D("0.01")
    assert abs(mid(found[92]) - 570) < 1


def test_a_drift_arrives_where_it_says_in_a_straight_line() -> None:
    drift = Drift("SPY", START + 10 * MINUTE, START + 20 * MINUTE, D("-0.05"))
    found = an_hour(Market(1, [STILL], events=[drift], every=MINUTE))

    assert [mid(found[n]) for n in (0, 10, 15, 20, 59)] == [D(600), D(600), D(585), D(570), D(570)]


def test_a_halt_is_silence_and_the_price_stands_still() -> None:
    halt = Halt("SPY", START + 10 * MINUTE, START + 20 * MINUTE)
    found = an_hour(Market(1, [SPY], events=[halt], every=MINUTE))
    free = an_hour(Market(1, [SPY], every=MINUTE))

    assert [quote.at for quote in found] == [quote.at for quote in free[:10] + free[20:]]
    assert abs(mid(found[10]) - mid(found[9])) < 2


def test_what_happens_during_a_halt_shows_when_it_ends() -> None:
    events: list[Event] = [
        Halt("SPY", START + 10 * MINUTE, START + 20 * MINUTE),
        Jump("SPY", START + 15 * MINUTE, D(500)),
    ]
    found = an_hour(Market(1, [STILL], events=events, every=MINUTE))

    assert [mid(quote) for quote in found[8:12]] == [600, 600, 500, 500]


def test_a_wider_spread_lasts_as_long_as_it_says() -> None:
    widen = Widen("SPY", START + MINUTE, START + 3 * MINUTE, D("1.50"))
    found = list(Market(1, [SPY], events=[widen], every=MINUTE).quotes(START, START + 5 * MINUTE))

    assert [quote.ask - quote.bid for quote in found if quote.ask and quote.bid] == [
        D("0.02"),
        D("1.50"),
        D("1.50"),
        D("0.02"),
        D("0.02"),
    ]


def test_the_market_is_quoted_only_in_session_and_opens_with_its_gap() -> None:
    gap = Gap("SPY", date(2024, 11, 29), D("-0.10"))  # the session after Thanksgiving, a half day
    market = Market(1, [STILL], events=[gap], every=10 * MINUTE, sessions=USSessions())
    found = list(market.quotes(utc("2024-11-27 20:30"), utc("2024-12-02 14:50")))

    assert [quote.at for quote in found[:5]] == [
        utc(t)
        for t in ("2024-11-27 20:30", "2024-11-27 20:40", "2024-11-27 20:50", "2024-11-29 14:30", "2024-11-29 14:40")
    ]
    assert [mid(quote) for quote in found[:5]] == [600, 600, 600, 540, 540]
    assert [quote.at for quote in found[-3:]] == [
        utc(t) for t in ("2024-11-29 17:50", "2024-12-02 14:30", "2024-12-02 14:40")
    ]


@pytest.mark.parametrize(
    ("event", "sessions", "complaint"),
    [
        (Gap("SPY", date(2024, 11, 28), D("0.1")), USSessions(), "no session opens on 2024-11-28"),
        (Gap("SPY", date(2024, 11, 29), D("0.1")), None, "no session opens on 2024-11-29"),
        (Jump("MSFT", START, D(1)), None, "unknown instrument.*MSFT.*there are SPY"),
    ],
)
def test_an_event_that_cannot_happen_is_refused(event: Event, sessions: USSessions | None, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Market(1, [SPY], events=[event], sessions=sessions)


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not a positive interval"):
        Market(1, [SPY], every=timedelta(0))


@given(
    st.integers(0, 10**6),
    st.decimals("0.01", 10_000, places=2),
    st.sampled_from([D("0.01"), D("0.05"), D("0.0001")]),
    st.floats(0, 3),
)
def test_every_quote_is_two_sided_in_whole_ticks(seed: int, price: Decimal, tick: Decimal, volatility: float) -> None:
    walk = Walk(instrument="X", price=price, tick=tick, volatility=volatility, spread=D("0.03"))
    for quote in Market(seed, [walk], every=10 * MINUTE).quotes(START, START + 4 * HOUR):
        assert quote.is_two_sided
        assert quote.bid is not None
        assert quote.ask is not None
        assert quote.bid % tick == quote.ask % tick == 0
        assert quote.ask - quote.bid >= D("0.03")
        assert quote.bid_size in {D(100) * n for n in range(1, 9)}


def test_time_zones_of_the_question_do_not_matter() -> None:
    local = START.astimezone(ZoneInfo("Asia/Tokyo"))
    found = list(Market(1, [SPY]).quotes(local, local + MINUTE))

    assert found == list(Market(1, [SPY]).quotes(START, START + MINUTE))
    assert isinstance(found[0].at, datetime)
    assert found[0].at.utcoffset() == timedelta(0)


def test_in_a_slow_stretch_quotes_are_rare_and_prices_go_as_far() -> None:
    stretch = (START + 10 * MINUTE, START + 50 * MINUTE)
    slow = Slow(timedelta(seconds=20), (stretch,))
    ends = {True: 0.0, False: 0.0}
    for seed in range(40):
        for is_slow in ends:
            found = an_hour(Market(seed, [SPY], slow=slow) if is_slow else Market(seed, [SPY]))
            ends[is_slow] += float(mid(found[-1]) / 600 - 1) ** 2
            assert len(found) == (20 * 60 + 40 * 3 if is_slow else 3600)

    assert ends[True] == pytest.approx(ends[False], rel=0.5)
    times = [quote.at for quote in an_hour(Market(1, [SPY], slow=slow))]
    assert stretch[1] in times
    assert max(later - one for one, later in pairwise(times)) == timedelta(seconds=20)
