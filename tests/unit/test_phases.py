# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is passed over as a whole: no task of a phase has a step that the phase does not ask for."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import plan
from ansible_collections.hawq.mirroring.plugins.module_utils.values import phases
from test_playbooks import PLAYBOOKS, every_yaml, tasks_of

ASKED = re.compile(r"(?:judged\.(steps|phases)|server_(differing))\.(\w+)")


def asks(text: str) -> set[str]:
    """Return the steps and parts that a condition asks for: a phase stands for its own."""
    found: set[str] = set()
    for judged, _differing, name in ASKED.findall(text):
        if judged == "steps":
            found.add(name)
        elif judged == "phases":
            found |= set(phases.PHASES[name])
        else:
            found |= {f"part {part}" for part, row in phases.PARTS.items() if name in row.asks}
    return found


def conditions(task: dict[str, t.Any]) -> list[str]:
    """Return the conditions of a task, all of which must hold."""
    when = task.get("when", [])
    rows = when if isinstance(when, list) else [when]
    return [part for row in rows for part in " ".join(str(row).split()).split(" and ")]


def included() -> t.Iterator[tuple[str, str, Path]]:
    """Return each file that is included for a phase: the phase, the condition, the file."""
    for path in every_yaml():
        if path.parent.name not in ("playbooks", "tasks"):
            continue
        for task in tasks_of(yaml.safe_load(path.read_text())):
            when, file = " and ".join(conditions(task)), task.get("ansible.builtin.include_tasks")
            if file and re.search(r"judged\.phases|server_differing", when):
                yield when, path.name, (path.parent / file).resolve()


CASES = {f"{path.stem} of {name}": (when, path) for when, name, path in included()}


@pytest.mark.parametrize(("when", "path"), CASES.values(), ids=CASES)
def test_what_a_task_of_a_phase_asks_for_is_asked_for_before(when: str, path: Path) -> None:
    asked = asks(when)
    steps = {row.step for name, row in phases.PARTS.items() if f"part {name}" in asked}
    found: set[str] = set()
    for task in tasks_of(yaml.safe_load(path.read_text())):
        rows = [each for each in map(asks, conditions(task)) if each]
        # it may be narrowed by another step, but must be reached by one that is asked for
        assert not rows or any(each <= asked | steps for each in rows), task["name"]
        found |= {each for row in rows for each in row}
    if "judged.phases.host" not in when:  # the parts there have tasks of their own role
        assert {each for each in asked if not each.startswith("part")} <= found


def test_every_phase_is_one_of_a_playbook() -> None:
    text = "".join(path.read_text() for path in sorted(PLAYBOOKS.rglob("*.yml")))
    assert set(re.findall(r"judged\.phases\.(\w+)", text)) == set(phases.PHASES)
    asked = {name for part in phases.PARTS.values() for name in part.asks}
    assert set(re.findall(r"server_differing\.(\w+)", text)) == asked


def test_every_step_of_a_phase_is_one_of_a_plan() -> None:
    steps = {name for _plan, typed in plan.PLANS.values() for name in typed.__annotations__}
    assert {name for names in phases.PHASES.values() for name in names} <= steps
    assert {part.step for part in phases.PARTS.values()} <= steps


def test_a_host_has_a_part_in_a_phase_when_it_has_one_in_any_of_its_steps() -> None:
    found = phases.of({"snapshot": ["mdw", "smdw"], "further": ["sdw1", "smdw"], "leftovers": []})
    assert (found["transfer"], found["place"]) == (["mdw", "smdw"], ["mdw", "smdw", "sdw1"])
    assert found["afterwards"] == []


STEPS = {"prepare": ["smdw"], "interlock": ["mdw", "smdw"], "views": ["mdw", "smdw"], "address": []}
WANTED = {"interlock": {"program": "a"}, "peer": {}, "views": {}}
OWN = {"user": True, "limits": [], "profile": ["PGPORT"], "unit": "text"}
#: host, what it should have, what it has, who does something then
DIFFERING: dict[str, tuple[str, dict[str, t.Any], dict[str, t.Any], set[str]]] = {
    "all in order": ("mdw", WANTED, WANTED, set()),
    "all in order on the standby": ("smdw", {**WANTED, **OWN}, {**WANTED, **OWN}, set()),
    "another program": ("mdw", WANTED, {**WANTED, "interlock": {"program": "b"}}, {"bring_up", "programs"}),
    "the answers are missing": ("mdw", WANTED, {**WANTED, "peer": None}, {"bring_up", "programs"}),
    "older views": ("mdw", WANTED, {**WANTED, "views": {"files": {}}}, {"bring_up", "clients"}),
    "another unit": (
        "smdw",
        {**WANTED, **OWN},
        {**WANTED, **OWN, "unit": "old"},
        {"equip", "host", "bring_up", "start"},
    ),
    "another profile": ("smdw", {**WANTED, **OWN}, {**WANTED, **OWN, "profile": None}, {"equip", "host"}),
    "its programs are not known yet": (
        "smdw",
        {},
        {},
        {"equip", "host", "bring_up", "start", "programs", "clients"},
    ),
    "a host that takes no part": ("sdw1", {}, {}, set()),
}


@pytest.mark.parametrize(("host", "wanted", "has", "expected"), DIFFERING.values(), ids=DIFFERING)
def test_what_differs(host: str, wanted: dict[str, t.Any], has: dict[str, t.Any], expected: set[str]) -> None:
    found = phases.differing(wanted, has, host, STEPS)
    assert {name for name, hosts in found.items() if hosts == [host]} == expected
    assert {name for name, hosts in found.items() if hosts == []} == set(found) - expected


def test_no_phase_or_step_is_a_method_of_the_dictionary_that_a_condition_looks_it_up_in() -> None:
    """In a condition, judged.phases.copy would be the method copy."""
    steps = {name for each in vars(plan).values() if str(each).endswith("Steps'>") for name in each.__annotations__}
    assert "snapshot" in steps
    assert [name for name in (*phases.PHASES, *phases.PARTS, *steps) if hasattr(dict, name)] == []
