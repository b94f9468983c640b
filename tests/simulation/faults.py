# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to a pair: faults of machines, and what people do by hand. Names are those of the steps of a schedule.

Each says what happened as a sentence, or None when it cannot happen as things are.
"""

from __future__ import annotations

import typing as t

from . import life, postgresql, units
from .wal import bits
from .world import CONTROLLER, Fence, Host, World

Fault = t.Callable[[World, str], "str | None"]


def crash(world: World, name: str) -> str | None:
    """The server is killed."""
    host = world.hosts[name]
    if host.server is None:
        return None
    postgresql.crash(host)
    host.unit.active = "failed"
    return f"the server on {name} crashes"


def stop(world: World, name: str) -> str | None:
    """Somebody stops the unit."""
    host = world.hosts[name]
    if host.server is None or host.server.frozen:
        return None
    postgresql.stop(world, host)
    host.unit.active = "inactive"
    return f"somebody stops the server on {name}"


def start(world: World, name: str) -> str | None:
    """Somebody starts the unit."""
    host = world.hosts[name]
    if host.server or not host.on:
        return None
    why = units.start(world, host)
    return f"somebody starts the server on {name}" + (f", which does not start ({why})" if why else "")


def power_off(world: World, name: str) -> str | None:
    """The host loses its power."""
    host = world.hosts[name]
    if not host.on:
        return None
    units.power_off(world, host)
    return f"{name} loses its power"


def power_on(world: World, name: str) -> str | None:
    """The host comes back."""
    host = world.hosts[name]
    if host.on:
        return None
    units.power_on(world, host)
    return f"{name} is switched on"


def freeze(world: World, name: str) -> str | None:
    """The server stops by a signal."""
    server = world.hosts[name].server
    if server is None or server.frozen:
        return None
    server.frozen = True
    return f"the server on {name} freezes"


def thaw(world: World, name: str) -> str | None:
    """It goes on."""
    server = world.hosts[name].server
    if server is None or not server.frozen:
        return None
    server.frozen = False
    return f"the server on {name} goes on"


def unmount(world: World, name: str) -> str | None:
    """The host boots without the file system of its data."""
    host = world.hosts[name]
    if not host.on or not host.mounted:
        return None
    units.power_off(world, host)
    host.mounted, host.hidden, host.data = False, host.data, None
    units.power_on(world, host)
    return f"{name} boots, and the file system of its data is not mounted"


def mount(world: World, name: str) -> str | None:
    """Somebody mounts it."""
    host = world.hosts[name]
    if host.mounted or not host.on or host.server:
        return None
    # what was put there meanwhile lies beneath it
    host.kept |= host.data.end.rows if host.data else 0
    host.mounted, host.data, host.hidden = True, host.hidden, None
    return f"the file system of the data on {name} is mounted"


def disk_lost(world: World, name: str) -> str | None:
    """The host loses its power and its disk; it comes back with an empty one."""
    host = world.hosts[name]
    held = [each for each in (host.data, host.hidden) if each]
    if not held:
        return None
    lost = host.kept
    for each in held:
        lost |= each.end.rows
    units.power_off(world, host)
    host.data, host.hidden, host.kept, host.snapshot, host.mounted = None, None, 0, None, True
    _gone(world, lost)
    return f"{name} loses its power, and its disk with all data"


def _gone(world: World, rows: int) -> None:
    """Rows whose last copy a fault has destroyed are nobody's loss any more."""
    left = 0
    for host in world.hosts.values():
        left |= host.kept
        for data in (host.data, host.hidden):
            left |= data.end.rows if data else 0
    gone = rows & ~left
    world.accepted |= gone & ((1 << len(world.rows)) - 1)


def promoted_by_hand(world: World, name: str) -> str | None:
    """Somebody types ``pg_ctl promote`` on the standby."""
    host = world.hosts[name]
    if not host.server or not host.server.standby or host.server.frozen:
        return None
    world.wrong.append(f"{name} was promoted by hand")
    why = postgresql.promote(world, host)
    return f"somebody promotes {name} by hand" + (f" ({why})" if why else "")


def signal_removed(world: World, name: str) -> str | None:
    """Somebody removes ``standby.signal`` and restarts the server; the interlock is asked then."""
    host = world.hosts[name]
    if not host.on or host.data is None or not host.data.signal:
        return None
    host.data.signal = False
    if host.server:
        postgresql.stop(world, host)
    host.unit.active = "inactive"
    why = units.start(world, host)
    return f"somebody removes standby.signal on {name} and restarts the server" + (
        f", which does not start ({why})" if why else ""
    )


def pause(world: World, name: str) -> str | None:
    """Somebody pauses replay."""
    server = world.hosts[name].server
    if server is None or not server.standby or server.frozen or server.paused:
        return None
    server.paused = True
    return f"somebody pauses replay on {name}"


def block(world: World, name: str) -> str | None:
    """A query on the standby holds replay up (``max_standby_streaming_delay = -1``)."""
    server = world.hosts[name].server
    if server is None or not server.standby or server.frozen or server.blocked:
        return None
    server.blocked = True
    return f"a query on {name} holds replay up"


def crowd(world: World, name: str) -> str | None:
    """Clients take all sessions of the standby."""
    server = world.hosts[name].server
    if server is None or not server.standby or server.frozen or server.crowded:
        return None
    server.crowded = True
    return f"clients take all sessions on {name}"


def raise_setting(world: World, name: str) -> str | None:
    """Somebody raises ``max_connections`` on the master and restarts it."""
    host = world.hosts[name]
    if not host.server or host.server.standby or host.server.frozen or host.data is None:
        return None
    host.data.connections += 100
    postgresql.stop(world, host)
    host.unit.active = "inactive"
    why = units.start(world, host)
    return f"somebody raises max_connections on {name} and restarts its server" + (
        f", which does not start ({why})" if why else ""
    )


def slot_dropped(world: World, name: str) -> str | None:
    """Somebody drops the slots of the master; the standby's server is restarted."""
    host = world.hosts[name]
    if not host.server or host.server.standby or host.data is None or not host.data.slots:
        return None
    host.data.slots.clear()
    return f"somebody drops the slots on {name}"


def much_written(world: World, name: str) -> str | None:
    """So much is written that a slot whose standby is away is lost."""
    host = world.hosts[name]
    if not host.server or host.server.standby or host.server.frozen:
        return None
    life.write(world, 1, postgresql.KEPT + (1 << 30))
    life.settle(world)
    postgresql.checkpoint(world, host)
    return f"{name} writes more than its slots keep"


def checkpoint(world: World, name: str) -> str | None:
    """A checkpoint or restartpoint is made."""
    host = world.hosts[name]
    if not host.server or host.server.frozen:
        return None
    postgresql.checkpoint(world, host)
    return f"a checkpoint ends on {name}"


def files_copied(world: World, name: str) -> str | None:
    """Somebody copies the master's files, as a backup of his own."""
    host = world.hosts[name]
    if host.data is None:
        return None
    host.copied = host.data.copy()
    return f"somebody copies the files of the data on {name}"


def set_back(world: World, name: str) -> str | None:
    """Somebody puts the copied files in the place of the data and starts the server."""
    host = world.hosts[name]
    if host.copied is None or not host.on or not host.mounted or host.data is None:
        return None
    gone = host.data.end.rows
    host.server = None
    host.data = host.copied.copy()
    host.unit.active = "inactive"
    _gone(world, gone)
    why = units.start(world, host)
    return f"somebody sets {name} back to the copied files and starts its server" + (
        f", which does not start ({why})" if why else ""
    )


def fence_left(world: World, name: str) -> str | None:
    """A killed run of an older version has left a record of a fence."""
    host = world.hosts[name]
    if host.data is None or host.data.fence or not host.data.signal:
        return None
    other = next(each for each in world.hosts if each != name)
    host.data.fence = Fence(f"{other} took over as master", "", None)
    return f"the record of a fence is left on {name}"


def unit_disabled(world: World, name: str) -> str | None:
    """Somebody disables the unit."""
    host = world.hosts[name]
    if not host.unit.enabled or not host.on:
        return None
    host.unit.enabled = False
    return f"somebody disables the unit on {name}"


def cut(world: World, names: str) -> str | None:
    """A cable is cut."""
    pair = frozenset(names.split("-"))
    if pair in world.cut:
        return None
    world.cut.add(pair)
    return f"the cable between {' and '.join(sorted(pair))} is cut"


def mend(world: World, names: str) -> str | None:
    """It is mended."""
    pair = frozenset(names.split("-"))
    if pair not in world.cut:
        return None
    world.cut.discard(pair)
    return f"the cable between {' and '.join(sorted(pair))} is mended"


def hold(world: World, name: str) -> str | None:
    """The way to the standby is slow: WAL is on its way."""
    link = world.link_of(name)
    if link is None or link.held:
        return None
    link.held = True
    return f"WAL for {name} comes over slowly"


def flow(world: World, name: str) -> str | None:
    """It comes over."""
    link = world.link_of(name)
    if link is None or not link.held:
        return None
    link.held = False
    return f"WAL comes over to {name} again"


def minute(world: World, _name: str) -> str | None:
    """A minute passes."""
    for _each in range(6):
        life.settle(world, 10)
    return "a minute passes"


def work(world: World, _name: str) -> str | None:
    """Clients commit rows."""
    before = len(world.rows)
    life.write(world, 2)
    number = len(world.rows) - before
    return f"clients commit {number} rows" if number else None


#: faults of one host
OF_HOST: dict[str, Fault] = {
    "crash": crash,
    "stop": stop,
    "power off": power_off,
    "freeze": freeze,
    "unmount": unmount,
    "lose disk": disk_lost,
    "promote by hand": promoted_by_hand,
    "remove signal": signal_removed,
    "pause replay": pause,
    "block replay": block,
    "crowd": crowd,
    "raise setting": raise_setting,
    "drop slots": slot_dropped,
    "write much": much_written,
    "set back": set_back,
    "leave fence": fence_left,
    "disable unit": unit_disabled,
}
#: what is no fault: time, work, and what mends one
HARMLESS: dict[str, Fault] = {
    "start": start,
    "power on": power_on,
    "thaw": thaw,
    "mount": mount,
    "checkpoint": checkpoint,
    "copy files": files_copied,
    "hold": hold,
    "flow": flow,
    "minute": minute,
    "work": work,
    "mend": mend,
}
FAULTS: dict[str, Fault] = {**OF_HOST, "cut": cut, **HARMLESS}


def places(world: World) -> list[str]:
    """Return what a cable may lie between."""
    hosts = list(world.hosts)
    pairs = [f"{one}-{other}" for number, one in enumerate(hosts) for other in hosts[number + 1 :]]
    return [*pairs, *(f"{CONTROLLER}-{name}" for name in hosts)]


__all__ = ["FAULTS", "HARMLESS", "OF_HOST", "Host", "bits", "places"]
