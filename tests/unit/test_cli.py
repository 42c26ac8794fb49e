"""The command line only hands over: what it parsed, to one function."""

import json
from collections.abc import Callable
from unittest.mock import Mock

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from questlog import pipeline
from questlog.api import counters
from questlog.book import editions
from questlog.book import run as book_run
from questlog.catalog.compaction import Compacted
from questlog.cli import main
from questlog.errors import LeaseHeld, QueryError, StreamError, StreamRefused
from questlog.events.schema import PHASES
from questlog.ledger import COUNTS, balance
from questlog.pipeline import streaming
from questlog.stack import local
from questlog.stack.stream import REFUSED
from questlog.stream import progress
from questlog.stream.changes import Change


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help_that_says_what_it_does(command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert main.commands[command].help


def test_options_before_the_command_change_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    up = Mock()
    monkeypatch.setattr(local, "up", up)

    run("--port-offset", "1000", "--namespace", "mine", "up")

    (settings,) = up.call_args.args
    assert (settings.kafka_port, settings.topic) == (10092, "mine_events")


@pytest.mark.parametrize(("options", "streams"), [((), None), (("--streams", "2"), 2), (("--streams", "0"), 0)])
def test_up_runs_as_many_streams_as_it_is_told_and_as_many_as_before_otherwise(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], streams: int | None
) -> None:
    up = Mock()
    monkeypatch.setattr(local, "up", up)

    assert run("up", *options).exit_code == 0
    assert up.call_args.kwargs["streams"] == streams
    assert run("up", "--streams", "3").exit_code == 2


def test_a_setting_that_is_not_allowed_is_named_and_the_exit_code_is_1() -> None:
    result = run("--namespace", "No Way", "status")

    assert result.exit_code == 1
    assert "SettingsError: setting namespace (QUESTLOG_NAMESPACE) is 'No Way'" in result.output


def test_status_says_how_much_a_running_api_does(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"ports": (1,), "web": None, "memory": None, "uptime": None}
    servers = [local.ServiceStatus(name=name, state=local.RUNNING, pid=7, **places) for name in ("kafka", "api")]
    monkeypatch.setattr(local, "status", Mock(return_value=servers))
    monkeypatch.setattr(counters, "rates", Mock(return_value=counters.Rates(1234.4, 5.0)))

    kafka, api = json.loads(run("status", "--json").output)

    assert (api["accepted_per_second"], api["refused_per_second"]) == (1234.4, 5.0)
    assert "accepted_per_second" not in kafka
    assert "1,234" in run("status").output


def test_status_asks_no_counters_of_an_api_that_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = local.ServiceStatus("api", local.STOPPED, None, (1,), None, None, None)
    monkeypatch.setattr(local, "status", Mock(return_value=[stopped]))
    monkeypatch.setattr(counters, "rates", Mock(side_effect=AssertionError))

    assert json.loads(run("status", "--json").output)[0]["state"] == local.STOPPED


def test_keys_are_not_shown_among_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUESTLOG_API_KEYS", "first-key-of-the-game")
    monkeypatch.setenv("QUESTLOG_METASTORE_DB_PASSWORD", "swordfish")

    shown = "".join(run("settings").output.split())

    assert "QUESTLOG_API_KEYS" in shown
    for secret in ("first-key", "swordfish"):
        assert secret not in shown


def test_generate_hands_over_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    generate = Mock(return_value=Mock(spec=[]))
    monkeypatch.setattr(pipeline, "generate", generate)

    run("generate", "--players", "20", "--events", "500", "--bad-share", "0.1", "--seed", "9", "--batch-size", "10")

    _, world = generate.call_args.args
    assert (world.players, world.events, world.bad_share, world.seed) == (20, 500, 0.1, 9)
    assert generate.call_args.kwargs["batch_size"] == 10


def test_stream_hands_over_the_selected_types(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Mock(return_value=Mock(spec=[]))
    monkeypatch.setattr(pipeline, "stream", stream)

    run("stream", "--event-types", "purchase_sword, join_guild", "--available-now")

    assert stream.call_args.kwargs["event_types"] == ("purchase_sword", "join_guild")
    assert stream.call_args.kwargs["available_now"] is True


@pytest.mark.parametrize("options", [("--available-now",), ()])
def test_a_stream_that_waits_for_the_writer_lease_names_its_holder(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    def stream(*_: object, on_wait: Callable[[str], object], **__: object) -> Mock:
        on_wait("questlog stream, process 7 on larch")
        return Mock(spec=[])

    monkeypatch.setattr(pipeline, "stream", stream)

    said = run("stream", *options).output
    assert "standby: waiting for the writer lease of: questlog stream, process 7 on larch" in said


@pytest.mark.parametrize(
    ("error", "status"), [(StreamRefused("offsets/3 is damaged"), REFUSED), (StreamError("Kafka is away"), 1)]
)
def test_a_stream_says_by_its_exit_status_whether_to_start_it_again_would_help(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    monkeypatch.setattr(pipeline, "stream", Mock(side_effect=error))

    result = run("stream")

    assert result.exit_code == status
    assert f"{type(error).__name__}: {error}" in result.output


@pytest.mark.parametrize("command", [("compact",), ("replay", "events")])
def test_maintenance_while_a_stream_runs_is_refused_with_the_holder(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(pipeline, command[0], Mock(side_effect=LeaseHeld("held by questlog stream, process 7")))

    result = run(*command)

    assert result.exit_code == 1
    assert "LeaseHeld: held by questlog stream, process 7" in result.output


def test_a_fault_point_that_there_is_not_is_refused_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "create", Mock(side_effect=AssertionError))
    monkeypatch.setenv("QUESTLOG_FAULT_POINT", "prepraed")

    result = run("stream")

    assert result.exit_code == REFUSED
    assert "fault_point is 'prepraed'" in result.output


def test_following_prints_a_line_for_each_micro_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    phases = {f"{phase}_seconds": 0.125 for phase in PHASES}
    row = {"batch": 4, "records": 50, "landed": 49, "lag": 1234, "seconds": 0.5, **phases}
    monkeypatch.setattr(progress, "follow", Mock(return_value=iter([None, row])))

    (line,) = run("stream", "--follow").output.splitlines()

    assert line.startswith("batch 4: 50 records, 49 landed, 100 records/s, lag 1,234, 0.500 s: offset_log 0.125, plan")


def test_stream_refuses_a_type_that_is_not_in_the_catalogue() -> None:
    result = run("stream", "--event-types", "purchase_boat")

    assert result.exit_code == REFUSED
    assert "'purchase_boat'" in result.output
    assert "purchase_sword" in result.output


def test_query_prints_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "sql", Mock(return_value=pd.DataFrame({"a": [1], "b": ["x"]})))

    assert run("query", "SELECT 1", "--format", "csv").output.splitlines() == ["a,b", "1,x"]


def test_a_query_that_presto_refuses_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "sql", Mock(side_effect=QueryError("column 'x' cannot be resolved")))

    result = run("query", "SELECT x")

    assert result.exit_code == 1
    assert "QueryError: column 'x' cannot be resolved" in result.output


@pytest.mark.parametrize(("waiting", "code"), [(0, 0), (1, 1)])
def test_verify_ends_with_1_only_when_the_ledger_does_not_balance(
    monkeypatch: pytest.MonkeyPatch, waiting: int, code: int
) -> None:
    counts = {name: {} for name in COUNTS} | {"in_kafka": {"page_view": waiting}}
    monkeypatch.setattr(pipeline, "ledger", Mock(return_value=balance(["page_view"], counts)))

    assert run("verify").exit_code == code


def test_a_parameter_of_the_book_that_is_given_twice_is_refused() -> None:
    result = run("book", "-p", "seed", "1", "-p", "seed", "2")

    assert result.exit_code == 1
    assert "given twice" in result.output


@pytest.mark.parametrize(
    ("arguments", "name"), [((), "default"), (("-p", "seed", "7"), "seed-7"), (("--name", "large"), "large")]
)
def test_the_book_is_run_into_the_folder_of_its_edition_and_published(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], name: str
) -> None:
    ran, published = Mock(), Mock()
    monkeypatch.setattr(book_run, "run", ran)
    monkeypatch.setattr(editions, "publish", published)

    run("book", *arguments)

    (edition,) = published.call_args.args
    assert edition.name == name
    assert ran.call_args.args[2] == edition.folder


def test_an_edition_with_a_bad_name_is_refused_before_anything_runs() -> None:
    result = run("book", "--name", "../large")

    assert result.exit_code == 1
    assert "'../large'" in result.output


def test_compact_prints_each_partition_and_the_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    done = [Compacted("events", "event_date=2026-01-05", 1200, 2, 34_567, 8_901)]
    compact = Mock(return_value=done)
    monkeypatch.setattr(pipeline, "compact", compact)

    output = run("compact", "--dry-run").output

    assert compact.call_args.kwargs["dry_run"] is True
    assert "1,200 files would become 2 in 1 partitions" in output
    assert "34,567" in output


def test_replay_prints_what_changes_of_each_type_and_says_when_nothing_does(monkeypatch: pytest.MonkeyPatch) -> None:
    replay = Mock(return_value=(Change("events", "page_view", 1200, 1234, 1, 35),))
    monkeypatch.setattr(pipeline, "replay", replay)

    told = run("replay", "page_view", "--dry-run").output
    replay.return_value = (Change("events", "page_view", 1200, 1200, 0, 0),)
    nothing = run("replay", "page_view").output

    assert [call.kwargs["dry_run"] for call in replay.call_args_list] == [True, False]
    assert "36 rows would change; nothing was changed" in told
    assert "1,234" in told
    assert "no row differs" in nothing


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"page_view": 1200, "join_guild": 34}, "rewrote 1,234 events of 2 types; the former files are deleted"),
        (None, "has no tables of the former layout: nothing to do"),
    ],
)
def test_upgrade_says_how_many_events_it_has_rewritten(
    monkeypatch: pytest.MonkeyPatch, rows: dict[str, int] | None, said: str
) -> None:
    monkeypatch.setattr(pipeline, "upgrade", Mock(return_value=rows))

    assert said in run("upgrade").output
