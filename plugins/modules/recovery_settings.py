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
  - Nothing is written for a setting that is large enough, and nothing is restarted when the server runs with all of
    them.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  settings: {description: Parameters and the values that they must have at least., type: dict, required: true}
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
restarted:
  description: Whether the server was restarted or started.
  type: bool
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.engines import choice
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import recovery_settings
from ansible_collections.hawq.mirroring.plugins.module_utils.host.lock import alone
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner


def main(module):
    """Act alone, since two operators may run the same playbook."""
    act, instance = not module.check_mode, instance_of(module.params["instance"])
    change = choice.of(instance.engine, postgresql=recovery_settings.change)
    with alone(act):
        return change(instance, Runner(), act, **only(module.params, "settings", "timeout"))


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "settings": {"type": "dict", "required": True},
            "timeout": {"type": "int", "default": 300},
        },
    )
