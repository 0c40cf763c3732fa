"""Account activities after a watermark: every page, nothing lost, nothing twice.

Theory: `after` filters on when a row was booked, exclusively; rows may appear a little late and share a moment. So a
read asks from OVERLAP before the newest row known, and drops what its watermark says was given. A watermark is
`TIME/KEYS`: when the newest row was booked, and short digests of the rows that may come again. Ids are tokens and
never parsed; a row that is later corrected or taken back has a new status, so a new key.

Invariants
- What a read gives depends on its watermark and the broker alone: after a crash the same one gives the same rows.
- A watermark is made of the broker's own times only: our clock may be wrong or run at another speed.
- Nothing booked, nothing changed: the watermark settles.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from standfast.brokers.alpaca import parse
from standfast.brokers.alpaca.client import PAGE_OF_ACTIVITIES, AlpacaClient
from standfast.brokers.alpaca.rows import ActivityRow, ClockRow
from standfast.brokers.shared import reading
from standfast.model.errors import Incomplete
from standfast.model.evidence import ActivitiesRead
from standfast.model.ids import digest
from standfast.model.order import Fill, Movement

OVERLAP = timedelta(minutes=2)
"""How late a row may appear after the moment it says it was booked."""

PAGES_MAX = 1_000

ROWS = msgspec.json.Decoder(list[ActivityRow])
CLOCK = msgspec.json.Decoder(ClockRow)


class History:
    def __init__(self, client: AlpacaClient) -> None:
        self._client = client

    async def read(self, watermark: str, urgency: int) -> ActivitiesRead:
        """Raises Incomplete when the pages do not end, Malformed for a watermark that is not ours."""
        if not watermark:
            return await self._begin(urgency)
        stamp, _, keys = watermark.partition("/")
        known = reading.moment(stamp, "watermark")
        given = frozenset(keys.split())
        rows = await self._since(known - OVERLAP, urgency)
        found = sorted((parse.activity(row) for row in rows if _key(row) not in given), key=lambda each: each.at)
        return ActivitiesRead(
            fills=tuple(each for each in found if isinstance(each, Fill)),
            movements=tuple(each for each in found if isinstance(each, Movement)),
            watermark=_watermark(known, rows),
        )

    async def _begin(self, urgency: int) -> ActivitiesRead:
        """From now on: by the broker's clock, and without what it has booked already."""
        now = reading.moment(reading.rows(CLOCK, await self._client.get_clock(), "clock").timestamp, "timestamp")
        rows = await self._since(now - OVERLAP, urgency)
        return ActivitiesRead(fills=(), movements=(), watermark=_watermark(now, rows))

    async def _since(self, after: datetime, urgency: int) -> list[ActivityRow]:
        """Every row booked after that moment, in the broker's order."""
        found: dict[str, ActivityRow] = {}
        token: str | None = None
        start = _stamp(after)
        for _ in range(PAGES_MAX):
            page = reading.rows(
                ROWS, await self._client.get_activities(urgency, after=start, page_token=token), "activities"
            )
            known = len(found)
            found.update((_key(row), row) for row in page)
            if len(page) < PAGE_OF_ACTIVITIES:
                return list(found.values())
            if len(found) == known:
                raise Incomplete(f"activities: the page after {token} brings nothing new")
            token = page[-1].id
        raise Incomplete(f"activities: no end after {PAGES_MAX} pages")


def _watermark(known: datetime, rows: list[ActivityRow]) -> str:
    newest = max([known, *(parse.booked_at(row) for row in rows)])
    again = sorted(_key(row) for row in rows if _may_come_again(row, newest - OVERLAP))
    return f"{_stamp(newest)}/{' '.join(again)}"


def _may_come_again(row: ActivityRow, after: datetime) -> bool:
    """A row that does not say when it was booked may be listed again whatever its own date."""
    says = row.created_at is not None or row.transaction_time is not None
    return not says or parse.booked_at(row) > after


def _key(row: ActivityRow) -> str:
    return digest(row.id, row.status)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
