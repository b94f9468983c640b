# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The simulator plays the playbooks as they are: their tasks in their order, and nothing that it does not know."""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from simulation import acts, playbook
from simulation.play import pair
from simulation.playbook import Block, Task
from simulation.run import PLAYS, WORKFLOWS, Run

ROOT = Path(__file__).parents[2]
#: conditions that the act itself asks for, or that always hold on hosts of the model
KNOWN_TO_THE_ACT = (
    "not ansible_check_mode",
    "server_manage_unit | bool",
    "server_observed.observation.service.text != server_unit_text",
    "master_password.exists",
    "judged.plan.settings | combine(judged.plan.restart_settings) | length > 0",
    "server_observed.observation.snapshot.exists or server_observed.observation.snapshot.phase != 'none'",
    "master_views_wanted != master_views_found",
    "ssh_keys_wanted != ssh_keys_found",
    "standby_further_hba is changed",
    "server_observed.observation.server is mapping",
    "standby_configuration_written.written | default([]) | length > 0",
    "master_hba is defined",
    "master_settings is defined",
    "master_settings is changed",
    "master_undone.created is defined",
    "server_interlock_wanted != server_interlock_found or server_observed.observation.earlier | length > 0",
    "not (ansible_check_mode and server_seen.load == 'not-found')",
    "server_back.mirroring | default({}) | length > 0",
    "server_observed.observation.credentials.servers | length > 0",
    "not master_source.role_stays",
    "server_observed.observation.configuration.outside",
    "inventory_hostname in checked.masters",
)
#: beginnings of longer ones
LONG = ("virtual_ip_installed is changed or", "server_seen.active != 'active' or")


def listed(workflow: str) -> list[str]:
    """Return the names of the tasks as Ansible lists them, without those of roles that prepare a host."""
    program = str(Path(sys.executable).parent / "ansible-playbook")
    command = [program, "-i", "inventories/lab", f"playbooks/{workflow}.yml"]
    done = subprocess.run([*command, "--list-tasks"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = re.findall(r"^      (?:hawq\.mirroring\.(\w+) : )?(.*?)\tTAGS", done.stdout, re.M)
    return [name for role, name in found if role not in playbook.PREPARING]


def known(nodes: t.Iterable[t.Any]) -> t.Iterator[str]:
    """Return the names that the simulator has for the same: an include stands for what is in it."""
    for node in nodes:
        if isinstance(node, Block) and not _is_include(node):
            yield from known(node.tasks)
        elif isinstance(node, Block) or not _prepares(node):
            yield node.name


def _is_include(block: Block) -> bool:
    return block.include


def _prepares(task: Task) -> bool:
    return task.module.startswith("role ") and not task.args.get("include")


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_the_order_is_that_of_the_playbook(workflow: str) -> None:
    assert list(known(node for play in PLAYS[workflow] for node in play.tasks)) == listed(workflow)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_module_and_condition_is_known(workflow: str) -> None:
    for play in PLAYS[workflow]:
        unknown = [task for task in playbook.flat(play.tasks) if not _acts(task)]
        assert unknown == []
        for text in playbook.all_conditions(play.tasks):
            assert text in acts.CONDITIONS or text in KNOWN_TO_THE_ACT or text.startswith(LONG), text
        for block in _blocks(play.tasks):
            assert block.loop in acts.LOOPS


def _acts(task: Task) -> bool:
    from simulation.run import CONTROLLERS

    return task.module in CONTROLLERS or acts.act_of(task) is not None


def _blocks(nodes: t.Iterable[t.Any]) -> t.Iterator[Block]:
    for node in nodes:
        if isinstance(node, Block):
            yield node
            yield from _blocks((*node.tasks, *node.rescue, *node.always))


@pytest.mark.parametrize("workflow", ["switchover", "resync_standby", "init_standby"])
def test_a_run_does_its_tasks_in_that_order(workflow: str) -> None:
    run, names = Run(pair(), workflow), []
    while run.ended is None:
        run.step()
        if run.moment and run.moment.inside == "":
            names.append(run.moment.task)
    assert run.ended == "done", run.messages
    order = iter([task.name for play in PLAYS[workflow] for task in playbook.flat(play.tasks)])
    done = [name for number, name in enumerate(names) if number == 0 or name != names[number - 1]]
    assert [name for name in done if name not in order] == []
