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
  - Asks the master's port first. A copy whose master does not answer may be the last one, and is not deleted.
  - The directory is renamed before it is deleted, so that a killed run leaves nothing that could be started.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  system_identifier: {description: Identifier of the system whose copy may be deleted., type: str, required: true}
  master:
    description: Address and port of the master, which must answer.
    type: dict
    required: true
    suboptions:
      address: {description: Host name or address., type: str, required: true}
      port: {description: TCP port., type: int, required: true}
attributes:
  diff_mode: {description: Names the directories that are deleted.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Delete the removed standby's data
  hawq.mirroring.discard:
    instance: "{{ server_instance }}"
    system_identifier: "7384231023412341234"
    master: {address: mdw, port: 5432}
"""

RETURN = r"""
deleted:
  description: Directories that were deleted or emptied, or would be.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import discard

if __name__ == "__main__":
    discard.run()
