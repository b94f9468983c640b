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
  - hawq.mirroring.attributes
options:
  system_identifier: {description: Identifier of the system whose copy may be deleted., type: str, required: true}
attributes:
  diff_mode: {description: Names the directories that are deleted.}
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

from ansible_collections.hawq.mirroring.plugins.module_utils.engines import choice
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import discarding
from ansible_collections.hawq.mirroring.plugins.module_utils.host.lock import alone
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import INSTANCE_OPTION, instance_of, run_module
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner


def main(module):
    """Act alone on this host."""
    instance, act = instance_of(module.params["instance"]), not module.check_mode
    discard = choice.of(instance.engine, postgresql=discarding.discard)
    with alone(act):
        return discard(instance, Runner(), act, system_identifier=module.params["system_identifier"])


if __name__ == "__main__":
    run_module(
        main,
        seconds=86400,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "system_identifier": {"type": "str", "required": True},
        },
    )
