#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: server_settings
short_description: Change settings of the running server
version_added: 0.1.0
description:
  - Sets configuration parameters with C(ALTER SYSTEM) and reloads the server. Only parameters whose value differs are
    written. A parameter that needs a restart is written, and RV(restart_needed) says so; the server is not restarted.
  - V(null) as a value takes the parameter out of C(postgresql.auto.conf).
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  settings: {description: Parameters and their values., type: dict, required: true}
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows the parameters before and after., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Limit the WAL that is kept for an absent standby
  hawq.mirroring.server_settings:
    instance: "{{ server_instance }}"
    settings:
      max_slot_wal_keep_size: 10GB
"""

RETURN = r"""
restart_needed:
  description: Parameters whose new value waits for a restart.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)

#: the value in effect as SHOW prints it, and the one that the files ask for
QUERY = """
SELECT name, current_setting(name) AS value, context = 'postmaster' AS restart,
       (SELECT f.setting FROM pg_file_settings f WHERE f.name = s.name ORDER BY seqno DESC LIMIT 1) AS written
FROM pg_settings s WHERE name = ANY(%s)
"""


def main(module):
    """Compare, write what differs, reload."""
    instance = instance_of(module.params["instance"])
    settings = module.params["settings"]
    with database.session(instance) as cursor:
        now = {row["name"]: row for row in database.rows(cursor, QUERY, (list(settings),))}
        unknown = sorted(set(settings) - set(now))
        if unknown:
            raise MirroringError(f"the server knows no parameter {', '.join(unknown)}")
        different = {
            name: value
            for name, value in settings.items()
            if (
                str(value) not in (now[name]["value"], now[name]["written"])
                if value is not None
                else now[name]["written"]
            )
        }
        if different and not module.check_mode:
            for name, value in different.items():
                if value is None:
                    cursor.execute(f'ALTER SYSTEM RESET "{name}"')
                else:
                    cursor.execute(f'ALTER SYSTEM SET "{name}" = %s', (str(value),))
            cursor.execute("SELECT pg_reload_conf()")
        before = {name: now[name]["value"] for name in settings}
        after = {name: settings[name] if name in different else before[name] for name in settings}
    return {
        "changed": bool(different),
        "restart_needed": sorted(name for name in settings if now[name]["restart"] and after[name] != before[name]),
        "diff": {"before": before, "after": after},
    }


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={"instance": INSTANCE_OPTION, "settings": {"type": "dict", "required": True}},
    )
