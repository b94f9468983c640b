#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot
short_description: Copy the running master as a detached, verified job
version_added: 0.1.0
description:
  - Runs C(pg_basebackup) and then C(pg_verifybackup) on the standby's host as the transient unit
    C(hawq-mirroring-snapshot-hawq-master.service), which is named for the unit of the server. The job goes on when the
    controller dies, and there can be only one for a server.
  - The copy is made in C(<data directory>.hawq-snapshot/unverified-copy), which no service starts from, and is renamed
    into place only when it is verified.
  - Each call returns within some seconds; O(state=finished) is repeated by the action plugin of the same
    name, which shows the progress.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes
options:
  state:
    description:
      - V(started) starts the job, or attaches to one that runs or has finished for the same O(request).
      - V(finished) waits for the end of the verification.
      - V(deployed) moves the verified copy into place.
      - V(absent) ends the job and removes its half copy. With O(spare) it leaves a job alone that has not failed.
    type: str
    choices: [started, finished, deployed, absent]
    required: true
  request:
    description: What to copy and how. Required with O(state=started).
    type: dict
    suboptions:
      system_identifier: {description: The master's system identifier., type: str, required: true}
      source:
        description: Connection keywords of the master; the password comes from a password file.
        type: dict
        required: true
      slot: {description: Replication slot that keeps the WAL., type: str, required: true}
      checkpoint:
        description: How the master's starting checkpoint runs.
        type: str
        choices: [fast, spread]
        default: fast
      rate_limit:
        description: Largest rate as pg_basebackup takes it (V(32M) is 32 MB per second).
        type: str
      compression:
        description: Compression on the wire.
        type: str
        choices: [none, server-gzip, server-lz4, server-zstd]
        default: none
      tablespace_mapping:
        description: Directories on the master and their places here.
        type: dict
        default: {}
      tablespaces:
        description: Directories here that tablespaces are copied to.
        type: list
        elements: str
        default: []
      tablespace_version:
        description: Name of the directory that the files of this system have in each. Nothing beside it is deleted.
        type: str
  existing_data:
    description: What to do with what is in the way when the job starts (tablespaces) and when the copy is deployed.
    type: str
    choices: [none, keep, discard]
    default: none
  fresh:
    description: Do not attach to a job or copy from before. Its slot is gone, and with it the WAL that it would need.
    type: bool
    default: false
  make_room:
    description: With V(discard), delete the old data before the copy instead of after it.
    type: bool
    default: false
  spare: {description: "With O(state=absent), leave a job that runs, and a verified copy.", type: bool, default: false}
  copy_id:
    description: What O(state=started) returned. With it a copy that another run has deployed is known.
    type: int
  timeout: {description: Seconds that copy and verification may take., type: int, default: 86400}
  wait:
    description: >-
      Seconds that one call waits for the end of the job; with O(state=absent) and O(spare), for the end of the copying.
    type: int
    default: 2
attributes:
  diff_mode: {description: Names the directories that change.}
  idempotent: {description: A second run attaches to the job of the first.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Start the snapshot
  hawq.mirroring.snapshot:
    instance: "{{ server_instance }}"
    state: started
    request:
      system_identifier: "7384231023412341234"
      slot: hawq_mirroring_smdw
      source: {host: mdw, port: 5432, user: hawq_mirroring, passfile: /home/gpadmin/.pgpass}
"""

RETURN = r"""
phase:
  description: Phase of the job. One of V(none), V(copying), V(verifying), V(done), V(failed).
  type: str
  returned: always
attached:
  description: Whether the job had been started by an earlier run.
  type: bool
  returned: with O(state=started)
copy_directory:
  description: Where the copy is until it is deployed.
  type: str
  returned: always
copy_id:
  description: What tells this copy from others, before and after it is deployed.
  type: int
  returned: when there is a copy
goes_on:
  description: Whether the job was left alone.
  type: bool
  returned: with O(state=absent)
log:
  description: Last lines that the job printed.
  type: str
  returned: with O(state=finished)
mark:
  description: When the call ended, in seconds since the epoch, on the controller.
  type: float
  returned: always
kept:
  description: Directories that hold what was in the way, with O(existing_data=keep).
  type: list
  elements: str
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import snapshot

if __name__ == "__main__":
    snapshot.run()
