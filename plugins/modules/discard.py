#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: discard
short_description: Delete the data of a removed standby
version_added: 0.1.0
description:
  - Deletes a data directory, and what its tablespaces hold, when M(hawq.mirroring.fence) has marked it, no server runs
    on it, and it belongs to the system that is named. Anything else is refused.
  - The directory is renamed before it is deleted, so that a killed run leaves nothing that could be started.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  system_identifier: {description: Identifier of the system whose copy may be deleted., type: str, required: true}
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Names the directories that are deleted., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Delete the removed standby's data
  hawq.mirroring.discard:
    instance: "{{ server_instance }}"
    system_identifier: "7384231023412341234"
"""

RETURN = r"""
deleted:
  description: Directories that were deleted or emptied, or would be.
  type: list
  elements: str
  returned: always
"""

import contextlib
import os
import re
import shutil

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    database,
    observe,
    server,
    snapshot,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host import fence_record
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.lock import alone
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places


def refuse(module, instance, run):
    """Raise unless this is a marked and stopped copy of the system; before a check's run it is neither yet."""
    place, wanted = instance.data_directory, module.params["system_identifier"]
    if os.path.islink(place) or os.path.ismount(place):
        raise MirroringError(f"{place} is a mount point or a link, and is not deleted: delete its files yourself")
    found = (observe.control(instance, run) or {}).get("system_identifier")
    if found != wanted:
        raise MirroringError(
            f"{place} is not a copy of system {wanted} (its identifier is {found or 'not readable'}), and is not"
            " deleted: look at it, and delete it yourself"
        )
    if module.check_mode:
        return
    if observe.process(instance, database.postmaster(instance))["running"] or server.workers(place):
        raise MirroringError(f"a server runs in {place}, which is not deleted: run the whole playbook again")
    if not fence_record.record(place):
        raise MirroringError(f"{place} is not marked as removed, and is not deleted: run the whole playbook again")


def tablespaces(place):
    """The directories of this version that the links of a data directory lead to, and nothing beside them."""
    links = os.path.join(place, "pg_tblspc")
    found = []
    for name in sorted(os.listdir(links)) if os.path.isdir(links) else []:
        target = os.path.realpath(os.path.join(links, name))
        if os.path.islink(os.path.join(links, name)) and os.path.isdir(target):
            found += [os.path.join(target, inner) for inner in os.listdir(target) if re.fullmatch(r"PG_\d+_\d+", inner)]
    return found


def discard(module, instance, run):
    """Tablespaces first, while the links to them are there; what a killed run has renamed goes, too."""
    place = instance.data_directory.rstrip("/")
    doomed = f"{place}.hawq-discarded"
    deleted = [path for path in (doomed, places.scratch(place)) if os.path.isdir(path)]
    full = os.path.isdir(place) and bool(os.listdir(place))
    if full:
        refuse(module, instance, run)
        deleted += [*tablespaces(place), place]
    if not module.check_mode:
        for path in deleted:
            if path == place:
                os.rename(place, doomed)
                snapshot.sync_directory(os.path.dirname(place))
            shutil.rmtree(doomed if path == place else path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(places.unfinished(place))
    shown = "".join(f"{path}\n" for path in deleted)
    return {"changed": bool(deleted), "deleted": deleted, "diff": {"before": shown, "after": ""}}


def main(module):
    """Act alone on this host."""
    instance, run = instance_of(module.params["instance"]), Runner()
    if module.check_mode:
        return discard(module, instance, run)
    with alone():
        return discard(module, instance, run)


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "system_identifier": {"type": "str", "required": True},
        },
    )
