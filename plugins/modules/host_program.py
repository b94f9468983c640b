#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_program
short_description: Install one of the collection's own programs on a host
version_added: 0.1.0
description:
  - Installs a program that the collection brings along, its settings, and what makes systemd run it. The C(interlock)
    is asked by the database's unit before each start, through a drop-in. The C(peer) is run by sshd, for the keys of
    the other master hosts. The others have a unit of their own.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  name:
    description: The program.
    type: str
    choices: [interlock, virtual-ip, segment, peer, guard, witness]
    required: true
  program: {description: Text of the program., type: str, required: true}
  settings: {description: Its settings; see the program., type: dict, required: true}
  unit: {description: Text of its unit or drop-in; not of the C(peer)., type: str}
  library:
    description: Texts of the modules that it judges by, by their paths below the library of guards and witnesses.
    type: dict
    default: {}
  started:
    description: Whether its unit is to run, afresh when something of it has changed. The interlock's never is.
    type: bool
    default: false
attributes:
  diff_mode: {description: Shows the settings.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Ask before each start
  hawq.mirroring.host_program:
    instance: "{{ server_instance }}"
    name: interlock
    program: "{{ lookup('ansible.builtin.file', 'hawq-mirroring-interlock') ~ '\n' }}"
    settings: "{{ server_interlock }}"
    unit: "{{ lookup('ansible.builtin.template', 'interlock.conf.j2') }}"
"""

RETURN = r"""
done:
  description: Files that were written, and what systemd was told.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import host_program

if __name__ == "__main__":
    host_program.run()
