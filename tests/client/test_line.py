"""The library against a ledger whose guard is this test: what is asked, what is not, and what is said of it."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import standfast
from standfast.client.client import Answer
from standfast.model.ids import AccountId, PositionId
from standfast.model.journal import Fact, OpeningRefused, OpeningRequested, RequestDone, RequestTaken
from standfast.ports import Request
from standfast.runtime.clock import wall_time
from standfast.stores.sqlite.reading import LedgerReader
from standfast.stores.sqlite.store import SqliteJournal
from tests.cli.ledgers import KEPT, PAPER, SPY, STOPPED, guarded, write

Facts = Callable[[Request], list[Fact]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write(tmp_path)


async def answering(journal: SqliteJournal, facts: Facts) -> None:
    """Take every act that comes and write these facts about it."""
    async with asyncio.timeout(240):
        while True:
            for request in await journal.requests():
                taken = RequestTaken(request=request.id, verb=request.verb, arguments=request.arguments, by=request.by)
                await journal.append([taken, *facts(request)], wall_time())
            await asyncio.sleep(0)


def asked(config: Path, facts: Facts, act: Callable[[standfast.Client], Answer]) -> Answer:
    """The answer to an act, of a guard that writes these facts."""

    async def together() -> Answer:
        async with guarded(config) as journal, asyncio.TaskGroup() as tasks:
            answers = tasks.create_task(answering(journal, facts))
            answer = await asyncio.to_thread(act, standfast.connect(str(config), by="bot"))
            answers.cancel()
            return answer

    return asyncio.run(together())


def done(request: Request) -> list[Fact]:
    return [RequestDone(request=request.id, ok=True, detail="flat")]


def refused(request: Request) -> list[Fact]:
    reasons = ("frozen by ann; and bob", "no quote")
    return [
        OpeningRefused(key=request.arguments["key"], holding=SPY, reasons=reasons, by=request.by),
        RequestDone(request=request.id, ok=False, detail="refused: " + "; ".join(reasons)),
    ]


def begun(request: Request) -> list[Fact]:
    return [
        OpeningRequested(
            position=PositionId("p1"),
            key=request.arguments["key"],
            holding=SPY,
            quantity=Decimal(1),
            strategy="trend",
            by=request.by,
        )
    ]


def waiting(config: Path) -> list[Request]:
    with LedgerReader(config.with_name("standfast.db")) as reader:
        return reader.requests(PAPER)


# --- what travels ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "verb", "sent"),
    [
        (
            lambda guard: guard.open("spy", -3, id="k7", strategy="trend", limit="601.50", stop="610.0"),
            "open",
            {"instrument": "SPY", "quantity": "-3", "strategy": "trend", "limit": "601.5", "stop": "610", "key": "k7"},
        ),
        (
            lambda guard: guard.open("spy", 3, id="k9", stop_loss="2.50 %"),
            "open",
            {"instrument": "SPY", "quantity": "3", "stop_loss": "2.5%", "key": "k9"},
        ),
        (
            lambda guard: guard.open_spread({"b": 1, "a": -2}, id="k8", units=3, debit="0.5", target="0"),
            "open",
            {"legs": "A:-2 B:+1", "quantity": "3", "debit": "0.5", "target": "0", "key": "k8"},
        ),
        (
            lambda guard: guard.close("p1", 2, reason="news"),
            "close",
            {"position": "p1", "quantity": "2", "reason": "news"},
        ),
        (lambda guard: guard.protect("p1", target=5), "protect", {"position": "p1", "target": "5"}),
        (lambda guard: guard.protect_by_policy("p1"), "protect", {"position": "p1"}),
        (lambda guard: guard.leave_bare("p1"), "protect", {"position": "p1", "none": "true"}),
        (lambda guard: guard.flatten(), "flatten", {}),
        (lambda guard: guard.flatten(everything=True), "flatten", {"everything": "true"}),
        (lambda guard: guard.freeze("spy", reason="feed"), "freeze", {"scope": "SPY", "reason": "feed"}),
        (lambda guard: guard.thaw(), "thaw", {}),
    ],
)
def test_an_act_travels_as_the_command_line_sends_it_and_says_until_when(
    act: Callable[[standfast.Client], Answer], verb: str, sent: dict[str, str], config: Path
) -> None:
    requests: list[Request] = []

    def noting(request: Request) -> list[Fact]:
        requests.append(request)
        return done(request)

    assert asked(config, noting, act).accepted

    (request,) = requests
    arguments = dict(request.arguments)
    assert arguments.pop("until") > request.at.isoformat()[:19]
    assert (request.account, request.verb, arguments, request.by) == ("paper", verb, sent, "bot")


# --- answers --------------------------------------------------------------------------------------


def test_a_refusal_has_the_reasons_as_they_were_given_and_no_proof(config: Path) -> None:
    answer = asked(config, refused, lambda guard: guard.open("SPY", 1, id="k"))

    assert (answer.accepted, answer.reasons) == (False, ("frozen by ann; and bob", "no quote"))
    with pytest.raises(standfast.Refused):
        answer.wait(0)


def test_what_is_accepted_is_not_proven_before_its_guard_says_so(config: Path) -> None:
    answer = asked(config, begun, lambda guard: guard.open("SPY", 1, id="k"))

    assert answer.accepted
    with pytest.raises(standfast.Unproven, match=f"standfast explain {answer.request}"):
        answer.wait(0)


def test_an_answer_is_found_by_another_process_long_after(config: Path) -> None:
    first = asked(config, refused, lambda guard: guard.open("SPY", 1, id="k"))

    async def much_happens() -> None:
        async with guarded(config) as journal:
            for number in range(2100):
                await journal.append([RequestDone(request=first.request, ok=True, detail=str(number))], wall_time())  # type: ignore[arg-type]  # any fact will do

    asyncio.run(much_happens())

    assert standfast.connect(str(config)).open("SPY", 1, id="k") == first


def test_an_act_that_no_guard_takes_says_so_and_stands_once(config: Path) -> None:
    async def unheard() -> None:
        async with guarded(config):
            guard = standfast.connect_async(str(config))
            for _ in range(2):
                with pytest.raises(standfast.Unanswered, match="Ask again under the same id"):
                    await guard.open("SPY", 1, id="k", good_for=0)

    asyncio.run(unheard())

    (request,) = waiting(config)
    assert request.arguments["key"] == "k"


def test_an_id_that_stands_for_another_act_asks_nothing(config: Path) -> None:
    asked(config, done, lambda guard: guard.open("SPY", 1, id="k"))
    guard = standfast.connect(str(config), patience=0)

    with pytest.raises(standfast.AskedOtherwise, match=r"id 'k' has asked for .*quantity 1 at .* not for .*quantity 2"):
        guard.open("SPY", 2, id="k")
    with pytest.raises(standfast.AskedOtherwise, match="what was asked then stands"):
        guard.open("SPY", 1, id="k", stop="97.51")  # figured anew after a crash
    with pytest.raises(standfast.NoGuard):
        guard.close("k", id="k")  # another verb has ids of its own

    assert waiting(config) == []


# --- what asks nothing ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda guard: guard.open("SPY", 0, id="k"), "quantity=0: opens nothing"),
        (lambda guard: guard.open("SPY", 1, id="k", stop=9, target=8), "lies below its target 8; swap them"),
        (lambda guard: guard.open("SPY", -1, id="k", stop=-9), "stop -9: give a price above zero"),
        (lambda guard: guard.open("SPY", 1, id="k", stop=9, stop_loss="2%"), "one is a price, the other a share"),
        (lambda guard: guard.open("S PY", 1, id="k"), "an instrument has no blanks in it"),
        (lambda guard: guard.open("SPY", 1, id="k", limit=0), "limit=0: give a number above zero"),
        (lambda guard: guard.open_spread({"A": 1}, id="k"), "give two or more contracts"),
        (lambda guard: guard.open_spread({"A": 1, "B": 0}, id="k"), "a whole number that is not zero"),
        (lambda guard: guard.open_spread({"A": 1, "B": "0.5"}, id="k"), "a whole number that is not zero"),
        (lambda guard: guard.open_spread({"A": 1, "a": -1, "B": 1}, id="k"), "give two or more contracts, each"),
        (lambda guard: guard.open_spread(["A", "B"], id="k"), "give each contract with its ratio, as a dict"),
        (lambda guard: guard.open_spread({"A": 1, "B": -1}, id="k", credit=0), "credit=0: give a number above zero"),
        (lambda guard: guard.open_spread({"A": 1, "B": -1}, id="k", credit=1, debit=1), "give one of them"),
        (lambda guard: guard.close("p1", 0), "quantity=0: give a number above zero"),
        (lambda guard: guard.close(""), "position='': give a name that prints"),
        (lambda guard: guard.protect("p1"), "give a stop or a target; back to the policy's: protect_by_policy"),
    ],
)
def test_what_cannot_be_meant_is_never_asked(
    act: Callable[[standfast.Client], object], said: str, config: Path
) -> None:
    with pytest.raises(standfast.Misasked) as error:
        act(standfast.connect(str(config)))

    assert said in str(error.value)
    assert waiting(config) == []


def test_a_position_of_another_account_is_no_position_here(config: Path) -> None:
    guard = standfast.connect(str(config))
    found = guard.position(KEPT, unguarded_too=True)
    assert found is not None
    object.__setattr__(found, "account", "live")

    with pytest.raises(standfast.Misasked, match=f"position {KEPT} is of account 'live', and this is 'paper'"):
        guard.close(found)


def test_an_account_is_named_unless_it_is_the_only_one(config: Path) -> None:
    assert standfast.connect(str(config)).account == PAPER
    with pytest.raises(standfast.Misasked, match=r"account='live': there is none of that name; accounts: paper"):
        standfast.connect(str(config), "live")
    config.write_text(config.read_text("utf-8").replace("[[policies]]", '[[accounts]]\nname = "two"\n\n[[policies]]'))
    with pytest.raises(standfast.Misasked, match="account is not given; accounts: paper, two"):
        standfast.connect(str(config))
    with pytest.raises(standfast.SettingsError, match="there is no such file"):
        standfast.connect(str(config.with_name("other.toml")))


# --- what the books hold --------------------------------------------------------------------------


def test_positions_are_those_of_the_books_as_numbers(config: Path) -> None:
    guard = standfast.connect(str(config))

    (held,) = guard.positions(unguarded_too=True)
    gone = guard.position(STOPPED, unguarded_too=True)

    assert (held.id, held.instrument, held.quantity, held.entry_price) == (KEPT, "SPY", Decimal(5), Decimal(600))
    assert (held.pnl, held.direction, held.phase, held.is_closed) == (Decimal("32.50"), "long", "open", False)
    assert (held.protection.stop_price, held.protection.covered) == (Decimal(588), True)
    assert gone is not None
    assert (gone.is_closed, gone.close_reason, gone.legs[0].exit_price) == (True, "stop_loss", Decimal("244.9"))
    assert gone.closed_at is not None
    assert gone.closed_at.tzinfo is not None
    assert guard.position("p-none", unguarded_too=True) is None
    (stop,) = guard.orders(unguarded_too=True)
    assert (stop.role, stop.stop_price, stop.position) == ("stop", Decimal(588), KEPT)
    assert {each.role for each in guard.orders(finished_too=True, unguarded_too=True)} == {"open", "stop", "close"}


def test_breaks_are_what_the_guard_found_and_is_open(config: Path) -> None:
    (found,) = standfast.connect(str(config)).breaks(unguarded_too=True)

    assert (found.kind, found.instrument, found.booked, found.reported) == ("orphan_position", "TSLA", "0", "3")
    assert found.evidence == "positions at 15:00"
    assert (found.confirmed, found.action, found.first_seen.tzinfo is None) == (True, None, False)


def test_the_settings_file_is_the_one_that_was_named_wherever_the_bot_goes(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    guard = standfast.connect()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert len(guard.positions(unguarded_too=True)) == 1
    assert guard.account == AccountId("paper")
