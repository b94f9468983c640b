# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How PostgreSQL servers behave, as far as the model needs it.

Each rule names its chapter of the manual, in quotes. A sample of schedules is played on real servers as well, and both
must agree (``molecule/replay.py``).
"""

from __future__ import annotations

from .wal import USUAL, Catalog
from .world import Data, Host, Link, Server, World

#: bytes of WAL that a slot keeps at most, as ``master_wal_keep_megabytes`` sets it
KEPT = 10240 << 20
#: seconds after which a connection that is silent is given up (``conninfo.KEEPALIVE``)
SILENT = 30
#: bytes of a WAL segment file
SEGMENT = 16 << 20


def start(world: World, host: Host) -> str | None:
    """Start the server in the data directory; return why it does not run, or None.

    With ``standby.signal`` it replays what it has and then follows ("Standby Server Operation"); without, it recovers
    from a crash and is a master of the same timeline ("Write-Ahead Logging (WAL)"). A standby that has less of some
    settings than its master had does not start ("Hot Standby", "Administrator's Overview").
    """
    data = host.data
    if data is None:
        return "there is no data directory"
    if host.server:
        return None
    if data.signal and data.connections < data.needs:
        return (
            f"recovery aborted because of insufficient parameter settings: max_connections = {data.connections} is a"
            f" lower setting than on the primary server, where its value was {data.needs}"
        )
    data.unstarted = False
    world.links = [link for link in world.links if host.name not in (link.master, link.standby)]
    host.server = Server(data.signal, world.now, data.connections)
    if data.signal:
        data.as_master, data.clean = False, False
        replay(host)
        return None
    data.replayed = data.end
    data.as_master, data.clean = True, False
    # the end of a recovery is a checkpoint ("WAL Internals")
    data.end = world.append(data.end, data.end.timeline, needs=data.connections, checkpoint=True)
    data.replayed = data.checkpoint = data.end
    data.needs = data.connections
    return None


def control_timeline(data: Data) -> int:
    """Return the timeline that the control file tells of: of its checkpoint, or of what must be recovered at least.

    "pg_controldata".
    """
    return max(data.checkpoint.timeline, data.end.timeline if data.as_master else data.checkpoint.timeline)


def crash(host: Host) -> None:
    """End the server without a word. What was acknowledged is in the WAL on disk ("Reliability")."""
    host.server = None


def stop(world: World, host: Host) -> None:
    """Shut it down fast: a master makes a checkpoint, a standby a restartpoint ("Shutting Down the Server").

    A master that is shut down waits until its standbys have the record of that checkpoint. The manual knows the state
    of the process that sends it ("Monitoring Database Activity", ``stopping`` in ``pg_stat_replication``), and the rule
    itself stands at the head of walsender.c.
    """
    data = host.data
    if host.server and data:
        if not host.server.standby:
            data.end = data.replayed = data.checkpoint = world.append(data.end, data.end.timeline, checkpoint=True)
            for link in world.links:
                if link.master == host.name and link.silent_since is None and not link.held:
                    stream(world, link)
        else:
            data.checkpoint = data.replayed.checkpoint
        data.clean = True
    host.server = None


def redo(data: Data) -> int:
    """Return the LSN that a recovery would begin at, from which on a new slot keeps WAL.

    "WAL Internals"; "System Administration Functions" (``pg_create_physical_replication_slot``).
    """
    return data.checkpoint.lsn - 0x38


def lineage(data: Data, timeline: int) -> tuple[tuple[int, int], ...]:
    """Return the ancestors of a timeline and where each ends ("Timelines")."""
    return data.histories.get(timeline, ())


def promote(world: World, host: Host) -> str | None:
    """Promote a standby; return why it is not done (yet), or None.

    It replays all that it has first ("Standby Server Operation"). A pause ends with it ("Recovery Control Functions");
    what else holds replay up holds the promotion up ("Hot Standby", "Handling Query Conflicts"), and a replay that has
    paused since a setting is too low ends the server when it is resumed ("Administrator's Overview"). The new timeline
    is the next after all that it knows of ("Timelines"). Its first record is no checkpoint; that follows later.
    """
    server, data = host.server, host.data
    if server is None or data is None or not server.standby:
        return "the server is not in recovery"
    server.paused = False
    replay(host)
    if server.short:
        host.server = None
        return "recovery aborted because of insufficient parameter settings"
    if data.replayed is not data.end:
        server.promoting = True
        return "replay is held up by a session"
    old = data.end.timeline
    new = max([old, *data.histories]) + 1
    data.histories[new] = (*lineage(data, old), (old, data.end.lsn))
    data.end = data.replayed = world.append(data.end, new, needs=data.connections)
    data.signal, data.as_master, data.clean = False, True, False
    server.standby, server.promoting, data.needs = False, False, data.connections
    world.links = [link for link in world.links if link.standby != host.name]
    return None


def replay(host: Host) -> None:
    """Replay what is there, unless something holds that up ("Hot Standby", "Recovery Control Functions").

    The control file has a higher setting of the master's as soon as its record is met, before replay pauses for it
    ("Administrator's Overview").
    """
    server, data = host.server, host.data
    if server is None or data is None or server.frozen or server.paused or server.blocked or server.short:
        return
    data.needs = data.end.needs
    if data.end.needs > server.connections:
        server.short = True
        return
    data.replayed = data.end


def resume(host: Host) -> None:
    """Let a paused replay go on ("Recovery Control Functions"). One that paused by itself ends the server.

    "Administrator's Overview".
    """
    if host.server and host.server.short:
        host.server = None
    elif host.server:
        host.server.paused = False
        replay(host)


def checkpoint(world: World, host: Host) -> None:
    """Make a checkpoint or restartpoint: WAL that nobody needs goes, and a slot that keeps too much is lost.

    "Replication" (``max_slot_wal_keep_size``), "WAL Configuration". A restartpoint is at the record of a checkpoint of
    the master, the last that was replayed.
    """
    data, server = host.data, host.server
    if data is None or server is None:
        return
    if server.standby:
        data.checkpoint = data.replayed.checkpoint
        return
    data.end = data.replayed = data.checkpoint = world.append(data.end, data.end.timeline, checkpoint=True)
    retain(data)


def retain(data: Data) -> None:
    """Keep WAL for slots, up to a limit ("Replication Slots"; "Replication", ``max_slot_wal_keep_size``)."""
    for slot in data.slots.values():
        slot.lost = slot.lost or data.end.lsn - slot.keeps > KEPT
    data.floor = max(
        data.floor, min([data.checkpoint.lsn, *(row.keeps for row in data.slots.values() if not row.lost)])
    )


def commit(world: World, host: Host, row: int, size: int = USUAL) -> None:
    """Commit a row: acknowledged when it is in the master's WAL, whether a standby has it or not.

    "Asynchronous Commit", which is off; "Streaming Replication", which is asynchronous.
    """
    if host.data:
        host.data.end = host.data.replayed = world.append(host.data.end, host.data.end.timeline, size=size, row=row)


def register(world: World, host: Host, catalog: Catalog) -> None:
    """Write the registration, unless it is there already: a table as any other ("Write-Ahead Logging (WAL)")."""
    data = host.data
    catalog = catalog._replace(run=catalog.run or (data.end.catalog.run if data else None))
    if data and data.end.catalog != catalog:
        data.end = data.replayed = world.append(data.end, data.end.timeline, catalog=catalog)


def why_no_link(world: World, host: Host) -> str | None:
    """Return why a standby gets no WAL from the server that it is told to follow; None when it could.

    The master must have its WAL from where the standby is, on a line that has the standby's ("Streaming Replication
    Protocol", START_REPLICATION); its slot must be there and not lost ("Replication Slots").
    """
    data, server = host.data, host.server
    if not server or not server.standby or server.frozen or data is None or data.follows not in world.hosts:
        return "it does not run as a standby of anybody"
    source = world.hosts[data.follows]
    if not world.reaches(host.name, source.name):
        return "connection timed out"
    if source.server is None or source.data is None:
        return "connection refused"
    if source.server.frozen:
        return "no answer"
    slot = source.data.slots.get(data.slot) if data.slot else None
    if data.slot and slot is None:
        return f'replication slot "{data.slot}" does not exist'
    if slot and slot.lost:
        return f'can no longer get changes from replication slot "{data.slot}"'
    if not source.data.end.has(data.end) and not is_set_back(source.data, data):
        return "requested starting point is not in this server's history"
    if data.end.lsn < source.data.floor:
        return "requested WAL segment has already been removed"
    return None


def is_set_back(source: Data, data: Data) -> bool:
    """Whether a master has less than its standby, which it streams to all the same.

    A standby asks for WAL from the beginning of a segment file on, and the master only looks whether it has that
    ("Streaming Replication Protocol", START_REPLICATION; RequestXLogStreaming in walreceiverfuncs.c). Nothing of it is
    replayed, since that is further. Once the master is as far, its records do not fit, and the connection ends.
    """
    begin = data.end.lsn - data.end.lsn % SEGMENT
    return source.end.timeline == data.end.timeline and begin <= source.end.lsn < data.replayed.lsn


def stream(world: World, link: Link) -> None:
    """Bring the WAL over, with the history files of its timelines, and tell the slot how far it is.

    "Streaming Replication Protocol" (START_REPLICATION, TIMELINE_HISTORY, "Standby status update").
    """
    host, source = world.hosts[link.standby], world.hosts[link.master]
    if host.data is None or source.data is None:
        return
    link.told = source.data.end.lsn
    slot = source.data.slots.get(host.data.slot)
    link.set_back = is_set_back(source.data, host.data)
    if link.set_back:
        if slot:
            slot.keeps = source.data.end.lsn
        return
    if not source.data.end.has(host.data.end):
        return
    if host.data.end is not source.data.end:
        if host.server and host.server.promoting and not host.server.blocked:
            return
        host.data.end = source.data.end
    host.data.histories.update(source.data.histories)
    if slot:
        slot.keeps = host.data.end.lsn
    replay(host)


def base_backup(data: Data) -> Data:
    """Return a base backup: all of the master but its slots and marks.

    "pg_basebackup"; what is left out: "Streaming Replication Protocol" (BASE_BACKUP).
    """
    found = data.copy()
    found.slots, found.fence, found.signal, found.unstarted = {}, None, False, True
    found.as_master, found.clean, found.follows, found.slot = True, False, None, ""
    return found
