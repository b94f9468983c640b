# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looking, waiting, and what systemd is told."""

from __future__ import annotations

from .. import life, promises, units
from ..failure import ActFailed
from ..seen import observe
from .call import Act, Call, Result, Work

#: seconds that are waited for a session, or for mirroring to be synchronised, and between two looks
SESSION, MIRRORED, PAUSE = 60, 60, 5
TOO_SMALL = (
    "replay waits because settings are smaller here than the master's (max_connections). Nothing was let go on. Run the"
    " same playbook again: it sets them in postgresql.auto.conf and restarts this server first"
)


def nothing(_call: Call) -> Result:
    """Do nothing: it is there already."""
    return {"changed": False}


def unguarded(call: Call) -> Result:
    """Fail: commits of the model wait for nobody, and so no plan may ask for this."""
    raise ActFailed(f"the model has no guard, and {call.task.name} is to be done")


def ping(_call: Call) -> Result:
    """Answer."""
    return {"ping": "pong"}


def look(call: Call) -> Result:
    """Observe the host."""
    return {"observation": observe(call.world, call.host.name)}


def started(call: Call) -> Result:
    """Start the unit, or only enable or disable it."""
    unit = call.host.unit
    if call.task.args.get("enabled") is False:
        unit.enabled = False
        return {"changed": True}
    unit.enabled = True if "enabled" in call.task.args else unit.enabled
    if unit.active == "active" and call.host.server:
        return {"changed": False}
    units.start(call.world, call.host)  # not waited for: the task after it says what has come of it
    life.settle(call.world)
    return {"changed": True}


def restarted(call: Call) -> Result:
    """Restart the unit."""
    call.host.server = None
    call.host.unit.active = "inactive"
    return started(call)


def session(call: Call) -> Work:
    """Wait until the server gives sessions."""
    begin = call.world.now
    while True:
        server = call.host.server
        _smaller(call)
        mute = call.task.args["wait_for"] == "recovering" and server and server.standby
        if server and not server.frozen and (mute or not server.crowded):
            return {"changed": False, "mirroring": {"summary_state": None}}
        if server is None and call.host.unit.active != "activating":
            raise ActFailed(_stopped(call))
        if call.world.now - begin >= SESSION:
            waits = f". Its start waits, and goes on by itself: {call.host.unit.waits}" if call.host.unit.waits else ""
            raise ActFailed(f"no session with the server on {call.host.name} after {SESSION} s{waits}. {_advice(call)}")
        yield "no session yet"
        life.settle(call.world, PAUSE)


def _stopped(call: Call) -> str:
    return f"the server of hawq-master.service on {call.host.name} has stopped: {call.host.log}. {_advice(call)}"


def _smaller(call: Call) -> None:
    """A standby with less of a setting than its master had waits for ever: that is final (``recovering.smaller``)."""
    if call.host.server and call.host.server.short:
        raise ActFailed(TOO_SMALL)


def interlock(call: Call) -> Result:
    """Install the program that asks before a start as a master."""
    call.host.interlock = True
    return {"changed": True}


def _advice(call: Call) -> str:
    return str(call.plan.get("advice") or "")


def mirrored(call: Call) -> Work:
    """Wait until mirroring is what it should be: the master and the standby are both asked."""
    wanted, begin = call.task.args["wait_for"], call.world.now
    loop = call.task.args.get("standby") == "{{ item }}"
    standbys = list(call.plan["followers"]) if loop else [call.plan["standby"]]
    while True:
        if call.host.server is None and call.host.unit.active != "activating":
            raise ActFailed(_stopped(call))
        server = call.host.server
        _smaller(call)
        if server and not server.frozen and not server.crowded and _state(call, standbys, server.standby) == wanted:
            return {"changed": False, "mirroring": {"summary_state": wanted}}
        if call.world.now - begin >= MIRRORED:
            raise ActFailed(f"mirroring is not {wanted} after {MIRRORED} s. {_advice(call)}")
        yield f"it is not {wanted} yet"
        life.settle(call.world, PAUSE)


def _state(call: Call, standbys: list[str], standby: bool) -> str:
    """The view on the host that is asked: a standby shows whether it receives WAL."""
    if standby:
        return life.SYNCHRONIZED if call.world.link_of(call.host.name) else life.NOT_SYNCHRONIZED
    data = call.host.data
    if data is None or not data.end.catalog.standbys:
        return life.NOT_CONFIGURED
    states = {life.mirroring(call.world, call.host.name, name)[0] for name in standbys}
    return states.pop() if len(states) == 1 else life.NOT_SYNCHRONIZED


def discard(call: Call) -> Result:
    """Delete the data of a removed standby."""
    call.alone()
    data = call.host.data
    if call.host.server:
        raise ActFailed("a server runs there, its data is not deleted: run the whole playbook again")
    if data and not (data.fence and data.fence.was == "standby"):
        raise ActFailed("the data is not marked as removed, and is not deleted: run the whole playbook again")
    master = call.world.hosts[str(call.plan["master"])]
    if not (call.world.reaches(call.host.name, master.name) and master.server and not master.server.frozen):
        raise ActFailed("the master does not answer from here, so that what is here may be the last copy")
    promises.discarded(call.run, call.host)
    call.host.data, call.host.removed_on_purpose = None, True
    return {"changed": True}


ACTS: dict[tuple[str, str], Act] = {
    ("ping", ""): ping,
    ("instance_info", ""): look,
    ("systemd_service", ""): started,
    ("systemd_service", "started"): started,
    ("systemd_service", "restarted"): restarted,
    ("systemd_service", "reloaded"): nothing,
    ("mirroring_info", "session"): session,
    ("mirroring_info", "recovering"): session,
    ("mirroring_info", life.SYNCHRONIZED): mirrored,
    ("host_program", ""): interlock,
    ("mirroring_info", life.NOT_CONFIGURED): nothing,
    ("segments_info", "*"): nothing,
    ("wait_for", "stopped"): nothing,
    ("discard", ""): discard,
}
#: what is done only where commits wait for the standby
OF_A_GUARD: dict[tuple[str, str], Act] = {
    ("waiting", "*"): unguarded,
    ("promise", "*"): unguarded,
    ("activation", "confirming"): unguarded,
}
