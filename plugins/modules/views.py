#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: views
short_description: Install the views of master mirroring
version_added: 0.1.0
description:
  - Puts the files of an SQL extension where the engine looks for them and creates or updates the extension in
    databases of the running master. On a standby host only the files are put; its databases come from the
    master.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  extension: {description: Name of the extension., type: str, default: hawq_mirroring}
  files: {description: File names and their texts., type: dict, required: true}
  databases:
    description: Databases that get the extension. None on a standby.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Names the files and databases that change., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Install the views
  hawq.mirroring.views:
    instance: "{{ server_instance }}"
    databases: [postgres, template1]
    files:
      hawq_mirroring.control: "{{ lookup('ansible.builtin.file', 'hawq_mirroring.control') }}"
"""

RETURN = r"""
directory:
  description: Where the extension's files are. Null when the engine is not installed yet (check mode).
  type: str
  returned: always
"""

import os

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, views
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner


def in_database(module, instance, name):
    """Create or update the extension; return whether it had to."""
    extension = module.params["extension"]
    with database.session(instance, name) as cursor:
        if views.is_installed(cursor, extension):
            return False
        if not module.check_mode:
            cursor.execute("SELECT pg_advisory_lock(hashtext('hawq.mirroring'))")
            cursor.execute(f'CREATE EXTENSION IF NOT EXISTS "{extension}"')
            cursor.execute(f'ALTER EXTENSION "{extension}" UPDATE')
    return True


def main(module):
    """Files first, then databases."""
    instance = instance_of(module.params["instance"])
    place = views.directory(instance, Runner())
    changes = []
    if place is None and not module.check_mode:
        raise MirroringError(
            f"no extension directory belongs to {instance.bin_directory}: is the engine installed completely?"
        )
    for name, text in sorted(module.params["files"].items()):
        if place is None or files.write(module, os.path.join(place, name), text, "root", 0o644):
            changes.append(f"{place}/{name}\n")
    changes += [f"database {name}\n" for name in module.params["databases"] if in_database(module, instance, name)]
    return {"changed": bool(changes), "directory": place, "diff": {"before": "", "after": "".join(changes)}}


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "extension": {"type": "str", "default": "hawq_mirroring"},
            "files": {"type": "dict", "required": True},
            "databases": {"type": "list", "elements": "str", "default": []},
        },
    )
