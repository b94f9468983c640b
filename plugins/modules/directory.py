#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: directory
short_description: Make an empty directory for the server's user
version_added: 0.2.0
description:
  - Makes a directory for the user O(owner), and what is missing above it. That user makes it where it may, else root
    does, and then what is above it is root's.
  - An empty directory of root's or of O(owner) becomes what is asked for. One that has something in it is left exactly
    as it is.
  - What is no directory, is another user's, or would have to be made by root in a place that others than root can
    change, is refused.
extends_documentation_fragment:
  - hawq.mirroring.attributes
options:
  path: {description: The directory., type: path, required: true}
  owner: {description: The user that it is for., type: str, required: true}
  group: {description: "Its group, one of the user's. That user's first group when not given.", type: str}
  mode: {description: Its mode., type: str, default: "0700"}
attributes:
  diff_mode: {description: "Shows owner, group and mode."}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Make the data directory
  hawq.mirroring.directory:
    path: /data/hawq/master
    owner: gpadmin
"""

RETURN = r"""
path:
  description: The directory.
  type: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import directory

if __name__ == "__main__":
    directory.run()
