# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fencing, salvage and activation, as ``fencing.py``, ``salvage/`` and ``promotion.py`` do them."""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.host import freshness
from ansible_collections.hawq.mirroring.plugins.module_utils.values import lsn, places

from .. import life, postgresql, units
from ..failure import ActFailed
from ..wal import Catalog
from ..world import Fence, Slot
from .call import Act, Call, Result, Work
from .common import TOO_SMALL

#: seconds that a promotion may take
PROMOTION = 60


def fence(call: Call) -> Work:
    """Stop the server, then record and mark it; say what the standby lacks (``fencing.fence``)."""
    call.alone()
    host, plan = call.host, call.plan
    removal = plan["workflow"] == "remove_standby"
    _look_again(call, plan["was"] if removal else "master" if plan.get("rollback") else None)
    how = _stop(call)
    yield "the server is stopped"
    host.unit.permitted = None
    data = host.data
    was = plan["was"] if removal else "master"
    by = call.run.identity if removal or plan["activate"] else ""
    if data:
        if data.fence is None or data.fence.was != was:
            data.fence = Fence(str(plan.get("reason") or "removed"), by, postgresql.control_timeline(data), was)
        elif by and was == "master":
            data.fence.reason, data.fence.run = str(plan.get("reason") or "removed"), by
        yield "that is recorded"
        data.signal = True
    result: Result = {"changed": True, "stopped": how, "record": {"reason": plan.get("reason")}}
    if plan.get("standing"):
        result.update(_offer(call, plan["standing"]))
    return result


def _look_again(call: Call, still: str | None) -> None:
    """Leave alone what runs as something else than when this run was judged."""
    server, data = call.host.server, call.host.data
    if still is None or server is None or server.frozen or data is None:
        return
    if data.as_master != (still == "master"):
        raise ActFailed(
            f"the server here was a {still} when this run looked: another run has changed it, so it is left as it is."
            " Run this again, it begins with what is there now"
        )


def _stop(call: Call) -> str:
    """Stop the unit; a frozen server is killed."""
    host = call.host
    host.unit.active, host.unit.waits = "inactive", None
    if host.server is None:
        return ""
    if host.server.frozen:
        postgresql.crash(host)
        return "killed"
    postgresql.stop(call.world, host)
    return "fast"


def stopped(call: Call) -> Result:
    """Stop the server without a word about its future, if it is still what it was."""
    call.alone()
    _look_again(call, "standby" if "still" in call.task.args else None)
    return {"changed": bool(call.host.server), "stopped": _stop(call)}


def undone(call: Call) -> Work:
    """Take the marks of this run's own fence away, and start the server (``fencing.undo``)."""
    call.alone()
    data, unit = call.host.data, call.host.unit
    if data and data.fence and data.fence.run != call.run.identity:
        raise ActFailed(f"the server here is fenced by the run {data.fence.run} and not by this one: it is left alone")
    if data and data.fence is None and data.signal:
        raise ActFailed("the server here is marked as a standby, and not by this run: it is left alone")
    if data and data.fence:
        unasked = call.run.rolled_back["plan"]["unasked"]
        unit.permitted = call.world.now + units.PERMITTED if unasked else None
        yield "its start is permitted"
        data.signal = False
        yield "the mark is gone"
        data.fence = None
    units.start(call.world, call.host)
    return {"changed": True, "record": {}}


def settings(call: Call) -> Work:
    """Set what a standby must not have less of than its master, and restart it with that (``recovery_settings``)."""
    call.alone()
    data, host = call.data(), call.host
    if not data.signal:
        raise ActFailed("this is no standby's directory: look at both hosts with state.yml")
    wanted = int(call.plan["recovery_settings"].get("max_connections", 0))
    late = host.server is None or host.server.connections < wanted
    data.connections = max(data.connections, wanted)
    if not late:
        return {"changed": False}
    postgresql.stop(call.world, host)
    yield "the server is stopped"
    host.unit.active = "inactive"
    why = units.start(call.world, host)
    if why or host.server is None:
        raise ActFailed(f"the standby did not come back with the new settings: {why}")
    life.settle(call.world)
    return {"changed": True, "restarted": True}


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
    call.host.unit.permitted = None
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


def _refuse_answering(call: Call) -> None:
    """A run that acts late looks again whether a server that nobody has fenced is silent (``freshness``)."""
    looked = call.run.read(call.host.name, "server_observed")["observation"]["clock"]
    if call.world.now - looked <= freshness.FRESH:
        return
    for place in call.plan["silent"]:
        if call.world.hosts[place["address"]].server and call.world.reaches(call.host.name, place["address"]):
            raise ActFailed(f"the server at {place['address']} answers again: nothing was activated")


def activation(call: Call) -> Work:
    """Make the slots, promote, commit a write, register; the record of a fence goes last (``promotion.activate``).

    No session is needed: where there is none the server is promoted by a signal. Sessions that take all the room or
    hold replay up are ended. Where a setting is too small nothing is begun.
    """
    from .. import promises

    server, data, plan = call.host.server, call.data(), call.plan
    if server is None:
        raise ActFailed("the standby was not promoted: its server has ended. Run the same playbook again")
    _refuse_answering(call)
    promoted = server.standby
    if server.short:
        raise ActFailed(TOO_SMALL)
    slots = {name: Slot(postgresql.redo(data)) for name in plan["slots"] if name not in data.slots}
    if not server.crowded:
        data.slots.update(slots)
        yield "its slots are made"
    if promoted:
        yield from _promoted(call)
        promises.activated(call.run, call.host)
        yield "it is promoted"
    if call.host.server:
        call.host.server.crowded = False
    data.slots.update({name: row for name, row in slots.items() if name not in data.slots})
    postgresql.register(call.world, call.host, Catalog(tuple(sorted(plan["standbys"])), plan["new"]))
    yield "its standbys are registered"
    data.fence = None
    return {"changed": True, "promoted": promoted, "timeline": data.end.timeline, "activation_lsn": "0/0"}


def _promoted(call: Call) -> t.Generator[str, None, None]:
    """Wait until the promotion is done; who holds it up is ended."""
    begin, host = call.world.now, call.host
    while host.server and host.server.standby:
        if host.server.frozen:
            why: str | None = "it does not answer"
        else:
            why = postgresql.promote(call.world, host)
            if host.server:
                host.server.blocked = False
        if why and call.world.now - begin > PROMOTION:
            raise ActFailed(
                f"the promotion was asked for and is not done: {why}. It goes on by itself, then run this again"
            )
        if why:
            yield "the promotion is not done"
            life.settle(call.world, 10)
    if host.server is None:
        raise ActFailed("the standby was not promoted: its server has ended. Run the same playbook again")


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
    ("recovery_settings", ""): settings,
    ("activation", "checkpointed"): checkpointed,
}
