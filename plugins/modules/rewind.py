#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: rewind
short_description: Take a diverged server back to where its history left its master's
version_added: 0.2.0
description:
  - Runs C(pg_rewind) on a stopped server, so that only what differs is copied from the master. A server that was not
    shut down cleanly is recovered first, with all of its WAL kept; segments that it has removed and the master still
    has are fetched; its configuration is kept.
  - From the first change until the directory is a standby's, a mark beside it keeps it from being started.
  - A rewind that does not work is no failure of the module; RV(rewound) says so, and the next way can be tried.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.history
  - hawq.mirroring.attributes
options:
  primary: {description: Connection keywords of the master., type: dict, required: true}
  role: {description: Role on the master that may read its files., type: str, required: true}
  passfile: {description: Password file with the password of the replication role., type: path, required: true}
  password_of: {description: Replication role whose password O(role) has., type: str, default: hawq_mirroring}
  fork: {description: LSN at which the histories part., type: str, required: true}
  timeout: {description: Seconds that the recovery and the rewind may take each., type: int, default: 3600}
attributes:
  diff_mode: {description: Names the fork.}
  idempotent:
    description: A directory that is rewound is not on another history any more, so it is not to be called again.
    support: none
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Rewind the former master
  hawq.mirroring.rewind:
    instance: "{{ server_instance }}"
    primary: {host: smdw, port: 5432, sslmode: prefer}
    role: hawq_mirroring_rewind
    passfile: /home/gpadmin/.pgpass
    fork: 0/3017F88
    history: [{timeline: 1}]
"""

RETURN = r"""
rewound:
  description: Whether the directory is a standby's of the master now.
  type: bool
  returned: always
reason:
  description: Why not.
  type: str
  returned: when it is not
unfinished:
  description: Whether the directory was left half-way, so that it must not be started.
  type: bool
  returned: always
fetched: {description: Number of WAL segments that were fetched from the master., type: int, returned: success}
copied_bytes: {description: "What pg_rewind had to copy, in bytes.", type: int, returned: when it was rewound}
seconds: {description: How long it took., type: float, returned: always}
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import rewind

if __name__ == "__main__":
    rewind.run()
