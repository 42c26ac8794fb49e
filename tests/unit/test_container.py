"""The servers as a container meets them: told where to listen, and by which names the others are reached."""

import re
import sys
from pathlib import Path
from unittest.mock import Mock
from xml.etree import ElementTree

import pytest
import yaml
from click.testing import CliRunner

from questlog.cli import main
from questlog.errors import NotReady, SettingsError, StackError
from questlog.paths import ROOT
from questlog.settings import Settings
from questlog.stack import configure, container
from questlog.stack.service import Service

PASSWORD = "a-secret-of-theirs"
VARIABLE = re.compile(r"^\$\{\w+:-.*\}$")


@pytest.fixture
def conf(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The configuration that one container renders from its variables in docker-compose.yml."""
    variables = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][request.param]["environment"]
    for name, value in variables.items():
        monkeypatch.setenv(name, VARIABLE.sub(PASSWORD, value))
    configure.render(Settings.load(data_dir=tmp_path, port_offset=0), tmp_path)
    return tmp_path


def in_container(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("conf", [name], indirect=True, ids=[name])


def properties(file: Path) -> dict[str, str]:
    if file.suffix == ".xml":
        pairs = ElementTree.parse(file).getroot().iter("property")
        return {pair.findtext("name", ""): pair.findtext("value", "") for pair in pairs}
    lines = [line for line in file.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def service(tmp_path: Path, ready: bool = True) -> Service:
    command = (sys.executable, "-c", "")
    return Service(name="x", command=command, directory=tmp_path, log=tmp_path / "x", ports=(), ready=lambda: ready)


@in_container("kafka")
def test_kafka_listens_on_every_address_of_its_container_and_is_reached_by_name(conf: Path) -> None:
    kafka = properties(conf / "kafka" / "server.properties")

    assert kafka["listeners"] == "CLIENT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093"
    assert kafka["advertised.listeners"] == "CLIENT://kafka:9092,CONTROLLER://kafka:9093"
    assert kafka["controller.quorum.voters"] == "1@kafka:9093"


@in_container("datanode")
def test_the_datanode_reports_to_the_namenode_under_its_own_name(conf: Path) -> None:
    hdfs = properties(conf / "hadoop" / "hdfs-site.xml")

    assert hdfs["dfs.namenode.rpc-address"] == "namenode:8020"
    assert hdfs["dfs.datanode.hostname"] == "datanode"
    assert hdfs["dfs.datanode.address"] == "0.0.0.0:9866"


@in_container("namenode")
def test_the_namenode_listens_on_every_address_of_its_container(conf: Path) -> None:
    hdfs = properties(conf / "hadoop" / "hdfs-site.xml")

    assert (hdfs["dfs.namenode.rpc-bind-host"], hdfs["dfs.namenode.http-bind-host"]) == ("0.0.0.0", "0.0.0.0")
    assert properties(conf / "hadoop" / "core-site.xml")["fs.defaultFS"] == "hdfs://namenode:8020"


@in_container("metastore")
def test_the_metastore_keeps_its_tables_in_postgresql(conf: Path) -> None:
    metastore = properties(conf / "hive" / "metastore-site.xml")

    assert metastore["javax.jdo.option.ConnectionURL"] == "jdbc:postgresql://postgres:5432/metastore"
    assert metastore["javax.jdo.option.ConnectionDriverName"] == "org.postgresql.Driver"
    assert metastore["javax.jdo.option.ConnectionUserName"] == "questlog"
    assert metastore["javax.jdo.option.ConnectionPassword"] == PASSWORD


@in_container("presto")
def test_presto_listens_on_every_address_and_announces_its_name(conf: Path) -> None:
    node = properties(conf / "presto" / "node.properties")

    assert (node["node.bind-ip"], node["node.internal-address"]) == ("0.0.0.0", "presto")
    assert properties(conf / "presto" / "config.properties")["discovery.uri"] == "http://presto:8080"
    assert (
        properties(conf / "presto" / "catalog" / "hive.properties")["hive.metastore.uri"] == "thrift://metastore:9083"
    )


def test_without_a_database_the_metastore_is_on_derby(tmp_path: Path) -> None:
    configure.render(Settings.load(data_dir=tmp_path), tmp_path)

    url = properties(tmp_path / "hive" / "metastore-site.xml")["javax.jdo.option.ConnectionURL"]

    assert url.startswith("jdbc:derby:")


def test_only_its_owner_may_read_the_rendered_password(tmp_path: Path) -> None:
    configure.render(Settings.load(data_dir=tmp_path), tmp_path)

    assert (tmp_path / "hive" / "metastore-site.xml").stat().st_mode & 0o077 == 0


def test_the_password_is_in_no_text_and_in_no_variable_for_others() -> None:
    settings = Settings.load(metastore_db_password=PASSWORD)

    assert PASSWORD not in f"{settings!r} {settings} {settings.variables()}"
    assert settings.in_namespace("mine").metastore_db_password.get_secret_value() == PASSWORD


def test_a_database_that_is_not_postgresql_is_refused() -> None:
    with pytest.raises(SettingsError, match="metastore_db_url"):
        Settings.load(metastore_db_url="jdbc:mysql://db/metastore")


def test_sparks_master_listens_where_the_setting_says(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path, spark_master="spark://spark:7077")

    command = container.service_of(settings, "spark").command

    assert command[-6:] == ("--host", "spark", "--port", "7077", "--webui-port", str(settings.spark_master_web_port))


def test_a_worker_is_reached_by_its_own_name(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path, spark_master="spark://spark:7077", advertised_host="worker")

    command = " ".join(container.service_of(settings, "worker").command)

    assert "Worker spark://spark:7077 --host worker" in command


@pytest.mark.parametrize("name", ["spark", "worker"])
def test_a_master_in_the_process_itself_is_no_address_for_spark_daemons(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"'local\[2\]'.*spark://HOST:7077"):
        container.service_of(Settings.load(data_dir=tmp_path), name)


def test_a_server_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(StackError, match=r"'zookeeper'; there are kafka, namenode"):
        container.service_of(Settings.load(), "zookeeper")


def test_a_server_that_does_not_answer_is_not_ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(container.SERVICES, "kafka", lambda _: service(tmp_path, ready=False))

    with pytest.raises(NotReady, match="kafka does not answer yet"):
        container.check_ready(Settings.load(data_dir=tmp_path), "kafka")


@pytest.mark.parametrize(("command", "function"), [("serve", "serve"), ("ready", "check_ready")])
def test_a_command_hands_over_the_name(monkeypatch: pytest.MonkeyPatch, command: str, function: str) -> None:
    called = Mock()
    monkeypatch.setattr(container, function, called)

    CliRunner().invoke(main, [command, "kafka"], catch_exceptions=False)

    assert called.call_args.args[1] == "kafka"
