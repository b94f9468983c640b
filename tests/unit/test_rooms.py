# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rooms of module_utils: each imports only what its docstring allows, and nothing goes round in a circle."""

from __future__ import annotations

import ast
import graphlib
import importlib
import re
import typing as t
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
ROOT = PLUGINS / "module_utils"
PACKAGE = "ansible_collections.hawq.mirroring.plugins.module_utils"
ROOMS = sorted(
    ".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.rglob("__init__.py") if path.parent != ROOT
)
#: what the plugins that use the rooms may import
PLUGIN_RULES = {"modules": {"modules"}, "action": {"values", "judge", "report"}}


def exists(name: str) -> bool:
    return ROOT.joinpath(*name.split(".")).with_suffix(".py").exists() or name in ROOMS


def imported(path: Path) -> t.Iterator[str]:
    """The files of module_utils that a file imports, by their dotted names below it."""
    here = path.relative_to(ROOT).parts[:-1] if path.is_relative_to(ROOT) else ()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        words = (node.module or "").split(".") if node.module else []
        if node.level:
            base = [*here[: len(here) - node.level + 1], *words]
        elif (node.module or "").startswith(PACKAGE):
            base = words[len(PACKAGE.split(".")) :]
        else:
            continue
        for alias in node.names:
            full = ".".join([*base, alias.name])
            yield full if exists(full) else ".".join(base)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def room_of(name: str) -> str:
    return name if name in ROOMS else name.rpartition(".")[0]


def allowed(room: str) -> set[str]:
    """What the docstring of a room allows beside the room itself."""
    document = importlib.import_module(f"{PACKAGE}.{room}").__doc__
    found = re.search(r"^It may import: (.+)\.$", document or "", re.M)
    assert found, f"the docstring of {room} does not say what it may import"
    return set() if found[1].startswith("nothing") else set(found[1].split(", "))


def is_within(name: str, places: t.Iterable[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


FILES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__init__.py")


def test_every_file_stands_in_a_room() -> None:
    assert [path.name for path in ROOT.glob("*.py")] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_its_docstring_allows(room: str) -> None:
    permitted = {room, *allowed(room)}
    wrong = [
        (name_of(path), name)
        for path in FILES
        if room_of(name_of(path)) == room
        for name in imported(path)
        if not is_within(name, permitted)
    ]
    assert wrong == []


@pytest.mark.parametrize("kind", PLUGIN_RULES)
def test_plugins_import_the_rooms_that_are_for_them(kind: str) -> None:
    wrong = [
        (path.name, name)
        for path in sorted(PLUGINS.joinpath(kind).glob("*.py"))
        for name in imported(path)
        if not is_within(name, PLUGIN_RULES[kind])
    ]
    assert wrong == []


def test_nothing_goes_round_in_a_circle() -> None:
    graph = {name_of(path): [name for name in imported(path) if name not in ROOMS] for path in FILES}
    assert list(graphlib.TopologicalSorter(graph).static_order())
