"""The gate for quotes: what wakes the loop, and what those who look are shown."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from standfast.brokers.alpaca.quote_stream import streamed
from standfast.brokers.shared.transport import TransportError
from standfast.core.bands import NOTHING_WAKES, Band
from standfast.core.columns import bounds
from standfast.core.policy import Policy
from standfast.core.watching import Watch
from standfast.model.errors import Malformed
from standfast.model.ids import Holding, InstrumentId, structure_holding
from standfast.model.quote import ExactTick, Quote
from standfast.ports import Ticks
from standfast.runtime.clock import RealClock
from standfast.runtime.quotes import Quotes
from tests.brokers.clocks import PATIENCE
from tests.brokers.served import SPY, desk
from tests.brokers.tradier import served as tradier
from tests.core.situations import P
from tests.core.structures import put_spread

AT = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)
BAND = Band(400.0, 500.0, 2.0)


def frame(bid: str, ask: str, instrument: str = "SPY") -> bytes:
    return f'[{{"T":"q","S":"{instrument}","bp":{bid},"ap":{ask},"t":"2026-01-05T15:29:59.5Z","bs":1}}]'.encode()


async def gated(*frames: bytes) -> tuple[Quotes, list[Holding]]:
    woken: list[Holding] = []
    async with desk() as at:
        quotes = Quotes(at.broker, RealClock(), woken.append)
        quotes.watch(Watch({SPY: BAND}))
        for each in frames:
            quotes.take(Ticks(AT, streamed(each)))
    return quotes, woken


@pytest.mark.parametrize(
    ("bid", "ask", "wakes"),
    [
        ("450.1", "450.2", False),
        ("400.01", "400.02", False),
        ("400", "400.02", True),
        ("499", "500", True),
        ("450", "452", True),
        ("450.2", "450.1", True),
        ("0", "450", True),
    ],
)
async def test_only_a_price_that_a_rule_could_fire_at_wakes_the_loop(bid: str, ask: str, *, wakes: bool) -> None:
    _, woken = await gated(frame(bid, ask))

    assert woken == ([SPY] if wakes else [])


@pytest.mark.parametrize(
    ("quotes", "wakes"),
    [
        ([("450", "452"), ("450", "452.5"), ("450.1", "453")], 1),
        ([("450", "452"), ("450.1", "450.2"), ("450.1", "450.3")], 2),
        ([("450", "452"), ("450.1", "450.2"), ("450", "452")], 3),
        ([("450", "452"), ("399", "403"), ("398", "402")], 3),
        ([("0", "450"), ("450.1", "450.2"), ("450.1", "450.3")], 2),
        ([("450", "452"), ("700", "702")], 2),
    ],
    ids=["still wide", "narrow again", "wide once more", "a side outside", "two sides again", "above the band"],
)
async def test_a_wide_quote_wakes_once_and_again_when_a_rule_could_fire_or_it_can_be_trusted(
    quotes: list[tuple[str, str]], wakes: int
) -> None:
    gate, woken = await gated()

    for bid, ask in quotes:
        gate.take(ticks((SPY, bid, ask)))
        assert gate.sights[SPY].quote.bid == Decimal(bid), "whoever is woken looks"

    assert len(woken) == wakes


async def test_a_wide_quote_wakes_until_somebody_has_looked_and_when_the_band_has_become_another() -> None:
    gate, woken = await gated(frame("450", "452"), frame("450", "452"))
    assert len(woken) == 2

    assert SPY in gate.sights
    gate.watch(Watch({SPY: BAND._replace(spread=5.0)}))
    gate.take(ticks((SPY, "450", "452")))
    assert len(woken) == 2
    gate.watch(Watch({SPY: BAND._replace(spread=2.0)}))
    gate.take(ticks((SPY, "450", "450.1")))

    assert len(woken) == 3


async def test_a_leap_of_a_wide_quote_wakes_though_it_lies_inside_the_band() -> None:
    gate, woken = await gated()
    gate.watch(Watch({SPY: Band(0.0, 500.0, 2.0)}))
    for bid, ask in (("450", "452"), ("225", "450"), ("200", "260")):
        gate.take(ticks((SPY, bid, ask)))
        assert SPY in gate.sights

    assert len(woken) == 2
    assert gate.leaps([SPY]) == {SPY: Decimal(repr(460 / 675))}


async def test_who_looks_sees_the_last_two_quotes_exactly_as_they_were_written() -> None:
    quotes, _ = await gated(frame("450.10", "450.20"), frame("451.123456789", "451.2"))
    sight = quotes.sights[SPY]

    assert sight.quote == Quote(
        Decimal("451.123456789"), Decimal("451.2"), AT.replace(minute=29, second=59, microsecond=500_000), AT
    )
    assert sight.before is not None
    assert (sight.before.bid, sight.before.ask) == (Decimal("450.1"), Decimal("450.2"))
    assert quotes.sights.get(SPY) is sight


async def test_a_quote_that_was_asked_for_stands_among_the_streamed_ones() -> None:
    quotes, _ = await gated(frame("450.1", "450.2"))
    exact = Quote(Decimal("449.90"), Decimal("449.95"), AT, AT)
    quotes.take(Ticks(AT, (ExactTick.of(InstrumentId("SPY"), exact),)))

    assert quotes.sights[SPY].quote is exact
    assert quotes.sights[SPY].before == Quote(
        Decimal("450.1"), Decimal("450.2"), AT.replace(minute=29, second=59, microsecond=500_000), AT
    )


async def test_a_holding_without_a_band_wakes_nobody_and_keeps_what_was_seen() -> None:
    quotes, woken = await gated(frame("450.1", "450.2"))
    quotes.watch(Watch({SPY: None}))
    quotes.take(Ticks(AT, streamed(frame("1", "2"))))

    assert woken == []
    assert quotes.sights[SPY].quote.bid == 1


async def test_a_stranger_is_not_kept() -> None:
    quotes, woken = await gated(frame("1", "2", "XYZ"))

    assert (list(quotes.sights), woken) == ([], [])


@pytest.mark.parametrize(
    "body",
    [
        frame("-1", "2"),
        frame("1e30", "2e30"),
        frame('"1"', "2"),
        b'[{"T":"q","S":"SPY","bp":1,"ap":2}]',
        b'[{"T":"q","S":"SPY","bp":1,"ap":2,"t":"2026-01-05T15:29:59.5"}]',
        b"[1]",
        b"{}",
        b"\xff",
        b"",
    ],
)
def test_a_quote_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        streamed(body)


def test_quotes_are_found_among_other_messages_and_an_error_breaks_the_line() -> None:
    mixed = b'[{"T":"subscription","quotes":["SPY"]},' + frame("1", "2")[1:]

    assert [(tick.instrument, tick.bid) for tick in streamed(mixed)] == [("SPY", 1.0)]
    with pytest.raises(TransportError, match="slow client"):
        streamed(b'[{"T":"error","msg":"slow client","code":407},' + frame("1", "2")[1:])


async def test_the_last_quote_that_could_be_used_is_kept_when_a_side_is_gone() -> None:
    quotes, _ = await gated(frame("450.1", "450.2"))
    assert quotes.sights[SPY].quote.bid == Decimal("450.1")
    quotes.take(Ticks(AT, streamed(frame("0", "450"))))

    assert quotes.sights[SPY].quote.bid == 0
    assert quotes.good[SPY].bid == Decimal("450.1")
    assert list(quotes.good) == [SPY]


def ticks(*quotes: tuple[Holding, str, str]) -> Ticks:
    made = [ExactTick.of(holding.instrument, Quote(Decimal(bid), Decimal(ask), AT, AT)) for holding, bid, ask in quotes]
    return Ticks(AT, made)


SOLD, BOUGHT = (held.leg.holding for held in put_spread().legs)
STOP = Policy(name="spreads", stop_loss=Decimal("0.15"))


async def spread() -> tuple[Quotes, list[Holding]]:
    """Sold for 3.70, with its stop at 4.255."""
    woken: list[Holding] = []
    async with desk() as at:
        quotes = Quotes(at.broker, RealClock(), woken.append)
        legs = dict.fromkeys((SOLD, BOUGHT), NOTHING_WAKES._replace(spread=0.5))
        quotes.take(ticks((SOLD, "4.40", "4.50")))  # nobody wants it yet
        quotes.watch(Watch(legs, bounds={P: bounds(put_spread(), STOP)}))
        quotes.take(ticks((SOLD, "4.40", "4.50"), (BOUGHT, "0.80", "0.90")))
    return quotes, woken


async def test_a_tick_of_a_leg_wakes_its_structure_once_the_net_price_leaves_its_bounds_and_not_before() -> None:
    quotes, woken = await spread()
    assert woken == []

    quotes.take(ticks((SOLD, "4.90", "5.05")))
    assert woken == []
    quotes.take(ticks((BOUGHT, "0.79", "0.90")))  # 5.05 less 0.79 is 4.26 to close
    assert woken == [structure_holding(P)]


async def test_a_leg_quoted_too_wide_wakes_its_own_holding() -> None:
    quotes, woken = await spread()

    quotes.take(ticks((BOUGHT, "0.80", "1.30")))

    assert woken == [BOUGHT]


async def test_many_quotes_at_once_wake_what_they_would_have_woken_one_by_one() -> None:
    quotes, woken = await spread()

    quotes.take(ticks((SOLD, "5.00", "5.10"), (BOUGHT, "0.80", "0.90")))

    assert woken == [structure_holding(P)]


async def test_a_structure_that_is_no_longer_watched_wakes_nobody() -> None:
    quotes, woken = await spread()
    quotes.watch(Watch({}, bounds={P: None}))

    quotes.take(ticks((SOLD, "9.00", "9.10")))

    assert woken == []


async def test_the_prices_known_when_a_structure_is_first_watched_count() -> None:
    quotes, woken = await spread()
    quotes.watch(Watch({}, bounds={P: None}))
    quotes.watch(Watch({}, bounds={P: bounds(put_spread(), STOP)}))

    quotes.take(ticks((BOUGHT, "0.79", "0.89")))

    assert woken == []


async def test_what_is_needed_beside_is_watched_until_nobody_needs_it_more() -> None:
    quotes, _ = await gated()
    under = Holding(InstrumentId("QQQ"))

    quotes.watch(Watch({}, beside={SPY: frozenset({under})}))
    assert quotes.watched == {SPY, under}
    quotes.take(Ticks(AT, streamed(frame("1", "2", "QQQ"))))
    quotes.watch(Watch({}, beside={SPY: frozenset()}))

    assert quotes.watched == {SPY}


async def test_new_greeks_wake_what_they_are_of_and_quotes_that_stay_away_wake_once_and_when_they_are_back() -> None:
    woken: list[Holding] = []
    async with tradier.desk() as at:
        quotes = Quotes(at.broker, at.clock, woken.append)
        quotes.watch(Watch({tradier.PUT: NOTHING_WAKES}))
        await quotes.ask([tradier.PUT])
        assert woken == [tradier.PUT]
        await quotes.ask([tradier.PUT])
        assert woken == [tradier.PUT], "the same greeks are no news"

        quotes._wake_blind()
        assert woken == [tradier.PUT], "its quote is fresh"
        at.venue.advance(at.venue.now + timedelta(seconds=16))
        quotes._wake_blind()
        quotes._wake_blind()
        assert woken == [tradier.PUT] * 2
        await quotes.ask([tradier.PUT])
        quotes._wake_blind()
        quotes._wake_blind()
        assert woken == [tradier.PUT] * 3


async def test_the_greeks_of_options_are_asked_for_once_a_minute_beside_any_stream() -> None:
    async with tradier.desk() as at:
        quotes = Quotes(at.broker, at.clock, lambda holding: None)
        quotes.watch(Watch({tradier.PUT: NOTHING_WAKES, tradier.SPY: BAND}))
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            polling = tasks.create_task(quotes.poll())
            while tradier.PUT not in quotes.greeks:
                await at.clock.sleep(0.05)
            polling.cancel()

    assert list(quotes.greeks) == [tradier.PUT]


async def test_the_greeks_of_an_option_that_is_new_are_not_waited_for_until_the_minute_is_over() -> None:
    async with tradier.desk() as at:
        quotes = Quotes(at.broker, at.clock, lambda holding: None)
        other = Holding(InstrumentId("SPXW260116P06800000"))
        quotes.watch(Watch({tradier.PUT: NOTHING_WAKES, SPY: BAND}))
        begun = at.clock.now()

        def due(seconds: float) -> set[Holding]:
            return quotes._without_greeks(begun + timedelta(seconds=seconds))

        assert [due(0), due(1)] == [{tradier.PUT}, set()]
        quotes.watch(Watch({other: NOTHING_WAKES}))
        assert [due(2), due(3), due(59)] == [{other}, set(), set()]
        assert [due(60), due(61)] == [{tradier.PUT, other}, set()]
        assert [due(-3600), due(-3599)] == [{tradier.PUT, other}, set()], "of before the clock was put back"
