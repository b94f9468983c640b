# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeping a former master or standby from accepting writes, now or after its next boot, and taking that back.

Sources: PostgreSQL manual, "Shutting Down the Server", "Standby Server Operation" (``standby.signal``).
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import time
import typing as t

from ...host import fence_record, files, separation, systemd, virtual_ip
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import places
from . import database, observe, stopping, wal_files
from .salvage import offering

#: for reading the WAL
OFFER_SECONDS = 600
STANDING = """
SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AND pg_is_in_recovery() AS streams
"""
SLOTS = r"SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'hawq\_mirroring\_%' AND NOT active"


def _record(instance: Instance) -> dict[str, t.Any] | None:
    """Return the record of an earlier run, or None."""
    return fence_record.record(instance.data_directory) or None


def _answer(changed: bool, before: str, after: str, stopped: str = "", **further: t.Any) -> dict[str, t.Any]:
    """Return what every call says."""
    diff = {"before": before, "after": after}
    return {"changed": changed, "stopped": stopped, "record": {}, "diff": diff, **further}


def fence(
    instance: Instance,
    run: Runner,
    act: bool,
    *,
    reason: str,
    was: str,
    address: dict[str, str],
    offer: dict[str, t.Any] | None,
    accept_loss: bool,
    drain: int,
    timeout: int,
    warn: t.Callable[[str], None],
) -> dict[str, t.Any]:
    """Stop and mark, then say what the standby lacks."""
    result = _stop_and_mark(instance, run, act, reason, was, drain, timeout)
    if address["address"] and virtual_ip.here(run, address["address"]):
        result["changed"] = True
        if act:
            try:
                virtual_ip.release(run, address["address"], address["interface"], timeout)
            except MirroringError as error:
                warn(str(error))  # the server is dead: that is no reason to go without a master
    if not offer or (not act and stopping.workers(instance.data_directory)):
        return result
    try:
        result["offer"] = offering.offer(instance, run, wal_files.Standing(**offer), accept_loss, OFFER_SECONDS)
    except MirroringError as error:
        if not accept_loss:
            raise MirroringError(f"{error}{offering.way_back(instance)}") from error
        result["msg"] = str(error)
    return result


def _stop_and_mark(
    instance: Instance, run: Runner, act: bool, reason: str, was: str, drain: int, timeout: int
) -> dict[str, t.Any]:
    """Stop, then mark; the mark comes from before anything else runs on the data."""
    place = instance.data_directory
    process = observe.process(instance, database.postmaster(instance))
    asked_for = systemd.unit(run, instance.service)["active"] not in ("inactive", "failed")
    running = process["running"] or asked_for or bool(stopping.workers(place))
    record, how, cut_off = _record(instance), "", False
    if record and record.get("was", fence_record.MASTER) != was:
        record = None  # it has been something else since
    before = ("server runs\n" if running else "server is stopped\n") + ("fenced\n" if record else "not fenced\n")
    if running and act:
        if drain and not process["frozen"]:
            cut_off = not stopping.drain(place, process["pid"], drain)
        how = stopping.stop(run, instance.service, place, process["pid"], process["frozen"], timeout)
        if not how:
            raise MirroringError(
                f"the server in {place} does not end, not even killed ({stopping.workers(place)}): switch the host off,"
                " and say so with -e master_is_down=true if it was the master"
            )
    changed = running
    if act:
        separation.ask("permit", False)
    if os.path.isdir(place):
        if record is None:
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            record = {"at": now, "reason": reason, "control": observe.control(instance, run), "was": was}
        text = json.dumps(record, indent=2, sort_keys=True) + "\n"
        marked = files.write(os.path.join(place, "standby.signal"), "", act=act)
        noted = files.write(os.path.join(place, places.RECORD), text, act=act)
        changed = changed or marked or noted
    after = "server is stopped\nfenced\n"
    return _answer(changed, before, after, how, cut_off=cut_off, record=record or {})


def stop(instance: Instance, run: Runner, act: bool, *, timeout: int) -> dict[str, t.Any]:
    """Stop the server without a word about its future."""
    process = observe.process(instance, database.postmaster(instance))
    unit, place = systemd.unit(run, instance.service)["active"], instance.data_directory
    running, how = process["running"] or bool(stopping.workers(place)) or unit == "active", ""
    if running and act:
        how = stopping.stop(run, instance.service, place, process["pid"], process["frozen"], timeout)
        if not how:
            raise MirroringError(f"the server in {place} does not end, not even killed")
    before = "server runs\n" if running else f"server is stopped ({unit})\n"
    return _answer(running, before, "server is stopped\n", how)


def undo(instance: Instance, act: bool) -> dict[str, t.Any]:
    """Take the marks of the fence away, and nothing else."""
    record = _record(instance)
    if record and act:
        separation.ask("permit", True)
        for name in ("standby.signal", places.RECORD):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(instance.data_directory, name))
    return _answer(bool(record), "fenced\n" if record else "not fenced\n", "not fenced\n")


def lift(instance: Instance, act: bool, *, timeout: int) -> dict[str, t.Any]:
    """Drop the slots of before and the record, of a server that is a standby again."""
    record, dropped = _record(instance), []
    before = "fenced\n" if record else "not fenced\n"
    if not act:
        return _answer(bool(record), before, "not fenced\n")
    with database.session(instance) as cursor:
        # where a timeline ends the stream does, too, and begins anew
        deadline = time.monotonic() + timeout
        while not database.rows(cursor, STANDING)[0]["streams"]:
            if time.monotonic() > deadline:
                raise MirroringError("this server is no standby that streams: run the whole playbook again")
            time.sleep(0.1)
        dropped = [each["slot_name"] for each in database.rows(cursor, SLOTS)]
        for slot in dropped:
            cursor.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
    if record:
        os.unlink(os.path.join(instance.data_directory, places.RECORD))
    separation.ask("permit", False)
    before += "".join(f"slot {name}\n" for name in dropped)
    return _answer(bool(record or dropped), before, "not fenced\n")
