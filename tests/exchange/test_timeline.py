"""What is due happens on the way, and listeners hear of it in order, whatever they do meanwhile."""

from datetime import timedelta

import pytest

from standfast.exchange.timeline import Timeline
from tests.exchange.desk import START

MINUTE = timedelta(minutes=1)


def test_time_stops_for_everything_due_on_the_way_and_does_not_go_back() -> None:
    timeline, seen = Timeline[str](START), list[object]()
    timeline.agenda.put(START + MINUTE, lambda: seen.append(timeline.now))

    timeline.advance(START + 2 * MINUTE)

    assert seen == [START + MINUTE]
    assert timeline.now == START + 2 * MINUTE
    with pytest.raises(ValueError, match="time does not go back"):
        timeline.advance(START)


def test_a_listener_that_moves_time_hears_what_follows_after_what_it_was_told() -> None:
    class Telling(Timeline[str]):
        def tell(self, event: str) -> None:
            self._untold.append(event)

    timeline, heard = Telling(START), list[str]()
    timeline.agenda.put(START, lambda: timeline.tell("first"))
    timeline.agenda.put(START + MINUTE, lambda: timeline.tell("second"))
    timeline.listeners.append(lambda event: timeline.advance(START + MINUTE) if event == "first" else None)
    timeline.listeners.append(heard.append)

    timeline.advance(START)

    assert heard == ["first", "second"]
    assert timeline.now == START + MINUTE
