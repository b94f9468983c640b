# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the actions on the controller know of a run: what its tasks have registered, and where its report goes."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.hawq.mirroring.plugins.module_utils.report import document
from ansible_collections.hawq.mirroring.plugins.module_utils.values import text
from ansible_collections.hawq.mirroring.plugins.module_utils.values.command import playbook

#: variable that the opening registers, and the one that the judgement does
OPENED, JUDGED = "checked", "judged"
#: when this process began, and what tells it from others of that second. The strategy linear loads an action before it
#: forks the workers that run it, so all hosts and all plays of one ansible-playbook have the same
PROCESS = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}"


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


def write(path: str | None, report: t.Mapping[str, t.Any]) -> None:
    """Put the report into its file at once, where there is one."""
    if not path:
        return
    path = os.path.expanduser(path)
    temporary = f"{path}.new"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(json.dumps(report, indent=2, sort_keys=True) + "\n")
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise AnsibleActionFail(f"the report cannot be written: {error}") from error


def refuse(run: Run, workflow: str, refusals: list[dict[str, str]]) -> None:
    """Write the report of a run that is refused."""
    run.end_badly(document.refused(workflow, run.began, time.time(), run.check, refusals))
