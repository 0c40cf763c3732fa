"""Rules of the operator's own: in a process of their own, judged by what they answer, and no danger to the guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from standfast.model.seen import Seen
from standfast.runtime import user_rules
from standfast.runtime.rule_process import seen, texts
from standfast.runtime.user_rules import ANSWER_WITHIN, RuleFailed, RuleProcess, judgeable
from tests.core.situations import ruled
from tests.core.spreads import BOUGHT, SOLD, SPREADS, opened
from tests.starved import no_descriptors

POSITION = Seen(
    position="p1",
    account="paper",
    strategy="fade",
    instrument="AAPL",
    quantity=Decimal(-10),
    entry_price=Decimal("100.02"),
    opened_at=datetime(2026, 10, 8, 14, 30, tzinfo=UTC),
    bid=Decimal("95.00"),
    ask=Decimal("95.02"),
    result=Decimal("0.05"),
    now=datetime(2026, 10, 8, 15, 30, tzinfo=UTC),
)
RULES = """
import os, sys, time

def fades(seen):
    print("what a rule prints is no answer")
    assert seen.quantity * 2 == -20 and seen.now > seen.opened_at
    return f"gained {seen.result}" if seen.result >= 0.04 else None

def raises(seen):
    raise RuntimeError("no data")

def leaves(seen):
    sys.exit(3)

def hangs(seen):
    time.sleep(60)

def rubbish(seen):
    return {"close": True}

def yes(seen):
    return True

def looks_for_keys(seen):
    return ",".join(sorted(name for name in os.environ if "SECRET" in name or "KEY" in name)) or None
"""


PATIENCE = 120.0
"""Real seconds a healthy rule of a busy machine may take."""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_rules, "ANSWER_WITHIN", PATIENCE)
    monkeypatch.setattr(user_rules, "LOAD_WITHIN", PATIENCE)
    (tmp_path / "late_rules.py").write_text(RULES)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("BROKER_SECRET_KEY", "canary")


@asynccontextmanager
async def rule(name: str) -> AsyncIterator[RuleProcess]:
    process = RuleProcess(f"late_rules:{name}")
    try:
        yield process
    finally:
        await process.end()


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("fades", "gained 0.05"), ("yes", "no reason given"), ("looks_for_keys", "")],
)
async def test_a_rule_says_why_a_position_is_to_be_closed_and_nothing_to_keep_it(name: str, verdict: str) -> None:
    async with rule(name) as process:
        assert await process.judge(POSITION) == verdict
        assert await process.judge(POSITION) == verdict, "and again, in the same process"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("raises", "raised RuntimeError: no data"),
        ("rubbish", "answered dict"),
        ("leaves", "ended"),
        ("is_not_there", "cannot be loaded: AttributeError"),
    ],
)
async def test_one_that_fails_gives_no_verdict_and_is_asked_again(name: str, why: str) -> None:
    async with rule(name) as process:
        for _ in range(2):
            with pytest.raises(RuleFailed, match=why):
                await process.judge(POSITION)


async def test_one_that_hangs_is_ended_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_rules, "ANSWER_WITHIN", ANSWER_WITHIN)
    async with rule("hangs") as process:
        with pytest.raises(RuleFailed, match="did not answer within 1 s, and was ended"):
            await process.judge(POSITION)


async def test_one_whose_process_cannot_be_started_gives_no_verdict() -> None:
    async with rule("yes") as process:
        with no_descriptors(), pytest.raises(RuleFailed, match=r"cannot be started .*Too many open files"):
            await process.judge(POSITION)
        assert await process.judge(POSITION) == "no reason given"


def test_a_position_is_shown_as_it_is() -> None:
    assert seen(texts(POSITION)) == POSITION
    assert {field.name for field in fields(Seen)} == set(texts(POSITION))


def test_a_structure_is_shown_to_its_rule_as_one_position_with_net_prices() -> None:
    desk = opened(rules=ruled(replace(SPREADS, user_rule="mine:fade")))

    ((id, rule, whole),) = judgeable(desk.situation())

    assert (id, rule) == (desk.structure.id, "mine:fade")
    assert whole.instrument == f"{SOLD}:-1 {BOUGHT}:+1"
    assert (whole.quantity, whole.entry_price) == (Decimal(3), Decimal("-3.60"))
    assert (whole.bid, whole.ask) == (Decimal("-3.80"), Decimal("-3.60"))
    assert round(whole.result, 4) == Decimal("-0.0556")
