# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Modules are thin, and documented in full. What they may import is held by test_rooms."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
import yaml
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _payload

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(ROOT.glob("plugins/modules/*.py"))
PARTS = sorted(ROOT.glob("plugins/module_utils/modules/[a-z]*.py"))
NAMES = [path.stem for path in PARTS]
PACKAGE = "ansible_collections.hawq.mirroring.plugins"
DOCUMENTS = ("DOCUMENTATION", "EXAMPLES", "RETURN")
MOST_LINES = 120
#: run on the controller alone, and what is sent in the place of all others
NO_PART = {"options", "report", "verdict", "payload"}
ATTRIBUTES = {"check_mode", "diff_mode", "idempotent"}


def documents(path: Path) -> dict[str, ast.Assign]:
    return {
        node.targets[0].id: node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in DOCUMENTS
    }


def document(path: Path, name: str):
    return yaml.safe_load(ast.literal_eval(documents(path)[name].value))


def fragments(path: Path) -> list[str]:
    return document(path, "DOCUMENTATION").get("extends_documentation_fragment", [])


@pytest.fixture(params=MODULES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.stem)
def test_what_a_module_does_is_thin(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_a_module_is_thin(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    spent = sum((node.end_lineno or 0) - node.lineno + 1 for node in documents(path).values())
    assert lines - spent <= MOST_LINES


def test_a_module_is_documented_in_full(path: Path) -> None:
    assert sorted(documents(path)) == sorted(DOCUMENTS)
    said = document(path, "DOCUMENTATION")
    assert said["module"] == path.stem
    assert said["short_description"]
    assert said["description"]
    assert said["version_added"]
    assert said["author"]
    examples = document(path, "EXAMPLES")
    assert any(f"hawq.mirroring.{path.stem}" in task for task in examples)
    for name, value in document(path, "RETURN").items():
        assert value["description"], name
        assert value["type"], name
        assert value["returned"], name


def test_a_module_says_what_can_be_expected_of_it(path: Path) -> None:
    """The fragment says it; a module says only what differs."""
    mine = [name for name in fragments(path) if name.startswith("hawq.mirroring.attributes")]
    assert len(mine) == 1
    fragment = importlib.import_module(f"{PACKAGE}.doc_fragments.attributes").ModuleDocFragment
    given = fragment.INFO if mine[0].endswith(".info") else fragment.DOCUMENTATION
    said = yaml.safe_load(given)["attributes"]
    assert set(said) == ATTRIBUTES
    for name, differs in (document(path, "DOCUMENTATION").get("attributes") or {}).items():
        assert {**said[name], **differs} != said[name], name


def test_the_action_group_holds_the_modules_with_an_instance() -> None:
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
    assert groups["instance"] == [path.stem for path in MODULES if "hawq.mirroring.instance" in fragments(path)]


# one payload for all


def test_a_module_is_what_it_is_documented_to_be(path: Path) -> None:
    """Each has a part of its name, and runs it also where it is not sent with all others."""
    assert (path.stem in NAMES) != (path.stem in NO_PART)
    if path.stem in NAMES:
        room = f"{PACKAGE}.module_utils.modules"
        *_documents, imported, run = ast.parse(path.read_text()).body
        assert ast.unparse(imported) == f"from {room} import {path.stem}"
        assert ast.unparse(run) == f"if __name__ == '__main__':\n    {path.stem}.run()"


def test_the_payload_has_every_module() -> None:
    """Ansible sends what a module imports, and nothing that is only found by its name."""
    tree = ast.parse((ROOT / "plugins/modules/payload.py").read_text())
    [imported] = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.names[0].name in NAMES]
    assert [alias.name for alias in imported.names] == NAMES


def test_every_module_is_sent_with_the_payload() -> None:
    """Those with an action plugin of their own by that one, the others by what meta/runtime.yml says."""
    routes = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["plugin_routing"]["modules"]
    own = [name for name in NAMES if (ROOT / f"plugins/action/{name}.py").exists()]
    assert {tuple(route.items()) for route in routes.values()} == {(("action_plugin", "hawq.mirroring.payload"),)}
    assert sorted([*routes, *own]) == NAMES
    for name in own:
        action = importlib.import_module(f"{PACKAGE}.action.{name}").ActionModule
        assert issubclass(action, _payload.Sharing)
