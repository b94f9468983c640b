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
options:
  timeout: {description: Seconds that the action plugin watches at most., type: int, default: 86400}
attributes:
  check_mode: {description: Runs the same with and without check mode., support: full}
  diff_mode: {description: Has nothing to show., support: none}
  idempotent: {description: Changes nothing., support: full}
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

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    database,
    delta,
    server_info,
    staging,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import INSTANCE_OPTION, instance_of, run_module

QUERY = r"""
SELECT p.phase, p.backup_streamed AS streamed_bytes, p.backup_total AS total_bytes
FROM pg_stat_progress_basebackup p JOIN pg_stat_activity a USING (pid)
WHERE a.application_name = %s
UNION ALL
SELECT 'comparing', substring(application_name FROM '(\d+)/')::bigint,
       nullif(substring(application_name FROM '/(\d+)')::bigint, 0)
FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename
WHERE application_name ~ %s AND shobj_description(r.oid, 'pg_authid') = %s
"""


def main(module):
    """Ask once."""
    told = rf"^{delta.APPLICATION} \d{{1,18}}/\d{{1,18}}$"  # any session may call itself that, but not be of that role
    with database.session(instance_of(module.params["instance"])) as cursor:
        found = database.rows(cursor, QUERY, (staging.APPLICATION, told, server_info.REWIND_MARK))
    return {"changed": False, "progress": found[0] if found else None}


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={"instance": INSTANCE_OPTION, "timeout": {"type": "int", "default": 86400}},
    )
