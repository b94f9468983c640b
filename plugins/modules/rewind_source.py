#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: rewind_source
short_description: Let another host read the master's files and make a backup of them, or end that
version_added: 0.2.0
description:
  - With O(state=present) it makes the checkpoint that a rewind needs after an activation, and a role that may read the
    files of the data directory, as the manual of C(pg_rewind) names it, and start and stop a backup. Its password is
    that of the replication role; C(pg_hba.conf) lets it in from the other masters' hosts alone.
  - With O(state=absent) that role is dropped.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  state: {description: What is to be., type: str, choices: [present, absent], default: present}
  role: {description: The role., type: str, required: true}
  passfile: {description: Password file that holds the replication role's password., type: path, required: true}
  password_of: {description: Replication role whose password it gets., type: str, default: hawq_mirroring}
  hba_lines:
    description: Lines of C(pg_hba.conf) that let it in. They stand there while it exists.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows whether the role is there., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Let a rewind read the master's files
  hawq.mirroring.rewind_source:
    instance: "{{ server_instance }}"
    role: hawq_mirroring_rewind
    passfile: /home/gpadmin/.pgpass
"""

RETURN = r"""
checkpointed:
  description: Whether a checkpoint was made, since the last one was on an older timeline.
  type: bool
  returned: always
"""

import os
import time

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, server_info
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo, scram

MARK = "# hawq.mirroring rewind"
CHECKPOINT_SECONDS = 600
#: PostgreSQL manual, "pg_rewind", Notes
FUNCTIONS = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
    # "Backup Control Functions"
    "pg_backup_start(text, boolean)",
    "pg_backup_stop(boolean)",
)
TIMELINES = """
SELECT c.timeline_id AS last, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS now,
       current_setting('hba_file') AS hba_file
FROM pg_control_checkpoint() c
"""
ROLE = "SELECT shobj_description(oid, 'pg_authid') = %s AS ours FROM pg_roles WHERE rolname = %s"
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE usename = %s"
#: whoever has it may be waiting for a checkpoint, or for a rewind's end
LOCK = f"""
SET lock_timeout = '{CHECKPOINT_SECONDS}s'; SELECT pg_advisory_lock(hashtext('hawq.mirroring rewind'));
RESET lock_timeout
"""
#: a host that died is noticed before that
END_SECONDS = 20


def ours(cursor, role):
    """Whether there is the role, made here; None when there is none."""
    rows = database.rows(cursor, ROLE, (server_info.REWIND_MARK, role))
    return bool(rows[0]["ours"]) if rows else None


def edit_hba(module, cursor, path, user, lines):
    """Let the role in, or not any more; return whether that changed the file."""
    path = os.path.realpath(path)
    text = files.read(path) or ""
    others = [line for line in text.splitlines() if not line.endswith(MARK)]
    wanted = "".join(f"{line}\n" for line in [*(f"{line} {MARK}" for line in lines), *others])
    if wanted == text:
        return False
    if not module.check_mode:
        files.write(module, path, wanted, user, os.stat(path).st_mode & 0o777)
        cursor.execute("SELECT pg_reload_conf()")
    return True


def present(module, instance, cursor, row):
    """Checkpoint, role, privileges, way in."""
    role, act = module.params["role"], not module.check_mode
    there = ours(cursor, role)
    if there is False:
        raise MirroringError(
            f"there is a role {role} that this collection did not make, and a rewind needs that name: rename it, or"
            " name another replication role with -e master_replication_user="
        )
    if act:
        if row["last"] != row["now"]:
            cursor.execute("CHECKPOINT")
        password = conninfo.password_in(files.read(module.params["passfile"]) or "", module.params["password_of"])
        if password is None:
            raise MirroringError(
                f"{module.params['passfile']} holds no password for {module.params['password_of']}: run this again"
            )
        verb = "ALTER" if there else "CREATE"
        cursor.execute(f'{verb} ROLE "{role}" WITH LOGIN PASSWORD %s', (scram.verifier(password),))
        cursor.execute(f'COMMENT ON ROLE "{role}" IS %s', (server_info.REWIND_MARK,))
        for function in FUNCTIONS:
            cursor.execute(f'GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO "{role}"')
    return edit_hba(module, cursor, row["hba_file"], instance.user, module.params["hba_lines"]) or not there


def wait_for_end(cursor, role):
    """A rewind that outlived its controller is not ended under way."""
    deadline = time.monotonic() + END_SECONDS
    while sessions := database.rows(cursor, SESSIONS, (role,)):
        if time.monotonic() > deadline:
            raise MirroringError(
                f"another host still reads the files of this one (process {sessions[0]['pid']}): run this again when it"
                f" has ended, or end it (SELECT pg_terminate_backend({sessions[0]['pid']}))"
            )
        time.sleep(0.1)


def absent(module, instance, cursor, row):
    """Take all of it away."""
    role = module.params["role"]
    there, act = bool(ours(cursor, role)), not module.check_mode
    if there and act:
        wait_for_end(cursor, role)
    # the role goes last: what a killed run has left is found by it
    edited = edit_hba(module, cursor, row["hba_file"], instance.user, [])
    if there and act:
        for function in FUNCTIONS:
            cursor.execute(f'REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM "{role}"')
        cursor.execute(f'DROP ROLE "{role}"')
    return edited or there


def main(module):
    """Act in the database that pg_rewind connects to: privileges on functions are each database's own."""
    wanted = module.params["state"] == "present"
    instance = instance_of(module.params["instance"])
    with database.session(instance, statement_seconds=CHECKPOINT_SECONDS) as cursor:
        cursor.execute(LOCK)
        row = database.rows(cursor, TIMELINES)[0]
        changed = (present if wanted else absent)(module, instance, cursor, row)
    shown = ("absent\n", "present\n") if wanted else ("present\n", "absent\n")
    return {
        "changed": changed,
        "checkpointed": wanted and row["last"] != row["now"] and not module.check_mode,
        "diff": {"before": shown[0] if changed else shown[1], "after": shown[1]},
    }


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "role": {"type": "str", "required": True},
            "passfile": {"type": "path", "required": True, "no_log": False},
            "password_of": {"type": "str", "default": "hawq_mirroring", "no_log": False},
            "hba_lines": {"type": "list", "elements": "str", "default": []},
        },
    )
