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
  - hawq.mirroring.attributes
options:
  settings: {description: Parameters and their values., type: dict, required: true}
attributes:
  diff_mode: {description: Shows the parameters before and after.}
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

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import server_settings

if __name__ == "__main__":
    server_settings.run()
