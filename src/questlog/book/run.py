"""Executes the chapters in order with papermill, on the servers of the settings, into a build folder.

The build folder afterwards holds what ``jupyter-book build`` needs: ``_config.yml``, ``_toc.yml`` and ``book/`` with
the executed notebooks and their manifest. A chapter arrives there when it is complete; while it runs it lies under
``running/``.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import papermill
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from questlog import pipeline
from questlog.book import arguments, chapters, kernel, manifest, notebooks
from questlog.book.manifest import ChapterRecord, Manifest
from questlog.book.plain import plain
from questlog.errors import BookError
from questlog.generate.world import World
from questlog.ledger import COUNTS
from questlog.paths import ROOT
from questlog.settings import Settings

RUNNING = "running"
CELL_SECONDS = 900
SHOWN_LINES = 12
logging.getLogger("papermill").addHandler(logging.NullHandler())  # what it says of a failure is in the BookError

NOT_COPIED = shutil.ignore_patterns(".*", "*.ipynb")


@dataclass(frozen=True)
class ChapterRun:
    """One chapter, executed: `seconds` it took, `cells` of code it has, `path` of the notebook with its outputs."""

    chapter: str
    cells: int
    seconds: float
    path: Path


def run(
    settings: Settings,
    given: Mapping[str, arguments.Value],
    build: Path,
    *,
    only: Sequence[str] | None = None,
    update: bool = False,
    root: Path = ROOT,
) -> list[ChapterRun]:
    """Execute the chapters, or `only` some of them, each with those of the `given` parameters that it declares.

    The edition is named after the folder `build`. Chapters that do not run are on the site as they were built before,
    or else as they are committed. `update` writes the outputs, and the manifest, into the checkout's own ``book/``.

    Raises:
        BookError: for a parameter or a chapter that does not exist, and when a cell fails.
    """
    if update and given:
        raise BookError(f"--update commits the book with its default parameters: leave out {', '.join(sorted(given))}")
    names = chapters.select(only, root)
    declared = {name: known for name, known in chapters.parameters(root).items() if name in names}
    values = arguments.share_out(given, declared)
    _lay_out(root, build, fresh=only is None)
    account = manifest.begin(build.name, None if only is None else manifest.read(build / "book"), root)
    done = []
    for one in _execute(settings, values, root, build):
        in_force = arguments.in_force(values[one.chapter], declared[one.chapter])
        account = account.with_chapter(one.chapter, _record(one, in_force))
        manifest.write(account, build / "book")
        done.append(one)
    if names[-1] == chapters.chapters(root)[-1]:
        account = account.with_counts(_counts(settings, account))
        manifest.write(account, build / "book")
    if update:
        _update(done, account, root)
    return done


def _lay_out(root: Path, build: Path, *, fresh: bool) -> None:
    """Put what the site needs into the build folder, with the committed notebooks where none were built before."""
    if fresh:
        shutil.rmtree(build / "book", ignore_errors=True)
    shutil.copytree(root / "book", build / "book", ignore=NOT_COPIED, dirs_exist_ok=True)
    for name in (chapters.CONFIG, chapters.TOC, chapters.README):
        shutil.copy(root / name, build / name)
    for path in sorted((root / "book").glob("*.ipynb")):
        if not (build / "book" / path.name).exists():
            shutil.copy(path, build / "book" / path.name)


def _execute(
    settings: Settings, values: Mapping[str, Mapping[str, arguments.Value]], root: Path, build: Path
) -> Iterator[ChapterRun]:
    with _progress() as progress:
        for number, (chapter, mine) in enumerate(values.items(), start=1):
            title = f"chapter {number} of {len(values)}: {chapter}"
            source = notebooks.read(chapters.notebook(chapter, root))
            task = progress.add_task(title, total=len(source.cells))
            attempt = Attempt(chapter, source, functools.partial(_advance, progress, task), build.name)
            done = attempt.execute(settings, mine, root, build)
            progress.remove_task(task)
            progress.console.print(f"{title}, {done.cells} cells in {done.seconds:.0f} s", highlight=False)
            yield done


def _advance(progress: Progress, task: TaskID, cell: int) -> None:
    progress.update(task, completed=cell)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("cells"))
    console = Console(stderr=True)
    return Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal, transient=True)


@dataclass
class Attempt:
    """One execution of one chapter; remembers the cell that it is in, for the error."""

    chapter: str
    source: NotebookNode
    on_cell: Callable[[int], None]
    edition: str
    cell: str = ""

    def execute(self, settings: Settings, values: Mapping[str, arguments.Value], root: Path, build: Path) -> ChapterRun:
        """Execute it; the notebook arrives in the build folder when all its cells have run."""
        running = build / RUNNING / f"{self.chapter}.ipynb"
        running.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        try:
            executed = self._papermill(settings, values, root, running)
        except PapermillExecutionError as error:
            raise self._failed(_last_lines(error), running) from error
        except (CellTimeoutError, RuntimeError) as error:  # RuntimeError: the kernel did not start, or died
            raise self._failed(str(error), running) from error
        except KeyboardInterrupt:
            ensure_event_loop().set_exception_handler(_say_nothing)
            raise
        arrived = chapters.notebook(self.chapter, build)
        notebooks.write(notebooks.for_the_site(executed), arrived)
        running.unlink()
        cells = sum(cell.cell_type == "code" for cell in executed.cells)
        return ChapterRun(self.chapter, cells, time.monotonic() - started, arrived)

    def _papermill(
        self, settings: Settings, values: Mapping[str, arguments.Value], root: Path, running: Path
    ) -> NotebookNode:
        executed: NotebookNode = papermill.execute_notebook(
            self.source,
            chapters.literal(running),
            parameters=dict(values),
            cwd=root / "book",
            progress_bar=False,
            execution_timeout=CELL_SECONDS,
            kernel_manager_class=kernel.manager(settings),
            on_cell_start=self._entered,
            record_timing=False,
            coalesce_streams=True,
        )
        return executed

    def _entered(self, cell: NotebookNode, cell_index: int) -> None:
        self.cell = cell.source
        self.on_cell(cell_index)

    def _failed(self, why: str, kept: Path) -> BookError:
        sources = [cell.source for cell in self.source.cells]
        number = sources.index(self.cell) + 1 if self.cell in sources else 0
        quoted = "\n".join(f"    {line}" for line in self.cell.splitlines())
        return BookError(
            f"chapter {self.chapter} failed in cell {number} of {len(sources)}:\n\n{quoted}\n\n{why}\n\n"
            f"The partly executed notebook is kept at {kept}. "
            f"Once mended, `questlog book --only {self.chapter} --name {self.edition}`, with the parameters of before, "
            "runs this chapter alone."
        )


def _say_nothing(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """For the cell that was interrupted: asyncio would print its traceback."""


def _last_lines(error: PapermillExecutionError) -> str:
    lines = plain("\n".join(error.traceback) or f"{error.ename}: {error.evalue}").splitlines()
    return "\n".join(lines[-SHOWN_LINES:])


def _record(done: ChapterRun, in_force: Mapping[str, arguments.Value]) -> ChapterRecord:
    return ChapterRecord(parameters=dict(in_force), cells=done.cells, seconds=round(done.seconds, 1))


def _counts(settings: Settings, account: Manifest) -> dict[str, int]:
    """The totals of the ledger of the edition's players, as they are when its last chapter has run."""
    of_a_world = {field.name for field in dataclasses.fields(World)}
    chosen: dict[str, Any] = {name: values[-1] for name, values in account.parameters.items() if name in of_a_world}
    ledger = pipeline.ledger(pipeline.edition(World(**chosen), settings))
    return {count: ledger.total(count) for count in COUNTS}


def _update(done: Sequence[ChapterRun], account: Manifest, root: Path) -> None:
    for one in done:
        notebooks.write(notebooks.for_a_commit(notebooks.read(one.path)), chapters.notebook(one.chapter, root))
    manifest.write(account, root / "book")
