# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every engine has every verb with the parameters that engines/base promises, and modules call nothing else of it."""

from __future__ import annotations

import ast
import importlib
import inspect
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines import choice
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.base.engine import Engine
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import verbs
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import ENGINES, instance_of

ROOT = Path(__file__).resolve().parents[2] / "plugins"
MODULES = sorted(ROOT.glob("module_utils/modules/[a-z]*.py"))
ROOM = "ansible_collections.hawq.mirroring.plugins.module_utils"
VERBS = sorted(name for name, _value in inspect.getmembers(Engine, inspect.isfunction) if name[0] != "_")
PROVIDED = {"postgresql": verbs.ENGINE}


def test_every_engine_that_an_instance_may_name_is_provided() -> None:
    assert sorted(PROVIDED) == sorted(ENGINES)
    assert all((ROOT / "module_utils/engines" / name).is_dir() for name in ENGINES)


@pytest.mark.parametrize("engine", PROVIDED)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_takes_what_is_promised(engine: str, verb: str) -> None:
    promised = inspect.signature(getattr(Engine, verb)).parameters.values()
    provided = inspect.signature(getattr(PROVIDED[engine], verb)).parameters.values()
    assert [(each.name, each.kind) for each in provided] == [
        (each.name, each.kind) for each in promised if each.name != "self"
    ]
    assert inspect.getdoc(getattr(Engine, verb))


def called(path: Path) -> t.Iterator[tuple[str, str]]:
    """Engine and function of each use of choice.of in a module."""
    tree = ast.parse(path.read_text())
    places = {
        alias.name: f"{ROOM}.{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 2 and (node.module or "").startswith("engines.")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "choice.of":
            for keyword in node.keywords:
                module, _dot, function = ast.unparse(keyword.value).partition(".")
                yield str(keyword.arg), f"{places[module]}.{function}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_calls_verbs(path: Path) -> None:
    for engine, place in called(path):
        module, _dot, function = place.rpartition(".")
        found = getattr(importlib.import_module(module), function)
        assert [name for name in VERBS if getattr(PROVIDED[engine], name) is found], place


def test_every_verb_is_called() -> None:
    places = {place for path in MODULES for _engine, place in called(path)}
    functions = {getattr(verbs.ENGINE, name) for name in VERBS}
    assert {f"{each.__module__}.{each.__name__}" for each in functions} == places


def test_the_engine_is_chosen_by_its_name() -> None:
    options = dict.fromkeys(["user", "bin_directory", "data_directory", "config_directory", "service", "address"], "x")
    instance = instance_of({**options, "port": 5432})
    assert choice.of(instance.engine, postgresql=sorted) is sorted
    with pytest.raises(MirroringError, match="cannot be done with the engine hawq, only with postgresql"):
        choice.of("hawq", postgresql=sorted)
