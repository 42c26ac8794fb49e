"""The whole pipeline on real servers, as its user runs it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from questlog import pipeline
from questlog.catalog import counts
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.generate.world import World
from questlog.paths import ROOT
from questlog.settings import Settings

TENTH = """
        EventType(
            name="adopt_pet",
            title="Adopt pet",
            description="A player adopts a pet.",
            fields=(Field(name="species", description="Its species.", required=True, example="owl"),),
        ),
"""
END_OF_THE_CATALOGUE = "    )\n)\n"
SEND_LAND_ASK = """
import requests
from questlog import pipeline
from questlog.catalog import counts
from questlog.settings import Settings

settings = Settings.load()
with pipeline.api(settings) as serving:
    answer = requests.post(f"{serving.api_url}/adopt_pet", json={"user_id": "ada", "species": "owl"}, timeout=10)
    assert answer.status_code == 201, answer.text
pipeline.stream(settings)
print(pipeline.sql(settings, "SELECT user_id, species FROM adopt_pet").to_json(orient="records"))
assert pipeline.ledger(settings).balances
"""


def questlog(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "questlog", *arguments]
    return subprocess.run(command, env=settings.environment(), capture_output=True, text=True, check=False)


@pytest.fixture
def own_api(fresh: Settings) -> Iterator[Settings]:
    with pipeline.api(fresh) as serving:
        yield serving


def test_a_world_with_bad_events_goes_through_and_the_ledger_balances(own_api: Settings) -> None:
    world = ("--players", "200", "--events", "5000", "--bad-share", "0.02", "--seed", "1")

    generated = questlog(own_api, "generate", *world)
    assert generated.returncode == 0, generated.stderr
    early = questlog(own_api, "verify")
    streamed = questlog(own_api, "stream", "--available-now")
    verified = questlog(own_api, "verify", "--format", "json")

    assert streamed.returncode == 0, streamed.stderr
    assert early.returncode == 1
    assert verified.returncode == 0, verified.stderr
    rows = {row["event_type"]: row for row in json.loads(verified.stdout)}
    assert rows["total"]["accepted"] == 4900
    assert rows["total"]["landed"] == rows["total"]["in_presto"] == 4900
    assert rows["total"]["rejected"] == 50
    assert rows[UNKNOWN_TYPE]["landed"] == 0


def test_types_that_are_not_selected_are_filtered_and_accounted_for(own_api: Settings) -> None:
    assert questlog(own_api, "generate", "--players", "20", "--events", "400").returncode == 0

    questlog(own_api, "stream", "--available-now", "--event-types", "purchase_sword,join_guild")
    lines = {line.event_type: line for line in pipeline.ledger(own_api).lines}

    assert pipeline.ledger(own_api).balances
    assert lines["page_view"].filtered == lines["page_view"].in_kafka > 0
    assert lines["join_guild"].landed == lines["join_guild"].in_kafka > 0


def test_a_tenth_event_type_needs_one_entry_in_the_catalogue_and_nothing_else(fresh: Settings, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("conf", "locks"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    catalogue = tmp_path / "src" / "questlog" / "events" / "catalogue.py"
    text = catalogue.read_text()
    assert text.endswith(END_OF_THE_CATALOGUE)
    catalogue.write_text(text.removesuffix(END_OF_THE_CATALOGUE) + TENTH + END_OF_THE_CATALOGUE)

    environment = {**fresh.environment(), "PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run(
        [sys.executable, "-c", SEND_LAND_ASK], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [{"user_id": "ada", "species": "owl"}]


@pytest.fixture
def world() -> World:
    return World(players=20, events=300, bad_share=0.02)


@pytest.fixture
def edition(fresh: Settings, world: World) -> Iterator[Settings]:
    made = pipeline.edition(world, fresh)
    yield made
    pipeline.reset(made)


def test_preparing_an_edition_twice_does_its_work_once(fresh: Settings, world: World, edition: Settings) -> None:
    assert pipeline.prepare(world, fresh) == edition
    landed = counts.landed_rows(edition)
    before = pipeline.sql(edition, 'SELECT max("$path") AS last, count(*) AS events FROM events')

    pipeline.prepare(world, fresh)

    after = pipeline.sql(edition, 'SELECT max("$path") AS last, count(*) AS events FROM events')
    assert sum(landed.values()) == before["events"][0] == 294
    assert before.equals(after)


def test_an_edition_of_which_somebody_landed_a_part_is_made_anew(
    fresh: Settings, world: World, edition: Settings
) -> None:
    with pipeline.api(edition) as serving:
        pipeline.generate(serving, world)
    assert pipeline.stream(edition, event_types=["page_view"]).filtered > 0

    pipeline.prepare(world, fresh)

    assert sum(counts.landed_rows(edition).values()) == 294
