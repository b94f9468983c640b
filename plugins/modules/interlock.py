#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: interlock
short_description: Keep a former master from starting as a second one
version_added: 0.1.0
description:
  - Installs a program that the server's unit asks before each start, its settings, and the drop-in that makes the unit
    ask. A directory with C(standby.signal) may always start; another only when no other host has taken over meanwhile.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  program: {description: Text of the program., type: str, required: true}
  settings: {description: Its settings; see the program., type: dict, required: true}
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows the settings., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Ask before each start
  hawq.mirroring.interlock:
    instance: "{{ server_instance }}"
    program: "{{ lookup('ansible.builtin.file', 'hawq-mirroring-interlock') }}"
    settings: "{{ server_interlock }}"
"""

RETURN = r"""
written:
  description: Files that were written.
  type: list
  elements: str
  returned: always
"""

import json
import os

from ansible_collections.hawq.mirroring.plugins.module_utils import _common, _files, _interlock


def main(module):
    """Program and settings first, then the unit asks."""
    instance, run = _common.instance_of(module.params["instance"]), _common.Runner(module)
    before = _interlock.observe(instance)["settings"]
    settings = json.dumps(module.params["settings"], indent=2, sort_keys=True) + "\n"
    dropin = _interlock.dropin(instance.service)
    files = [
        (_interlock.PROGRAM, module.params["program"].rstrip("\n") + "\n", 0o644),
        (_interlock.SETTINGS, settings, 0o644),
        (dropin, _interlock.dropin_text(), 0o644),
    ]
    written = []
    for path, text, mode in files:
        if not module.check_mode:
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        if _files.write(module, path, text, "root", mode):
            written.append(path)
    if dropin in written and not module.check_mode:
        code, _output, errors = run(["systemctl", "daemon-reload"], timeout=60)
        if code != 0:
            raise _common.MirroringError(f"systemd does not take {dropin}: {' '.join(errors.split())}")
    shown = json.dumps(before, indent=2, sort_keys=True) + "\n" if before else ""
    return {"changed": bool(written), "written": written, "diff": {"before": shown, "after": settings}}


if __name__ == "__main__":
    _common.run(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": _common.INSTANCE_OPTION,
            "program": {"type": "str", "required": True},
            "settings": {"type": "dict", "required": True},
        },
    )
