"""safety.md against the checkers: every rule and every bound is there, with the figure that is judged."""

import re

from standfast.brokers.alpaca.adapter import CONTRACT
from standfast.sim.judge import liveness
from tests.cli.configurations import CASES, FILES
from tests.docs.pages import DOCS, PROJECT, rows

PAGE = DOCS / "concepts" / "safety.md"
SIM = PROJECT / "src/standfast/sim"
CHECKERS = "".join(path.read_text("utf-8") for path in (*SIM.glob("judge/*.py"), SIM / "spreads/safety.py"))
CELLS = {cells[0]: cells for _, cells in rows(PAGE) if re.fullmatch(r"[SBA]\d+", cells[0])}


def test_every_rule_and_every_bound_is_on_the_page() -> None:
    wanted = [*(f"S{n}" for n in range(1, 16)), *(f"B{n}" for n in range(1, 10)), *(f"A{n}" for n in range(1, 7))]

    assert list(CELLS) == wanted


def test_every_rule_that_is_called_judged_is_one_a_checker_knows() -> None:
    called = [name for name, cells in CELLS.items() if name.startswith("S") and "judged" in cells[3]]

    assert len(called) >= 10
    assert [name for name in called if not re.search(rf"\b{name}\b", CHECKERS)] == []


def test_the_bounds_on_the_page_are_those_that_are_judged() -> None:
    judged = {
        "B1": (liveness.TRACKED, liveness.EXPLAINED),
        "B2": (liveness.COVERED,),
        "B3": (liveness.CORRECTED,),
        "B4": (liveness.CLOSED,),
        "B5": (CONTRACT.flight.total_seconds(), CONTRACT.staleness.total_seconds(), liveness.SETTLED_BESIDE),
        "B6": (liveness.SUCCEEDED,),
        "B7": (liveness.TOLD,),
        "B8": (liveness.ROLLED_BACK,),
    }
    written = {name: tuple(float(n) for n in re.findall(r"(\d+) s\b", CELLS[name][2])) for name in judged}

    assert written == judged


def test_there_are_as_many_bad_configurations_as_the_page_says() -> None:
    assert len(CASES) + len(FILES) > 100
