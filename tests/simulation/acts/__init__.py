# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a task does to the model: a function for each module, which may be left half-way where it yields."""

from __future__ import annotations

import typing as t

from ..failure import ActFailed
from ..playbook import Task
from ..seen import observe
from ..wal import Record
from ..world import Host, World
from . import common, mirror, takeover
from .call import Act, Call, Result, Work
from .controller import on_controller

if t.TYPE_CHECKING:
    from ..run import Run


def _enabled(run: Run, name: str) -> bool:
    host: Host = run.world.hosts[name]
    return host.unit.enabled


#: by module, and by its state or what it waits for where that makes another act of it
ACTS: dict[tuple[str, str], Act] = {**common.ACTS, **takeover.ACTS, **mirror.ACTS, **common.OF_A_GUARD}
#: what is there already on a prepared pair: it only needs the host
NOTHING = (
    "clear_host",
    "command",
    "configuration",
    "other_slots",
    "passfile",
    "relations_info",
    "rewind_source",
    "server_settings",
    "snapshot_progress",
    "ssh_trust",
    "template",
    "trial_info",
    "views",
)
#: conditions that ask for no step, by their text; of the others the act itself knows when it changes nothing
CONDITIONS: dict[str, t.Callable[[Run, str], bool]] = {
    "master_hba is changed": lambda run, name: bool(run.read(name, "master_hba").get("changed")),
    "judged_again.plan is not defined": lambda run, _name: not run.judged_again.get("plan"),
    "judged_again.plan is defined": lambda run, _name: bool(run.judged_again.get("plan")),
    "server_unfenced.record is defined": lambda run, name: "record" in run.read(name, "server_unfenced"),
    "server_started is not skipped": lambda run, name: bool(run.read(name, "server_started")),
    "judged is not defined": lambda _run, _name: False,
    "inventory_hostname in promise_judged.withdraw": lambda _run, _name: False,
    "judged.closer | length > 0": lambda _run, _name: False,
    "(judged.directories + judged.libraries) | length > 0": lambda _run, _name: False,
    "judged.steps.trial | length > 0": lambda _run, _name: False,
    "(judged.steps.trial + judged.steps.trial_late) | length > 0": lambda _run, _name: False,
    "judged.steps.snapshot | length == 0": lambda run, _name: not run.judged["steps"].get("snapshot"),
    "server_observed.observation.user.memory_removed | default(false)": lambda _run, _name: False,
    "judged.plan.master == inventory_hostname": lambda run, name: run.plan["master"] == name,
    "judged.plan.master != inventory_hostname": lambda run, name: run.plan["master"] != name,
    "judged.plan.standby == inventory_hostname": lambda run, name: run.plan["standby"] == name,
    "answered.ping is defined": lambda run, name: "ping" in run.read(name, "answered"),
    "not standby_undone.goes_on | default(false)": lambda run, name: (
        not run.read(name, "standby_undone").get("goes_on")
    ),
    "not master_undo_copy.goes_on | default(false)": lambda run, _name: (
        not run.read(run.plan["standby"], "standby_undone").get("goes_on")
    ),
    "not master_undone.goes_on | default(false)": lambda run, name: not run.read(name, "master_undone").get("goes_on"),
    "master_activated.promoted | default(false)": lambda run, name: bool(
        run.read(name, "master_activated").get("promoted")
    ),
    "hostvars[judged.plan.standby][in_place_done].reason is defined": lambda run, _name: bool(
        mirror.reason_of_place(run)
    ),
    "judged.plan.restart_settings | length > 0": lambda run, _name: bool(run.plan["restart_settings"]),
    "judged.plan.settings | length > 0": lambda run, _name: bool(run.plan["settings"]),
    "inventory_hostname == judged.plan.master": lambda run, name: run.plan["master"] == name,
    "server_fence_command.rc | default(0) != 0": lambda run, name: bool(
        run.read(name, "server_fence_command").get("rc")
    ),
    "server_started is changed": lambda run, name: bool(run.read(name, "server_started").get("changed")),
    "server_observed.observation.service.enabled == 'enabled'": _enabled,
}
#: what a loop goes over
LOOPS: dict[str, t.Callable[[Run], list[t.Any]]] = {
    "": lambda _run: [None],
    "{{ standby_salvage.plan.pieces }}": lambda run: run.salvaged["plan"]["pieces"],
    "{{ judged.steps.replace }}": lambda run: list(run.judged["steps"]["replace"]),
}


def items(run: Run, loop: str) -> list[t.Any]:
    """Return what an include is repeated for."""
    return LOOPS[loop](run)


def act_of(task: Task) -> Act | None:
    """Return what a task does; None of a module that the model does not know."""
    how = str(task.args.get("state") or task.args.get("wait_for") or "")
    found = ACTS.get((task.module, how)) or ACTS.get((task.module, "*"))
    if found is None and (task.module in NOTHING or task.module.startswith("role ")):
        return common.nothing
    return found


def begin(run: Run, task: Task, name: str) -> Work | Result:
    """Begin what a task does on a host; what is done in a moment is done."""
    act = act_of(task)
    if act is None:
        raise ActFailed(f"the simulator does not know the module {task.module} {task.args}")
    return act(Call(run, task, run.world, run.world.hosts[name]))


def on_segment(run: Run, task: Task, name: str) -> dict[str, t.Any]:
    """Do what a task does on a segment's host: it is looked at, and nothing else."""
    if task.module == "instance_info":
        return {"observation": observe(run.world, name)}
    return {"ping": "pong"} if task.module == "ping" else {}


__all__ = ["ACTS", "CONDITIONS", "Host", "Record", "World", "begin", "items", "on_controller", "on_segment"]
