"""What JSON says: the fast reading takes less than the strict one, and never says anything else."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_strategies import WIDE, Event, anything, events
from questlog.api.reading import flat_object, json_value
from questlog.settings import Settings

SETTINGS = Settings.load(max_json_depth=100)

NUMBERS = st.sampled_from(
    ("-0", "-0.0", "1e3", "1E-2", "01", "+1", ".5", "1.", "1e999", "NaN", "-Infinity", str(2**53), f"{2**53}.0")
) | st.integers(-(2**65), 2**65).map(str)
VALUES = (
    st.builds(json.dumps, anything(), ensure_ascii=st.booleans())
    | NUMBERS
    | st.sampled_from(('"\\ud83d"', '"\\u0022:"', '"\\\\"', '"\\""', '"a":"b"', "[]", "{}", '{"a":[]}', "tru", '""'))
)
NAMES = st.sampled_from(("a", "b", "", "\\u0061", 'a\\"', "é", "a:b", "\\\\"))
BLANKS = st.sampled_from(("", " ", "\t", "\r", "\u00a0", "\x0c", "\ufeff"))
MEMBERS = st.tuples(NAMES, VALUES).map(lambda pair: f'"{pair[0]}":{pair[1]}')


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Objects as text: most of them JSON, many with a name twice or a byte that does not belong."""
    inside = ",".join(draw(st.lists(MEMBERS, max_size=4)))
    text = f"{draw(BLANKS)}{{{draw(BLANKS)}{inside}}}{draw(BLANKS)}".encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        return text
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(st.sampled_from((b'"', b"\\", b"\xff", b"\x00", b"", b"{}", b","))) + text[place + 1 :]


@given(texts())
@example(b'{"a":1,"a":1}')
@example(b'{"a":"x","a":1}')
@example(b'{"\\u0061":1,"a":1}')
@example(b'{"a":18446744073709551616}')
@example(b'{"a":-9223372036854775809}')
@example(b'{"a":["b","c"]}')
def test_what_is_read_fast_is_what_is_read_strictly(text: bytes) -> None:
    found = flat_object(text)

    assert found is None or repr(found) == repr(json_value(text, SETTINGS))


@given(events(WIDE))
def test_an_event_without_quote_marks_in_its_texts_is_read_fast(made: Event) -> None:
    _, given_fields = made
    text = json.dumps(given_fields, ensure_ascii=False)
    is_plain = '\\"' not in text and all(abs(each) < 2**53 for each in given_fields.values() if type(each) is float)

    assert (flat_object(text.encode()) == given_fields) is is_plain


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'{"a":"x","a":"x"}',
        b'{"a":"x","a":1}',
        b'{"a":1,"a":"x"}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":{}}',
        b'{"a":[]}',
        b"[]",
        b"1",
        b"",
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":9007199254740992.0}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1}{}',
    ],
)
def test_what_is_not_certain_is_not_read_fast(text: bytes) -> None:
    assert flat_object(text) is None


def test_deep_nesting_is_not_read_fast() -> None:
    deep: Any = b'{"a":' + b"[" * 100_000

    assert flat_object(deep) is None
