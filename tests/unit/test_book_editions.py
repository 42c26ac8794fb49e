"""Editions of the book: their names, their accounts, and the page that compares them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from questlog.book import arguments, comparison, editions, manifest, site
from questlog.book.chapters import Parameter
from questlog.book.editions import Edition
from questlog.book.manifest import ChapterRecord, Manifest
from questlog.errors import BookError


def account(edition: str = "default", **given: object) -> Manifest:
    facts = {
        "edition": edition,
        "date": datetime(2026, 1, 5, 10, 30, tzinfo=UTC),
        "commit": "0123456789abcdef",
        "changed": False,
        "engines": {"Kafka": "4.1.1"},
        "libraries": {"pandas": "2.3"},
        "counts": {"accepted": 4900, "landed": 4925},
        "chapters": {"01_first": record(players=200), "report": record(players=200, seed=1)},
    }
    return Manifest.model_validate(facts | given)


def record(**parameters: arguments.Value) -> ChapterRecord:
    return ChapterRecord(parameters=parameters, cells=3, seconds=1.5)


def put(edition: Edition, **given: object) -> Edition:
    (edition.folder / "book").mkdir(parents=True)
    manifest.write(account(edition.name, **given), edition.folder / "book")
    return edition


@pytest.mark.parametrize("name", ["large", "players-500-seed-7", "7", "a" * 40])
def test_a_name_of_small_letters_digits_and_hyphens_is_an_edition(name: str, tmp_path: Path) -> None:
    assert Edition(name, tmp_path).folder.parent == tmp_path / "editions"


@pytest.mark.parametrize("name", ["", "Large", "../large", "a/b", "-a", "a-", ".hidden", "a b", "a" * 41, "é"])
def test_any_other_name_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(BookError) as refused:
        Edition(name)
    assert repr(name) in str(refused.value)
    assert "1 to 40 of a-z, 0-9 and -" in str(refused.value)


def test_an_edition_without_a_name_is_named_after_its_parameters() -> None:
    assert editions.named_after({}) == "default"
    assert editions.named_after({"players": "500", "bad_share": "0.02"}) == "players-500-bad-share-0-02"
    assert editions.named_after({"types": ""}) == "types"


def test_editions_are_those_with_an_account_the_default_one_first(tmp_path: Path) -> None:
    for name in ("small", "default", "large"):
        put(Edition(name, tmp_path))
    (tmp_path / "editions" / "begun" / "book").mkdir(parents=True)

    assert [edition.name for edition in editions.known(tmp_path)] == ["default", "large", "small"]


def test_an_account_is_read_as_it_was_written(tmp_path: Path) -> None:
    there = put(Edition("large", tmp_path))

    assert there.manifest == account("large")


def test_a_damaged_account_is_named_with_its_problem(tmp_path: Path) -> None:
    (tmp_path / manifest.FILE).write_text('{"edition": "large"}')

    with pytest.raises(BookError, match=r"manifest\.json is no manifest: date: Field required"):
        manifest.read(tmp_path)


def test_an_account_begins_with_commit_engines_and_libraries(tmp_path: Path) -> None:
    begun = manifest.begin("large")

    assert len(begun.commit) == 40
    assert set(begun.engines) == {"Kafka", "HDFS", "Hive metastore", "Presto", "Spark"}
    assert {"pyspark", "papermill", "pandas"} <= set(begun.libraries)
    assert begun.date.utcoffset() is not None
    assert not begun.chapters
    assert manifest.begin("large", root=tmp_path).source == ""


def test_a_chapter_that_runs_again_replaces_its_record_and_no_other() -> None:
    again = manifest.begin("default", account()).with_chapter("report", record(players=50))

    assert again.chapters == {"01_first": record(players=200), "report": record(players=50)}
    assert again.parameters == {"players": (200, 50)}
    assert again.counts == account().counts


def test_the_values_in_force_are_those_given_and_else_the_defaults() -> None:
    declared = {
        "players": Parameter("players", "int", "200", "how many"),
        "types": Parameter("types", "str", "''", "which"),
    }

    assert arguments.in_force({"players": 50}, declared) == {"players": 50, "types": ""}


def test_the_page_compares_editions_in_columns_and_links_to_the_others() -> None:
    large = account("large", chapters={"report": record(players=500)}, counts={})

    page = comparison.markdown(account(), [account(), large])

    assert "There are 2 editions" in page
    ran = "2026-01-05 10:30".replace("-", "\N{NON-BREAKING HYPHEN}").replace(" ", "\N{NO-BREAK SPACE}")
    assert f"**default**, this one | {ran} | 0123456 | 4,900 | 4,925" in page
    assert '<a href="../../large/index.html">large</a>' in page
    assert "| `players` | 200 | 500 |" in page
    assert "| `seed` | 1 | - |" in page
    assert "| `01_first` | 1.5 | - |" in page


def test_one_edition_is_described_and_another_one_explained() -> None:
    page = comparison.markdown(account(), [])

    assert "There is one edition" in page
    assert "questlog book -p players 2000" in page
    assert "| `players` | 200 |" in page


def test_the_overview_has_a_heading_of_its_own_and_comes_first() -> None:
    headings = [line for line in comparison.markdown(account(), []).splitlines() if line.startswith("## ")]

    assert headings == ["## The editions", "## Parameters", "## Durations", "## Versions"]
    assert comparison.markdown(account(), []).startswith(headings[0])


def test_a_book_without_an_account_says_so() -> None:
    assert "without the account of a run" in comparison.markdown(None, [])


def test_a_value_cannot_break_the_table() -> None:
    odd = account(chapters={"report": record(types="a|b\n| <script>")})

    assert r"| `types` | a\|b \| \<script\> |" in comparison.markdown(odd, [])


def test_accounts_laid_beside_an_edition_are_read_back(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    assert site.laid_beside(tmp_path) == []

    site.lay_beside(tmp_path, [account(), account("large")])

    assert site.laid_beside(tmp_path) == [account(), account("large")]
