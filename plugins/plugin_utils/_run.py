# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the actions on the controller know of a run: what its tasks have registered, and where its report goes."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
import typing as t
from dataclasses import replace

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display
from ansible_collections.hawq.mirroring.plugins.module_utils.report import document
from ansible_collections.hawq.mirroring.plugins.module_utils.values import text
from ansible_collections.hawq.mirroring.plugins.module_utils.values.command import Typed, playbook

#: variable that the opening registers, and the one that the judgement does
OPENED, JUDGED = "checked", "judged"
#: when this process began, and what tells it from others of that second. The strategy linear loads an action before it
#: forks the workers that run it, so all hosts and all plays of one ansible-playbook have the same
PROCESS = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}"


def ssh_port(value: t.Callable[[str], t.Any]) -> int:
    """Return the port at which the other hosts reach a host by SSH: its own variable, or the one that Ansible uses."""
    return number(value("ssh_keys_port") or value("ansible_port") or value("ansible_ssh_port"), 22)


class Run:
    """One run of a playbook, as a task sees it."""

    def __init__(self, task_vars: dict[str, t.Any], check: bool) -> None:
        """Read from this task's variables."""
        self._vars = task_vars
        self.check = check

    @property
    def options(self) -> dict[str, t.Any]:
        """The options that the opening has checked."""
        return dict(self._opened["options"])

    @property
    def began(self) -> float:
        """When the run began, in seconds since the epoch."""
        return float(self._opened["mark"])

    @property
    def cluster(self) -> str | None:
        """The cluster's name, where it has one."""
        return t.cast("str | None", self._opened.get("cluster"))

    @property
    def masters(self) -> list[str]:
        """The hosts that are or may become the master or a standby."""
        return list(self._opened["masters"])

    @property
    def segments(self) -> list[str]:
        """The hosts of the segments."""
        return list(self._opened["segments"])

    @property
    def only_witnesses(self) -> list[str]:
        """The hosts that bear witness and are no segments."""
        return list(self._opened["witness_hosts"])

    @property
    def inventory(self) -> list[str]:
        """All hosts of the inventory, those that a limit hides included."""
        return [str(name) for name in (self._vars.get("groups") or {}).get("all") or self._vars["hostvars"]]

    def clusters(self) -> dict[str, Run]:
        """Return the same run as it is for each cluster, where every one is looked at."""
        found = {}
        for name, hosts in self._opened["clusters"].items():
            opened = self._vars["hostvars"][hosts["masters"][0]].get(OPENED) or {}
            if "options" not in opened:
                opened = {**self._opened, **hosts, "cluster": name}
            found[str(name)] = Run({**self._vars, OPENED: dict(opened)}, self.check)
        return found

    @property
    def _opened(self) -> dict[str, t.Any]:
        if "options" not in self._vars.get(OPENED, {}):
            raise AnsibleActionFail("this is a part of the playbooks of hawq.mirroring: run one of those")
        return dict(self._vars[OPENED])

    @property
    def judged(self) -> dict[str, t.Any]:
        """What the last judgement that was not a refusal has said."""
        found = self._vars.get(JUDGED) or {}
        return dict(found) if found.get("plan") or found.get("state") else {}

    @property
    def sources(self) -> list[str]:
        """The inventories in use."""
        return list(self._vars.get("ansible_inventory_sources") or [])

    @property
    def typed(self) -> Typed:
        """What was typed to get here; the second half of a switchover is the way back alone."""
        told = self._opened.get("typed") or {}
        found = Typed(**{name: _tuples(value) for name, value in told.items()})
        return replace(found, playbook="hawq.mirroring.resync_standby", options=()) if self.after_swap else found

    def read(self, host: str | None, register: str) -> dict[str, t.Any]:
        """Return what a task has registered on a host, or nothing.

        A text of the result itself is a sentence, which may have several lines. What stands deeper are names: of
        databases, files, and whatever else strangers have named.
        """
        if host is None or host not in self._vars["hostvars"]:
            return {}
        found = self._vars["hostvars"][host].get(register)
        if not isinstance(found, dict):
            return {}
        return {key: text.shown(inner) if isinstance(inner, str) else text.named(inner) for key, inner in found.items()}

    def value(self, host: str, name: str) -> t.Any:
        """Return a variable of a host."""
        return self._vars["hostvars"][host].get(name)

    def login(self, host: str) -> str:
        """Return what SSH is given to log in at a host, as it can be typed."""
        variables = self._vars["hostvars"][host]
        user = variables.get("ansible_user") or variables.get("ansible_ssh_user")
        port, address = ssh_port(variables.get), address_of(host, variables)
        return (f"-p {port} " if port != 22 else "") + (f"{user}@{address}" if user else address)

    @property
    def after_swap(self) -> bool:
        """Whether this is the second half of a switchover: the way back of the old master."""
        return self._vars.get("resync_reports") is False

    def path(self, workflow: str) -> str | None:
        """Return the file that gets the report of this workflow, if any."""
        return path_of(workflow, self.options)

    def end_badly(self, report: document.Report) -> None:
        """Write the report of a run that was refused or has failed; a switchover's tells what was done before."""
        path = self.path(report["workflow"])
        if path and self.after_swap:
            why = report.get("why") or [f"{row['found']}: {row['why']}" for row in report["refusals"]]
            command = str(playbook("resync_standby", standby_host=self.options["standby_host"]))
            write(path, document.left_behind(_read(path), time.time(), why, command))
        else:
            write(path, report)


def _tuples(value: t.Any) -> t.Any:
    """Return pairs and words as they were before a registered variable has made lists of them."""
    return (
        tuple(tuple(each) if isinstance(each, (list, tuple)) else each for each in value)
        if isinstance(value, (list, tuple))
        else value
    )


def path_of(workflow: str, options: t.Mapping[str, t.Any]) -> str | None:
    """Return the file that gets the report of a workflow: the state has one of its own, or takes the common one."""
    return (options.get("state_file") if workflow == "state" else None) or options.get("report_file")


def _read(path: str) -> dict[str, t.Any]:
    """Return what stands in a report's file; nothing when that is no report."""
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def begin(path: str | None, report: t.Mapping[str, t.Any]) -> None:
    """Put the first report into its file, where there is one: what cannot be written is refused."""
    trouble = _put(path, report)
    if trouble:
        raise AnsibleActionFail(f"the report cannot be written: {trouble}")


def write(path: str | None, report: t.Mapping[str, t.Any]) -> None:
    """Put the report into its file at once, where there is one. The run matters more: trouble is told, and no more."""
    trouble = _put(path, report)
    if trouble:
        Display().warning(f"the report cannot be written, and the run goes on: {trouble}")


def _put(path: str | None, report: t.Mapping[str, t.Any]) -> str:
    """Write the file, and return what stands in the way. A device or a pipe is written to as it is."""
    if not path:
        return ""
    path = os.path.realpath(os.path.expanduser(path))
    temporary = f"{path}.new"
    text = json.dumps(report, indent=2, sort_keys=True, default=str) + "\n"
    if os.path.exists(path) and not os.path.isfile(path):
        return _pass_on(path, text)
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return str(error)
    return ""


def _pass_on(path: str, text: str) -> str:
    try:
        # a pipe that nobody reads would hold the run up
        with open(os.open(path, os.O_WRONLY | os.O_NONBLOCK), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        return str(error)
    return ""


def number(value: t.Any, otherwise: int) -> int:
    """Return a number that an inventory says, which is text when it was typed; where it is none, another."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return otherwise


def address_of(name: str, variables: t.Mapping[str, t.Any]) -> str:
    """Return the address that a host is logged in at."""
    return str(variables.get("ansible_host") or variables.get("ansible_ssh_host") or name)


def refuse(run: Run, workflow: str, refusals: list[dict[str, str]]) -> None:
    """Write the report of a run that is refused."""
    run.end_badly(document.refused(workflow, run.began, time.time(), run.check, refusals))
