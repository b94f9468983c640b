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

from ...host import fence_record, files, programs, separation, systemd, virtual_ip
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import places
from . import database, observe, stopping, wal_files
from .salvage import offering

#: for reading the WAL
OFFER_SECONDS = 600
#: until a unit that was told to start is more than a job
START_SECONDS = 5
STANDING = """
SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AND pg_is_in_recovery() AS streams
"""
#: of a time as a master; what a standby has from its master is none of these
SLOTS = r"""
SELECT slot_name FROM pg_replication_slots s
WHERE (slot_name LIKE 'hawq\_mirroring\_%%' OR slot_name = ANY(%s)) AND NOT active
  AND NOT coalesce((to_jsonb(s) ->> 'synced')::boolean, false)
"""


def _record(instance: Instance) -> dict[str, t.Any] | None:
    """Return the record of an earlier run, or None; that there is one says nothing of whether it can be read."""
    return fence_record.record(instance.data_directory) or None


def _place_of_record(instance: Instance) -> str:
    return os.path.join(instance.data_directory, places.RECORD)


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
    by: str | None,
    still: str | None,
    address: dict[str, str],
    offer: dict[str, t.Any] | None,
    accept_loss: bool,
    drain: int,
    timeout: int,
    warn: t.Callable[[str], None],
) -> dict[str, t.Any]:
    """Stop and mark, then say what the standby lacks."""
    _look_again(instance, run, still)
    result = _stop_and_mark(instance, run, act, {"reason": reason, "was": was, "run": by}, drain, timeout, warn)
    if address["address"] and virtual_ip.here(run, address["address"]):
        result["changed"] = True
        if act:
            try:
                virtual_ip.release(run, instance.service, address["address"], address["interface"], timeout)
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


def _look_again(instance: Instance, run: Runner, still: str | None) -> None:
    """Raise when the server runs as what it was not when this run was judged: another run has been here since."""
    if still is None or not stopping.workers(instance.data_directory):
        return
    if observe.process(instance, database.postmaster(instance))["frozen"]:
        return  # nobody has made it anything
    found = observe.neutral_control(observe.control(instance, run))
    as_master = found["as_master"] if found else None
    if as_master is None or as_master == (still == fence_record.MASTER):
        return
    now = "accepts writes" if as_master else "is a standby"
    raise MirroringError(
        f"the server here was a {still} when this run looked, and {now} by now: another run has changed it, so"
        " it is left as it is. Run this again, it begins with what is there now"
    )


def _stop_and_mark(
    instance: Instance,
    run: Runner,
    act: bool,
    wanted: dict[str, t.Any],
    drain: int,
    timeout: int,
    warn: t.Callable[[str], None],
) -> dict[str, t.Any]:
    """Stop, then record and mark: a run that is killed in between finds the record, and can undo it."""
    place = instance.data_directory
    process = observe.process(instance, database.postmaster(instance))
    asked_for = systemd.unit(run, instance.service)["active"] not in ("inactive", "failed")
    running = process["running"] or asked_for or bool(stopping.workers(place))
    record, how, cut_off = _record(instance), "", False
    if record and record.get("was", fence_record.MASTER) != wanted["was"]:
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
        separation.ask("permit", None)
    if os.path.isdir(place):
        if record is None:
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            record = {"at": now, "control": observe.control(instance, run), **wanted}
        elif wanted["run"] and wanted["was"] == fence_record.MASTER:
            # what this run builds on, the run that has fenced it first must not undo
            record = {**record, "reason": wanted["reason"], "run": wanted["run"]}
        try:
            changed = _mark(place, record, act) or changed
        except OSError as error:
            warn(_without_record(instance, error))
    after = "server is stopped\nfenced\n"
    return _answer(changed, before, after, how, cut_off=cut_off, record=record or {})


def _mark(place: str, record: dict[str, t.Any], act: bool) -> bool:
    """Write the record, then the mark of a standby; return whether anything had to change."""
    text = json.dumps(record, indent=2, sort_keys=True) + "\n"
    noted = files.write(os.path.join(place, places.RECORD), text, act=act)
    return files.write(os.path.join(place, "standby.signal"), "", act=act) or noted


def _without_record(instance: Instance, error: OSError) -> str:
    """Return what is said of a full or failing disk, which must not keep a cluster without a master.

    The server is stopped, and its interlock lets it start only when no other host is the master.
    Raises MirroringError where there is no interlock.
    """
    why = f"{instance.data_directory} takes no record that says that the server here must not be the master ({error})"
    here = programs.observe(programs.INTERLOCK, instance.service)
    if here["program"] and here["unit"] and here["settings"]:
        return f"{why}; its interlock keeps it from starting as one while another host is the master"
    raise MirroringError(
        f"{why}, and no interlock keeps it from that either. Make room there, or switch the host off and say so:"
        " -e master_is_down=true"
    ) from error


def stop(instance: Instance, run: Runner, act: bool, *, still: str | None, timeout: int) -> dict[str, t.Any]:
    """Stop the server without a word about its future."""
    _look_again(instance, run, still)
    process = observe.process(instance, database.postmaster(instance))
    unit, place = systemd.unit(run, instance.service)["active"], instance.data_directory
    running, how = process["running"] or bool(stopping.workers(place)) or unit == "active", ""
    if running and act:
        how = stopping.stop(run, instance.service, place, process["pid"], process["frozen"], timeout)
        if not how:
            raise MirroringError(f"the server in {place} does not end, not even killed")
    before = "server runs\n" if running else f"server is stopped ({unit})\n"
    return _answer(running, before, "server is stopped\n", how)


def undo(instance: Instance, run: Runner, act: bool, *, by: str, unasked: bool) -> dict[str, t.Any]:
    """Take the marks of this run's fence away, and start the server."""
    record, mark = _record(instance), os.path.join(instance.data_directory, "standby.signal")
    if os.path.lexists(_place_of_record(instance)):
        record = record or {}  # nobody can tell whose it is
    _refuse_others(record, os.path.lexists(mark), by)
    if record and act:
        # before the marks go: killed in between, it may start, and is a standby
        separation.ask("permit", by if unasked else None)
        for path in (mark, _place_of_record(instance)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
    if act:
        _start(instance, run)
    return _answer(bool(record), "fenced\n" if record else "not fenced\n", "not fenced\n")


def _refuse_others(record: dict[str, t.Any] | None, marked: bool, by: str) -> None:
    """Raise unless a fence is this run's: what another one has built on it since must not be torn down."""
    if record and record.get("run") == by:
        return
    if record is not None:
        who = f"the run {record['run']}" if record.get("run") else "another run"
        reason = f" ({record['reason']})" if record.get("reason") else ""
        raise MirroringError(
            f"the server here is fenced by {who}{reason} and not by this one ({by}): most likely another operator has"
            " made another host the master, so it is left alone and not started"
        )
    if marked:
        raise MirroringError("the server here is marked as a standby, and not by this run: it is left alone")


def _start(instance: Instance, run: Runner) -> None:
    """Tell systemd to start it and wait until that has begun; its interlock may wait for another host for long."""
    run.root(["systemctl", "reset-failed", instance.service], timeout=10)
    run.root(["systemctl", "start", "--no-block", instance.service], timeout=10)
    deadline = time.monotonic() + START_SECONDS
    while systemd.unit(run, instance.service)["active"] == "inactive" and time.monotonic() < deadline:
        time.sleep(0.05)


def lift(instance: Instance, act: bool, *, slots: list[str], timeout: int) -> dict[str, t.Any]:
    """Drop the slots of before and the record, of a server that is a standby again."""
    # one that cannot be read forbids as much as any other
    record, dropped = os.path.lexists(_place_of_record(instance)), []
    before = "fenced\n" if record else "not fenced\n"
    if not act:
        return _answer(record, before, "not fenced\n")
    with database.session(instance) as cursor:
        # where a timeline ends the stream does, too, and begins anew
        deadline = time.monotonic() + timeout
        while not database.rows(cursor, STANDING)[0]["streams"]:
            if time.monotonic() > deadline:
                raise MirroringError("this server is no standby that streams: run the whole playbook again")
            time.sleep(0.1)
        dropped = [each["slot_name"] for each in database.rows(cursor, SLOTS, (slots,))]
        for slot in dropped:
            cursor.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
    if record:
        os.unlink(_place_of_record(instance))
    separation.ask("permit", None)
    before += "".join(f"slot {name}\n" for name in dropped)
    return _answer(bool(record or dropped), before, "not fenced\n")
