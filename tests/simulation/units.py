# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The server's unit, and the interlock that asks the other hosts before each start as a master.

The judgement of an answer is the interlock's own function, from the file that is installed on hosts. How the answers
come about is ``ask_server`` and ``ask_host`` there.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pathlib
import types

from . import postgresql
from .world import SYSTEM, Host, World

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: seconds after which a start is given up when another host cannot be asked
WAIT = 30


def _load(path: pathlib.Path) -> types.ModuleType:
    loader = importlib.machinery.SourceFileLoader(path.name.replace("-", "_"), str(path))
    found = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader, origin=str(path)))  # type: ignore[arg-type]
    loader.exec_module(found)
    return found


INTERLOCK = _load(ROOT / "roles/server/files/hawq-mirroring-interlock")


def _ask(world: World, host: Host, peer: Host) -> tuple[str, int, str] | None:
    """Return what another host answers: its server, or else its files by SSH; None when it cannot be asked."""
    if not world.reaches(host.name, peer.name):
        return None
    data, server = peer.data, peer.server
    if server and data and not server.frozen:
        timeline = (data.replayed if server.standby else data.end).timeline
        return SYSTEM, timeline, INTERLOCK.STANDBY if server.standby else INTERLOCK.MASTER
    if data is None:
        return SYSTEM, 0, INTERLOCK.STANDBY
    if data.signal:
        return SYSTEM, data.newest, INTERLOCK.STANDBY
    if server:
        return SYSTEM, data.newest, INTERLOCK.MASTER
    return SYSTEM, data.newest, INTERLOCK.STANDBY if data.unfinished else INTERLOCK.STOPPED


def _may_start(world: World, host: Host) -> str:
    """Return SAFE, NEWER or SILENT, as the interlock finds with all peers."""
    data = host.data
    if data is None or data.signal or not host.interlock:
        return str(INTERLOCK.SAFE)
    own, found = (SYSTEM, data.newest), {INTERLOCK.SAFE}
    for peer in world.hosts.values():
        if peer is not host:
            found.add(INTERLOCK.judge(own, _ask(world, host, peer)))
    return next(word for word in (INTERLOCK.NEWER, INTERLOCK.SILENT, INTERLOCK.SAFE) if word in found)


def start(world: World, host: Host) -> str | None:
    """Start the unit, or go on with a start that waits; return why it does not run, or None (it may wait still)."""
    unit, data = host.unit, host.data
    if host.server:
        unit.active, unit.until, unit.waits = "active", None, None
        return None
    if host.interlock and data and data.unfinished:
        return _failed(host, f"hawq-mirroring-interlock: a resynchronisation was interrupted on {host.name}")
    permitted, unit.permitted = unit.permitted, False
    found = _may_start(world, host)
    if found == INTERLOCK.NEWER:
        return _failed(
            host,
            "hawq-mirroring-interlock: another host has been made a master. To make it a standby: ansible-playbook"
            " hawq.mirroring.resync_standby",
        )
    if found == INTERLOCK.SILENT and not permitted:
        if unit.active != "activating":
            unit.active, unit.until = "activating", world.now + WAIT
        if unit.until is not None and world.now >= unit.until:
            return _failed(
                host,
                "hawq-mirroring-interlock: the other hosts could not be asked. If it is certain that none has taken"
                " over:"
                " touch /run/hawq-mirroring-start, then systemctl start hawq-master.service",
            )
        unit.waits = "another host to answer"
        return None
    why = postgresql.start(world, host)
    if why:
        return _failed(host, why)
    unit.active, unit.until, unit.waits = "active", None, None
    return None


def _failed(host: Host, why: str) -> str:
    host.unit.active, host.unit.until, host.unit.waits = "failed", None, None
    host.log = why
    return why


def power_off(world: World, host: Host) -> None:
    """Cut the power."""
    postgresql.crash(host)
    host.on = False
    host.unit.active, host.unit.until, host.unit.waits, host.unit.permitted = "inactive", None, None, False


def power_on(world: World, host: Host) -> None:
    """Switch it on: it boots, and starts what is enabled."""
    if host.on:
        return
    host.on, host.boots = True, host.boots + 1
    if host.unit.enabled:
        start(world, host)
