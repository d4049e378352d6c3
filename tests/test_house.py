"""The house stands: every file imports its own room and lower floors only, and says what it is for."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "aikv"

FLOORS = {
    "base": 0,
    "resp": 1,
    "datatypes": 1,
    "keyspace": 2,
    "persistence": 3,
    "engine": 4,
    "commands": 5,
    "scripting": 6,
    "replication": 6,
    "modules": 6,
    "cluster": 7,
    "server": 8,
    "gateways": 8,
    "app": 9,
    "cli": 10,
    "testing": 10,
    # The doors: they open on any floor, and no file of the house imports them.
    "__main__": 11,
    "__init__": 11,
}
NAMES_THAT_SAY_NOTHING = {"util", "utils", "helper", "helpers", "manager", "managers", "misc", "common"}

FILES = sorted(ROOT.rglob("*.py"))
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def room_of(parts: tuple[str, ...]) -> str:
    """Return the room that a dotted name below `aikv` is in; the front door for `aikv` itself."""
    return parts[0] if parts else "__init__"


def room_of_file(path: Path) -> str:
    """Return the room that a file is in."""
    return room_of(path.relative_to(ROOT).with_suffix("").parts)


def imported_rooms(text: str, path: Path) -> set[str]:
    """Return the rooms that the file `path`, which holds `text`, imports from, inside functions included."""
    package = ("aikv", *path.relative_to(ROOT).parent.parts)
    names: list[tuple[str, ...]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else ()
            module = (*start, *(node.module or "").split(".")) if node.module else start
            # `from aikv import server` names a room as much as `import aikv.server` does.
            names += [(*module, alias.name) for alias in node.names]
    return {
        room_of(name[1:]) if len(name) > 1 and name[1] in FLOORS else "__init__" for name in names if name[0] == "aikv"
    }


@every_file
def test_a_file_stands_in_a_known_room(path: Path) -> None:
    assert room_of_file(path) in FLOORS


@every_file
def test_a_file_imports_its_own_room_and_lower_floors_only(path: Path) -> None:
    room = room_of_file(path)
    rooms = imported_rooms(path.read_text(), path) - {room}
    wrong = {other for other in rooms if FLOORS[other] >= FLOORS[room]}
    assert not wrong, f"{room} (floor {FLOORS[room]}) imports from {wrong}"


@every_file
def test_a_file_opens_with_its_theory_of_operation(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), "the module has no docstring"


@every_file
def test_a_file_has_a_name_that_says_something(path: Path) -> None:
    assert not {*path.stem.split("_")} & NAMES_THAT_SAY_NOTHING


@every_file
def test_only_the_command_line_prints(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    printed = [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    assert room_of_file(path) == "cli" or not printed, f"print in line {printed}"


@pytest.mark.parametrize(
    ("text", "rooms"),
    [
        ("import aikv.base.clock", {"base"}),
        ("from aikv.engine.table import COMMANDS", {"engine"}),
        ("from aikv import server", {"server"}),
        ("from aikv import Context", {"__init__"}),
        ("from ..engine import table", {"engine"}),
        ("from . import sibling", {"base"}),
        ("import os.path", set()),
        ("def f():\n    from aikv.app import run", {"app"}),
    ],
)
def test_every_form_of_import_is_seen(text: str, rooms: set[str]) -> None:
    assert imported_rooms(text, ROOT / "base" / "some.py") == rooms
