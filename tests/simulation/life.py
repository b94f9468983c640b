# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes on by itself while time passes: connections, WAL, replay, starts that wait, and what segments see."""

from __future__ import annotations

from . import postgresql, units
from .world import Host, Link, Memory, Row, World

#: bytes that a standby may lack and still be called synchronised (the view ``gp_master_mirroring``)
STEP = 64 << 20
SYNCHRONIZED, SYNCHRONIZING, NOT_SYNCHRONIZED, NOT_CONFIGURED = (
    "Synchronized",
    "Synchronizing",
    "Not Synchronized",
    "Not Configured",
)


def slot_name(standby: str) -> str:
    """Return the name of a standby's slot."""
    return f"hawq_mirroring_{standby}"


def settle(world: World, seconds: float = 1.0) -> None:
    """Let time pass."""
    world.now += seconds
    for _round in range(2):  # what has come to one may go on to the next
        world.links = [link for link in world.links if _lives(world, link)]
        for host in world.hosts.values():
            _go_on(world, host)
            if (
                host.server
                and host.server.standby
                and not world.link_of(host.name)
                and postgresql.why_no_link(world, host) is None
            ):
                world.links.append(Link(host.name, str(host.data.follows if host.data else "")))
        for link in world.links:
            if link.silent_since is None and not link.held:
                postgresql.stream(world, link)
        for host in world.hosts.values():
            if host.server and host.server.standby:
                postgresql.replay(host)
            if host.server is None and host.unit.active == "active":
                host.unit.active = "failed"
    for host in world.hosts.values():
        if host.data and host.data.end is not host.written:
            host.written, host.written_at = host.data.end, world.now
    for segment in world.segments:
        _register(world, segment)


def _go_on(world: World, host: Host) -> None:
    """Let go on what was begun on a host: a copy, a start that waits, a promotion."""
    if host.snapshot and host.snapshot.phase == "copying" and host.on:
        _copy(world, host)
    if host.unit.active == "activating":
        units.start(world, host)
    if host.server and host.server.promoting and not host.server.frozen:
        postgresql.promote(world, host)


def _copy(world: World, host: Host) -> None:
    """Let a base backup end: well while its master serves, badly when that is gone ("pg_basebackup")."""
    job = host.snapshot
    if job is None:
        return
    source = world.hosts[job.source]
    serves = source.server and not source.server.standby and not source.server.frozen and source.data
    if serves and source.data and world.reaches(host.name, job.source):
        job.phase, job.copy = "done", postgresql.base_backup(source.data)
    else:
        job.phase = "failed"


def _lives(world: World, link: Link) -> bool:
    """Whether a connection goes on; a silent one is given up in time ("Replication", ``wal_receiver_timeout``)."""
    standby, master = world.hosts[link.standby], world.hosts[link.master]
    reached = world.reaches(link.standby, link.master)
    if reached and (standby.server is None or master.server is None):
        return False
    if standby.server and (not standby.server.standby or (standby.data and standby.data.follows != link.master)):
        return False
    slot = master.data.slots.get(slot_name(link.standby)) if master.data else None
    if master.on and (slot is None or slot.lost):
        return False
    quiet = not reached or any(host.server is None or host.server.frozen for host in (standby, master))
    if not quiet:
        link.silent_since = None
        # a connection outlives a master that has become another one's standby no longer than the server
        both = master.data and standby.data
        return bool(
            both and (master.data.end.has(standby.data.end) or postgresql.is_set_back(master.data, standby.data))
        )
    if link.silent_since is None:
        link.silent_since = world.now
    return world.now - link.silent_since < postgresql.SILENT


def mirroring(world: World, master: str, standby: str) -> tuple[str, str | None]:
    """Return the mirroring state of one standby and what kind of trouble it has, as the master's view says."""
    data = world.hosts[master].data
    slot = data.slots.get(slot_name(standby)) if data else None
    if data is None or slot is None:
        return NOT_SYNCHRONIZED, "Unexpected error"
    if slot.lost:
        return NOT_SYNCHRONIZED, "Standby master too far behind"
    link = world.link_of(standby)
    if link is None or link.master != master:
        return NOT_SYNCHRONIZED, "Connection error"
    return (SYNCHRONIZED if data.end.lsn - slot.keeps <= STEP else SYNCHRONIZING), None


def summary(world: World, master: str) -> str:
    """Return the row of the view: the worst standby's state."""
    data = world.hosts[master].data
    names = data.end.catalog.standbys if data else ()
    states = [mirroring(world, master, name)[0] for name in names]
    return next((word for word in (NOT_SYNCHRONIZED, SYNCHRONIZING, SYNCHRONIZED) if word in states), NOT_CONFIGURED)


def _register(world: World, segment: str) -> None:
    """Let a segment register with the master that it reaches, and remember it."""
    for name in world.writers():
        data = world.hosts[name].data
        if data and world.reaches(segment, name):
            world.memories[segment] = Memory(
                data.end.catalog.master or name, data.end.timeline, data.end.lsn, summary(world, name), world.now
            )


def write(world: World, count: int = 1, size: int = 0) -> None:
    """Let clients commit rows wherever a server takes them: each of them sits beside its master."""
    for name in world.writers():
        links = [link for link in world.links if link.master == name and link.silent_since is None]
        for _each in range(count):
            connected = any(world.reaches(link.standby, name) for link in links)
            world.rows.append(Row(name, world.now, connected))
            postgresql.commit(world, world.hosts[name], len(world.rows) - 1, size or postgresql.USUAL)
