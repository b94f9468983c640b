#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: payload
short_description: Runs the other modules of this collection, and is not for tasks
version_added: 1.0.0
description:
  - What Ansible sends to a host for a module is put together once for each module and run, which costs more than most
    modules of this collection do. So this one is sent for all of them, and runs the one that the task has named.
  - The action plugin of this name does that, as C(meta/runtime.yml) says. A task that names this module itself fails.
options: {}
extends_documentation_fragment:
  - hawq.mirroring.attributes
attributes:
  check_mode: {description: As the module that the task names.}
  diff_mode: {description: As the module that the task names.}
  idempotent: {description: As the module that the task names.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Fail, since a task names the module that it means
  hawq.mirroring.payload:
"""

RETURN = r"""
msg:
  description: Why a task cannot name it.
  type: str
  returned: always
"""

import importlib
import importlib.util
import typing as t

from ansible.module_utils import basic

ROOM = "ansible_collections.hawq.mirroring.plugins.module_utils.modules"

if t.TYPE_CHECKING:
    # by these lines Ansible knows what to send; on the host only what is named is loaded
    from ansible_collections.hawq.mirroring.plugins.module_utils.modules import (  # noqa: F401
        activation,
        binaries_info,
        clear_host,
        configuration,
        delta,
        directory,
        discard,
        divergence_info,
        fence,
        host_program,
        instance_info,
        lost_work,
        mirroring_info,
        new_system,
        other_slots,
        packages_info,
        passfile,
        promise,
        recovery_settings,
        relations_info,
        replication,
        replication_source,
        rewind,
        rewind_source,
        salvage,
        segment_role,
        segments_info,
        server_settings,
        snapshot,
        snapshot_progress,
        ssh_identity,
        ssh_login,
        ssh_trust,
        text_block,
        trial_info,
        views,
        virtual_ip,
        waiting,
    )


def main():
    """Run the module that the task has named: Ansible tells a module its name beside its options."""
    _space, _dot, name = str((basic._load_params() or {}).get("_ansible_module_name", "")).rpartition(".")
    place = f"{ROOM}.{name}"
    if not name[:1].isalpha() or not name.isidentifier() or importlib.util.find_spec(place) is None:
        why = "payload runs the other modules of hawq.mirroring: name one of those in the task"
        basic.AnsibleModule(argument_spec={}, supports_check_mode=True).fail_json(msg=why)
    importlib.import_module(place).run()


if __name__ == "__main__":
    main()
