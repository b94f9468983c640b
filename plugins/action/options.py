# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import time

import yaml
from ansible import context
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars
from ansible_collections.hawq.mirroring.plugins.module_utils.values import options

ROLES = os.path.join(os.path.dirname(__file__), "..", "..", "roles")


def role_specs():
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

    def run(self, tmp=None, task_vars=None):
        """Fail with all that is wrong; return the play's options with their defaults."""
        result = super().run(tmp, task_vars)
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
        own = {name for name in task_vars["hostvars"].raw_get(task_vars["inventory_hostname"]) if isinstance(name, str)}
        extra = load_extra_vars(self._loader)
        wrong = options.misspelt(extra, spec, specs)
        if "checked" not in own:  # else an earlier play of this run has, and has registered variables since
            wrong.update(options.misspelt(own - set(extra), spec, []))
        if wrong:
            raise AnsibleActionFail(options.sentence(wrong, "on the command line or in the inventory"))
        given = {name: self._templar.template(task_vars[name]) for name in spec if name in own or name in extra}
        checked = ArgumentSpecValidator({name: dict(entry, required=False) for name, entry in spec.items()}).validate(
            given
        )
        values = checked.validated_parameters
        if values.get("virtual_ip_address") and not values.get("virtual_ip_interface"):
            raise AnsibleActionFail("virtual_ip_address needs virtual_ip_interface, for example eth0")
        wrong_values = checked.error_messages or options.misfits(values)
        if wrong_values:
            raise AnsibleActionFail("; ".join(wrong_values))
        for name in ("report_file", "state_file"):
            if values.get(name) and not os.path.isdir(os.path.dirname(os.path.abspath(values[name]))):
                raise AnsibleActionFail(f"{name} is {values[name]}, and the controller has no such directory")
        result.update(
            changed=False, mark=time.time(), options={name: values.get(name) for name in options.PLAY_OPTIONS}
        )
        return result

    def _refuse_parts(self, task_vars):
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
