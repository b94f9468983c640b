#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: new_system
short_description: Make a new database system
version_added: 0.2.0
description:
  - Makes a database system with checksums in the data directory, as the server's user. It is made beside its place and
    moved there when it is complete, so that a killed run leaves nothing that could be started. One that is there stays.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  locale: {description: Locale of its databases., type: str, default: C.UTF-8}
  settings:
    description: Configuration parameters beside its port.
    type: dict
    default: {}
  timeout: {description: Seconds that this may take., type: int, default: 600}
attributes:
  diff_mode: {description: Shows the settings.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Make a database system
  hawq.mirroring.new_system:
    instance: "{{ server_instance }}"
    settings:
      unix_socket_directories: /tmp
"""

RETURN = r"""
made:
  description: The data directory, whether it was made now or was there.
  type: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import new_system

if __name__ == "__main__":
    new_system.run()
