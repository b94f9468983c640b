# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The collection's own small programs on a host: where they live, and what is there now."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ..values import places
from . import files, systemd
from .run import Runner

if t.TYPE_CHECKING:
    from ..values.observation import Program

#: the last of a unit's drop-ins by its name: one that is read later could empty ExecStartPre= (``systemctl edit``
#: writes override.conf). Source: systemd.unit(5), "drop-in"; systemd.service(5), "ExecStartPre=".
DROP_IN, EARLIER_DROP_IN = "zz-hawq-mirroring.conf", "hawq-mirroring.conf"
INTERLOCK, VIRTUAL_IP, SEGMENT, PEER = NAMES = ("interlock", "virtual-ip", "segment", "peer")
#: what lets commits wait, on a master's host and on a witness; host/witnessing looks at them
GUARD, WITNESS = GUARDS = ("guard", "witness")


def path(name: str) -> str:
    """Return where the program is."""
    return f"/usr/local/libexec/hawq-mirroring-{name}"


def library_path(name: str) -> str:
    """Return where a module is that guards and witnesses judge by; the same in the roles guard and witness."""
    return f"{places.LIBRARY}/hawq_mirroring/{name}"


def settings_path(name: str, service: str) -> str:
    """Return where its settings are: those of each cluster of this host in a directory of their own."""
    return f"/etc/hawq-mirroring/{name if name == SEGMENT else f'{places.cluster(service)}/{name}'}.json"


def peer_program() -> str:
    """Return the only command that the key of another master host is good for; what it asks is told to that."""
    return f"/usr/bin/python3 -I {path(PEER)}"


def peer_command(service: str) -> str:
    """Return the command by which another master host asks about the cluster of that unit there."""
    return f"{peer_program()} {places.cluster(service)}"


def unit_name(name: str, service: str) -> str:
    """Return the unit that runs the program; the interlock's is the database's."""
    if name == INTERLOCK:
        return service
    return f"hawq-mirroring-{name if name == SEGMENT else f'{name}-{places.cluster(service)}'}.service"


def unit_path(name: str, service: str) -> str:
    """Return the unit's file, none where sshd runs the program; the interlock's is a drop-in of the database's."""
    if name == PEER:
        return ""
    if name != INTERLOCK:
        return f"/etc/systemd/system/{unit_name(name, service)}"
    return f"/etc/systemd/system/{places.cluster(service)}.service.d/{DROP_IN}"


def digest(text: str | None) -> str | None:
    """Return the SHA-256 of a text, None of none."""
    return None if text is None else hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def observe(name: str, service: str) -> dict[str, t.Any]:
    """Return the digests of program and unit, and the settings; None for what is not there as root's own file."""
    try:
        settings = json.loads(files.public(settings_path(name, service)) or "null")
    except ValueError:
        settings = None
    return {
        "program": digest(files.public(path(name))),
        "settings": settings,
        "unit": digest(files.public(unit)) if (unit := unit_path(name, service)) else None,
    }


def observe_all(run: Runner, service: str) -> dict[str, Program]:
    """Return the same for every program, and how systemd stands to its unit."""
    found: dict[str, Program] = {}
    for name in NAMES:
        here = observe(name, service)
        shown = systemd.unit(run, unit_name(name, service)) if here["unit"] else None
        found[name] = {
            "program": here["program"],
            "settings": here["settings"],
            "unit": here["unit"],
            "stale": bool(shown and shown["stale"]),
            "enabled": bool(shown and shown["enabled"] == "enabled"),
            "active": bool(shown and shown["active"] == "active"),
            "state": shown["active"] if shown else "",
            "says": (shown["says"] or "") if shown else "",
        }
    return found
