#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: segments_info
short_description: The segments that have registered with the master
version_added: 0.1.0
description:
  - Returns the segments of C(gp_segment_configuration). With O(wait_for) it waits, bounded, until these have registered
    with this master; those that have not by then are named, and are no failure.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes.info
options:
  wait_for:
    description: Host names to wait for.
    type: list
    elements: str
    default: []
  timeout: {description: Seconds to wait for at most., type: int, default: 20}
attributes:
  check_mode: {description: Asks once and does not wait.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Wait for the segments
  hawq.mirroring.segments_info:
    instance: "{{ server_instance }}"
    wait_for: [sdw1, sdw2]
"""

RETURN = r"""
segments:
  description: Rows with C(hostname), C(port), C(status) (V(u) or V(d)) and C(description).
  type: list
  elements: dict
  returned: always
registered:
  description: Host names that have registered with this master.
  type: list
  elements: str
  returned: always
missing:
  description: Host names that have not, of O(wait_for) and of those that an earlier master knew.
  type: list
  elements: str
  returned: always
waited:
  description: Seconds until all had registered, or the time was up.
  type: float
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import segments_info

if __name__ == "__main__":
    segments_info.run()
