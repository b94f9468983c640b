"""Defaults and argument specs of every role say the same."""

from __future__ import annotations

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


def test_options_are_described(options):
    assert [name for name, option in options.items() if not option.get("description") or not option.get("type")] == []


def test_a_default_is_one_of_its_choices(options):
    for name, option in options.items():
        if "choices" in option and "default" in option:
            assert option["default"] in option["choices"], name
