"""What a run's guards log is looked through for secrets."""

import structlog

from standfast.exchange.faults import RefusedWith, Rule
from standfast.sim.judge.checker import Checker
from standfast.sim.loud import heard
from standfast.sim.strokes import NO_KEY
from standfast.sim.watch import CANARIES
from standfast.sim.world import World, play
from tests.sim.stories import START, STILL, STOP_ONLY, holding, told


def test_a_broker_that_says_a_key_back_gets_it_into_no_line_alarm_or_entry() -> None:
    async def story(world: World, through: str) -> None:
        checker = Checker(world)
        world.watchers.append(checker)
        await holding(world)
        before = world.people.lines.count
        until = world.now.replace(minute=world.now.minute + 1)
        for operation in ("positions", "orders", "activities", "clock", "account"):
            world.faults.install(Rule(operation=operation, fault=RefusedWith(status=401, body=NO_KEY), until=until))
        await world.run_for(60)
        assert world.people.lines.count > before, "it has logged that it is refused"
        said = await told(world)
        assert any("cannot be read" in text and (through == "alpaca" or "access key ***" in text) for text in said)
        checker.quiet()
        await world.run_for(60)
        await checker.finish(*world.people.lines.leaks)

    for through in ("engine", "alpaca"):
        play(lambda world, through=through: story(world, through), STOP_ONLY, STILL, start=START, through=through)  # type: ignore[misc]  # bound at once


def test_a_line_that_tells_a_secret_is_kept_and_others_are_counted() -> None:
    async def story(world: World) -> tuple[int, list[str]]:
        lines = heard(["a secret of another kind"])
        structlog.get_logger("x").info("nothing")
        lines.take("a secret of another kind, written past the log")
        structlog.get_logger("x").warning("said", key=CANARIES[0])
        return lines.count, lines.leaks

    count, leaks = play(story, STOP_ONLY, STILL, start=START)
    assert count == 3
    assert leaks == ["a secret of another kind, written past the log"]
