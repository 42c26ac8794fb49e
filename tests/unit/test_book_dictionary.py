"""The event dictionary, the answers and the command lines that chapters show: they say what the catalogue says."""

from __future__ import annotations

import html
import json
import shlex
from pathlib import Path

import pytest
import requests

from questlog.book import dictionary, experiments, show
from questlog.events import CATALOGUE, Catalogue, EventType, Field
from questlog.events.catalogue import COMMON, STAMPED
from questlog.events.times import EARLIEST
from questlog.events.validation import parse
from questlog.settings import Settings

HOSTILE = EventType(
    name="shout",
    title="<b>Shout</b>",
    description="A player shouts.",
    fields=(Field(name="what", description="It's <what>.", example="it's <me>", default="", since=1),),
)


def shown(known: EventType) -> str:
    return dictionary.Entry(known, Settings.load())._repr_html_()


@pytest.mark.parametrize("known", tuple(CATALOGUE), ids=CATALOGUE.names)
def test_an_entry_names_every_field_with_what_is_allowed_and_its_column(known: EventType) -> None:
    entry = html.unescape(shown(known))

    assert known.description in entry
    assert all(f">{field.name}</td>" in entry and f">{field.meaning}</td>" in entry for field in known.fields)
    assert f"<code>{known.fields[0].name} " in entry


@pytest.mark.parametrize("known", tuple(CATALOGUE), ids=CATALOGUE.names)
def test_the_example_of_an_entry_is_a_command_whose_body_the_api_accepts(known: EventType) -> None:
    words = shlex.split(dictionary.example(known, Settings.load()))

    body = json.loads(words[words.index("-d") + 1])

    assert words[words.index("-X") + 2].endswith(f"/{known.name}")
    assert parse(known, body, {}, EARLIEST)["event_type"] == known.name


def test_every_link_of_the_index_leads_to_an_entry() -> None:
    for known in CATALOGUE:
        assert f'href="#event-{known.name}"' in str(dictionary.index(CATALOGUE).data)
        assert f'id="event-{known.name}"' in shown(known)


def test_the_shared_columns_are_those_that_the_view_of_every_type_has() -> None:
    shown = dictionary.shared_columns().frame

    assert {field.name for field in (*COMMON, *STAMPED)} - {"event_type"} < set(shown["column"])
    assert list(shown["column"])[-1] == "event_date"
    assert all(shown["meaning"])


def test_a_new_type_and_a_new_version_appear_and_nothing_of_them_becomes_markup() -> None:
    (known,) = Catalogue((HOSTILE,))

    assert "<b>" not in shown(known)
    assert "&lt;b&gt;Shout" in shown(known)
    assert "<what>" not in shown(known)
    assert "<me>" not in shown(known)


def answer(status: int, body: dict[str, object]) -> requests.Response:
    made = requests.Response()
    made.status_code, made._content = status, json.dumps(body).encode()
    return made


def test_answers_are_shown_with_the_sentence_of_each_problem_or_of_the_error() -> None:
    problems = [{"field": "price", "value": "x", "problem": "not a number", "allowed": "an integer"}]
    given = {
        "a word": answer(400, {"error": "nothing was accepted", "problems": problems}),
        "a horse": answer(404, {"error": "no such event type"}),
        "a sword": answer(201, {"event_id": "1"}),
    }

    frame = show.answers(given).frame

    assert list(frame["status"]) == [400, 404, 201]
    assert list(frame["answer"]) == ["price: not a number; allowed: an integer", "no such event type", ""]


def test_a_server_that_is_no_process_of_this_machine_is_left_alone(tmp_path: Path) -> None:
    with experiments.suspended(Settings.load(data_dir=tmp_path), "kafka") as stands_still:
        assert not stands_still
