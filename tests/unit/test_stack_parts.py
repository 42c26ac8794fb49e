"""The stack's parts that start no server."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from questlog.errors import PortTaken, ServiceDied, SettingsError, StackError
from questlog.settings import Settings
from questlog.stack import configure, home, kafka, local, ports, processes, service, supervise
from questlog.stack.service import Service


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(data_dir=tmp_path / "data")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def a_service(settings: Settings, *used: int) -> Service:
    return Service(
        name="example",
        command=(sys.executable, "-c", "pass"),
        directory=settings.data_dir,
        log=settings.logs_dir / "example.log",
        ports=used,
        ready=lambda: True,
    )


def rendered(settings: Settings, folder: Path) -> dict[str, str]:
    configure.render(settings, folder)
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_every_template_is_rendered_and_no_value_is_left_open(settings: Settings, tmp_path: Path) -> None:
    files = rendered(settings, tmp_path / "conf")

    assert {"kafka/server.properties", "hadoop/hdfs-site.xml", "presto/catalog/hive.properties"} < set(files)
    assert not any("${" in text for text in files.values())


def test_values_with_characters_that_xml_reserves_are_rendered_as_xml(tmp_path: Path) -> None:
    rendered(Settings.load(data_dir=tmp_path / "this & that"), tmp_path / "conf")

    site = ElementTree.parse(tmp_path / "conf" / "hadoop" / "core-site.xml")
    assert str(tmp_path / "this & that" / "tmp") in [value.text for value in site.iter("value")]


def test_where_kafka_listens_is_not_what_it_tells_its_clients(tmp_path: Path) -> None:
    settings = Settings.load(host="0.0.0.0", kafka_bootstrap="kafka:9092", data_dir=tmp_path / "data")

    lines = rendered(settings, tmp_path / "conf")["kafka/server.properties"].splitlines()

    assert "listeners=CLIENT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093" in lines
    assert "advertised.listeners=CLIENT://kafka:9092,CONTROLLER://kafka:9093" in lines


def test_a_path_inside_a_container_goes_above_the_local_one(settings: Settings, tmp_path: Path) -> None:
    configure.render(settings, tmp_path / "conf", conf_dir="/etc/questlog")

    catalog = (tmp_path / "conf" / "presto" / "catalog" / "hive.properties").read_text()
    assert "hive.config.resources=/etc/questlog/hadoop/core-site.xml,/etc/questlog/hadoop/hdfs-site.xml" in catalog


def test_settings_come_back_from_their_own_variables(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = settings.in_namespace("other", port_offset=300, api_workers=7)
    for name, value in moved.variables().items():
        monkeypatch.setenv(name, value)

    assert Settings.load() == moved


def test_a_taken_port_is_refused_with_its_owner_and_a_way_out(settings: Settings, listener: socket.socket) -> None:
    port = listener.getsockname()[1]

    with pytest.raises(PortTaken) as refused:
        ports.check(settings.host, [a_service(settings, port)])

    for said in (str(port), "example", f"pid {os.getpid()}", "QUESTLOG_PORT_OFFSET"):
        assert said in str(refused.value)


def test_a_free_port_is_not_refused(settings: Settings, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()

    ports.check(settings.host, [a_service(settings, port)])


def test_a_stack_is_not_opened_to_the_network(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"host \(QUESTLOG_HOST\) is '0.0.0.0'.*loopback"):
        local.up(Settings.load(host="0.0.0.0", data_dir=tmp_path / "data"))


def test_a_folder_with_other_files_is_not_taken_for_data(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "thesis.tex").touch()

    with pytest.raises(StackError, match=r"thesis\.tex"):
        home.claim(settings)


def test_a_folder_that_is_not_a_stacks_is_never_wiped(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "thesis.tex").touch()

    with pytest.raises(StackError, match="is not deleted"):
        local.down(settings, wipe=True)

    assert [entry.name for entry in settings.data_dir.iterdir()] == ["thesis.tex"]


def test_a_folder_is_kept_to_one_hdfs_because_tables_name_their_files_by_it(settings: Settings) -> None:
    home.claim(settings)

    with pytest.raises(StackError, match=r"8020.*9020.*--wipe"):
        home.claim(Settings.load(data_dir=settings.data_dir, port_offset=1000))


def test_stopping_what_never_started_changes_nothing(settings: Settings) -> None:
    local.down(settings, wipe=True)

    assert not settings.data_dir.exists()


def test_what_an_interrupted_first_try_left_is_made_anew_and_then_kept(tmp_path: Path) -> None:
    folder = tmp_path / "formatted"

    def interrupted() -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.once(folder, interrupted)
    service.once(folder, (folder / "whole").touch)
    service.once(folder, interrupted)

    assert {entry.name for entry in folder.iterdir()} == {"whole", service.PREPARED}


def test_a_preparation_that_fails_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "kafka.log"

    with pytest.raises(ServiceDied, match=r"(?s)kafka.*exit code 3.*no such disk"):
        service.run((sys.executable, "-c", "print('no such disk'); raise SystemExit(3)"), log)


def test_the_log_of_an_unknown_server_is_refused_with_the_known_ones(settings: Settings) -> None:
    with pytest.raises(StackError, match=r"'zookeeper'.*kafka.*presto"):
        local.logs(settings, "zookeeper")


def test_a_log_is_quoted_from_its_end(settings: Settings) -> None:
    settings.logs_dir.mkdir(parents=True)
    (settings.logs_dir / "kafka.log").write_text("one\ntwo\nthree\n")

    assert local.logs(settings, "kafka", lines=2) == "two\nthree"


def test_a_cluster_has_the_same_id_as_long_as_it_has_its_folder(tmp_path: Path) -> None:
    assert kafka.cluster_id(tmp_path) == kafka.cluster_id(tmp_path) != kafka.cluster_id(tmp_path / "other")
    assert len(kafka.cluster_id(tmp_path)) == 22


def test_a_server_that_does_not_listen_is_not_ready(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()

    assert not kafka.names_a_broker("127.0.0.1", port)


def test_a_socket_has_a_short_path_however_deep_the_data_lie(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)

    assert len(str(supervise.socket_path(deep))) < supervise.LONGEST_SOCKET
    assert supervise.socket_path(tmp_path).parent == tmp_path
    assert supervise.socket_path(deep) != supervise.socket_path(deep / "other")


def test_a_process_is_known_by_the_mark_that_it_inherits(tmp_path: Path) -> None:
    with subprocess.Popen(["env", f"{processes.MARK}={tmp_path}", "cat"], stdin=subprocess.PIPE) as cat:
        while not list(processes.of_stack(tmp_path)):
            assert cat.poll() is None

        assert processes.end_all(tmp_path) == 1
        assert processes.end_all(tmp_path) == 0
