"""Dependencies point one way: the rooms of the package, and what each may import."""

import ast
import re
from pathlib import Path

import pytest

import questlog

SOURCE = Path(questlog.__file__).parent
BASE = {"errors", "settings", "paths", "ids", "jvm"}
STAGES = {"api", "transport", "generate", "stream", "catalog", "query", "report"}
MAY_IMPORT = {
    "errors": set(),
    "paths": set(),
    "ids": set(),
    "jvm": set(),
    "settings": {"errors"},
    "events": {"errors", "ids"},
    "lake": BASE | {"events"},
    **{stage: BASE | {"events", "lake"} for stage in STAGES},
    "stack": BASE,
    "ledger": BASE,
    "wsgi": BASE | STAGES | {"events", "lake"},
    "pipeline": BASE | STAGES | {"events", "lake", "ledger", "stack"},
    "faults": BASE | STAGES | {"events", "lake", "ledger", "stack", "pipeline"},
    "book": BASE | STAGES | {"events", "lake", "ledger", "stack", "pipeline", "faults"},
    "cli": BASE | STAGES | {"events", "lake", "ledger", "stack", "pipeline", "book"},
    "__main__": {"cli"},
    "__init__": set(),
}
ONLY_IN = {
    "kafka": {"transport"},
    "pyhive": {"lake"},
    "pyspark": {"stream"},
    "flask": {"api"},
    "hdfs": {"lake"},
    "pymetastore": {"lake"},
    "thrift": {"lake"},
    "fsspec": set(),  # there is one client of HDFS
}
INPUT_AND_OUTPUT = {"os", "io", "pathlib", "socket", "subprocess", "requests", "shutil", "tempfile", "urllib", "http"}

OTHER_USERS_OF_ENVIRONMENTS = {
    "java.py": "looks for the system's Java before there is a virtual environment with the settings' library in it",
    "processes.py": "recognises the stack's processes by a mark in their environments",
    "session.py": "gives variables to Spark's JVM, which pyspark starts with this process's own environment",
}

MODULES = sorted(SOURCE.rglob("*.py"))


def room(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def lines_without_docstring(function: ast.FunctionDef) -> int:
    docstring = ast.get_docstring(function) or ""
    return function.end_lineno - function.lineno + 1 - len(docstring.splitlines())


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_module_imports_only_what_lies_before_it(file: Path) -> None:
    rooms = {name.split(".")[1] for name in imported(file) if name.startswith("questlog.")}

    assert rooms - {room(file)} <= MAY_IMPORT[room(file)]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_module_joins_at_most_20_others(file: Path) -> None:
    modules = {".".join(("questlog", *module.relative_to(SOURCE).with_suffix("").parts)) for module in MODULES}
    named = {name for name in imported(file) if name.startswith("questlog.")}
    joined = {name if name in modules else name.rpartition(".")[0] for name in named}

    assert len(joined) <= 20


@pytest.mark.parametrize("client", ONLY_IN)
def test_a_client_library_is_known_to_one_room_alone(client: str) -> None:
    users = {room(file) for file in MODULES if client in {name.split(".")[0] for name in imported(file)}}

    assert users <= ONLY_IN[client]


def test_the_event_catalogue_does_no_input_or_output() -> None:
    used = {name.split(".")[0] for file in (SOURCE / "events").glob("*.py") for name in imported(file)}

    assert not used & INPUT_AND_OUTPUT


@pytest.mark.parametrize(("name", "allowed"), [("layout.py", set()), ("types.py", set()), ("parquet.py", {"io"})])
def test_names_types_and_files_in_memory_need_no_input_or_output(name: str, allowed: set[str]) -> None:
    used = {name.split(".")[0] for name in imported(SOURCE / "lake" / name)}

    assert used & INPUT_AND_OUTPUT <= allowed


def test_only_the_settings_read_the_environment() -> None:
    readers = {file.name for file in MODULES if re.search(r"\b(os|process)\.environ\b|\bgetenv\b", file.read_text())}

    assert readers <= {"settings.py", *OTHER_USERS_OF_ENVIRONMENTS}


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_module_is_one_idea_of_at_most_300_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 300


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_function_does_one_thing_in_at_most_40_lines(file: Path) -> None:
    functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)]

    assert [function.name for function in functions if lines_without_docstring(function) > 40] == []
