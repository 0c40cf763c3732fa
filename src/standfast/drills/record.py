"""The bot's own record on a stage in process: the bytes it has written, read by the product's own rules.

(Over sockets it is a file, and the product reads it in a process of its own, as it does everywhere.)
"""

from collections.abc import Callable

from standfast.model.errors import RecordUnreadable
from standfast.model.tracked import RecordMap, RecordRead
from standfast.ports import Clock
from standfast.trackers.entries import NotUnderstood
from standfast.trackers.files import json_entries

NAMES = RecordMap(kind="json", symbols=("$[*].option_symbols[*]",))
"""Where a list of trades has the names of its contracts."""
IN_SETTINGS = """\
[accounts.tracker]
kind = "json"
path = "{path}"
symbols = "{symbols}"
"""


class Written:
    """`ports.Tracker` over what `written` gives."""

    label = "the bot's file"

    def __init__(self, written: Callable[[], str], record: RecordMap, clock: Clock) -> None:
        self._written, self._record, self._clock = written, record, clock

    async def read(self) -> RecordRead:
        began = self._clock.now()
        try:
            return RecordRead(entries=json_entries(self._written().encode(), self._record), began=began)
        except NotUnderstood as error:
            raise RecordUnreadable(str(error)) from None

    async def close(self) -> None:
        """Nothing is held."""
