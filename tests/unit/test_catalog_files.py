import socket
import time

import pytest

from questlog.catalog import files, places
from questlog.catalog.metastore import Metastore
from questlog.errors import CatalogError
from questlog.settings import Settings


def nobody() -> str:
    """The address of a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_a_filesystem_is_made_without_a_request() -> None:
    made = files.filesystem(Settings.load(webhdfs_url="https://namenode.example:9871", hdfs_user="ann"))
    assert made.url == "https://namenode.example:9871/webhdfs/v1"
    assert made.pars == {"user.name": "ann"}


@pytest.mark.parametrize("count", [files.landed_rows, files.dead_letter_rows])
def test_webhdfs_that_is_down_is_named_with_the_way_to_start_it(count) -> None:
    settings = Settings.load(webhdfs_url=f"http://{nobody()}")
    with pytest.raises(CatalogError, match=f"{settings.webhdfs_url}/webhdfs/v1.*`questlog up`"):
        count(settings)


def test_a_metastore_that_is_down_is_named_with_the_way_to_start_it() -> None:
    settings = Settings.load(metastore_uri=f"thrift://{nobody()},thrift://{nobody()}")
    with pytest.raises(CatalogError, match=f"{settings.metastore_uri}.*`questlog up`"):
        Metastore(settings).places("events")


def test_a_generation_of_a_folder_tells_where_it_began() -> None:
    settings = Settings.load(namespace="shop")
    day = "event_type=join_guild/event_date=2026-01-05"
    for table, partition in (("events", day), ("ledger", "")):
        generation = places.merged(settings, table, partition, "7")
        assert places.home_of(settings, generation) == places.home(settings, table, partition)


def test_the_names_of_generations_are_in_the_order_in_which_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for milliseconds in (1, 999, 1_700_000_000_000, 1_700_000_000_001, 9_999_999_999_999):
        monkeypatch.setattr(time, "time_ns", lambda now=milliseconds: now * 1_000_000)
        names.append(places.new_generation())

    assert names == sorted(names)


def test_two_generations_that_are_made_at_once_have_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1)

    assert places.new_generation() != places.new_generation()
