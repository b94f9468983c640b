# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The server's unit, and the interlock that asks the other hosts before each start as a master.

The judgement of an answer is the interlock's own function, from the file that is installed on hosts. How the answers
come about is ``ask_server`` and ``ask_host`` there. What systemd does stands in its manual: systemd.service(5),
``ExecStartPre=`` (a unit is ``activating`` as long as that runs), ``Restart=`` (none here, so what has crashed stays
``failed``), and systemd.unit(5), ``RequiresMountsFor=``.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pathlib
import types

from ansible_collections.hawq.mirroring.plugins.module_utils.values import places

from . import postgresql
from .world import SYSTEM, Host, World

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = "hawq-master.service"
#: seconds for which a run's permission holds; the operator's holds for the next start
PERMITTED = 120


SAME_RIGHT = "is stopped on the same timeline and has the same right to be the master: let the last one start"


def _load(path: pathlib.Path) -> types.ModuleType:
    loader = importlib.machinery.SourceFileLoader(path.name.replace("-", "_"), str(path))
    found = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader, origin=str(path)))  # type: ignore[arg-type]
    loader.exec_module(found)
    return found


INTERLOCK = _load(ROOT / "roles/server/files/hawq-mirroring-interlock")


def _ask(world: World, host: Host, peer: Host) -> tuple[tuple[str, int, str] | None, str]:
    """Return what another host answers: its server, or else its files by SSH; or None, and why it cannot be asked."""
    if not world.reaches(host.name, peer.name):
        return None, "cannot be asked: neither its server nor its host by SSH"
    data, server = peer.data, peer.server
    if server and data and not server.frozen:
        timeline = (data.replayed if server.standby else data.end).timeline
        return (SYSTEM, timeline, INTERLOCK.STANDBY if server.standby else INTERLOCK.MASTER), ""
    if data is None and peer.removed_on_purpose:
        return (SYSTEM, 0, INTERLOCK.STANDBY), ""
    if data is None:
        return None, "has no data directory: is its file system mounted?"
    if data.signal and (server or not data.unfinished):
        return (SYSTEM, data.newest, INTERLOCK.STANDBY), ""
    if server:
        return (SYSTEM, data.newest, INTERLOCK.MASTER), ""
    return (SYSTEM, data.newest, INTERLOCK.HALF_WAY if data.unfinished else INTERLOCK.STOPPED), ""


def _may_start(world: World, host: Host) -> tuple[str, str]:
    """Return SAFE, NEWER or SILENT, as the interlock finds with all peers, and why (``still_open``)."""
    data = host.data
    if data is None or data.signal or not host.interlock:
        return INTERLOCK.SAFE, ""
    own, left = (SYSTEM, data.newest), []
    for peer in (each for each in world.hosts.values() if each is not host):
        answer, why = _ask(world, host, peer)
        found = INTERLOCK.judge(own, answer)
        if found == INTERLOCK.NEWER:
            return found, INTERLOCK.forbidden(own, {"name": peer.name, "unit": UNIT}, answer)
        if found == INTERLOCK.SILENT:
            if answer:
                half = f"was left half-way by a resynchronisation, on a newer timeline ({answer[1]})"
                why = half if answer[2] == INTERLOCK.HALF_WAY else SAME_RIGHT
            left.append(f"{peer.name} {why}")
    return (INTERLOCK.SILENT, "; ".join(left)) if left else (INTERLOCK.SAFE, "")


def _permitted(world: World, host: Host) -> bool:
    """Take the permission for one start, if there is one that still holds."""
    until, host.unit.permitted = host.unit.permitted, None
    return until is not None and world.now <= until


def start(world: World, host: Host) -> str | None:
    """Start the unit, or go on with a start that waits; return why it does not run, or None (it may wait still).

    It asks for ever, all hosts each time. Where its file system is not mounted systemd does not start it at all
    (``RequiresMountsFor``).
    """
    unit, data = host.unit, host.data
    if host.server:
        unit.active, unit.waits = "active", None
        return None
    if not host.mounted:
        return _failed(host, "Dependency failed: the file system of its data is not mounted")
    if host.interlock and data and data.unfinished:
        words = "a resynchronisation was interrupted, which cannot be used as it is. To make it a standby:"
        return _failed(host, f"{INTERLOCK.NAME}: {words} ansible-playbook hawq.mirroring.resync_standby")
    found, why = _may_start(world, host)
    if found == INTERLOCK.NEWER:
        return _failed(host, f"{INTERLOCK.NAME}: {why}")
    permitted = _permitted(world, host)
    if found == INTERLOCK.SILENT and not permitted:
        unit.active, unit.waits = "activating", why
        host.log = (
            f"{INTERLOCK.NAME}: {why}. This server waits, and starts by itself. If it is certain that what cannot be"
            f" asked is switched off, or is no master: touch {places.permission(UNIT)} on {host.name} (for one start)"
        )
        return None
    why_not = postgresql.start(world, host)
    if why_not:
        return _failed(host, why_not)
    unit.active, unit.waits = "active", None
    host.removed_on_purpose = False
    return None


def _failed(host: Host, why: str) -> str:
    host.unit.active, host.unit.waits = "failed", None
    host.log = why
    return why


def power_off(world: World, host: Host) -> None:
    """Cut the power: the server crashes ("Reliability" in PostgreSQL's manual), /run with its permission is gone."""
    postgresql.crash(host)
    host.on = False
    host.unit.active, host.unit.waits, host.unit.permitted = "inactive", None, None


def power_on(world: World, host: Host) -> None:
    """Switch it on: it boots, and starts what is enabled (systemd.unit(5), ``WantedBy=``)."""
    if host.on:
        return
    host.on, host.boots = True, host.boots + 1
    if host.unit.enabled:
        start(world, host)
