# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import time
import typing as t

import yaml
from ansible import context
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars
from ansible_collections.hawq.mirroring.plugins.module_utils.report import document
from ansible_collections.hawq.mirroring.plugins.module_utils.values import identity, options, places
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _run

ROLES = os.path.join(os.path.dirname(__file__), "..", "..", "roles")


def role_specs() -> dict[str, dict[str, t.Any]]:
    """Return the options of every role of the collection, by role."""
    specs = {}
    for name in sorted(os.listdir(ROLES)):
        path = os.path.join(ROLES, name, "meta", "argument_specs.yml")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                specs[name] = yaml.safe_load(file)["argument_specs"]["main"].get("options", {})
    return specs


class ActionModule(ActionBase):
    """Check every variable of ours, and how the playbook was called, before anything is looked at."""

    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Fail with all that is wrong; return the play's options with their defaults, and begin the report."""
        result = {**super().run(tmp, task_vars), "changed": False, "mark": time.time()}
        variables: dict[str, t.Any] = task_vars or {}
        own = {name for name in variables["hostvars"].raw_get(variables["inventory_hostname"]) if isinstance(name, str)}
        workflow, check = self._task.args.get("workflow", "state"), self._task.check_mode
        # an earlier play of this run has begun the report, and has registered variables since
        later = _run.OPENED in own
        first = variables["inventory_hostname"] == variables["ansible_play_hosts_all"][0]
        path = self._path(workflow, variables) if first and not later else None
        _run.write(path, document.begun(workflow, result["mark"], check))
        try:
            told = self._checked(variables, own, later)
            return {**result, "run": self._identity(workflow, variables), "options": told, **self._peers(variables)}
        except AnsibleActionFail as error:
            refusal = {
                "kind": "variables",
                "found": str(error),
                "why": "nothing is looked at before that is in order",
                "command": "Correct that, then run this again",
            }
            _run.write(path, document.refused(workflow, result["mark"], time.time(), check, [refusal]))
            raise

    def _path(self, workflow: str, variables: dict[str, t.Any]) -> str | None:
        """Return the file that gets the report, if any: it must be possible to write it before anything is done."""
        given = {name: self._templar.template(variables.get(name)) for name in ("state_file", "report_file")}
        path = _run.path_of(workflow, given)
        if not path:
            return None
        place = os.path.abspath(os.path.expanduser(str(path)))
        if not os.path.isdir(os.path.dirname(place)):
            raise AnsibleActionFail(f"the report is to be written to {path}, and the controller has no such directory")
        if os.path.isdir(place):
            raise AnsibleActionFail(f"the report is to be written to {path}, which is a directory: name a file in it")
        return str(path)

    @staticmethod
    def _identity(workflow: str, variables: dict[str, t.Any]) -> str:
        """Return the run's identity: a later play goes on with the work of the first."""
        before = variables.get(_run.OPENED)
        known = before.get("run") if isinstance(before, dict) else None
        return str(known) if identity.is_one(known) else identity.of(workflow, _run.PROCESS)

    @staticmethod
    def _peers(variables: dict[str, t.Any]) -> dict[str, list[dict[str, t.Any]]]:
        """Return how the servers of the other masters are reached, and as witnesses their hosts, too.

        Role defaults of other hosts cannot be seen, so they are said again: what this host sets for itself is not the
        peer's.
        """
        peers = []
        for name in variables["groups"]["masters"]:
            if name != variables["inventory_hostname"]:
                seen = variables["hostvars"][name]
                address = seen.get("server_address") or seen.get("ansible_host") or name
                port, ssh_port = int(seen.get("server_port") or 5432), int(seen.get("ansible_port") or 22)
                unit = str(seen.get("server_service") or places.UNIT)
                peers.append({"name": name, "address": address, "port": port, "ssh_port": ssh_port, "unit": unit})
        bare = [{key: peer[key] for key in ("name", "address", "port")} for peer in peers]
        return {"peers": bare, "witnesses": peers}

    def _checked(self, task_vars: dict[str, t.Any], own: set[str], later: bool) -> dict[str, t.Any]:
        """Return the play's options with their defaults; fail with all that is wrong."""
        if not task_vars["groups"].get("masters"):
            raise AnsibleActionFail(
                "The inventory has no hosts in the group masters: name one with -i (inventories/example shows how)."
            )
        self._refuse_parts(task_vars)
        specs = role_specs()
        spec = dict(options.PLAY_OPTIONS)
        for wanted in specs.values():
            for name, option in wanted.items():
                spec[name] = {key: value for key, value in option.items() if key not in ("default", "required")}
        extra = load_extra_vars(self._loader)
        taken = sorted({_run.OPENED, _run.JUDGED} & set(extra))
        if taken:
            raise AnsibleActionFail(f"{taken[0]} is a name that the playbooks use themselves: leave it out")
        wrong = options.misspelt(extra, spec, specs)
        if not later:
            wrong.update(options.misspelt(own - set(extra), spec, []))
        if wrong:
            raise AnsibleActionFail(options.sentence(wrong, "on the command line or in the inventory"))
        given = {name: self._templar.template(task_vars[name]) for name in spec if name in own or name in extra}
        checked = ArgumentSpecValidator({name: dict(entry, required=False) for name, entry in spec.items()}).validate(
            given
        )
        values = checked.validated_parameters
        for name in ("ignore_witness", "state_accept"):
            values[name] = options.names(values.get(name))
        if values.get("virtual_ip_address") and not values.get("virtual_ip_interface"):
            raise AnsibleActionFail("virtual_ip_address needs virtual_ip_interface, for example eth0")
        wrong_values = checked.error_messages or [
            *options.misfits(values),
            *options.unacceptable(values["state_accept"]),
            *options.strangers(values["ignore_witness"], task_vars["groups"].get("segments", [])),
        ]
        if wrong_values:
            raise AnsibleActionFail("; ".join(wrong_values))
        told = {name: values.get(name) for name in options.PLAY_OPTIONS}
        for role, name, judged in options.JUDGED:
            told[judged] = specs[role][name]["default"] if values.get(name) is None else values[name]
        if told["standby_host"] is None:
            told["standby_host"] = self._templar.template(task_vars.get("resync_standby_host")) or None
        return told

    def _refuse_parts(self, task_vars: dict[str, t.Any]) -> None:
        """A part of a playbook is not a smaller playbook: observation, judgement and act belong together."""
        arguments = context.CLIARGS
        tags = [tag for tag in arguments.get("tags") or [] if tag != "all"]
        for name, value in (
            ("--tags", tags),
            ("--skip-tags", arguments.get("skip_tags")),
            ("--start-at-task", arguments.get("start_at_task")),
        ):
            if value:
                raise AnsibleActionFail(
                    f"{name} leaves out steps that others rely on: run the playbook without {name}."
                )
        hidden = [
            name for name in task_vars["groups"].get("masters", []) if name not in task_vars["ansible_play_hosts_all"]
        ]
        if hidden:
            raise AnsibleActionFail(
                f"--limit hides {', '.join(hidden)}, and who is master can only be said when every host of the group"
                " masters is looked at: run the playbook without --limit."
            )
