"""A record in a file: taken whole or not at all, whatever is done to it meanwhile."""

import contextlib
import json
import os
import threading
from pathlib import Path

import pytest

from standfast.model.tracked import RecordMap
from standfast.trackers import files
from standfast.trackers.entries import NotUnderstood
from standfast.trackers.files import csv_entries, json_entries, read_whole
from tests.trackers.records import SOLD, D, held, json_map

CSV = RecordMap(kind="csv", symbols=("symbol",), quantity=("quantity",))


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_half_written_file_is_no_record(cut: int) -> None:
    text = json.dumps([{"symbol": SOLD, "quantity": -3}, {"symbol": "SPY", "quantity": 10}])

    with pytest.raises(NotUnderstood, match="is no whole JSON document"):
        json_entries(text[:-cut].encode(), json_map())


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "is no whole JSON document"),
        (b"\xff\xfe[", "is not UTF-8"),
        (b"[" * 100_000, "is no whole JSON document"),
        (b'[{"symbol": "SPY", "quantity": NaN}]', "is no whole JSON document"),
        (b'{"positions": []}', "none of 1 has|is no"),
    ],
    ids=["empty", "bytes", "deep", "nan", "another kind"],
)
def test_rubbish_is_no_record(raw: bytes, told: str) -> None:
    record = json_map() if raw != b'{"positions": []}' else json_map(entries="$.open[*]")
    with pytest.raises(NotUnderstood, match=told):
        json_entries(raw, record)


def test_an_empty_list_says_that_nothing_is_held() -> None:
    assert json_entries(b"[]", json_map()) == ()


def test_a_table_is_read_with_whatever_parts_its_columns() -> None:
    for delimiter in ",;\t|":
        text = f"symbol{delimiter}quantity\n{SOLD}{delimiter}-3\n\nSPY{delimiter}10\n"
        assert held(csv_entries(b"\xef\xbb\xbf" + text.encode(), CSV)) == {SOLD: D(-3), "SPY": D(10)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no head"),
        ("name,quantity\nSPY,1\n", "has no column symbol; it has name, quantity"),
        ("symbol,quantity\nSPY\n", "row 1 has 1 of 2 columns"),
        ("symbol,quantity\nSPY,1,2\n", "row 1 has 3 of 2 columns"),
        ('symbol,quantity\n"SPY,1\n', "is no whole CSV"),
        ("symbol,symbol,quantity\nA,B,1\n", "two columns of one name"),
        ("symbol,quantity\nSPY,\n", "quantity '' is no number"),
    ],
)
def test_a_table_that_is_not_whole_is_no_record(text: str, told: str) -> None:
    with pytest.raises(NotUnderstood, match=told):
        csv_entries(text.encode(), CSV)


def test_a_column_may_hold_json() -> None:
    record = RecordMap(kind="csv", symbols=("legs:$[*].s",), quantity=("legs:$[*].q",))
    text = "legs\n" + '"[{""s"": ""SPY"", ""q"": 2}, {""s"": ""QQQ"", ""q"": -1}]"\n'

    assert held(csv_entries(text.encode(), record)) == {"SPY": D(2), "QQQ": D(-1)}


# --- the file itself ----------------------------------------------------------------------------


def test_it_is_read_through_a_link_and_a_dangling_one_is_told(tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "now.json")

    with pytest.raises(NotUnderstood, match="No such file"):
        read_whole(str(link))
    (tmp_path / "now.json").write_text("[]")
    assert read_whole(str(link))[0] == b"[]"


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    for name in (tmp_path, tmp_path / "pipe", tmp_path / "loop", "/dev/zero"):
        with pytest.raises(NotUnderstood, match="cannot be read"):
            read_whole(str(name))


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as opened:
        opened.truncate(files.LARGEST + 1)

    with pytest.raises(NotUnderstood, match="64 MB, more than 64"):
        read_whole(str(huge))


def test_a_file_that_is_rewritten_in_place_is_never_taken_half(tmp_path: Path) -> None:
    """A writer that truncates and writes again, as fast as it can, against a hundred readings."""
    record, over = tmp_path / "orders.json", threading.Event()
    texts = [json.dumps([{"symbol": f"S{i}", "quantity": 1} for i in range(count)]) for count in (200, 400)]
    record.write_text(texts[0])

    def rewrite() -> None:
        while not over.is_set():
            for text in texts:
                record.write_text(text)

    writer = threading.Thread(target=rewrite)
    writer.start()
    sizes = set()
    try:
        for _ in range(100):
            with contextlib.suppress(NotUnderstood):
                sizes.add(len(json_entries(read_whole(str(record))[0], json_map())))
    finally:
        over.set()
        writer.join()

    assert sizes <= {200, 400}
    assert len(json_entries(read_whole(str(record))[0], json_map())) == 400


def test_a_stamp_tells_apart_only_once_no_other_write_can_have_it(tmp_path: Path) -> None:
    record = tmp_path / "orders.json"
    record.write_text("[]")
    stamp = files.stamp_of(record.stat())

    assert files.told_apart(stamp) == ""
    assert files.told_apart((*stamp[:3], 10**18, 10**18)) != ""
