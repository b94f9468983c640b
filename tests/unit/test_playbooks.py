# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks and roles say what the plans say: steps and keys exist and are used, no logic and no data in YAML."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import plan
from ansible_collections.hawq.mirroring.plugins.module_utils.report import sources
from ansible_collections.hawq.mirroring.plugins.module_utils.values import phases

ROOT = Path(__file__).parents[2]
PLAYBOOKS = ROOT / "playbooks"
#: what judges for itself in the middle of another playbook
INNER = {"tasks/replaced.yml": "remove_standby", "tasks/removed_first.yml": "remove_standby"}
#: plans of judgements in the middle of a workflow, and what registers them
MIDDLE = {"salvage": "standby_salvage", "rollback": "server_rollback"}
INCLUDES = ("import_tasks", "include_tasks")
ROLES = ("import_role", "include_role")
#: what is allowed at most in playbooks and roles
LIMITS = {"hostvars[": 5, "judged.plan": 155}


def every_yaml() -> list[Path]:
    return [path for room in ("playbooks", "roles") for path in sorted((ROOT / room).rglob("*.yml"))]


def tasks_of(found: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Return every task in a file, those of blocks and plays, too."""
    for task in found or []:
        if isinstance(task, dict):
            yield task
            for inner in ("tasks", "block", "rescue", "always"):
                yield from tasks_of(task.get(inner))


def included(path: Path) -> t.Iterator[Path]:
    """Return the files of tasks that one includes."""
    for task in tasks_of(yaml.safe_load(path.read_text())):
        for name in INCLUDES:
            file = str(task.get(f"ansible.builtin.{name}", ""))
            if file and "{{" not in file:
                yield path.parent / file
        for name in ROLES:
            role = task.get(f"ansible.builtin.{name}")
            if role:
                short = role["name"].removeprefix("hawq.mirroring.")
                yield ROOT / "roles" / short / "tasks" / f"{role.get('tasks_from', 'main')}.yml"


def reachable(path: Path) -> set[Path]:
    """Return a playbook and every file that it includes, but for what judges for itself."""
    found, left = set(), [path]
    while left:
        here = left.pop()
        if here in found or (here != path and any(here == PLAYBOOKS / name for name in INNER)):
            continue
        found.add(here)
        left += included(here)
    return found


def roots() -> dict[str, tuple[str, Path]]:
    """Return every playbook with its workflow."""
    found = {path.stem: (path.stem, path) for path in PLAYBOOKS.glob("*.yml") if path.stem != "state"}
    return {**found, **{name: (workflow, PLAYBOOKS / name) for name, workflow in INNER.items()}}


def keys(typed: type) -> set[str]:
    """Return the keys of a TypedDict."""
    return {name for each in typed.__mro__ for name in getattr(each, "__annotations__", {})}


def used(files: t.Iterable[Path], prefix: str) -> dict[str, bool]:
    """Return what stands behind a prefix in these files, and whether it is anywhere used without a default."""
    found: dict[str, bool] = {}
    for path in files:
        for name, default in re.findall(rf"\b{prefix}\.(\w+)( \| default)?", path.read_text()):
            found[name] = found.get(name, False) or not default
    return found


@pytest.mark.parametrize(("workflow", "path"), roots().values(), ids=roots())
def test_steps_and_keys_are_those_of_the_plan(workflow: str, path: Path) -> None:
    files = reachable(path)
    plans, steps = map(keys, plan.PLANS[workflow])
    in_yaml = used(files, r"judged\.steps")
    if PLAYBOOKS / "tasks/parts.yml" in files:  # which part of a host is looked at is asked there
        in_yaml.update({part.step: True for part in phases.PARTS.values()})
    assert {name for name, needed in in_yaml.items() if needed} <= steps
    assert steps <= set(in_yaml)
    assert {name for name, needed in used(files, r"judged\.plan").items() if needed} <= plans


def test_every_step_and_key_is_one_of_some_plan() -> None:
    files = every_yaml()
    plans = {name for typed, _steps in plan.PLANS.values() for name in keys(typed)}
    steps = {name for _plan, typed in plan.PLANS.values() for name in keys(typed)}
    assert set(used(files, r"judged\.plan")) <= plans
    assert set(used(files, r"judged\.steps")) <= steps


@pytest.mark.parametrize(("workflow", "register"), MIDDLE.items())
def test_a_judgement_in_the_middle_has_its_steps(workflow: str, register: str) -> None:
    plans, steps = map(keys, plan.PLANS[workflow])
    assert set(used(every_yaml(), rf"{register}\.steps")) == steps
    assert set(used(every_yaml(), rf"{register}\.plan")) <= plans


def test_every_playbook_begins_alike() -> None:
    for name, (workflow, path) in roots().items():
        if name not in INNER:
            first = yaml.safe_load(path.read_text())[0]
            assert first["tasks"][0]["ansible.builtin.import_tasks"] == "tasks/open.yml"
            assert first["tasks"][0]["vars"] == {"workflow": workflow}
            assert first["module_defaults"] == {"group/hawq.mirroring.instance": {"instance": "{{ server_instance }}"}}


@pytest.mark.parametrize(("text", "limit"), LIMITS.items(), ids=LIMITS)
def test_yaml_puts_no_data_together(text: str, limit: int) -> None:
    number = sum(path.read_text().count(text) for path in every_yaml())
    print(f"{text} {number} of at most {limit}")
    assert number <= limit


def test_no_task_names_the_instance_itself() -> None:
    """Only the role ssh_keys does, which is of use outside of the playbooks, too."""
    assert [str(path) for path in every_yaml() if re.search(r"^ +instance:.*\n", path.read_text(), re.M)] == [
        *(str(path) for path in sorted(PLAYBOOKS.glob("*.yml"))),
        str(ROOT / "roles/ssh_keys/tasks/peer.yml"),
    ]


def test_the_group_has_every_module_with_an_instance() -> None:
    named = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["instance"]
    modules = sorted(
        path.stem
        for path in (ROOT / "plugins/modules").glob("*.py")
        if re.search(r"extends_documentation_fragment:(.|\n)*?hawq\.mirroring\.instance", path.read_text())
    )
    assert named == modules


def test_what_a_report_reads_is_registered() -> None:
    registered = {
        task["register"]
        for path in every_yaml()
        if isinstance(found := yaml.safe_load(path.read_text()), list)
        for task in tasks_of(found)
        if "register" in task
    }
    every = (*sources.SOURCES.values(), sources.UNDONE, sources.ROLLBACK)
    read = {source.register for rows in every for source in rows.values()}
    assert read <= registered


def test_no_text_is_changed_after_it_was_rendered() -> None:
    rooms = [ROOT / "plugins/module_utils/report", ROOT / "plugins/module_utils/judge", ROOT / "plugins/action"]
    files = [path for room in rooms for path in room.rglob("*.py")]
    found = [path.name for path in files if re.search(r"(?<!_)\breplace\(", path.read_text())]
    assert set(found) <= {"removal.py", "synchronous.py"}, "these take names out of a setting"


def test_reports_name_nothing_of_an_engine() -> None:
    words = r"pg_\w+|postgresql\.conf|standby\.signal|synchronous_standby_names|max_slot_wal|ALTER SYSTEM"
    found = {
        (path.name, word)
        for path in (ROOT / "plugins/module_utils/report").glob("*.py")
        for word in re.findall(words, path.read_text())
    }
    assert found == set()
