#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: delta
short_description: Make a stopped server's directory a verified copy of the master's, transferring only what differs
version_added: 0.3.0
description:
  - Takes a base backup of the running master into a directory that already holds most of it. The master hashes its
    files, the host its own, and only blocks that differ are transferred. Needs no WAL of before, no data checksums and
    no room for a second copy.
  - What the directory held and the master has not is gone afterwards; its configuration stays. The result is verified
    with C(pg_verifybackup), WAL included.
  - From the first change until it is verified, a mark beside the directory keeps it from being started.
  - A copy that does not work is no failure of the module; RV(copied) says so, and the next way can be tried.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  primary: {description: Connection keywords of the master for the replication role., type: dict, required: true}
  role: {description: Role on the master that may read its files and make a backup., type: str, required: true}
  slot: {description: Replication slot on the master through which the WAL comes., type: str, required: true}
  tablespace_mapping:
    description: Directories of tablespaces on the master, and where they are here if that is elsewhere.
    type: dict
    default: {}
  checkpoint:
    description: Whether the master makes the first checkpoint at once or over its usual time.
    type: str
    choices: [fast, spread]
    default: fast
  rate_limit:
    description: Bytes a second that the master may be asked to read at most, with C(k) or C(M) as for C(pg_basebackup).
    type: str
    default: ""
  timeout: {description: Seconds that it may take., type: int, default: 86400}
  watch:
    description:
      - Only show how far the comparison of another host is; for the master. The action plugin of the same name does
        that with M(hawq.mirroring.snapshot_progress).
    type: bool
    default: false
attributes:
  diff_mode: {description: Says that the content becomes the master's.}
  idempotent: {description: Takes a new backup each time., support: none}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Copy what differs
  hawq.mirroring.delta:
    instance: "{{ server_instance }}"
    primary: {host: smdw, port: 5432, user: hawq_mirroring, passfile: /home/gpadmin/.pgpass, sslmode: prefer}
    role: hawq_mirroring_rewind
    slot: hawq_mirroring_mdw
"""

RETURN = r"""
copied:
  description: Whether the directory is a verified copy of the master's now.
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
compared_bytes: {description: Size of the files that were compared., type: int, returned: always}
received_bytes: {description: "What came from the master for it, in bytes, without WAL.", type: int, returned: always}
seconds: {description: How long it took., type: float, returned: always}
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import delta

if __name__ == "__main__":
    delta.run()
