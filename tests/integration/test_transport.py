"""Topics, publisher and reader against a real Kafka, and against none."""

import json
import multiprocessing
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from kafka import KafkaProducer

from questlog.errors import TransportError
from questlog.events import CATALOGUE
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.wire import Record, encode
from questlog.settings import Settings
from questlog.transport import reader, topics
from questlog.transport.producer import Publisher
from questlog.transport.reader import TopicCount

AT_ONCE = 1.0  # seconds within which a publisher has to say that Kafka is away


@pytest.fixture
def patient(fresh: Settings) -> Settings:
    """For tests of what arrives, not of how soon: on a busy machine an answer may take its time."""
    return fresh.in_namespace(fresh.namespace, ack_timeout=20)


@pytest.fixture
def away(fresh: Settings) -> Settings:
    """Settings that point where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return fresh.in_namespace(fresh.namespace, kafka_bootstrap=f"127.0.0.1:{port}")


@pytest.fixture
def silent(fresh: Settings) -> Iterator[Settings]:
    """Settings that point to a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield fresh.in_namespace(fresh.namespace, kafka_bootstrap=f"127.0.0.1:{listener.getsockname()[1]}")


def event(event_type: str, **fields: object) -> Record:
    return encode({"event_type": event_type, "user_id": "player-1", **fields})


def numbered(count: int) -> list[Record]:
    return [Record(b"key-%d" % number, b"value-%d" % number) for number in range(count)]


def values(settings: Settings) -> list[bytes | None]:
    return sorted(record.value or b"" for record in reader.read_all(settings))


def test_creating_a_topic_twice_creates_it_once(fresh: Settings) -> None:
    another = fresh.in_namespace(f"{fresh.namespace}_b", topic_partitions=3)

    assert topics.create_topic(another)
    assert not topics.create_topic(another)
    assert topics.end_offsets(another) == {0: 0, 1: 0, 2: 0}
    topics.delete_topic(another)


def test_deleting_a_topic_twice_deletes_it_once(fresh: Settings) -> None:
    topics.delete_topic(fresh)

    assert not topics.topic_exists(fresh)
    topics.delete_topic(fresh)


def test_a_deleted_topic_is_created_empty(patient: Settings, publisher: Publisher) -> None:
    publisher.publish(numbered(3))
    topics.delete_topic(patient)
    topics.create_topic(patient)

    assert list(reader.read_all(patient)) == []


def test_records_are_found_as_they_were_published(patient: Settings, publisher: Publisher) -> None:
    records = [
        Record(b"player-1", '{"guild":"Ωméga 😀"}'.encode(), (("event_type", b"join_guild"), ("empty", b""))),
        Record(None, b"\x00\xff not json", ()),
        Record(b"", b"", (("twice", b"1"), ("twice", b"2"))),
    ]
    before = time.time() * 1000 - 1

    publisher.publish(records)

    found = list(reader.read_all(patient))
    assert {Record(record.key, record.value or b"", tuple(record.headers)) for record in found} == set(records)
    assert all(before <= record.time <= time.time() * 1000 + 1 for record in found)


def test_a_players_records_keep_their_order(patient: Settings, publisher: Publisher) -> None:
    for number in range(20):
        publisher.publish([Record(b"player-1", b"%d" % number)])

    found = list(reader.read_all(patient))
    assert [int(record.value or b"") for record in found] == list(range(20))
    assert len({record.partition for record in found}) == 1


def test_a_key_lies_in_the_partition_that_every_client_of_kafka_would_choose(
    patient: Settings, publisher: Publisher
) -> None:
    records = numbered(200)

    publisher.publish(records)
    with KafkaProducer(bootstrap_servers=patient.kafka_bootstrap) as another:
        for record in records:
            another.send(patient.topic, record.value, record.key)

    found = Counter((record.key, record.partition) for record in reader.read_all(patient))
    assert len({partition for _, partition in found}) == patient.topic_partitions
    assert set(found.values()) == {2}


def test_publishing_nothing_is_nothing(patient: Settings, publisher: Publisher) -> None:
    publisher.publish([])

    assert list(reader.read_all(patient)) == []


def test_many_threads_share_a_publisher(patient: Settings, publisher: Publisher) -> None:
    records = numbered(640)

    with ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda record: publisher.publish([record]), records))

    assert values(patient) == sorted(record.value for record in records)


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_publisher_works_on_both_sides_of_a_fork(patient: Settings, publisher: Publisher) -> None:
    publisher.publish([Record(b"key", b"before")])

    child = multiprocessing.get_context("fork").Process(target=publisher.publish, args=([Record(b"key", b"child")],))
    child.start()
    child.join(timeout=30)
    publisher.publish([Record(b"key", b"parent")])

    assert child.exitcode == 0
    assert values(patient) == [b"before", b"child", b"parent"]


def test_a_closed_publisher_connects_again(patient: Settings, publisher: Publisher) -> None:
    publisher.publish([Record(b"key", b"1")])
    publisher.close()
    publisher.close()
    publisher.publish([Record(b"key", b"2")])

    assert values(patient) == [b"1", b"2"]


def test_a_record_that_is_too_large_is_refused_and_the_next_one_is_not(patient: Settings, publisher: Publisher) -> None:
    with pytest.raises(TransportError, match="bytes"):
        publisher.publish([Record(b"key", b"x" * 2_000_000)])
    publisher.publish([Record(b"key", b"next")])

    assert values(patient) == [b"next"]


@pytest.mark.parametrize("kafka", ["away", "silent"])
def test_without_kafka_every_thread_is_told_within_a_second(kafka: str, request: pytest.FixtureRequest) -> None:
    publisher = Publisher(request.getfixturevalue(kafka))

    def told(_: int) -> float:
        begun = time.monotonic()
        with pytest.raises(TransportError, match="Kafka"):
            publisher.publish(numbered(3))
        return time.monotonic() - begun

    with ThreadPoolExecutor(32) as threads:
        assert max(threads.map(told, range(128))) < AT_ONCE


@pytest.mark.parametrize("kafka", ["away", "silent"])
def test_asking_in_vain_leaves_no_thread_behind(kafka: str, request: pytest.FixtureRequest) -> None:
    settings, before = request.getfixturevalue(kafka), threading.active_count()

    for _ in range(3):
        with pytest.raises(TransportError, match="Kafka"):
            topics.topic_exists(settings, timeout=0.2)

    assert threading.active_count() == before


def test_a_publisher_finds_a_topic_that_is_created_later(fresh: Settings) -> None:
    later = fresh.in_namespace(f"{fresh.namespace}_later")
    publisher = Publisher(later)
    with pytest.raises(TransportError, match="topic"):
        publisher.publish(numbered(1))

    topics.create_topic(later)
    deadline = time.monotonic() + 30
    while not values(later) and time.monotonic() < deadline:
        try:
            publisher.publish(numbered(1))
        except TransportError:
            continue

    assert values(later)
    publisher.close()
    topics.delete_topic(later)


def test_reading_a_topic_that_is_not_there_says_so(fresh: Settings) -> None:
    with pytest.raises(TransportError, match="no topic"):
        list(reader.read_all(fresh.in_namespace(f"{fresh.namespace}_none")))


def test_reading_ends_where_the_topic_ended_when_it_began(patient: Settings, publisher: Publisher) -> None:
    publisher.publish(numbered(50))
    reading = reader.read_all(patient)
    first = next(reading)
    publisher.publish(numbered(50))

    assert len([first, *reading]) == 50
    assert sum(topics.end_offsets(patient).values()) == 100


def test_progress_is_told_up_to_the_whole(patient: Settings, publisher: Publisher) -> None:
    publisher.publish(numbered(100))
    told: list[tuple[int, int]] = []

    list(reader.read_all(patient, on_progress=lambda done, total: told.append((done, total))))

    assert told[-1] == (100, 100)
    assert told == sorted(told)


def test_records_are_counted_by_type_and_by_who_wrote_them(patient: Settings, publisher: Publisher) -> None:
    publisher.publish(
        [
            event("page_view"),
            event("page_view"),
            event("join_guild"),
            Record(b"k", b"{}", (("event_type", b"join_guild"),)),
            Record(b"k", b"{}", (("event_type", b"slay_dragon"),)),
            Record(b"k", b"{}"),
        ]
    )

    counted = reader.count_by_type(patient, CATALOGUE)

    assert counted["page_view"] == TopicCount(in_kafka=2, from_api=2)
    assert counted["join_guild"] == TopicCount(in_kafka=2, from_api=1)
    assert counted[UNKNOWN_TYPE] == TopicCount(in_kafka=2, from_api=0)
    assert counted["purchase_sword"] == TopicCount()
    assert set(counted) == {*CATALOGUE.names, UNKNOWN_TYPE}


def test_events_published_together_share_records_and_are_read_one_by_one(
    patient: Settings, publisher: Publisher
) -> None:
    events = [encode({"event_type": "page_view", "user_id": f"player-{n % 9}", "number": n}) for n in range(90)]

    publisher.publish(events)

    assert len(list(reader.read_records(patient))) <= patient.topic_partitions * 3
    found = list(reader.read_all(patient))
    assert sorted(event.value or b"" for event in found) == sorted(event.value for event in events)
    assert len({(event.partition, event.offset, event.position) for event in found}) == 90
    by_player = defaultdict(list)
    for event in map(json.loads, (event.value or b"" for event in found)):
        by_player[event["user_id"]].append(event["number"])
    assert all(numbers == sorted(numbers) for numbers in by_player.values())
    assert reader.count_by_type(patient, CATALOGUE)["page_view"] == TopicCount(in_kafka=90, from_api=90)


def test_an_event_lies_where_it_would_lie_alone_whoever_it_came_with(patient: Settings, publisher: Publisher) -> None:
    events = [encode({"event_type": "page_view", "user_id": f"player-{n}"}) for n in range(50)]

    publisher.publish(events)
    together = {event.value: event.partition for event in reader.read_all(patient)}
    for event in events:
        publisher.publish([event])

    assert len(set(together.values())) == patient.topic_partitions
    assert all(together[event.value] == event.partition for event in reader.read_all(patient))


def test_the_last_events_may_be_of_one_record(patient: Settings, publisher: Publisher) -> None:
    publisher.publish([encode({"event_type": "page_view", "user_id": "ada", "number": n}) for n in range(5)])

    assert [json.loads(event.value or b"")["number"] for event in reader.last_records(patient, 2)] == [3, 4]


def test_the_last_records_are_the_newest_oldest_first(patient: Settings, publisher: Publisher) -> None:
    assert reader.last_records(patient, 3) == []
    for number in range(10):
        publisher.publish([Record(b"player-1", b"%d" % number)])

    assert [record.value for record in reader.last_records(patient, 3)] == [b"7", b"8", b"9"]
    assert len(reader.last_records(patient, 100)) == 10
    assert reader.last_records(patient, 0) == []
