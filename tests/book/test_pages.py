"""The site as files: every link leads somewhere, and the pages that are computed have what they are to have."""

from __future__ import annotations

import re
import shutil
from html import unescape
from itertools import dropwhile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from sphinx_external_toc.parsing import parse_toc_yaml

from questlog.book import chapters, gallery, manifest, notebooks, site
from questlog.cli import main
from questlog.events import CATALOGUE, Catalogue, EventType, Field
from questlog.events.fields import Kind
from questlog.paths import ROOT
from questlog.query import library
from questlog.settings import PREFIX, Settings

PAGES = [Path(page).name for page in parse_toc_yaml(ROOT / chapters.TOC)]
LINK = re.compile(r'(?:href|src)="([^"]+)"')
TARGET = re.compile(r'\b(?:id|name)="([^"]+)"')
GLUED = re.compile(r"""\bglue\(\s*["']([^"']+)["']""")
USED_GLUE = re.compile(r"\{glue:?\w*\}`(?:[^`:]*::)?([^`:]+)(?::[^`]*)?`")
MARKUP = re.compile(r"<[^>]+>")
PYTHON = re.compile(r"^```python\n(.+?)^```$", re.MULTILINE | re.DOTALL)

every_page = pytest.mark.parametrize("page", PAGES)


def text(html: Path, page: str) -> str:
    return (html / "book" / f"{page}.html").read_text()


@every_page
def test_every_link_within_the_site_leads_to_a_page_and_a_place_on_it(html: Path, page: str) -> None:
    here = html / "book" / f"{page}.html"
    dead = []
    for link in set(LINK.findall(here.read_text())):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        there = (here.parent / unquote(parts.path)).resolve() if parts.path else here
        place = unquote(parts.fragment)
        wanted = there.suffix == ".html" and place
        if not there.is_file() or (wanted and place not in TARGET.findall(there.read_text())):
            dead.append(link)

    assert dead == []


def test_every_page_of_the_book_is_in_the_table_of_contents() -> None:
    pages = {path.stem for ending in ("*.ipynb", "*.md") for path in (ROOT / "book").glob(ending)}

    assert pages == set(PAGES)


def test_every_glued_value_is_used_and_every_one_used_is_glued() -> None:
    cells = [cell for chapter in chapters.chapters() for cell in notebooks.read(chapters.notebook(chapter)).cells]
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    glued = {key for cell in cells if cell.cell_type == "code" for key in GLUED.findall(cell.source)}

    assert glued == set(USED_GLUE.findall(prose))


@pytest.mark.parametrize("name", library.names())
def test_the_gallery_has_every_query_with_a_place_to_link_to(html: Path, name: str) -> None:
    assert f'id="query-{name.replace("_", "-")}"' in text(html, "queries")


@pytest.mark.parametrize("name", library.names())
def test_the_gallery_quotes_the_sql_of_the_file(html: Path, name: str) -> None:
    lines = dropwhile(lambda line: line.startswith("-- "), library.text(name).splitlines())
    shown = unescape(MARKUP.sub("", text(html, "queries")))

    assert "\n".join(lines).strip() in shown


def test_every_query_is_asked_somewhere() -> None:
    page = gallery.markdown(ROOT / "book")

    assert page.count("; asked in ") == len(library.names())


def test_the_page_of_settings_has_every_setting(html: Path) -> None:
    assert [name for name in Settings.model_fields if f"{PREFIX}{name.upper()}" not in text(html, "settings")] == []


def test_the_page_of_commands_has_every_command_with_all_its_options(html: Path) -> None:
    page = text(html, "commands")
    known = [one for command in main.commands.values() for one in command.params if not getattr(one, "hidden", False)]
    options = [part for one in known for part in one.opts]

    assert [name for name in main.commands if f'id="questlog-{name}"' not in page] == []
    assert [option for option in options if option.startswith("--") and option not in page] == []


def test_the_page_of_settings_says_what_is_in_force_where_nothing_is_set(html: Path) -> None:
    rows = re.findall(r"<tr.*?</tr>", text(html, "settings"), re.DOTALL)
    told = {words[0]: " ".join(words[1:]) for row in rows if (words := MARKUP.sub("", row).split())}

    assert told["QUESTLOG_PRESTO_URL"].endswith("Unless set: http://127.0.0.1:8080.")
    assert told["QUESTLOG_TOPIC_PARTITIONS"].endswith("Unless set: 4.")
    assert "Unless set" not in told["QUESTLOG_DATA_DIR"] + told["QUESTLOG_API_KEYS"]


def test_an_example_of_a_command_can_be_copied(html: Path) -> None:
    page = unescape(MARKUP.sub("", text(html, "commands")))

    assert "questlog book --only 06_presto --name large -p players 2000 -p events 40000 -p seed 7" in page
    assert 'questlog query "SELECT event_type, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC"' in page
    assert "\N{EN DASH}" not in page


def test_the_page_of_editions_begins_with_them(html: Path) -> None:
    page = text(html, "editions")

    assert page.index("accepted") < page.index('id="parameters"') < page.index('id="versions"')


def test_the_event_type_that_the_page_adds_is_one_that_the_catalogue_takes() -> None:
    (source,) = PYTHON.findall((ROOT / "book" / "add_an_event_type.md").read_text())
    added = eval(source, {"EventType": EventType, "Field": Field, "Kind": Kind})

    assert "tame_horse" in Catalogue((*CATALOGUE.types, added))


def test_a_link_elsewhere_shows_title_and_picture(html: Path) -> None:
    page = text(html, "report")

    assert '<meta property="og:title"' in page
    assert '<meta property="og:image"' in page
    assert (html / "_static" / "preview.png").stat().st_size > 10_000


def test_a_page_offers_no_repository_where_none_is_configured(html: Path) -> None:
    assert "Suggest edit" not in text(html, "01_spin_up")
    assert "Open issue" not in text(html, "01_spin_up")


def test_a_page_offers_to_edit_it_and_to_open_an_issue_where_a_repository_is_configured(tmp_path: Path) -> None:
    config = (ROOT / chapters.CONFIG).read_text()
    assert '  url: ""' in config
    (tmp_path / chapters.CONFIG).write_text(config.replace('  url: ""', "  url: https://github.com/example/book", 1))
    (tmp_path / chapters.TOC).write_text("format: jb-book\nroot: book/page\n")
    for name in ("_static", "_templates"):
        shutil.copytree(ROOT / "book" / name, tmp_path / "book" / name)
    shutil.copy(ROOT / "book" / "references.bib", tmp_path / "book")
    (tmp_path / "book" / "page.md").write_text("# A page\n\nSaid by {cite:p}`wilson1927`.\n\n```{bibliography}\n```\n")
    site.build(tmp_path)

    page = text(tmp_path / "_build" / "html", "page")
    assert "https://github.com/example/book/edit/main/book/page.md" in page
    assert "https://github.com/example/book/issues/new" in page


@every_page
def test_a_page_has_its_icon_and_says_at_its_foot_which_run_it_shows(html: Path, page: str) -> None:
    account = manifest.read(ROOT / "book")
    assert account
    shown = text(html, page)
    foot = shown[shown.index("bd-footer-content") :]

    assert re.search(r'<link rel="[^"]*icon" href="[^"]*favicon\.svg', shown)
    assert f"{account.date:%Y-%m-%d}" in foot
    assert account.source in foot
