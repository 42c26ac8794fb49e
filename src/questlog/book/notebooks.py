"""What of an executed notebook is kept: its cells and outputs, not when, where and by whom it was executed."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}
OF_THE_RUN = ("papermill", "execution")  # papermill's account of a cell; the kernel's time stamps


def read(path: Path) -> NotebookNode:
    """The notebook of a file."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Write it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    nbformat.write(notebook, unfinished)  # type: ignore[no-untyped-call]
    unfinished.replace(path)


def for_the_site(executed: NotebookNode) -> NotebookNode:
    """Without the traces of the run; the injected parameters look as the chapter's own parameters cell does."""
    _forget_the_run(executed)
    cells = executed.cells
    shown_as = [tag for cell in cells if PARAMETERS_TAG in _tags(cell) for tag in _tags(cell) if tag != PARAMETERS_TAG]
    for cell in cells:
        if INJECTED_TAG in _tags(cell):
            cell.metadata["tags"] = [INJECTED_TAG, *shown_as]
    return executed


def for_a_commit(executed: NotebookNode) -> NotebookNode:
    """Without the traces of the run and without injected cells: what stays is a function of the chapter's source."""
    _forget_the_run(executed)
    executed.cells = [cell for cell in executed.cells if INJECTED_TAG not in _tags(cell)]
    return executed


def _forget_the_run(notebook: NotebookNode) -> None:
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        for key in OF_THE_RUN:
            cell.metadata.pop(key, None)
        if "tags" in cell.metadata and not cell.metadata["tags"]:
            del cell.metadata["tags"]  # papermill gives every cell an empty list


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))
