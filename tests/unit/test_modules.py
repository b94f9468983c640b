# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Modules are thin, and documented in full. What they may import is held by test_rooms."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(ROOT.glob("plugins/modules/*.py"))
PACKAGE = "ansible_collections.hawq.mirroring.plugins"
DOCUMENTS = ("DOCUMENTATION", "EXAMPLES", "RETURN")
MOST_LINES = 120
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
