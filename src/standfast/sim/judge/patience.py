"""How long a guard that waits longer each time may wait: `core.moving`, judged by what has happened at the exchange."""

from datetime import datetime, timedelta

IN_A_ROW = timedelta(minutes=30)
"""Further apart than this, a guard need not wait longer than the first time. It may hear of each some minutes late."""
MOST_COUNTED = 10
"""Of those in a row: every wait is at its longest by then."""
MORE = timedelta(seconds=30)
"""Beyond the wait itself."""


def until(times: list[datetime] | None, now: datetime, first: int, factor: int, most: int) -> datetime:
    """Until when a guard that waits longer each time may wait after the last of these."""
    if not times:
        return datetime.min.replace(tzinfo=now.tzinfo)
    in_a_row = 1
    while in_a_row < min(len(times), MOST_COUNTED) and times[-in_a_row] - times[-in_a_row - 1] <= IN_A_ROW:
        in_a_row += 1
    return times[-1] + MORE + timedelta(seconds=min(first * factor ** (in_a_row - 1), most))
