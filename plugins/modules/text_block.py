#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: text_block
short_description: Keep a block of lines in a text file of the server's user
version_added: 0.2.0
description:
  - Keeps a block between two markers as C(ansible.builtin.blockinfile) does, but as the user O(owner) and not as root.
    That user, and who gives orders to the database, can let a path lead anywhere, so root must not write there.
  - Mode and group of the file stay, and its owner is O(owner). A symbolic link stays, and what it leads to is written.
  - A file that O(owner) may not change is refused.
extends_documentation_fragment:
  - hawq.mirroring.attributes
options:
  path:
    description: The file. A leading V(~/) stands for the home of O(owner).
    type: str
    required: true
  owner: {description: The user that reads and writes the file., type: str, required: true}
  state:
    description: V(absent) takes the block away. A file that does not exist has none.
    type: str
    choices: [present, absent]
    default: present
  marker:
    description: Line above and below the block, in which C({mark}) is replaced by C(BEGIN) or C(END).
    type: str
    default: "# {mark} hawq.mirroring"
  block: {description: The lines. Without any the block is taken away., type: str, default: ""}
  place:
    description: Where a new block goes. One that is there stays where it is.
    type: str
    choices: [first, last]
    default: last
  create: {description: Whether to make a file that does not exist., type: bool, default: false}
  begin:
    description: Text that a new file begins with. A file that has only that when the block is taken away is deleted.
    type: str
    default: ""
  mode: {description: Mode of a new file., type: str, default: "0644"}
attributes:
  diff_mode: {description: Shows the block. Other lines of the file can hold secrets.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Tell the user's login shells about the server
  hawq.mirroring.text_block:
    path: ~/.bash_profile
    owner: gpadmin
    block: export PGPORT=5432
    create: true
"""

RETURN = r"""
path:
  description: The file, links followed.
  type: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import text_block

if __name__ == "__main__":
    text_block.run()
