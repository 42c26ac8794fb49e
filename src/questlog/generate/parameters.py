"""The model's numbers as a table, read from where they are defined and explained."""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Iterator
from types import ModuleType

import pandas as pd

from questlog.generate import actions, attendance, effects, filling, guilds, players, prices, quests, segments

MODULES = (effects, attendance, segments, players, actions, quests, prices, guilds, filling)


def parameters() -> pd.DataFrame:
    """Every constant of the model that has an explanation, one a row, in the order of definition.

    Columns: ``about`` (the module), ``parameter``, ``value`` and ``meaning``, all strings.
    """
    rows = [
        (module.__name__.rpartition(".")[2], name, str(getattr(module, name)), meaning)
        for module in MODULES
        for name, meaning in _explained(module)
    ]
    return pd.DataFrame(rows, columns=["about", "parameter", "value", "meaning"])


def _explained(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Names of constants with the text of the string that follows each."""
    body = ast.parse(inspect.getsource(module)).body
    for assignment, explanation in itertools.pairwise(body):
        match assignment, explanation:
            case (
                ast.Assign(targets=[target]) | ast.AnnAssign(target=target),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                constants = (name.id for name in names if isinstance(name, ast.Name) and name.id.isupper())
                yield from ((name, inspect.cleandoc(text)) for name in constants)
