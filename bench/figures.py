"""What a measurement says: a value, what bounds it from below in the same run, and the goal.

With a floor the goal is on the ratio to it; without one the goal is absolute, in the figure's own unit. A figure
without a goal is told for comparison only.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`unit` is s, MB, % or nothing (a count). `detail` says what else was seen in the run."""

    name: str
    value: float
    unit: str = "s"
    floor: float | None = None
    goal: float | None = None
    detail: str = ""

    @property
    def ratio(self) -> float | None:
        return None if self.floor is None else self.value / self.floor

    @property
    def is_held(self) -> bool:
        judged = self.value if self.floor is None else self.value / self.floor
        return self.goal is None or judged <= self.goal

    def document(self) -> dict[str, object]:
        return asdict(self) | {"ratio": self.ratio, "held": self.is_held}


HEAD = ("figure", "value", "floor", "ratio", "goal", "")


def table(figures: Sequence[Figure]) -> str:
    """Columns fit for a terminal, a line of detail under those that have one."""
    rows = [HEAD, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = []
    for row, figure in zip(rows, [None, *figures], strict=True):
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join([first.strip().ljust(widths[0]), *others]).rstrip())
        if figure is not None and figure.detail:
            lines.append(f"    {figure.detail}")
    return "\n".join(lines)


def _cells(figure: Figure) -> tuple[str, ...]:
    floor = "-" if figure.floor is None else shown(figure.floor, figure.unit)
    ratio = "-" if figure.ratio is None else f"{figure.ratio:.2f} x"
    goal = "-" if figure.goal is None else _goal(figure)
    verdict = "" if figure.goal is None else "OK" if figure.is_held else "over"
    return (figure.name, shown(figure.value, figure.unit), floor, ratio, goal, verdict)


def _goal(figure: Figure) -> str:
    assert figure.goal is not None
    return f"<= {figure.goal:g} x" if figure.floor is not None else f"<= {shown(figure.goal, figure.unit)}"


def shown(value: float, unit: str) -> str:
    """Seconds at the scale that reads best; anything else as it is."""
    if unit != "s":
        return f"{value:.4g} {unit}".rstrip()
    for size, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value * 1e9:.0f} ns"
