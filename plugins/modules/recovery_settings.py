#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: recovery_settings
short_description: Settings that a standby needs to replay on
version_added: 0.1.0
description:
  - A standby whose C(max_connections) and the like are smaller than its master's pauses its replay. To let such a
    replay go on, or to promote such a standby, ends its server, and it does not start again.
  - Writes such settings into the C(postgresql.auto.conf) of the standby's own data directory, restarts the server, or
    starts it, and waits, bounded, until it replays. No session with it is needed.
  - Makes the directories of tablespaces that its WAL makes and that are missing, before the server is started.
  - Nothing is written for a setting that is large enough, and nothing is restarted when the server runs with all of
    them.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  settings: {description: Parameters and the values that they must have at least., type: dict, required: true}
  directories:
    description: Directories of tablespaces that the standby's WAL makes. One that is missing would end the server.
    type: list
    elements: str
    default: []
  timeout: {description: Seconds that the server may take until it replays., type: int, default: 300}
attributes:
  diff_mode: {description: "Shows the parameters before and after, and whether the server runs."}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Give the standby as many connections as its master has
  hawq.mirroring.recovery_settings:
    instance: "{{ server_instance }}"
    settings:
      max_connections: 200
"""

RETURN = r"""
made:
  description: Directories that were made.
  type: list
  elements: str
  returned: always
restarted:
  description: Whether the server was restarted or started.
  type: bool
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import recovery_settings

if __name__ == "__main__":
    recovery_settings.run()
