"""A ledger knows which account of the broker it is of: with another one's keys nothing is read into it, or sent."""

from datetime import timedelta

from standfast.exchange.faults import AnyFault, EmptyList, OtherAccount, Rule, ServerError
from standfast.model.journal import AccountSeen, BreakSeen, OrderIntended
from standfast.sim.world import World, play
from tests.sim.stories import BY_GUARD, START, STILL, guarded, holding, is_flat, of_kind, prices, told

FALL = prices((0, "100.00", "100.02"), (40, "90.00", "90.02"))


def keys_of_another(world: World, *, since: float = 0, lasts: float = 3600) -> None:
    """From then on the broker answers for an account that holds nothing."""
    begins = world.now + timedelta(seconds=since)
    faults: dict[str, AnyFault] = {
        "account": OtherAccount(number="PA2"),
        "positions": EmptyList(),
        "orders": EmptyList(),
    }
    until = begins + timedelta(seconds=lasts)
    world.faults.install(
        *(Rule(operation=each, fault=what, since=begins, until=until) for each, what in faults.items())
    )


def nameless(world: World, seconds: float) -> None:
    until = world.now + timedelta(seconds=seconds)
    world.faults.install(Rule(operation="account", fault=OtherAccount(number=""), since=world.now, until=until))


def number_of(world: World) -> str:
    return world.engine.account(world.rules.account).id


async def restarted(world: World, *, after: float = 1) -> None:
    world.kill_guard()
    await world.run_for(after)
    await world.start_guard()


async def alarms_of(world: World) -> list[str]:
    return [text for text in await told(world) if "PA2" in text]


def test_which_account_it_is_of_is_written_down_once() -> None:
    async def story(world: World) -> None:
        await guarded(world)
        await restarted(world)
        await world.run_for(120)
        (entry,) = of_kind(await world.entries(), AccountSeen)
        assert isinstance(entry.fact, AccountSeen)
        assert entry.fact.number == world.book.state.number == number_of(world)

    play(story, BY_GUARD, STILL, start=START)


def test_with_the_keys_of_another_account_nothing_is_booked_and_nothing_sent() -> None:
    async def story(world: World) -> None:
        position = await holding(world)
        keys_of_another(world)
        await restarted(world)
        before = len(await world.entries())
        await world.run_for(120)  # the price falls through the stop

        since = (await world.entries())[before:]
        assert of_kind(since, OrderIntended) == of_kind(since, BreakSeen) == []
        assert world.book.state.positions[position.id].held == 100
        (said,) = await alarms_of(world)
        assert f"its ledger is of account {number_of(world)}" in said
        assert "another `name`" in said

        world.stop_guard()  # nor when it stops
        await world.run_for(5)
        assert not of_kind((await world.entries())[before:], OrderIntended)

    play(story, BY_GUARD, FALL, start=START)


def test_with_the_right_keys_again_it_goes_on_where_it_was() -> None:
    async def story(world: World) -> None:
        await holding(world)
        keys_of_another(world, lasts=60)
        await restarted(world)
        await world.run_for(55)
        assert not is_flat(world)
        await restarted(world, after=10)
        await world.run_for(30)
        assert is_flat(world)

    play(story, BY_GUARD, FALL, start=START)


def test_one_answer_about_another_account_keeps_no_guard_from_guarding() -> None:
    async def story(world: World) -> None:
        await holding(world)
        keys_of_another(world, lasts=1.3)
        await restarted(world)
        await world.run_for(60)
        assert is_flat(world)
        assert not any("is halted" in text for text in await alarms_of(world))

    play(story, BY_GUARD, FALL, start=START)


def test_an_account_that_cannot_be_read_keeps_no_guard_from_guarding() -> None:
    async def story(world: World) -> None:
        await holding(world)
        until = world.now + timedelta(seconds=3600)
        world.faults.install(Rule(operation="account", fault=ServerError(status=500), since=world.now, until=until))
        await restarted(world)
        await world.run_for(60)
        assert is_flat(world)

    play(story, BY_GUARD, FALL, start=START)


def test_keys_that_turn_out_to_be_of_another_account_later_send_nothing_from_then_on() -> None:
    """At its start the account could not be read."""

    async def story(world: World) -> None:
        await holding(world)
        until = world.now + timedelta(seconds=15)
        world.faults.install(Rule(operation="account", fault=ServerError(status=500), since=world.now, until=until))
        keys_of_another(world, since=15)
        await restarted(world)
        await world.run_for(600)
        assert any("is halted" in text for text in await alarms_of(world))
        assert not is_flat(world)
        assert world.account is not None
        assert not world.account.situation().may_act

    play(story, BY_GUARD, prices((0, "100.00", "100.02"), (300, "90.00", "90.02")), start=START)


def test_an_answer_that_names_no_account_is_not_ours_either() -> None:
    """It lifted the halt, and another account's positions went into the books."""

    async def story(world: World) -> None:
        await holding(world)
        nameless(world, 3)
        keys_of_another(world, since=3)
        await restarted(world)
        before = len(await world.entries())
        await world.run_for(60)
        nameless(world, 60)
        await world.run_for(60)

        since = (await world.entries())[before:]
        assert of_kind(since, OrderIntended) == of_kind(since, BreakSeen) == []
        assert await alarms_of(world)

    play(story, BY_GUARD, FALL, start=START)
