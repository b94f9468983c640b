#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_program
short_description: Install one of the collection's own programs on a host
version_added: 0.1.0
description:
  - Installs a program that the collection brings along, its settings, and what makes systemd run it. The C(interlock)
    is asked by the database's unit before each start, through a drop-in; the others have a unit of their own.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  name: {description: The program., type: str, choices: [interlock, virtual-ip, segment], required: true}
  program: {description: Text of the program., type: str, required: true}
  settings: {description: Its settings; see the program., type: dict, required: true}
  unit: {description: Text of its unit or drop-in., type: str, required: true}
  started:
    description: Whether its unit is to run, afresh when something of it has changed. The interlock's never is.
    type: bool
    default: false
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows the settings., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Ask before each start
  hawq.mirroring.host_program:
    instance: "{{ server_instance }}"
    name: interlock
    program: "{{ lookup('ansible.builtin.file', 'hawq-mirroring-interlock') ~ '\n' }}"
    settings: "{{ server_interlock }}"
    unit: "{{ lookup('ansible.builtin.template', 'interlock.conf.j2') }}"
"""

RETURN = r"""
done:
  description: Files that were written, and what systemd was told.
  type: list
  elements: str
  returned: always
"""

import json
import os

from ansible_collections.hawq.mirroring.plugins.module_utils.host import files, programs, systemd
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner


def main(module):
    """Program and settings first, then the unit."""
    instance, run = instance_of(module.params["instance"]), Runner()
    name, done = module.params["name"], []
    os.umask(0o022)  # other users' services read what is installed here
    unit = programs.unit_name(name, instance.service)
    before = programs.observe(name, instance.service)["settings"]
    settings = json.dumps(module.params["settings"], indent=2, sort_keys=True) + "\n"
    unit_file = programs.unit_path(name, instance.service)
    texts = [
        (programs.path(name), module.params["program"]),
        (programs.settings_path(name), settings),
        (unit_file, module.params["unit"]),
    ]
    for path, text in texts:
        if not module.check_mode:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if files.write(module, path, text, "root", 0o644):
            done.append(path)

    def tell(*words):
        done.append(" ".join(words))
        if not module.check_mode:
            code, _output, errors = run(["systemctl", *words], timeout=60)
            if code != 0:
                raise MirroringError(
                    f"systemctl {' '.join(words)} failed ({' '.join(errors.split())}): look at {unit_file}, then run"
                    " this again"
                )

    shown = systemd.unit(run, unit)
    # a run that was killed may have written what systemd has not read
    if unit_file in done or shown["stale"]:
        tell("daemon-reload")
    if name != programs.INTERLOCK:
        if shown["enabled"] != "enabled":
            tell("enable", unit)
        if module.params["started"] and (done or shown["active"] != "active"):
            tell("restart", unit)
    was = json.dumps(before, indent=2, sort_keys=True) + "\n" if before else ""
    return {"changed": bool(done), "done": done, "diff": {"before": was, "after": settings}}


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "name": {"type": "str", "choices": list(programs.NAMES), "required": True},
            "program": {"type": "str", "required": True},
            "settings": {"type": "dict", "required": True},
            "unit": {"type": "str", "required": True},
            "started": {"type": "bool", "default": False},
        },
    )
