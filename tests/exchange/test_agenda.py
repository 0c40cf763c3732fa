"""What is due happens in its order, ties in the order they were put down."""

from datetime import timedelta

from standfast.exchange.agenda import Agenda
from tests.exchange.desk import START


def test_deeds_come_by_time_and_then_by_the_order_they_were_put_down() -> None:
    agenda, done = Agenda(), list[str]()
    minute = timedelta(minutes=1)
    agenda.put(START + minute, lambda: done.append("later"))
    agenda.put(START, lambda: done.append("first"))
    agenda.put(START, lambda: done.append("second"))
    agenda.put(START + 2 * minute, lambda: done.append("too late"))

    while (due := agenda.next_due(START + minute)) is not None:
        due[1]()

    assert done == ["first", "second", "later"]
