#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: replication_source
short_description: Make the master a source for a standby, or take that back
version_added: 0.1.0
description:
  - Creates or repairs the replication role (its password is the one in the password file, sent as a SCRAM-SHA-256
    verifier), registers the standby and creates its physical replication slot, which keeps WAL from now on.
  - Reloads the server when C(pg_hba.conf) is newer than what the server has loaded.
  - The registration is the setting C(hawq_mirroring.standbys) of the replication role. It lives in a shared catalog, so
    every database and every standby sees it.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  state:
    description:
      - V(present) makes what is missing. V(absent) ends a snapshot and takes away what O(created) names. A role that
        was not made here, or that owns or may use other objects, stays.
    type: str
    choices: [present, absent]
    default: present
  role: {description: Replication role., type: str, default: hawq_mirroring}
  passfile: {description: Password file that holds the role's password., type: path, required: true}
  master:
    description:
      - Name of the master in the views. With O(state=absent) it is unregistered as well, as it may have been a standby.
    type: str
  standby: {description: Name of the standby., type: str, required: true}
  others: {description: Further standbys that stay registered., type: list, elements: str, default: []}
  slot: {description: Name of the standby's slot., type: str, required: true}
  created:
    description: What to take away with O(state=absent), for example what an earlier call returned as RV(created).
    type: list
    elements: str
    choices: [role, registration, slot]
    default: []
  spare:
    description: With O(state=absent), change nothing while a snapshot's WAL receiver still answers the master.
    type: bool
    default: false
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows what is made or taken away., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Make the master a source for smdw
  hawq.mirroring.replication_source:
    instance: "{{ server_instance }}"
    passfile: /home/gpadmin/.pgpass
    standby: smdw
    slot: hawq_mirroring_smdw
"""

RETURN = r"""
goes_on:
  description: Whether a snapshot was found to go on and nothing was changed.
  type: bool
  returned: with O(state=absent)
slot_lost:
  description: Whether the slot that was taken away had lost WAL that its standby or copy needed.
  type: bool
  returned: with O(state=absent)
slot_made:
  description: Whether the slot was made by this call, so that no copy from before can have all WAL since.
  type: bool
  returned: always
removed:
  description: What this call has taken away, or would.
  type: list
  elements: str
  returned: with O(state=absent)
role_stays:
  description: Why the role was not dropped although O(created) names it. Empty otherwise.
  type: str
  returned: with O(state=absent)
created:
  description: What this call has made and was not there before.
  type: list
  elements: str
  returned: always
"""


import time

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, server_info, staging
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo, scram

OTHERS_NEED_ROLE = """
SELECT EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = %s::regrole) AS there
"""
SLOT = "SELECT slot_type, active, active_pid, wal_status FROM pg_replication_slots WHERE slot_name = %s"
STALE_HBA = "SELECT (pg_stat_file(current_setting('hba_file'))).modification > pg_conf_load_time() AS stale"
LOCK = "SELECT pg_advisory_lock(hashtext('hawq.mirroring'))"
REPLIED = "SELECT max(reply_time) AS at FROM pg_stat_replication WHERE application_name = %s AND usename = %s"
END_SNAPSHOT = "SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = %s AND usename = %s"
RELEASE_SECONDS = 10
#: a snapshot's WAL receiver answers every second
ANSWER_SECONDS = 4


def ensure_role(cursor, role, password, act):
    """Create or repair the replication role; return created, repaired or nothing."""
    found = server_info.replication_role(cursor, role)
    if found:
        row = found[0]
        if row["may_replicate"] and scram.matches(password or "", row["rolpassword"]):
            return None
        if not row["ours"]:
            hand_over = f"COMMENT ON ROLE {role} IS '{server_info.REPLICATION_MARK}'"
            raise MirroringError(
                f"there is a role {role} that this collection did not make, with another password: name another with"
                f" -e master_replication_user=, or hand it over ({hand_over}), which changes its password"
            )
    if act:
        verb = "ALTER" if found else "CREATE"
        rights = "LOGIN REPLICATION VALID UNTIL 'infinity'"
        cursor.execute(f'{verb} ROLE "{role}" WITH {rights} PASSWORD %s', (scram.verifier(password),))
        cursor.execute(f'COMMENT ON ROLE "{role}" IS %s', (server_info.REPLICATION_MARK,))
    return "repaired" if found else "created"


def ensure_registration(cursor, role, wanted, act):
    """Register these standbys alone: a master that was one itself still is registered. Return created or nothing."""
    if [row["name"] for row in database.rows(cursor, server_info.STANDBYS)] == wanted:
        return None
    if act:
        server_info.register(cursor, role, wanted)
    return "created"


def ensure_name(cursor, role, master, act):
    """Let the views say who the master is; return repaired or nothing."""
    found = database.rows(cursor, server_info.MASTER_NAME)
    if not master or (found and found[0]["name"] == master):
        return None
    if act:
        cursor.execute(f'ALTER ROLE "{role}" SET "hawq_mirroring.master" = %s', (master,))
    return "repaired"


def ensure_slot(cursor, slot, act):
    """Create the slot, anew when it has lost its WAL; return created, repaired or nothing."""
    found = database.rows(cursor, SLOT, (slot,))
    if found and found[0]["wal_status"] != "lost":
        return None
    if act:
        if found:
            drop_slot(cursor, slot)
        cursor.execute("SELECT pg_create_physical_replication_slot(%s, true)", (slot,))
    return "repaired" if found else "created"


def drop_slot(cursor, slot):
    """Drop a slot; whoever still holds it is ended first, bounded."""
    deadline = time.monotonic() + RELEASE_SECONDS
    while True:
        slots = database.rows(cursor, SLOT, (slot,))
        if not slots:
            return
        if not slots[0]["active"]:
            cursor.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
            return
        if time.monotonic() > deadline:
            raise MirroringError(
                f"slot {slot} is still held by process {slots[0]['active_pid']} after {RELEASE_SECONDS} s:"
                f" end it, then SELECT pg_drop_replication_slot('{slot}')"
            )
        cursor.execute("SELECT pg_terminate_backend(%s)", (slots[0]["active_pid"],))
        time.sleep(0.1)


def present(module, cursor):
    """Make what is missing; return what was made and what was repaired."""
    options, role, act = module.params, module.params["role"], not module.check_mode
    password = conninfo.password_in(files.read(options["passfile"]) or "", role)
    if password is None and act:
        raise MirroringError(f"{options['passfile']} holds no password for {role}: run the whole playbook again")
    outcome = {
        "role": ensure_role(cursor, role, password, act),
        "registration": ensure_registration(cursor, role, sorted({options["standby"], *options["others"]}), act),
        "name": ensure_name(cursor, role, options["master"], act),
        "slot": ensure_slot(cursor, options["slot"], act),
        "loaded pg_hba.conf": "repaired" if database.rows(cursor, STALE_HBA)[0]["stale"] else None,
    }
    if outcome["loaded pg_hba.conf"] and act:
        cursor.execute("SELECT pg_reload_conf()")
    return [[name for name, what in outcome.items() if what == word] for word in ("created", "repaired")]


def answers(cursor, role):
    """Whether the WAL receiver of a snapshot answers, bounded: it does not while its host is off, cut off or frozen."""
    deadline = time.monotonic() + ANSWER_SECONDS
    first = database.rows(cursor, REPLIED, (staging.APPLICATION, role))[0]["at"]
    while first is not None and time.monotonic() < deadline:
        time.sleep(0.2)
        if (database.rows(cursor, REPLIED, (staging.APPLICATION, role))[0]["at"] or first) > first:
            return True
    return False


def why_role_stays(cursor, role):
    """Why the role must not or cannot be dropped; nothing when it can be, or is not there."""
    found = server_info.replication_role(cursor, role)
    if found and not found[0]["ours"]:
        return "it was not made by this collection"
    if found and database.rows(cursor, OTHERS_NEED_ROLE, (f'"{role}"',))[0]["there"]:
        return "it owns or may use other objects"
    return ""


def absent(module, cursor):
    """Take it away, in the opposite order; return what was there, whether the slot was lost, and why the role stays."""
    options, role, act = module.params, module.params["role"], not module.check_mode
    slots = database.rows(cursor, SLOT, (options["slot"],))
    there = bool(server_info.replication_role(cursor, role))
    stays = why_role_stays(cursor, role) if "role" in options["created"] else ""
    standbys = [row["name"] for row in database.rows(cursor, server_info.STANDBYS)]
    others = [name for name in standbys if name not in (options["standby"], options["master"])]
    if others != standbys and not there and "registration" in options["created"]:
        raise MirroringError(
            f"{', '.join(standbys)} is registered, but not at the role {role}: name that with"
            " -e master_replication_user="
        )
    removed = [
        name
        for name, exists in (
            ("slot", bool(slots)),
            ("registration", others != standbys),
            ("role", there and not stays),
        )
        if exists and name in options["created"]
    ]
    if act:
        # first, so that nobody whose lines are gone from pg_hba.conf comes back to the slot
        cursor.execute("SELECT pg_reload_conf()")
        cursor.execute(END_SNAPSHOT, (staging.APPLICATION, role))
        if "slot" in removed:
            drop_slot(cursor, options["slot"])
        if "registration" in removed:
            server_info.register(cursor, role, others)
        if "role" in removed:
            cursor.execute(f'DROP ROLE "{role}"')
    return removed, bool(slots) and slots[0]["wal_status"] == "lost", stays


def main(module):
    """Act under a lock, since two operators may run the same playbook."""
    with database.session(instance_of(module.params["instance"])) as cursor:
        cursor.execute(LOCK)
        goes_on = module.params["spare"] and answers(cursor, module.params["role"])
        lost, stays, before, created, repaired = False, "", [], [], []
        if module.params["state"] == "absent":
            if not goes_on:
                before, lost, stays = absent(module, cursor)
        else:
            created, repaired = present(module, cursor)
    after = created + repaired
    shown = ["".join(f"{word}\n" for word in words) for words in (before, after)]
    return {
        "changed": bool(before or after),
        "created": created,
        "goes_on": goes_on,
        "slot_lost": lost,
        "removed": before,
        "role_stays": stays,
        "slot_made": "slot" in after,
        "diff": {"before": shown[0], "after": shown[1]},
    }


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "role": {"type": "str", "default": "hawq_mirroring"},
            "passfile": {"type": "path", "required": True, "no_log": False},
            "master": {"type": "str"},
            "standby": {"type": "str", "required": True},
            "others": {"type": "list", "elements": "str", "default": []},
            "slot": {"type": "str", "required": True},
            "spare": {"type": "bool", "default": False},
            "created": {"type": "list", "elements": "str", "choices": ["role", "registration", "slot"], "default": []},
        },
    )
