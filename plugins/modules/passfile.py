#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: passfile
short_description: Keep the replication password in a password file
version_added: 0.1.0
description:
  - Makes sure that libpq's password file holds one line for each server that the replication role connects
    to, with mode 0600 and the right owner. Other lines are left alone.
  - The password is the one that O(like) holds for the role, else the one that is already there, else a new one.
  - The password is not shown in a diff, and returned with O(state=read) alone.
  - The file is read and written as O(owner), never as root.
extends_documentation_fragment:
  - hawq.mirroring.attributes
options:
  state:
    description:
      - V(present) keeps the lines of O(servers). V(absent) takes away every line of the role, and the file when
        nothing else is in it. V(read) changes nothing and returns the lines of the role for O(like); a task
        with it needs C(no_log).
    type: str
    choices: [present, absent, read]
    default: present
  path: {description: The password file., type: path, required: true}
  owner: {description: Owner of the file., type: str, required: true}
  role: {description: Replication role., type: str, required: true}
  database: {description: Database of the lines., type: str, default: replication}
  ports:
    description: With O(state=absent) only lines of servers with these ports; without any all.
    type: list
    elements: int
    default: []
  servers:
    description: Servers that the role connects to. Required with O(state=present).
    type: list
    elements: dict
    default: []
    suboptions:
      address: {description: Host name or address as in the connection string., type: str, required: true}
      port: {description: TCP port., type: int, required: true}
  like: {description: Text of another host's password file., type: str, default: ""}
attributes:
  diff_mode: {description: Shows lines with the password masked.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Keep the replication password
  hawq.mirroring.passfile:
    path: /home/gpadmin/.pgpass
    owner: gpadmin
    role: hawq_mirroring
    servers: [{address: mdw, port: 5432}, {address: smdw, port: 5432}]
"""

RETURN = r"""
exists:
  description: Whether the file is there now (not in check mode before the first run).
  type: bool
  returned: always
path:
  description: The password file.
  type: str
  returned: always
text:
  description: The lines of the role, with its password.
  type: str
  returned: with O(state=read)
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import passfile

if __name__ == "__main__":
    passfile.run()
