#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: divergence_info
short_description: What a server has that its master has not
version_added: 0.2.0
description:
  - Reads the WAL of a former master or standby beyond the LSN at which its history leaves its master's. Says where it
    ends, how many transactions were committed in it, when, in which relations, and whether C(pg_rewind) would find what
    it needs of it.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.history
options:
  fork: {description: LSN at which the histories part., type: str, required: true}
  timeout: {description: Seconds that reading may take for each timeline., type: int, default: 120}
attributes:
  check_mode: {description: Runs the same with and without check mode., support: full}
  diff_mode: {description: Has nothing to show., support: none}
  idempotent: {description: Changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Look for work beyond the fork
  hawq.mirroring.divergence_info:
    instance: "{{ server_instance }}"
    fork: 0/3017F88
    history: [{timeline: 1}]
"""

RETURN = r"""
divergence:
  description:
    - C(fork_lsn), C(end_lsn) where the WAL ends, C(wal_bytes) from the one to the other, C(damage) (null, or why it
      ends there), C(transactions) that were committed, C(first_commit) and C(last_commit) (UTC), C(relations) as
      tablespace, database and file number, C(whole) (whether all was read in time).
    - For a rewind, C(checkpoint_lsn), the last checkpoint before the fork, C(redo_lsn) where that began, C(missing)
      segments since then, and C(blocks) that differ.
  type: dict
  returned: success
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import divergence
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner


def main(module):
    """Read only."""
    instance, run = instance_of(module.params["instance"]), Runner()
    history = divergence.parts_of(module.params["history"])
    found = divergence.examine(instance, run, history, module.params["fork"], module.params["timeout"])
    return {"changed": False, "divergence": found}


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "fork": {"type": "str", "required": True},
            "history": divergence.HISTORY_OPTION,
            "timeout": {"type": "int", "default": 120},
        },
    )
