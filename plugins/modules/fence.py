#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: fence
short_description: Make sure that a former master or standby cannot accept writes
version_added: 0.1.0
description:
  - Stops the server of this host (fast, then immediate, then with SIGKILL, each bounded; a frozen one is killed) and
    leaves C(standby.signal) in its data directory, so that it cannot come back as a master. Data and WAL stay.
  - Takes the address that follows the master off this host.
  - Records since when and why, and what the control file said, in C(hawq_mirroring.fence) in the data directory.
  - With O(state=stopped) it only stops the server, whatever it is.
  - With O(state=undone) a stopped server may be started as a master again, since nobody has taken over. That is said to
    the boot interlock as well, for one start; a host that answers is asked all the same.
  - With O(state=lifted) a former master that streams from the new one by now loses that record, and the slots of its
    time as a master, which would keep WAL for ever.
extends_documentation_fragment:
  - hawq.mirroring.instance
options:
  state: {description: What is to be., type: str, choices: [fenced, stopped, undone, lifted], default: fenced}
  reason: {description: Why the server must not accept writes any more., type: str}
  virtual_ip:
    description: The address that follows the master.
    type: dict
    default: {}
    suboptions:
      address: {description: The address with its prefix. None when empty., type: str, default: ""}
      interface: {description: Network interface., type: str, default: ""}
  offer:
    description: How far the standby is. What WAL it lacks is returned as M(hawq.mirroring.salvage) returns it.
    type: dict
    suboptions:
      after: {description: LSN of its last replayed record., type: str, required: true}
      have: {description: LSN up to which it holds WAL., type: str, required: true}
      timeline: {description: Timeline that it replays., type: int, required: true}
      known: {description: LSN that this server is known to have written., type: str}
  accept_loss:
    description: Whether WAL that cannot be read is no failure.
    type: bool
    default: false
  drain:
    description: Seconds that open sessions get to end by themselves. New ones are not let in meanwhile.
    type: int
    default: 0
  timeout: {description: Seconds that a fast shutdown may take., type: int, default: 20}
  was:
    description:
      - What the server was, which is recorded, too. A removed standby is not taken for a master that was left behind.
    type: str
    choices: [master, standby]
    default: master
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows whether the server runs and is fenced., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Fence the former master
  hawq.mirroring.fence:
    instance: "{{ server_instance }}"
    reason: smdw takes over
"""

RETURN = r"""
stopped:
  description: How the server ended. One of V(fast), V(immediate), V(killed); empty when it was not running.
  type: str
  returned: always
cut_off:
  description: Whether sessions were still open when the time of O(drain) was over.
  type: bool
  returned: with O(state=fenced)
record:
  description:
    - What is recorded, C(at), C(reason), C(was) and C(control) (the control file's fields), now or by an earlier run.
  type: dict
  returned: always
offer:
  description: What the standby lacks, as M(hawq.mirroring.salvage) returns it.
  type: dict
  returned: with O(offer), when it could be found
msg:
  description: Why it could not.
  type: str
  returned: with O(offer) and O(accept_loss), when it could not be found
"""

import contextlib
import datetime
import json
import os
import time

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    database,
    observe,
    salvage,
    server,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host import fence_record, files, systemd, virtual_ip
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.lock import alone
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places

#: for reading the WAL
OFFER_SECONDS = 600

STANDING = """
SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AND pg_is_in_recovery() AS streams
"""
SLOTS = r"SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'hawq\_mirroring\_%' AND NOT active"


def record_of(path):
    """The record of an earlier run, or None."""
    return fence_record.record(os.path.dirname(path)) or None


def fence(module, instance, run):
    """Stop, then mark; the mark comes from before anything else runs on the data."""
    place = instance.data_directory
    path = os.path.join(place, places.RECORD)
    process = observe.process(instance, database.postmaster(instance))
    asked_for = systemd.unit(run, instance.service)["active"] not in ("inactive", "failed")
    running = process["running"] or asked_for or bool(server.workers(place))
    record, how, cut_off = record_of(path), "", False
    if record and record.get("was", fence_record.MASTER) != module.params["was"]:
        record = None  # it has been something else since
    before = ("server runs\n" if running else "server is stopped\n") + ("fenced\n" if record else "not fenced\n")
    if running and not module.check_mode:
        if module.params["drain"] and not process["frozen"]:
            cut_off = not server.drain(place, process["pid"], module.params["drain"])
        how = server.stop(run, instance.service, place, process["pid"], process["frozen"], module.params["timeout"])
        if not how:
            raise MirroringError(
                f"the server in {place} does not end, not even killed ({server.workers(place)}): switch the host off,"
                " and say so with -e master_is_down=true if it was the master"
            )
    changed = running
    if not module.check_mode:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(places.PERMISSION)
    if os.path.isdir(place):
        if record is None:
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            record = {"at": now, "reason": module.params["reason"], "control": observe.control(instance, run)}
            record["was"] = module.params["was"]
        text = json.dumps(record, indent=2, sort_keys=True) + "\n"
        marked = files.write(module, os.path.join(place, "standby.signal"), "", instance.user)
        changed = files.write(module, path, text, instance.user) or marked or changed
    address = module.params["virtual_ip"]["address"]
    if address and virtual_ip.here(run, address):
        changed = True
        if not module.check_mode:
            try:
                virtual_ip.release(run, address, module.params["virtual_ip"]["interface"], module.params["timeout"])
            except MirroringError as error:
                module.warn(str(error))  # the server is dead: that is no reason to go without a master
    return {
        "changed": changed,
        "stopped": how,
        "cut_off": cut_off,
        "record": record or {},
        "diff": {"before": before, "after": "server is stopped\nfenced\n"},
    }


def stop(module, instance, run):
    """Stop the server without a word about its future."""
    process = observe.process(instance, database.postmaster(instance))
    active = systemd.unit(run, instance.service)["active"]
    running, how = process["running"] or bool(server.workers(instance.data_directory)) or active == "active", ""
    if running and not module.check_mode:
        how = server.stop(
            run,
            instance.service,
            instance.data_directory,
            process["pid"],
            process["frozen"],
            module.params["timeout"],
        )
        if not how:
            raise MirroringError(f"the server in {instance.data_directory} does not end, not even killed")
    before = "server runs\n" if running else f"server is stopped ({active})\n"
    return {
        "changed": running,
        "stopped": how,
        "record": {},
        "diff": {"before": before, "after": "server is stopped\n"},
    }


def undo(module, instance, _run):
    """Take the marks of the fence away, and nothing else: the server is started by its unit."""
    place = instance.data_directory
    record = record_of(os.path.join(place, places.RECORD))
    if record and not module.check_mode:
        files.write(module, places.PERMISSION, "", "root")
        for name in ("standby.signal", places.RECORD):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(place, name))
    return {
        "changed": bool(record),
        "stopped": "",
        "record": {},
        "diff": {"before": "fenced\n" if record else "not fenced\n", "after": "not fenced\n"},
    }


def lift(module, instance, _run):
    """Drop the slots of before and take the record away, of a server that is a standby again."""
    path, dropped = os.path.join(instance.data_directory, places.RECORD), []
    record = record_of(path)
    if module.check_mode:
        before = "fenced\n" if record else "not fenced\n"
        return {
            "changed": bool(record),
            "stopped": "",
            "record": {},
            "diff": {"before": before, "after": "not fenced\n"},
        }
    with database.session(instance) as cursor:
        # where a timeline ends the stream does, too, and begins anew
        deadline = time.monotonic() + module.params["timeout"]
        while not database.rows(cursor, STANDING)[0]["streams"]:
            if time.monotonic() > deadline:
                raise MirroringError("this server is no standby that streams: run the whole playbook again")
            time.sleep(0.1)
        dropped = [each["slot_name"] for each in database.rows(cursor, SLOTS)]
        for slot in dropped:
            cursor.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
    if record:
        os.unlink(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(places.PERMISSION)
    before = ("fenced\n" if record else "not fenced\n") + "".join(f"slot {name}\n" for name in dropped)
    return {
        "changed": bool(record or dropped),
        "stopped": "",
        "record": {},
        "diff": {"before": before, "after": "not fenced\n"},
    }


def with_offer(module, instance, run):
    """Fence, then say what the standby lacks."""
    result, wanted = fence(module, instance, run), module.params["offer"]
    if not wanted or (module.check_mode and server.workers(instance.data_directory)):
        return result
    loss = module.params["accept_loss"]
    try:
        result["offer"] = salvage.offer(instance, run, salvage.Standing(**wanted), loss, OFFER_SECONDS)
    except MirroringError as error:
        if not loss:
            raise MirroringError(f"{error}{salvage.way_back(instance)}") from error
        result["msg"] = str(error)
    return result


def main(module):
    """Act alone on this host."""
    instance, run = instance_of(module.params["instance"]), Runner()
    act = {"fenced": with_offer, "stopped": stop, "undone": undo, "lifted": lift}[module.params["state"]]
    if module.check_mode:
        return act(module, instance, run)
    with alone():
        return act(module, instance, run)


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["fenced", "stopped", "undone", "lifted"], "default": "fenced"},
            "reason": {"type": "str"},
            "virtual_ip": virtual_ip.OPTION,
            "offer": {
                "type": "dict",
                "options": {
                    "after": {"type": "str", "required": True},
                    "have": {"type": "str", "required": True},
                    "timeline": {"type": "int", "required": True},
                    "known": {"type": "str"},
                },
            },
            "accept_loss": {"type": "bool", "default": False},
            "drain": {"type": "int", "default": 0},
            "timeout": {"type": "int", "default": 20},
            "was": {
                "type": "str",
                "choices": [fence_record.MASTER, fence_record.STANDBY],
                "default": fence_record.MASTER,
            },
        },
        required_if=[("state", "fenced", ["reason"])],
    )
