# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether worlds are alike in all that a failover depends on, so that what was tried in one is not tried again.

Positions are compared by their order alone, and points in time not at all.
"""

from __future__ import annotations

import typing as t

from .world import Data, Host, Link, World

MINUTE = 60
Shape = tuple[t.Any, ...]


def shape(world: World) -> Shape:
    """Return what worlds have in common that are alike."""
    ends = sorted({host.data.end.serial for host in world.hosts.values() if host.data})
    places = {serial: number for number, serial in enumerate(ends)}
    furthest = max([host.data.end.lsn for host in world.hosts.values() if host.data], default=0)
    hosts = tuple(_host(host, places) for host in world.hosts.values())
    links = tuple((link.standby, link.master, _silence(world, link), link.held) for link in world.links)
    memories = tuple(
        (name, row.master, row.timeline, row.state, row.lsn > furthest, row.lsn >= furthest)
        for name, row in world.memories.items()
    )
    return hosts, links, memories, frozenset(world.cut)


def _silence(world: World, link: Link) -> int:
    """Return for how long a connection has been silent, as far as anybody makes a difference of it."""
    return 0 if link.silent_since is None else 1 + (world.now - link.silent_since > MINUTE)


def _host(host: Host, places: dict[int, int]) -> Shape:
    server, unit = host.server, host.unit
    return (
        (
            host.on,
            host.mounted,
            host.interlock,
            unit.enabled,
            unit.active,
            unit.permitted is not None,
            host.removed_on_purpose,
        ),
        server
        and (
            server.standby,
            server.frozen,
            server.paused,
            server.short,
            server.blocked,
            server.crowded,
            server.promoting,
        ),
        host.snapshot and (host.snapshot.phase, host.snapshot.source),
        _data(host.data, places) if host.data else None,
        _data(host.hidden, {}) if host.hidden else None,
    )


def _data(data: Data, places: dict[int, int]) -> Shape:
    fence = data.fence and (data.fence.reason, data.fence.timeline, data.fence.was)
    return (
        (places.get(data.end.serial), data.end.timeline, data.newest, data.checkpoint.timeline),
        (data.replayed is data.end, data.checkpoint is data.end, data.end.needs, data.needs, data.connections),
        (data.signal, fence, data.unstarted, data.unfinished, data.clean, data.as_master, data.follows, data.slot),
        tuple((name, row.lost) for name, row in data.slots.items()),
        (data.end.catalog, data.replayed.catalog),
    )
