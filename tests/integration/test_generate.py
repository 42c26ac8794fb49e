"""A world is sent by real Apache Bench processes: to the API and Kafka, and to servers that misbehave."""

import json
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from questlog.api import counters, server
from questlog.errors import GenerateError
from questlog.events import CATALOGUE
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.generate import bench
from questlog.generate.load import load
from questlog.generate.model import Generated, simulate
from questlog.generate.send import send
from questlog.generate.world import World
from questlog.settings import Settings
from questlog.transport import reader
from questlog.transport.producer import Publisher

WORLD = World(players=20, events=400, bad_share=0.05)


@pytest.fixture
def api(fresh: Settings) -> Iterator[Settings]:
    port = server.free_port()
    url = f"http://{fresh.host}:{port}"
    # patient: on a busy machine a 503 may be answered for what is in Kafka, and tried again it would be there twice
    here = fresh.in_namespace(fresh.namespace, api_port=port, api_url=url, api_workers=1, ack_timeout=20)
    with server.running(here):
        yield here


@pytest.fixture
def publisher(api: Settings) -> Iterator[Publisher]:
    publisher = Publisher(api)
    yield publisher
    publisher.close()


@dataclass
class Local:
    """A small HTTP server on a free port: the statuses it is to answer, in turn, and the event ids it was sent.

    After its statuses it answers 201; None closes the connection without an answer.
    """

    settings: Settings
    statuses: list[int | None] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


@pytest.fixture
def local() -> Iterator[Local]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            events = [json.loads(line) for line in body.splitlines()] or [dict(parse_qsl(urlsplit(self.path).query))]
            here.ids.extend(event["event_id"] for event in events)
            status = here.statuses.pop(0) if here.statuses else 201
            if status is not None:
                self.send_response(status)
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"said\n")

        do_GET = do_POST = answer  # noqa: N815  # the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        here = Local(Settings.load(api_port=listening.server_port))
        serving = threading.Thread(target=listening.serve_forever)
        serving.start()
        yield here
        listening.shutdown()
        serving.join()


def publish_nothing(records: object) -> None:
    raise AssertionError(f"{records} were published")


def types_of_good(world: World) -> Counter[str]:
    return Counter(str(event["event_type"]) for event in simulate(world) if isinstance(event, dict))


@pytest.mark.parametrize("batch_size", [25, 1])
def test_what_a_world_sent_is_what_kafka_holds_and_what_the_api_counted(
    api: Settings, publisher: Publisher, batch_size: int
) -> None:
    progress: list[tuple[int, int]] = []

    sent = send(
        api,
        simulate(WORLD),
        publish=publisher.publish,
        batch_size=batch_size,
        on_progress=lambda done, total: progress.append((done, total)),
    )

    assert (sent.sent, sent.accepted, sent.refused, sent.stray) == (400, 380, 10, 10)
    assert (sent.refusals_by_status, sent.reasons, sent.retried, sent.interrupted) == ({400: 10}, (), 0, False)
    assert progress[-1] == (400, 400)
    counted = reader.count_by_type(api, CATALOGUE)
    assert Counter({name: count.from_api for name, count in counted.items()}) == types_of_good(WORLD)
    assert sum(count.in_kafka for count in counted.values()) == 390
    assert counted[UNKNOWN_TYPE].from_api == 0
    assert counters.accepted(api) == types_of_good(WORLD)
    assert sum(counters.refused(api).values()) == 10


def test_a_players_events_keep_their_order(api: Settings, publisher: Publisher) -> None:
    send(api, simulate(WORLD), publish=publisher.publish, batch_size=10)

    times = defaultdict(list)
    for record in reader.read_all(api):
        if dict(record.headers).get("producer"):
            event = json.loads(record.value or b"")
            times[event["user_id"]].append(event["event_time"])
    assert len(times) == 20
    assert all(own == sorted(own) for own in times.values())


@pytest.mark.parametrize("batch_size", [1, 5])
def test_a_load_is_answered_and_every_event_has_an_id_of_its_own(api: Settings, batch_size: int) -> None:
    results = load(api, event_type="purchase_potion", requests=101, concurrency=4, processes=2, batch_size=batch_size)

    assert [result.complete for result in results] == [51, 50]
    assert sum(result.accepted for result in results) == 101
    assert all(result.keep_alive and result.p99_ms and result.requests_per_second for result in results)
    events = [json.loads(record.value or b"") for record in reader.read_all(api)]
    assert len({event["event_id"] for event in events}) == len(events) == 101 * batch_size
    assert {event["user_id"] for event in events} == {"ab-1", "ab-2"}


def test_a_503_is_tried_again_with_the_same_event_ids(local: Local) -> None:
    local.statuses = [503, 503]

    sent = send(local.settings, simulate(World(players=5, events=20)), publish=publish_nothing, processes=1)

    assert (sent.accepted, sent.requests, sent.retried) == (20, 1, 2)
    assert local.ids == local.ids[:20] * 3


def test_an_empty_answer_is_tried_again_rather_than_taken_for_accepted(local: Local) -> None:
    local.statuses = [None]

    sent = send(local.settings, simulate(World(players=5, events=20)), publish=publish_nothing, processes=1)

    assert (sent.accepted, sent.retried) == (20, 1)


def test_good_events_that_are_refused_are_counted_with_the_status_and_the_answer(local: Local) -> None:
    local.statuses = [413]

    sent = send(
        local.settings, simulate(World(players=5, events=20)), publish=publish_nothing, processes=1, batch_size=10
    )

    assert (sent.accepted, sent.refused, sent.refusals_by_status) == (10, 10, {413: 10})
    assert [reason.split(":")[0] for reason in sent.reasons] == ["413"]


def test_ctrl_c_ends_cleanly_and_says_what_was_sent(local: Local) -> None:
    def interrupted() -> Iterator[Generated]:
        yield from islice(simulate(World(events=200)), 60)
        raise KeyboardInterrupt

    sent = send(local.settings, interrupted(), publish=publish_nothing, processes=2, batch_size=10)

    assert sent.interrupted
    assert sent.sent == sent.accepted == len(local.ids) <= 60


def test_no_temporary_file_is_left(local: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    send(local.settings, simulate(World(players=5, events=50)), publish=publish_nothing, batch_size=10)

    assert len(local.ids) == 50
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_listens_the_error_names_the_address_and_the_remedy() -> None:
    nowhere = Settings.load(api_port=server.free_port())

    with pytest.raises(GenerateError, match=f"127.0.0.1:{nowhere.api_port}.*questlog up"):
        send(nowhere, simulate(WORLD), publish=publish_nothing)
    with pytest.raises(GenerateError, match=f"127.0.0.1:{nowhere.api_port}.*questlog up"):
        bench.run(nowhere.api_url + "/")


def test_without_ab_the_error_names_the_package(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(GenerateError, match="apache2-utils"):
        send(local.settings, simulate(WORLD), publish=publish_nothing)
    with pytest.raises(GenerateError, match="apache2-utils"):
        load(local.settings)
