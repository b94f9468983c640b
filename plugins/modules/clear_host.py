#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: clear_host
short_description: Take away what this collection has put on a host for one cluster
version_added: 0.3.0
description:
  - Takes away, in places that are root's, the drop-in of the server's unit, the settings of the collection's programs,
    the unit of the address, the permission to start, the limits of the user, and the programs themselves.
  - What another cluster of the host shares with this one stays. The data, the packages and the user are not touched.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  unit:
    description: Whether the unit of the server was made here, too, and goes.
    type: bool
    default: false
  serves:
    description:
      - Whether the server goes on. Then nothing of it is stopped, its unit stays, and so does its address until the
        next boot.
    type: bool
    default: false
  mark:
    description: Whether it is forgotten, too, that data was deleted on purpose. Without the collection nobody asks.
    type: bool
    default: false
  segment:
    description: Whether the host is a segment's, which has other files.
    type: bool
    default: false
  guard:
    description: Whether only the guard of a master is taken away, which lets commits wait.
    type: bool
    default: false
  witness:
    description: Whether only the witness is taken away, with what it has written down.
    type: bool
    default: false
attributes:
  diff_mode: {description: Names the files that are taken away.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Leave a host whose standby was removed
  hawq.mirroring.clear_host:
    instance: "{{ server_instance }}"
    unit: "{{ server_manage_unit }}"
"""

RETURN = r"""
done:
  description: Files that were taken away or changed.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import clear_host

if __name__ == "__main__":
    clear_host.run()
