"""docker-compose.yml keeps to the Compose specification, and to what the settings and the stack say."""

import json
import re
from importlib import resources
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from questlog.paths import ROOT
from questlog.settings import PREFIX, Settings
from questlog.stack.container import SERVICES

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: container for name, container in CONTAINERS.items() if "build" in container}
DEFAULTS = Settings.load(port_offset=0)
PORTS = {getattr(DEFAULTS, name) for name in Settings.model_fields if name.endswith("_port")}
PINNED = re.compile(r":\d+\.\d+[\w.-]*$")


def of_each(containers: dict[str, dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("name", "container"), containers.items(), ids=list(containers))


def test_it_keeps_to_the_compose_specification() -> None:
    schema = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"

    errors = Draft202012Validator(json.loads(schema.read_text())).iter_errors(COMPOSE)

    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@of_each(CONTAINERS)
def test_its_image_is_pinned(name: str, container: dict[str, Any]) -> None:
    assert PINNED.search(container["image"])


def test_the_image_of_the_servers_is_built_on_a_pinned_one_and_named_after_the_version() -> None:
    (base,) = re.findall(r"^FROM (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert PINNED.search(base)
    assert version
    assert {container["image"] for container in OURS.values()} == {f"questlog:{version[1]}"}


@of_each(CONTAINERS)
def test_it_has_a_health_check_and_comes_back_when_it_dies(name: str, container: dict[str, Any]) -> None:
    assert container["healthcheck"]["test"][0] == "CMD"
    assert container["restart"] == "unless-stopped"


@of_each(OURS)
def test_it_is_the_server_of_its_name_and_is_asked_its_question(name: str, container: dict[str, Any]) -> None:
    assert container["command"] == f"questlog serve {name}"
    assert container["healthcheck"]["test"] == ["CMD", "questlog", "ready", name]


def test_every_server_has_a_container() -> None:
    assert set(OURS) == set(SERVICES)


@of_each(CONTAINERS)
def test_its_ports_are_those_of_the_settings_on_loopback_alone(name: str, container: dict[str, Any]) -> None:
    for published in container.get("ports", []):
        address, outside, inside = published.split(":")

        assert address == "127.0.0.1"
        assert outside == inside
        assert int(inside) in PORTS


@of_each(CONTAINERS)
def test_every_variable_of_ours_is_a_setting(name: str, container: dict[str, Any]) -> None:
    ours = {variable for variable in container["environment"] if variable.startswith(PREFIX)}

    assert {variable.removeprefix(PREFIX).lower() for variable in ours} <= set(Settings.model_fields)


@of_each(OURS)
def test_every_endpoint_is_a_container_with_the_port_of_the_settings(name: str, container: dict[str, Any]) -> None:
    elsewhere = {"metastore_db_url", "spark_master"}  # PostgreSQL's and Spark's own ports
    given = {variable.removeprefix(PREFIX).lower(): value for variable, value in container["environment"].items()}

    for setting, value in given.items():
        if found := re.search(r"(?:^|//)(\w+):(\d+)", str(value)):
            assert found[1] in CONTAINERS
            assert setting in elsewhere or int(found[2]) in PORTS


def test_every_volume_is_declared_and_used() -> None:
    mounted = [volume.split(":")[0] for container in CONTAINERS.values() for volume in container.get("volumes", [])]

    assert {volume for volume in mounted if not volume.startswith("./")} == set(COMPOSE["volumes"])


@of_each(CONTAINERS)
def test_what_it_waits_for_is_a_container(name: str, container: dict[str, Any]) -> None:
    assert set(container.get("depends_on", {})) <= set(CONTAINERS)


def test_nothing_waits_for_itself_in_the_end() -> None:
    left = {name: set(container.get("depends_on", {})) for name, container in CONTAINERS.items()}
    while free := {name for name, needed in left.items() if not needed}:
        left = {name: needed - free for name, needed in left.items() if name not in free}

    assert left == {}
