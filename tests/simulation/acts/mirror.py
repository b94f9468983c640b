# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Making a host a standby: the source, a copy, a rewind, a delta, and following."""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.values import lsn

from .. import life, postgresql, promises
from ..failure import ActFailed
from ..wal import Catalog, bits
from ..world import Data, Slot, Snapshot
from . import takeover
from .call import Act, Call, Result, Work
from .common import TOO_SMALL

if t.TYPE_CHECKING:
    from ..run import Run

#: seconds that a copy may take
COPY = 120


def source(call: Call) -> Work:
    """Register the standby, and make its slot, anew when it is lost (``source.present``)."""
    call.alone()
    data, plan = call.data(), call.plan
    _must_write(call)
    created = []
    by = call.run.identity if call.host.name in call.run.judged["steps"]["snapshot"] else None
    wanted = Catalog(tuple(sorted({plan["standby"], *plan["standbys"]})), plan["master"], by)
    if data.end.catalog.standbys != wanted.standbys:
        created.append("registration")
    postgresql.register(call.world, call.host, wanted)
    call.run.was_alone, call.world.alone = call.world.alone, False
    yield "the standby is registered"
    slot = data.slots.get(plan["slot"])
    if slot is None or slot.lost:
        created += [] if slot else ["slot"]
        data.slots[plan["slot"]] = Slot(postgresql.redo(data))
    return {"changed": True, "created": created, "slot_made": slot is None or slot.lost}


def _must_write(call: Call) -> None:
    if call.session().standby:
        raise ActFailed("cannot execute ALTER ROLE in a read-only transaction")


def no_source(call: Call) -> Work:
    """Take back, or take away, what the master keeps for a standby (``source.absent``)."""
    call.alone()
    _must_write(call)
    data, plan, host = call.data(), call.plan, call.host
    removal = plan["workflow"] == "remove_standby"
    claimed, link = data.end.catalog.run, call.world.link_of(str(plan["standby"]))
    if not removal and ((claimed and claimed != call.run.identity) or (link and link.master == host.name)):
        return {"changed": False, "created": [], "removed": [], "goes_on": True, "used_by": "another run"}
    made = call.run.read(host.name, "master_source").get("created") or []
    created = (
        plan["take"] if removal else [*made, *(["slot"] if host.name in call.run.judged["steps"]["snapshot"] else [])]
    )
    if "slot" in created:
        data.slots.pop(plan["slot"], None)
    yield "the slot is gone"
    if "registration" in created:
        # a run that takes back what it made says nothing of what people want
        call.world.alone = call.world.alone or removal or call.run.was_alone
        left = tuple(name for name in data.end.catalog.standbys if name not in (plan["standby"], plan["master"]))
        name = None if "role" in created else data.end.catalog.master
        postgresql.register(call.world, host, Catalog(left, name))
    return {"changed": True, "created": [], "removed": created, "goes_on": False, "role_stays": ""}


def access(call: Call) -> Result:
    """Write our lines into the access file, or take them away."""
    data = call.data()
    before = data.access
    if "marker" not in call.task.args:
        absent = call.task.args.get("state") == "absent"
        data.access = None if absent else tuple(call.plan["hba_lines"])
    return {"changed": data.access != before}


def follow(call: Call) -> Work:
    """Mark it as a standby first, then tell it whom to follow (``following.follow``)."""
    call.alone()
    plan, host = call.plan, call.host
    copy = host.snapshot.copy if host.snapshot and host.name in call.run.judged["steps"].get("snapshot", []) else None
    data = copy or call.data()
    followers = plan.get("followers") or {}
    if host.server and not host.server.standby:
        raise ActFailed(f"the server on {host.name} is no standby")
    data.signal = True
    yield "it is marked as a standby"
    data.follows, data.slot = plan["master"], followers.get(host.name) or plan["slot"]
    if plan.get("resume") and host.server and host.server.short:
        raise ActFailed(TOO_SMALL)
    if plan.get("resume") and host.server:
        postgresql.resume(host)
    life.settle(call.world)
    return {"changed": True}


def snapshot_started(call: Call) -> Result:
    """Start the job, or attach to one that runs (``snapshot.started``)."""
    call.alone()
    job, host = call.host.snapshot, call.host
    if job and job.phase in ("copying", "done") and job.source == call.plan["master"]:
        return {"changed": False, "phase": job.phase}
    _must_reach_master(call)
    if host.server:
        raise ActFailed(f"a server has been started on {host.name} meanwhile: stop it, then run again")
    host.snapshot = Snapshot("copying", call.plan["master"])
    return {"changed": True, "phase": "copying"}


def _must_reach_master(call: Call) -> Data:
    master = call.world.hosts[call.plan["master"]]
    if not call.world.reaches(call.host.name, master.name):
        raise ActFailed(f"could not connect to {master.name}: connection timed out")
    if master.server is None or master.server.frozen or master.server.standby or master.data is None:
        raise ActFailed(f"could not connect to {master.name} as to a master")
    return master.data


def snapshot_finished(call: Call) -> Work:
    """Wait for the verified copy."""
    begin = call.world.now
    while True:
        job = call.host.snapshot
        if job is None or job.phase == "failed":
            raise ActFailed("the snapshot has failed: could not receive data from WAL stream")
        if job.phase == "done":
            return {"changed": False, "phase": "done"}
        if call.world.now - begin > COPY:
            raise ActFailed("the snapshot is not done")
        yield "the copy grows"
        life.settle(call.world, 10)


def snapshot_deployed(call: Call) -> Work:
    """Move the old data out of the way and the copy into its place (``deployment.deploy``)."""
    call.alone()
    host, job = call.host, call.host.snapshot
    if job is None or job.copy is None or not job.copy.signal:
        raise ActFailed("the copy has gone: run the whole playbook again, it will copy anew")
    if host.server:
        raise ActFailed(f"a server has been started on {host.name} meanwhile: stop it, then run again")
    if host.data:
        promises.taken_back(call.run, host, job.copy)
        if call.plan["existing_data"] == "keep":
            promises.kept(call.run, host)
        elif call.plan["existing_data"] == "discard":
            promises.discarded(call.run, host)
        else:
            raise ActFailed("the data directory is not empty any more: look at it, then run again")
        host.data = None
        yield "the old data is out of the way"
    host.data, host.snapshot, host.removed_on_purpose = job.copy, None, False
    return {"changed": True}


def snapshot_absent(call: Call) -> Result:
    """Remove the job, unless it goes on and may (``spare``)."""
    job = call.host.snapshot
    if job and call.task.args.get("spare") and job.phase in ("copying", "done"):
        return {"changed": False, "goes_on": True, "phase": job.phase}
    call.host.snapshot = None
    return {"changed": bool(job), "goes_on": False}


def compared(call: Call) -> Result:
    """Read what only this host has (``divergence.examine``)."""
    data, fork = call.data(), lsn.parse(call.plan["fork"])
    master = call.world.hosts[call.plan["master"]].data
    own = data.end.rows & ~(master.end.rows if master else 0)
    beyond = max(0, data.end.lsn - fork)
    count = len(bits(own)) if beyond else 0
    found: Result = {
        "fork_lsn": lsn.render(fork),
        "end_lsn": lsn.render(data.end.lsn),
        "wal_bytes": beyond,
        "damage": None,
        "transactions": count,
        "first_commit": "2026-11-25 10:00:00" if count else None,
        "last_commit": "2026-11-25 10:00:02" if count else None,
        "relations": [],
        "whole": True,
        "checkpoint_lsn": lsn.render(data.checkpoint.lsn) if beyond else None,
        "redo_lsn": lsn.render(min(fork, data.checkpoint.lsn)) if beyond else None,
        "missing": [],
        "blocks": 12 if beyond else 0,
    }
    return {"divergence": found}


def lost_work(call: Call) -> Result:
    """Keep aside the WAL that only this host has."""
    call.alone()
    call.host.kept |= call.data().end.rows
    return {"changed": True, "directory": "/data/hawq/master.lost"}


def rewind(call: Call) -> Work:
    """Mark, stop, take back, take the mark away (``rewind.rewind``); what only the target has goes ("pg_rewind")."""
    call.alone()
    data, host = call.data(), call.host
    if data.unfinished:
        return {"changed": False, "rewound": False, "reason": "an earlier attempt has left it half-way"}
    data.signal = True
    yield "it is marked as a standby"
    takeover._stop(call)
    try:
        master = _must_reach_master(call)
    except ActFailed as error:
        return {"changed": True, "rewound": False, "reason": str(error)}
    promises.taken_back(call.run, host, master)
    data.unfinished = True
    yield "it is marked as half-way"
    _become(host.name, data, master)
    yield "the blocks are copied"
    data.signal, data.unfinished = True, False
    return {"changed": True, "rewound": True}


def _become(_name: str, data: Data, master: Data) -> None:
    """Take over the master's line; what marks, slots and settings are the host's own is not the master's."""
    like = postgresql.base_backup(master)
    data.end, data.replayed, data.checkpoint = like.end, like.end, like.checkpoint
    data.needs = like.needs
    data.histories = like.histories
    data.fence, data.slots, data.signal, data.unstarted = None, {}, False, True
    data.as_master, data.clean, data.follows, data.slot = False, False, None, ""


def delta(call: Call) -> Work:
    """Mark as half-way, copy what differs, verify, take the mark away (``delta.job``)."""
    if call.host.name != call.plan["standby"]:
        return {"changed": False}
    call.alone()
    takeover._stop(call)
    yield "the server is stopped"
    try:
        master = _must_reach_master(call)
    except ActFailed as error:
        return {"changed": True, "copied": False, "reason": str(error)}
    data = call.data()
    promises.taken_back(call.run, call.host, master)
    data.unfinished = True
    data.signal = True
    yield "it is marked as half-way"
    fence = data.fence
    _become(call.host.name, data, master)
    data.signal, data.fence = True, fence
    yield "what differs is copied"
    data.unfinished = False
    return {"changed": True, "copied": True}


def reason_of_place(run: Run) -> str | None:
    """Return why the way that was taken in place does not work."""
    register = {"rewind": "standby_rewound", "delta": "standby_compared"}.get(run.plan.get("route") or "", "")
    return run.read(run.plan.get("standby"), register).get("reason")


ACTS: dict[tuple[str, str], Act] = {
    ("text_block", "*"): access,
    ("replication_source", ""): source,
    ("replication_source", "absent"): no_source,
    ("replication", ""): follow,
    ("snapshot", "started"): snapshot_started,
    ("snapshot", "finished"): snapshot_finished,
    ("snapshot", "deployed"): snapshot_deployed,
    ("snapshot", "absent"): snapshot_absent,
    ("divergence_info", ""): compared,
    ("lost_work", ""): lost_work,
    ("rewind", ""): rewind,
    ("delta", ""): delta,
}
