from pathlib import Path

import pytest
from pydantic import ValidationError

from questlog.errors import SettingsError
from questlog.settings import PREFIX, Settings


def test_what_is_given_stands_above_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUESTLOG_NAMESPACE", "from_environment")

    assert Settings.load().namespace == "from_environment"
    assert Settings.load(namespace="given").namespace == "given"


def test_one_offset_moves_every_port_and_what_follows_from_it() -> None:
    moved = Settings.load(port_offset=1000)

    assert (moved.api_port, moved.kafka_port, moved.presto_port) == (6000, 10092, 9080)
    assert moved.kafka_bootstrap == "127.0.0.1:10092"
    assert moved.hdfs_url == "hdfs://127.0.0.1:9020"


def test_no_two_ports_are_the_same() -> None:
    ports = [value for name, value in Settings.load() if name.endswith("_port")]

    assert len(set(ports)) == len(ports)


def test_an_endpoint_may_be_anywhere() -> None:
    settings = Settings.load(kafka_bootstrap="kafka-1:9092,kafka-2:9092")

    assert settings.kafka_bootstrap == "kafka-1:9092,kafka-2:9092"


def test_the_namespace_names_topic_database_and_folders() -> None:
    settings = Settings.load(namespace="mine")

    assert (settings.topic, settings.database) == ("mine_events", "mine")
    for path in (settings.warehouse, settings.staging, settings.checkpoint, str(settings.metrics_dir)):
        assert path.endswith("/mine")
    assert not settings.staging.startswith(settings.warehouse)


def test_another_namespace_keeps_the_servers(tmp_path: Path) -> None:
    settings = Settings.load(port_offset=1000, kafka_bootstrap="elsewhere:1", data_dir=tmp_path)
    other = settings.in_namespace("other", topic_partitions=7)

    assert (other.namespace, other.topic_partitions) == ("other", 7)
    assert (other.kafka_bootstrap, other.data_dir, other.presto_port) == ("elsewhere:1", tmp_path, 9080)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("namespace", "../etc"),
        ("namespace", "Mine"),
        ("namespace", ""),
        ("namespace", "x" * 49),
        ("namespace", "a;drop"),
        ("port_offset", -1),
        ("port_offset", 60_000),
        ("api_port", 0),
        ("api_port", "http"),
        ("topic_partitions", 0),
        ("api_workers", 0),
        ("ack_timeout", 0),
        ("max_body_bytes", 10),
        ("max_batch_events", 0),
        ("max_header_count", 101),
        ("read_timeout", 0),
        ("rate_limit", -1),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_its_variable(name: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(**{name: value})

    assert f"{PREFIX}{name.upper()}" in str(caught.value)
    assert repr(value) in str(caught.value)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(SettingsError, match="colour"):
        Settings.load(colour="red")


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUESTLOG_API_WORKERS", "many")

    with pytest.raises(SettingsError, match="QUESTLOG_API_WORKERS"):
        Settings.load()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings.load().namespace = "other"


def test_a_child_process_loads_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load(namespace="mine", port_offset=7, ack_timeout=0.5)
    for name, value in settings.variables().items():
        monkeypatch.setenv(name, value)

    assert Settings.load() == settings
    assert settings.environment().items() >= settings.variables().items()


def test_secrets_reach_a_child_process_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load(
        api_keys="first-key-of-the-game, second-key-of-the-game", metastore_db_password="swordfish"
    )

    assert [key.get_secret_value() for key in settings.api_keys] == ["first-key-of-the-game", "second-key-of-the-game"]
    for secret in ("first-key", "second-key", "swordfish"):
        assert secret not in f"{settings!r} {settings.variables()}"

    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == settings
    assert settings.in_namespace("mine").api_keys == settings.api_keys


@pytest.mark.parametrize(
    "keys", ["short", "first-key-of-the-game,x", "a key with a space in it", "k\u00e9y" * 10, "x" * 129]
)
def test_a_key_that_is_not_allowed_is_refused_and_not_quoted(keys: str) -> None:
    with pytest.raises(SettingsError, match="QUESTLOG_API_KEYS") as caught:
        Settings.load(api_keys=keys)

    assert keys not in str(caught.value)
    assert "16" in str(caught.value)


@pytest.mark.parametrize("given", ["", " ", ",", (), []])
def test_without_a_key_the_api_is_open(given: object) -> None:
    assert Settings.load(api_keys=given).api_keys == ()
