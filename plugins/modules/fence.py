#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: fence
short_description: Make sure that a former master cannot accept writes
version_added: 0.1.0
description:
  - Stops the server of this host (fast, then immediate, then with SIGKILL, each bounded; a frozen one is killed) and
    leaves C(standby.signal) in its data directory, so that it cannot come back as a master. Data and WAL stay.
  - Takes the address that follows the master off this host.
  - Records since when and why, and what the control file said, in C(hawq_mirroring.fence) in the data directory.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  reason: {description: Why the server must not accept writes any more., type: str, required: true}
  virtual_ip:
    description: The address that follows the master.
    type: dict
    default: {}
    suboptions:
      address: {description: The address with its prefix. None when empty., type: str, default: ""}
      interface: {description: Network interface., type: str, default: ""}
  timeout: {description: Seconds that a fast shutdown may take., type: int, default: 20}
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows whether the server runs and is fenced., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Fence the former master
  hawq.mirroring.fence:
    instance: "{{ server_instance }}"
    reason: smdw takes over
"""

RETURN = r"""
stopped:
  description: How the server ended. One of V(fast), V(immediate), V(killed); empty when it was not running.
  type: str
  returned: always
record:
  description: What is recorded, C(at), C(reason) and C(control) (the control file's fields), now or by an earlier run.
  type: dict
  returned: always
"""

import datetime
import json
import os

from ansible_collections.hawq.mirroring.plugins.module_utils import (
    _common,
    _database,
    _fence,
    _files,
    _observe,
    _virtual_ip,
)


def record_of(path):
    """The record of an earlier run, or None."""
    try:
        return json.loads(_files.read(path) or "")
    except ValueError:
        return None


def fence(module, instance, run):
    """Stop, then mark; the mark comes from before anything else runs on the data."""
    place = instance.data_directory
    path = os.path.join(place, _fence.RECORD)
    process = _observe.process(instance, _database.postmaster(instance))
    asked_for = _observe.unit(run, instance.service)["active"] not in ("inactive", "failed")
    running = process["running"] or asked_for or bool(_fence.workers(place))
    record, how = record_of(path), ""
    before = ("server runs\n" if running else "server is stopped\n") + ("fenced\n" if record else "not fenced\n")
    if running and not module.check_mode:
        how = _fence.stop(run, instance.service, place, process["pid"], process["frozen"], module.params["timeout"])
        if not how:
            raise _common.MirroringError(
                f"the server in {place} does not end, not even killed ({_fence.workers(place)}): switch the host off,"
                " and say so with -e master_is_down=true"
            )
    changed = running
    if os.path.isdir(place):
        if record is None:
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            record = {"at": now, "reason": module.params["reason"], "control": _observe.control(instance, run)}
        text = json.dumps(record, indent=2, sort_keys=True) + "\n"
        marked = _files.write(module, os.path.join(place, "standby.signal"), "", instance.user)
        changed = _files.write(module, path, text, instance.user) or marked or changed
    address = module.params["virtual_ip"]["address"]
    if address and _virtual_ip.here(run, address):
        changed = True
        if not module.check_mode:
            try:
                _virtual_ip.release(run, address, module.params["virtual_ip"]["interface"], module.params["timeout"])
            except _common.MirroringError as error:
                module.warn(str(error))  # the server is dead: that is no reason to go without a master
    return {
        "changed": changed,
        "stopped": how,
        "record": record or {},
        "diff": {"before": before, "after": "server is stopped\nfenced\n"},
    }


def main(module):
    """Act alone on this host."""
    instance, run = _common.instance_of(module.params["instance"]), _common.Runner(module)
    if module.check_mode:
        return fence(module, instance, run)
    with _common.alone():
        return fence(module, instance, run)


if __name__ == "__main__":
    _common.run(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": _common.INSTANCE_OPTION,
            "reason": {"type": "str", "required": True},
            "virtual_ip": _virtual_ip.OPTION,
            "timeout": {"type": "int", "default": 20},
        },
    )
