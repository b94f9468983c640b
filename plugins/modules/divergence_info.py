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
  - hawq.mirroring.attributes.info
options:
  fork: {description: LSN at which the histories part., type: str, required: true}
  reached:
    description:
      - LSN that the server has come to on the timeline that it shares with its master, which was set back.
      - Then the fork is no end of a record, and WAL at it may be the master's by now, so reading begins at the next
        page that can be read. The result names that place as its fork.
    type: str
  timeout: {description: Seconds that reading may take for each timeline., type: int, default: 120}
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

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import divergence_info

if __name__ == "__main__":
    divergence_info.run()
