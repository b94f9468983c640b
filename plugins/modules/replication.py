#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: replication
short_description: Make a data directory a standby of the master
version_added: 0.1.0
description:
  - Writes C(standby.signal) and, into C(postgresql.auto.conf), the connection to the master, the slot and
    what this standby must set differently. No password is written; it comes from the password file.
  - A server that runs on the directory is reloaded when something changed. Where none runs, systemd forgets starts that
    have failed.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  directory:
    description: The directory to write to. The instance's data directory when not given.
    type: path
  copy_id:
    description: >-
      What M(hawq.mirroring.snapshot) returned. When another run has deployed that copy meanwhile, the data directory is
      written to.
    type: int
  primary: {description: Connection keywords of the master., type: dict, required: true}
  slot: {description: Replication slot on the master., type: str, required: true}
  reload:
    description: Reload a running server even when nothing changed here.
    type: bool
    default: false
  resume:
    description: Let a replay go on that was paused.
    type: bool
    default: false
  settings:
    description: Parameters that differ from the master's; a null value takes one out.
    type: dict
    default: {}
attributes:
  diff_mode: {description: Shows the settings before and after.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Follow the master
  hawq.mirroring.replication:
    instance: "{{ server_instance }}"
    slot: hawq_mirroring_smdw
    primary: {host: mdw, port: 5432, user: hawq_mirroring, passfile: /home/gpadmin/.pgpass, application_name: smdw}
"""

RETURN = r"""
primary_conninfo:
  description: The connection string that the standby uses.
  type: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import replication

if __name__ == "__main__":
    replication.run()
