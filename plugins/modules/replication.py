#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: replication
short_description: Make a data directory a standby of the master
version_added: 0.1.0
description:
  - Writes C(standby.signal) and, into C(postgresql.auto.conf), the connection to the master, the slot and
    what this standby must set differently. No password is written; it comes from the password file.
  - A server that runs on the directory is reloaded when something changed. Where none runs, systemd forgets starts that
    have failed.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  directory:
    description: The directory to write to. The instance's data directory when not given.
    type: path
  copy_id:
    description: >-
      What M(hawq.mirroring.snapshot) returned. When another run has deployed that copy meanwhile, the data directory is
      written to.
    type: int
  primary: {description: Connection keywords of the master., type: dict, required: true}
  slot: {description: Replication slot on the master., type: str, required: true}
  reload:
    description: Reload a running server even when nothing changed here.
    type: bool
    default: false
  resume:
    description: Let a replay go on that was paused.
    type: bool
    default: false
  settings:
    description: Parameters that differ from the master's; a null value takes one out.
    type: dict
    default: {}
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows the settings before and after., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Follow the master
  hawq.mirroring.replication:
    instance: "{{ server_instance }}"
    slot: hawq_mirroring_smdw
    primary: {host: mdw, port: 5432, user: hawq_mirroring, passfile: /home/gpadmin/.pgpass, application_name: smdw}
"""

RETURN = r"""
primary_conninfo:
  description: The connection string that the standby uses.
  type: str
  returned: always
"""

import os
import signal

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    database,
    observe,
    server,
    snapshot,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.lock import alone
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo, settings_file


def main(module):
    """Act alone, since two operators may run the same playbook."""
    instance = instance_of(module.params["instance"])
    if module.check_mode:
        return follow(module, instance, module.params["directory"] or instance.data_directory)
    with alone():
        directory = module.params["directory"]
        if not directory or snapshot.is_deployed(instance, module.params["copy_id"]):
            directory = instance.data_directory
        return follow(module, instance, directory)


def follow(module, instance, directory):
    """Signal first: without it the server would become a master of its own."""
    told = conninfo.render({**module.params["primary"], **snapshot.KEEPALIVE})
    wanted = {
        "primary_conninfo": told,
        "primary_slot_name": module.params["slot"],
        **{name: None if value is None else str(value) for name, value in module.params["settings"].items()},
    }
    if not os.path.isdir(directory):
        if not module.check_mode:
            raise MirroringError(f"{directory} does not exist: run the whole playbook again")
        before, changed = {}, True
    else:
        path = os.path.join(directory, "postgresql.auto.conf")
        text = files.read(path) or ""
        before = {name: settings_file.parse(text).get(name) for name in wanted}
        signalled = files.write(module, os.path.join(directory, "standby.signal"), "", instance.user)
        changed = files.write(module, path, settings_file.edit(text, wanted), instance.user) or signalled
    process = observe.process(instance, database.postmaster(instance))
    if not process["running"] and not module.check_mode:
        server.end_rewind(instance.data_directory)
        # starts that failed while it was told otherwise would count against the next one
        Runner()(["systemctl", "reset-failed", instance.service], timeout=10)
    wanted_reload = changed or module.params["reload"]
    if wanted_reload and process["pid"] and directory == instance.data_directory and not module.check_mode:
        os.kill(process["pid"], signal.SIGHUP)
    if module.params["resume"]:
        changed = True
        if not module.check_mode:
            with database.session(instance) as cursor:
                cursor.execute("SELECT pg_wal_replay_resume()")
    shown = [
        "".join(f"{name} = {value}\n" for name, value in state.items() if value is not None)
        for state in (before, wanted)
    ]
    return {"changed": changed, "primary_conninfo": told, "diff": {"before": shown[0], "after": shown[1]}}


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "directory": {"type": "path"},
            "copy_id": {"type": "int"},
            "primary": {"type": "dict", "required": True},
            "slot": {"type": "str", "required": True},
            "reload": {"type": "bool", "default": False},
            "resume": {"type": "bool", "default": False},
            "settings": {"type": "dict", "default": {}},
        },
    )
