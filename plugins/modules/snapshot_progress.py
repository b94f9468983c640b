#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_progress
short_description: How far a snapshot or a comparison is, as the master sees it
version_added: 0.1.0
description:
  - Returns the row of C(pg_stat_progress_basebackup) that belongs to the collection's snapshot job, or what a session
    of M(hawq.mirroring.delta) tells of itself. The action plugin of the same name repeats it until there is none and
    shows a line at least every 5 seconds.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes.info
options:
  timeout: {description: Seconds that the action plugin watches at most., type: int, default: 86400}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Watch the snapshot
  hawq.mirroring.snapshot_progress:
    instance: "{{ server_instance }}"
"""

RETURN = r"""
progress:
  description:
    - C(phase), C(streamed_bytes) and C(total_bytes) (an estimate, null while unknown). Null when there is none.
  type: dict
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import snapshot_progress

if __name__ == "__main__":
    snapshot_progress.run()
