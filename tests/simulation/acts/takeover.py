# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fencing, salvage and activation, as ``fencing.py``, ``salvage/`` and ``promotion.py`` do them."""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.values import lsn, places

from .. import life, postgresql
from ..failure import ActFailed
from ..wal import Catalog
from ..world import Fence, Slot
from .call import Act, Call, Result, Work

#: seconds that a promotion may take
PROMOTION = 60


def fence(call: Call) -> Work:
    """Stop the server, then leave the marks; say what the standby lacks."""
    call.alone()
    host = call.host
    how = _stop(call)
    yield "the server is stopped"
    host.unit.permitted = False
    data = host.data
    was = "standby" if call.plan["workflow"] == "remove_standby" else "master"
    if data:
        if data.fence is None or data.fence.was != was:
            fence = Fence(str(call.plan.get("reason") or "removed"), call.run.identity, data.newest, was)
        else:
            fence = data.fence
        data.signal = True
        yield "it is marked as a standby"
        data.fence = fence
    result: Result = {"changed": True, "stopped": how, "record": {"reason": call.plan.get("reason")}}
    if call.plan.get("standing"):
        result.update(_offer(call, call.plan["standing"]))
    return result


def _stop(call: Call) -> str:
    """Stop the unit; a frozen server is killed."""
    host = call.host
    host.unit.active, host.unit.until, host.unit.waits = "inactive", None, None
    if host.server is None:
        return ""
    if host.server.frozen:
        postgresql.crash(host)
        return "killed"
    postgresql.stop(call.world, host)
    return "fast"


def stopped(call: Call) -> Result:
    """Stop the server without a word about its future."""
    call.alone()
    return {"changed": bool(call.host.server), "stopped": _stop(call)}


def undone(call: Call) -> Work:
    """Take the marks of the fence away, and permit one start."""
    call.alone()
    data = call.host.data
    if data and data.fence:
        call.host.unit.permitted = True
        data.signal = False
        yield "the mark is gone"
        data.fence = None
    return {"changed": True}


def lifted(call: Call) -> Work:
    """Forget that it was a master: it streams, so its record and its old slots go."""
    call.alone()
    begin = call.world.now
    while True:
        server = call.session()
        if server.standby and call.world.link_of(call.host.name):
            break
        if call.world.now - begin > 20:
            raise ActFailed("this server is no standby that streams: run the whole playbook again")
        life.settle(call.world, 5)
    data = call.data()
    data.slots.clear()
    yield "its slots are gone"
    data.fence = None
    call.host.unit.permitted = False
    return {"changed": True}


def _offer(call: Call, standing: dict[str, t.Any]) -> Result:
    """What the standby lacks, or why that cannot be told (``offering.offer``).

    The WAL of the standby must be a beginning of what is there ("WAL Internals").
    """
    if standing["have"] is None:
        raise ActFailed("it cannot be said how far the standby is: argument 'have' is None")
    data, have = call.data(), lsn.parse(str(standing["have"]))
    new = call.world.hosts[call.plan["new"]].data
    missing, damage = max(0, data.end.lsn - have), ""
    known = standing.get("known")
    if known and data.end.lsn < lsn.parse(known):
        damage = f"it is known to have reached {known}"
    elif max(data.newest, data.end.timeline) != standing["timeline"]:
        damage = f"it is on timeline {data.newest}, and the standby replays timeline {standing['timeline']}"
    elif new and missing and not data.end.has(new.end):
        damage, missing = "a record there does not fit what the standby has", 0
    if damage and not call.run.options["accept_data_loss"]:
        mark = f"/data/hawq/master/{places.RECORD}"
        back = (
            f" To go back to it instead: rm /data/hawq/master/standby.signal {mark} && systemctl start"
            f" hawq-master.service on {call.host.name}"
        )
        raise ActFailed(
            f"not all of what the standby lacks can be salvaged: {damage}. To activate with what can be read, run again"
            f" with -e accept_data_loss=true.{back if data.fence else ''}"
        )
    files = [{"name": "000000010000000000000003", "size": 1}] if missing else []
    return {
        "offer": {
            "files": files,
            "missing_bytes": missing,
            "end_lsn": lsn.render(data.end.lsn),
            "damage": damage or None,
        }
    }


def offered(call: Call) -> Result:
    """Say what the standby lacks."""
    if call.host.server:
        raise ActFailed("a server still runs there: fence it first")
    plan = call.run.salvaged["plan"]
    standing = {"have": plan["have"], "timeline": plan["timeline"], "known": call.plan["known_lsn"]}
    return _offer(call, standing)


def fetched(call: Call) -> Result:
    """Fetch the WAL from the old master's host, which needs the way between the two."""
    old = call.plan["old"]
    if not call.world.reaches(call.host.name, old):
        raise ActFailed(f"the WAL of the old master could not be fetched from {old} by SSH")
    return {"changed": True}


def taken(_call: Call) -> Result:
    """Get a piece through the controller."""
    return {"changed": True}


def installed(call: Call) -> Work:
    """Put the WAL into the standby's directory and let its server replay it (``salvage.install``)."""
    call.alone()
    host, old = call.host, call.world.hosts[call.plan["old"]].data
    data = call.data()
    if host.server is None or not host.server.standby or old is None:
        raise ActFailed("the data directory is no standby any more: look at both hosts with state.yml")
    postgresql.stop(call.world, host)
    yield "the standby is stopped"
    if old.end.has(data.end):
        data.end = old.end
        data.histories.update(old.histories)
    yield "the WAL is there"
    why = postgresql.start(call.world, host)
    if why or (host.server and host.server.short):
        raise ActFailed(f"the standby does not start with the salvaged WAL: {why or 'replay is paused'}")
    host.unit.active = "active"
    return {"changed": True}


def activation(call: Call) -> Work:
    """Make the slots, promote, commit a write, register; the record of a fence goes last."""
    from .. import promises

    server, data, plan = call.session(), call.data(), call.plan
    promoted = server.standby
    for name in plan["slots"]:
        if name not in data.slots:
            data.slots[name] = Slot(data.checkpoint.lsn)
    yield "its slots are made"
    begin = call.world.now
    if promoted:
        why = postgresql.promote(call.world, call.host)
        while why and call.host.server and call.host.server.promoting and call.world.now - begin < PROMOTION:
            yield "the promotion is not done"
            life.settle(call.world, 10)
            why = None if call.host.server and not call.host.server.standby else why
        if why:
            raise ActFailed(
                f"the promotion was asked for and is not done: {why}. It goes on by itself: look at the server's log,"
                " then"
                " run this again"
            )
        promises.activated(call.run, call.host)
        yield "it is promoted"
    postgresql.register(call.world, call.host, Catalog(tuple(sorted(plan["standbys"])), plan["new"]))
    yield "its standbys are registered"
    data.fence = None
    return {"changed": True, "promoted": promoted, "timeline": data.end.timeline, "activation_lsn": "0/0"}


def checkpointed(call: Call) -> Result:
    """Make a checkpoint."""
    call.session()
    postgresql.checkpoint(call.world, call.host)
    return {"changed": False}


ACTS: dict[tuple[str, str], Act] = {
    ("fence", ""): fence,
    ("fence", "stopped"): stopped,
    ("fence", "undone"): undone,
    ("fence", "lifted"): lifted,
    ("salvage", "offered"): offered,
    ("salvage", "fetched"): fetched,
    ("salvage", "given"): taken,
    ("salvage", "taken"): taken,
    ("salvage", "installed"): installed,
    ("activation", ""): activation,
    ("activation", "checkpointed"): checkpointed,
}
