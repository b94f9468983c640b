#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: activation
short_description: Make a standby the master
version_added: 0.1.0
description:
  - Promotes the standby on this host, also when its replay is paused, and waits, bounded, until a write commits.
  - Then it gives the new master what it needs, a limit to the WAL that slots keep, slots that keep WAL for the old
    master's way back and for further standbys, and only those registered.
  - Then it brings the address that follows the master here. That the address stays away is told and is no failure,
    since the master is there.
  - A server that already is a master is not promoted again.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  state:
    description: V(active) promotes; V(checkpointed) makes the checkpoint that a later rewind needs.
    type: str
    choices: [active, checkpointed]
    default: active
  role: {description: Replication role that standbys are registered at., type: str, default: hawq_mirroring}
  name: {description: Name of the new master in the views., type: str}
  slots:
    description: Slots that keep WAL for the old master and for further standbys.
    type: list
    elements: str
    default: []
  standbys: {description: Further standbys that stay registered., type: list, elements: str, default: []}
  wal_keep_megabytes:
    description: Limit of the WAL kept by slots, in megabytes, where there is none yet.
    type: int
    default: 10240
  virtual_ip:
    description: The address that follows the master.
    type: dict
    default: {}
    suboptions:
      address: {description: The address with its prefix. None when empty., type: str, default: ""}
      interface: {description: Network interface., type: str, default: ""}
  virtual_ip_timeout: {description: Seconds that the address may take., type: int, default: 30}
  timeout: {description: Seconds that the promotion may take., type: int, default: 60}
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows the role of the server., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Activate the standby
  hawq.mirroring.activation:
    instance: "{{ server_instance }}"
    slots: [hawq_mirroring_mdw]
"""

RETURN = r"""
promoted:
  description: Whether this call promoted the server.
  type: bool
  returned: always
activation_lsn:
  description: LSN at which the new timeline begins. Null on timeline 1.
  type: str
  returned: with O(state=active), not in check mode before the promotion
timeline: {description: The timeline now., type: int, returned: with O(state=active)}
seconds: {description: From the call until a write had committed., type: float, returned: with O(state=active)}
address_trouble:
  description: Why the address is not here.
  type: str
  returned: with O(state=active), when it is not
released_from:
  description: What C(synchronous_standby_names) was, when commits would have waited for a standby that is not there.
  type: str
  returned: with O(state=active)
"""

import contextlib
import os
import time

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, server_info
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files, virtual_ip
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from ansible_collections.hawq.mirroring.plugins.module_utils.values import history, places

STATUS = """
SELECT pg_is_in_recovery() AS in_recovery, pg_last_wal_replay_lsn()::text AS replay_lsn,
       pg_last_wal_receive_lsn()::text AS receive_lsn, current_setting('synchronous_standby_names') AS synchronous,
       current_setting('max_slot_wal_keep_size') AS keep
"""
TIMELINE = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline"
SLOTS = "SELECT slot_name FROM pg_replication_slots"
ROLE = "SELECT FROM pg_roles WHERE rolname = %s"
SEGMENTS = "SELECT to_regclass('public.hawq_mirroring_segment') IS NOT NULL AS there"
CHECKPOINT_SECONDS = 600


def promote(cursor, timeout):
    """Ask for the promotion and wait for its end, bounded."""
    cursor.execute("SELECT pg_is_wal_replay_paused() AS paused")
    if cursor.fetchone()["paused"]:
        cursor.execute("SELECT pg_wal_replay_resume()")
    cursor.execute("SELECT pg_promote(false)")
    deadline = time.monotonic() + timeout
    while True:
        row = database.rows(cursor, STATUS)[0]
        if not row["in_recovery"]:
            return
        if time.monotonic() > deadline:
            raise MirroringError(
                f"the promotion was asked for {timeout} s ago and is not done: replay stands at {row['replay_lsn']} of"
                f" {row['receive_lsn']}. It goes on by itself: look at the server's log, then run this again"
            )
        time.sleep(0.01)


def keep_wal(module, cursor):
    """Keep WAL for the old master's way back and for further standbys; return what was done.

    Before the promotion: the checkpoint that follows that removes the WAL since the last one that both have, which a
    rewind begins with. No new master is held up when there is no slot to be had.
    """
    done = []
    try:
        there = {row["slot_name"] for row in database.rows(cursor, SLOTS)} if module.params["slots"] else set()
        for slot in module.params["slots"]:
            if slot not in there:
                cursor.execute("SELECT pg_create_physical_replication_slot(%s, true)", (slot,))
                done.append(f"slot {slot} made")
    except database.Error as error:
        module.warn(f"no WAL is kept for the old master's way back: {' '.join(str(error).split())}")
    return done


def equip(module, cursor, row):
    """Give the new master what it needs; return what was done."""
    done = []
    if row["synchronous"]:
        cursor.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
        done.append("synchronous_standby_names emptied")
    if row["keep"] == "-1":
        cursor.execute(f"ALTER SYSTEM SET max_slot_wal_keep_size = '{int(module.params['wal_keep_megabytes'])}MB'")
        done.append("max_slot_wal_keep_size limited")
    if done:
        cursor.execute("SELECT pg_reload_conf()")
    role, name = module.params["role"], module.params["name"]
    if database.rows(cursor, ROLE, (role,)):
        standbys = sorted(module.params["standbys"])
        if [row["name"] for row in database.rows(cursor, server_info.STANDBYS)] != standbys:
            server_info.register(cursor, role, standbys)
            done.append("standbys registered" if standbys else "standby unregistered")
        known = database.rows(cursor, server_info.MASTER_NAME)
        if name and not (known and known[0]["name"] == name):
            cursor.execute(f'ALTER ROLE "{role}" SET "hawq_mirroring.master" = %s', (name,))
            done.append("master named")
    return done


def began(instance, timeline):
    """The LSN at which a timeline began, from its history file."""
    path = os.path.join(instance.data_directory, "pg_wal", f"{timeline:08X}.history")
    lines = history.ancestors(files.read(path) or "")
    return lines[-1][1] if lines else None


def take_address(module):
    """Bring the address here; return whether that was to be done, and why it did not work."""
    run, wanted = Runner(), module.params["virtual_ip"]
    try:
        if not wanted["address"] or virtual_ip.here(run, wanted["address"]):
            return False, None
        if not module.check_mode:
            virtual_ip.take(run, wanted["address"], wanted["interface"], module.params["virtual_ip_timeout"])
    except MirroringError as error:
        return True, str(error)
    return True, None


def activate(module, instance):
    """Promote unless it is a master, commit a write, equip."""
    begin = time.monotonic()
    with database.session(instance, statement_seconds=module.params["timeout"]) as cursor:
        row = database.rows(cursor, STATUS)[0]
        before = row["in_recovery"]
        if module.check_mode:
            return {"changed": before, "promoted": before, "diff": difference(before)}
        done = keep_wal(module, cursor)
        if before:
            promote(cursor, module.params["timeout"])
            if database.rows(cursor, SEGMENTS)[0]["there"]:
                cursor.execute("UPDATE public.hawq_mirroring_segment SET reported = '-infinity'")
        # a transaction with an identifier of its own commits in the WAL
        cursor.execute("SELECT pg_current_xact_id()")
        seconds = round(time.monotonic() - begin, 3)
        timeline = database.rows(cursor, TIMELINE)[0]["timeline"]
        moved, trouble = take_address(module)
        done += equip(module, cursor, row) + (["address brought here"] if moved and not trouble else [])
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(instance.data_directory, places.RECORD))
    return {
        "changed": before or bool(done),
        "promoted": before,
        "done": done,
        "timeline": timeline,
        "activation_lsn": began(instance, timeline),
        "seconds": seconds,
        "released_from": row["synchronous"],
        "diff": difference(before),
        **({"address_trouble": trouble} if trouble else {}),
    }


def difference(before):
    """The server's role before and after."""
    return {"before": "standby\n" if before else "master\n", "after": "master\n"}


def main(module):
    """Promote, or only end with a checkpoint."""
    instance = instance_of(module.params["instance"])
    if module.params["state"] == "active":
        return activate(module, instance)
    if not module.check_mode:
        with database.session(instance, statement_seconds=CHECKPOINT_SECONDS) as cursor:
            cursor.execute("CHECKPOINT")
    return {"changed": False, "promoted": False}


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["active", "checkpointed"], "default": "active"},
            "role": {"type": "str", "default": "hawq_mirroring"},
            "name": {"type": "str"},
            "slots": {"type": "list", "elements": "str", "default": []},
            "standbys": {"type": "list", "elements": "str", "default": []},
            "wal_keep_megabytes": {"type": "int", "default": 10240},
            "virtual_ip": virtual_ip.OPTION,
            "virtual_ip_timeout": {"type": "int", "default": 30},
            "timeout": {"type": "int", "default": 60},
        },
    )
