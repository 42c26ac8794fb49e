"""The book's rules that need no server: the order of chapters, the parameters of a run, what is kept of a notebook."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest

from questlog.book import arguments, chapters, kernel, notebooks, run, show
from questlog.book.chapters import Parameter
from questlog.errors import BookError
from questlog.events.fields import Value
from questlog.generate.model import simulate
from questlog.generate.world import World
from questlog.settings import Settings
from questlog.transport.reader import Delivered

TOC = """
format: jb-book
root: book/report
parts:
  - caption: The pipeline
    chapters:
      - file: book/02_second
      - file: book/01_first
  - caption: Reference
    chapters:
      - file: book/words
"""
PLAYERS = Parameter("players", "int", "200", "how many players")
SHARE = Parameter("share", "float", "0.02", "share of bad events")
NAME = Parameter("name", "str", "'a'", "a name")
FAST = Parameter("fast", "bool", "False", "whether to hurry")
DECLARED = {"01_first": {"players": PLAYERS}, "report": {"players": PLAYERS, "share": SHARE}}


def cell(source: str, *tags: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "a {folder}"  # papermill takes braces for places to fill in
    (root / "book").mkdir(parents=True)
    (root / "_toc.yml").write_text(TOC)
    (root / "book" / "words.md").write_text("# Words\n")
    for name in ("01_first", "02_second", "report"):
        source = "players: int = 200  # how many players" if name != "02_second" else "seed: int = 1  # the seed"
        chapter = notebooks.for_a_commit(nbformat.v4.new_notebook(cells=[cell(source, "parameters")]))
        notebooks.write(chapter, chapters.notebook(name, root))
    return root


def test_chapters_run_in_the_order_of_the_contents_and_the_report_last(checkout: Path) -> None:
    assert chapters.chapters(checkout) == ("02_second", "01_first", "report")


def test_a_notebook_for_reference_runs_between_the_numbered_chapters_and_the_report(checkout: Path) -> None:
    notebooks.write(nbformat.v4.new_notebook(), chapters.notebook("words", checkout))

    assert chapters.chapters(checkout) == ("02_second", "01_first", "words", "report")


def test_a_page_that_is_no_notebook_is_no_chapter(checkout: Path) -> None:
    assert "words" not in chapters.chapters(checkout)


def test_a_missing_table_of_contents_is_named(tmp_path: Path) -> None:
    with pytest.raises(BookError, match=r"_toc\.yml cannot be read"):
        chapters.chapters(tmp_path)


def test_parameters_are_those_of_the_parameters_cell(checkout: Path) -> None:
    declared = chapters.parameters(checkout)
    assert declared["01_first"] == {"players": PLAYERS}
    assert declared["02_second"] == {"seed": Parameter("seed", "int", "1", "the seed")}


def test_select_keeps_the_order_of_running(checkout: Path) -> None:
    assert chapters.select(["report", "02_second"], checkout) == ("02_second", "report")


def test_an_unknown_chapter_is_refused_with_the_known_ones(checkout: Path) -> None:
    with pytest.raises(BookError, match=r"no chapter '03_third'; there are 02_second, 01_first, report"):
        chapters.select(["03_third"], checkout)


def test_each_chapter_gets_only_the_parameters_that_it_declares() -> None:
    shares = arguments.share_out({"share": "0.1", "players": "50"}, DECLARED)
    assert shares == {"01_first": {"players": 50}, "report": {"players": 50, "share": 0.1}}


def test_a_parameter_that_no_chapter_declares_is_refused_with_the_known_ones_and_their_types() -> None:
    with pytest.raises(BookError) as refused:
        arguments.share_out({"playrs": "50"}, DECLARED)
    assert "no chapter that runs has a parameter 'playrs'" in str(refused.value)
    assert "players: int = 200  (how many players)" in str(refused.value)
    assert "share: float = 0.02" in str(refused.value)


@pytest.mark.parametrize(
    ("value", "parameter", "converted"),
    [
        ("50", PLAYERS, 50),
        (50.0, PLAYERS, 50),
        ("0.5", SHARE, 0.5),
        (1, SHARE, 1.0),
        ("b", NAME, "b"),
        ("True", FAST, True),
        (False, FAST, False),
    ],
)
def test_a_value_becomes_the_declared_type(
    value: arguments.Value, parameter: Parameter, converted: arguments.Value
) -> None:
    found = arguments.convert(value, parameter)
    assert found == converted
    assert type(found) is type(converted)


@pytest.mark.parametrize(
    ("value", "parameter", "needed"),
    [
        ("many", PLAYERS, "an integer"),
        (1.5, PLAYERS, "an integer"),
        ("inf", PLAYERS, "an integer"),
        (float("inf"), PLAYERS, "an integer"),
        ("nan", SHARE, "a number"),
        ("a lot", SHARE, "a number"),
        ("maybe", FAST, "true or false"),
    ],
)
def test_a_value_that_cannot_be_of_its_type_is_named_with_what_it_takes(
    value: arguments.Value, parameter: Parameter, needed: str
) -> None:
    with pytest.raises(BookError, match=f"parameter {parameter.name} is {value!r}: it takes {needed}"):
        arguments.convert(value, parameter)


def executed() -> nbformat.NotebookNode:
    """As papermill leaves one: with its account, the kernel's time stamps, and the parameters that it was given."""
    cells = [cell("players = 200", "parameters", "hide-input"), cell("players = 50", "injected-parameters"), cell("1")]
    for one in cells:
        one.metadata["papermill"] = {"duration": 0.1}
        one.metadata["execution"] = {"iopub.execute_input": "2026-01-05T10:00:00Z"}
    metadata = {"papermill": {"input_path": "/somewhere"}, "language_info": {"name": "python", "version": "3.11.7"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def test_neither_site_nor_commit_keep_traces_of_the_run() -> None:
    for kept in (notebooks.for_the_site(executed()), notebooks.for_a_commit(executed())):
        assert set(kept.metadata) == {"kernelspec", "language_info"}
        assert "version" not in kept.metadata.language_info
        assert all(not {"papermill", "execution"} & set(one.metadata) for one in kept.cells)


def test_injected_parameters_look_as_the_parameters_cell_does() -> None:
    kept = notebooks.for_the_site(executed())
    assert kept.cells[1].metadata["tags"] == ["injected-parameters", "hide-input"]


def test_a_commit_has_no_injected_parameters() -> None:
    assert [one.source for one in notebooks.for_a_commit(executed()).cells] == ["players = 200", "1"]


def test_a_chapter_runs_on_this_very_python_and_with_these_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    settings = Settings.load(namespace="elsewhere")

    started = kernel.manager(settings)(kernel_name="another")

    assert started.kernel_spec.argv[0] == sys.executable
    assert started.kernel_spec.env["QUESTLOG_NAMESPACE"] == "elsewhere"


def test_a_table_of_properties_reads_both_kinds_of_files_and_refuses_a_property_that_is_not_there() -> None:
    settings = Settings.load(port_offset=7)

    assert "dfs.replication" in repr(show.config(settings, "hadoop/hdfs-site.xml", "dfs.replication"))
    assert "1@127.0.0.1:9100" in repr(show.config(settings, "kafka/server.properties", "controller.quorum.voters"))
    with pytest.raises(BookError, match=r"kafka/server\.properties has no property 'zookeeper\.connect'"):
        show.config(settings, "kafka/server.properties", "zookeeper.connect")


def test_paths_become_a_tree_that_names_each_folder_once() -> None:
    paths = ["/t/x=1/d=1/a", "/t/x=1/d=2/b"]

    assert show.tree(paths, "/t") == "/t\n  x=1\n    d=1\n      a\n    d=2\n      b"


def test_a_record_is_shown_with_a_line_for_each_of_its_fields() -> None:
    delivered = Delivered(2, 7, 1767607200000, b"p", b'{"a":1,"b":"x, y"}', (("event_type", b"t"),))

    shown = show.record(delivered)

    assert "timestamp  2026-01-05T10:00:00.000Z" in shown
    assert shown.endswith('{"a":1,\n"b":"x, y"}')


def acted(player: str, *event_types: str) -> list[dict[str, Value]]:
    moment = "2026-01-05T10:00:00.000Z"
    return [{"event_type": event_type, "event_time": moment, "user_id": player} for event_type in event_types]


def test_the_life_shown_is_that_of_the_player_who_did_most_kinds_of_things_not_of_a_program() -> None:
    bot, idle = acted("player-00001", *["page_view"] * 9), acted("player-00002", "create_player", "join_guild")
    busy = acted("player-00003", "create_player", "join_guild", "join_guild")

    shown = show.life(bot + busy + idle, most=2)

    assert shown.caption == "player-00003"
    assert list(shown.frame["event_type"]) == ["create_player", "join_guild"]
    assert set(shown.frame["event_time"]) == {"2026-01-05 10:00"}


def test_the_life_of_the_smallest_world_is_one_event() -> None:
    assert "create_player" in repr(show.life([one for one in simulate(World(events=1)) if isinstance(one, dict)]))


def test_an_update_of_the_committed_notebooks_takes_no_parameters(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(BookError, match="default parameters: leave out players"):
        run.run(Settings.load(), {"players": 50}, tmp_path, update=True, root=checkout)


def test_nothing_is_built_when_a_parameter_is_refused(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(BookError, match="'playrs'"):
        run.run(Settings.load(), {"playrs": 50}, tmp_path / "build", root=checkout)
    assert not (tmp_path / "build").exists()
