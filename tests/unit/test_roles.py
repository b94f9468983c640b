"""Defaults and argument specs of every role say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLES = sorted(path.parent.parent for path in ROOT.glob("roles/*/meta/argument_specs.yml"))


def load(path: Path):
    return yaml.safe_load(path.read_text())


def test_every_role_has_what_a_role_needs():
    roles = sorted(path for path in ROOT.glob("roles/*") if path.is_dir())
    assert roles == ROLES
    for role in roles:
        for name in ("README.md", "meta/main.yml", "tasks/main.yml"):
            assert (role / name).is_file(), f"{role.name} has no {name}"


@pytest.fixture(params=ROLES, ids=lambda role: role.name)
def role(request):
    return request.param


@pytest.fixture
def defaults(role):
    path = role / "defaults/main.yml"
    return load(path) or {} if path.is_file() else {}


@pytest.fixture
def options(role):
    found = {}
    for entry_point in load(role / "meta/argument_specs.yml")["argument_specs"].values():
        found.update(entry_point.get("options") or {})
    return found


def test_defaults_are_named_for_their_role(role, defaults):
    assert [name for name in defaults if not name.startswith(f"{role.name}_")] == []


def test_options_are_named_for_their_role(role, options):
    assert [name for name in options if not name.startswith(f"{role.name}_")] == []


def test_defaults_and_options_name_the_same_variables(defaults, options):
    assert sorted(defaults) == sorted(name for name, option in options.items() if not option.get("required"))


def test_defaults_and_options_agree(defaults, options):
    assert {name: options[name].get("default") for name in defaults if name in options} == defaults


def test_no_version_of_the_engine_is_taken_for_granted(role):
    texts = [path.read_text() for place in ("defaults", "vars") for path in (role / place).glob("*.yml")]
    assert re.findall(r"/postgresql/\d+.*", "\n".join(texts)) == []


def test_options_are_described(options):
    assert [name for name, option in options.items() if not option.get("description") or not option.get("type")] == []


def test_a_default_is_one_of_its_choices(options):
    for name, option in options.items():
        if "choices" in option and "default" in option:
            assert option["default"] in option["choices"], name


def entry_points() -> dict[str, set[str]]:
    """Return for each role the files of tasks that playbooks and other roles begin with, and who uses it alone."""
    found: dict[str, set[str]] = {role.name: {"main"} for role in ROLES}
    pattern = re.compile(r"name: hawq\.mirroring\.(\w+)\n +(?:rolespec_validate: false|tasks_from: (\w+))?")
    for path in [*ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("roles/*/tasks/*.yml")]:
        for name, tasks in pattern.findall(path.read_text()):
            found.setdefault(name, set()).add(tasks or "main")
    return found


def test_a_readme_tells_what_each_entry_point_does(role):
    named = re.findall(r"^\| `(\w+)` \|", (role / "README.md").read_text(), re.M)
    wanted = entry_points()[role.name] - {"variables"}  # it holds no task
    assert sorted(named) == (sorted(wanted) if wanted != {"main"} else [])
    assert [name for name in wanted if not (role / f"tasks/{name}.yml").is_file()] == []


def test_every_file_of_tasks_is_begun_with_or_included(role):
    texts = {path.stem: path.read_text() for path in role.glob("tasks/*.yml")}
    included = {name for text in texts.values() for name in re.findall(r"(?:include|import)_tasks: (\w+)\.yml", text)}
    by_method = {"packages", "archive"} if role.name == "binaries" else set()
    assert set(texts) == entry_points()[role.name] | included | by_method


def test_a_readme_names_the_variables_of_other_roles(role):
    text = "".join(
        path.read_text()
        for room in ("tasks", "vars", "defaults", "templates")
        for path in (role / room).glob("*")
        if path.is_file()
    )
    others = [
        name
        for other in ROLES
        if other != role
        for name in load(other / "meta/argument_specs.yml")["argument_specs"]["main"].get("options", {})
    ]
    read = sorted(name for name in others if re.search(rf"(?<!mirroring\.)\b{name}\b", text))
    page = (role / "README.md").read_text()
    told = re.search(r"^The role reads these variables of other roles: ((?:.|\n)*?)\.$", page, re.M)
    assert re.findall(r"`(\w+)`", told[1] if told else "") == read


def test_a_unit_is_named_as_systemd_wants_it(role):
    """An inventory may leave the ending out (postgresql@15-main), as systemctl allows and unit files do not."""
    units = {path.name: path.read_text() for path in (role / "templates").glob("*") if path.is_file()}
    assert [name for name, text in units.items() if "{{ server_service }}" in text] == []
