"""Nothing prints a secret by accident, and nothing that was loaded leaves in any of its forms."""

import base64
import copy
import dataclasses
import html
import json
import pickle
import urllib.parse

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.model import secret
from standfast.model.secret import MASK, Secret, redact, remember

VALUE = 'p&ss w/rd+äöü-01234"56789abc'


@dataclasses.dataclass
class Holder:
    key: Secret


@pytest.fixture(autouse=True)
def _nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_loaded", {})


def test_no_way_of_printing_shows_the_value() -> None:
    hidden = Secret(VALUE)
    shown = [
        repr(hidden),
        str(hidden),
        f"{hidden}",
        f"{hidden:>5}",
        f"{hidden!r}",
        f"{[hidden]}",
        json.dumps({"key": hidden}, default=str),
        repr(pickle.dumps(hidden)),
        str(pickle.loads(pickle.dumps(hidden)).reveal()),
        str(hidden.__getstate__()),
        str(dataclasses.asdict(Holder(hidden))),
        repr(Holder(hidden)),
        str(hidden.__reduce_ex__(4)),
    ]

    assert [text for text in shown if VALUE[:4] in text] == []
    assert all("***" in text for text in shown)


def test_a_serializer_that_does_not_know_secrets_refuses_one_and_shows_nothing() -> None:
    for encode in (json.dumps, msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError) as refused:
            encode({"key": Secret(VALUE)})
        assert VALUE[:4] not in str(refused.value)


def test_only_reveal_gives_the_value_and_copies_keep_it() -> None:
    assert Secret(VALUE).reveal() == VALUE
    assert copy.deepcopy({"key": Secret(VALUE)})["key"].reveal() == VALUE
    assert copy.copy(Secret(VALUE)) == Secret(VALUE)
    assert Secret(VALUE) != VALUE
    assert len({Secret(VALUE), Secret(VALUE), Secret("other")}) == 2
    assert not Secret("")


@pytest.mark.parametrize(
    "carrier",
    [
        f"the key is {VALUE}.",
        f"https://host/?key={urllib.parse.quote(VALUE, safe='')}",
        f"https://host/?key={urllib.parse.quote_plus(VALUE)}",
        f"https://host/?key={urllib.parse.quote(VALUE, safe='').lower()}",
        json.dumps({"key": VALUE}),
        repr({"key": VALUE}),
        f"only the head {VALUE[:8]} is shown",
        f"only the tail {VALUE[-8:]} is shown",
        json.dumps({"said": json.dumps({"key": VALUE})}),
        json.dumps({"said": json.dumps({"key": VALUE}, ensure_ascii=False)}, ensure_ascii=False),
        f"<p>no such key: {html.escape(VALUE)}</p>",
        f"https://host/?next={urllib.parse.quote(f'/?key={urllib.parse.quote(VALUE, safe=str())}', safe='')}",
    ],
)
def test_a_loaded_value_is_redacted_in_the_forms_it_travels_in(carrier: str) -> None:
    remember(VALUE)

    assert MASK in redact(carrier)
    assert VALUE[:8] not in redact(carrier)
    assert VALUE[-8:] not in redact(carrier)


@given(before=st.binary(max_size=7), after=st.binary(max_size=7), url_safe=st.booleans())
def test_a_loaded_value_is_redacted_inside_base64_whatever_stands_around_it(
    before: bytes, after: bytes, *, url_safe: bool
) -> None:
    remember(VALUE)
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    text = encode(before + VALUE.encode() + after).decode()

    hidden = redact(f"Authorization: Basic {text}")

    assert MASK in hidden
    assert len(hidden) < len(text)


def test_what_was_not_loaded_stays_readable() -> None:
    remember("abc")  # too short to be a secret

    assert redact("abcdef ghijkl") == "abcdef ghijkl"


def test_a_secret_that_begins_like_another_leaves_no_tail() -> None:
    remember("shared-start")
    remember("shared-start-and-more")

    assert redact("x shared-start-and-more y") == "x *** y"


@pytest.mark.parametrize("value", ["https://hooks.example/words", "standfast-alerts-today", "a-few-plain-words"])
def test_a_value_that_begins_like_a_word_hides_itself_and_leaves_the_word_alone(value: str) -> None:
    remember(value)

    assert redact(f"{value[:8]} at {value}.") == f"{value[:8]} at ***."


@given(value=st.text(st.characters(), min_size=4), before=st.text(max_size=5), after=st.text(max_size=5))
def test_whatever_the_value_it_is_hidden_and_nothing_breaks(value: str, before: str, after: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secret, "_loaded", {})
        remember(value)

        assert [piece for piece in redact(f"{before}{value}{after}").split(MASK) if value in piece] == []
