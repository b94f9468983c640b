# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Phases: steps that are mostly done by nobody, and then are passed over as a whole. Pure.

A skipped task costs the controller as much as one that does something. So a playbook includes the tasks of a phase
where the host has a part in any of its steps, and a step that is added here is asked for by itself.
"""

from __future__ import annotations

import typing as t

Steps = t.Mapping[str, t.Any]

#: each phase with its steps; a unit test holds the tasks of a phase to them
PHASES: dict[str, tuple[str, ...]] = {
    # init_standby and resync_standby
    "equip": (
        "binaries",
        "data_directory",
        "ssh_keys",
        "passwords",
        "mode",
        "slot_passwords",
        "source",
        "configuration",
    ),
    "host": ("binaries", "data_directory"),
    "old_data": ("stop", "keep_lost", "rewind", "delta"),
    "transfer": ("snapshot", "leftovers", "let_in"),
    "place": ("snapshot", "further"),
    "bring_up": ("settings", "start", "address_gone", "address_off", "address_on"),
    "clients": ("address_gone", "address_off", "address_on"),
    "keep": ("wait",),
    "afterwards": ("old_slot", "late_settings", "spare", "lift"),
    # failover and switchover
    "others": ("other_slots", "follow", "followed"),
    "promise": ("promise",),
    "commits": ("commits",),
}


class Part(t.NamedTuple):
    """What a host has outside of its data, which may differ from what it should be."""

    #: the step whose hosts have it
    step: str
    #: phases and steps that put it in order
    asks: tuple[str, ...]


#: a playbook compares each before it acts
PARTS: dict[str, Part] = {
    "user": Part("prepare", ("equip", "host")),
    "limits": Part("prepare", ("equip", "host")),
    "profile": Part("prepare", ("equip", "host")),
    "unit": Part("prepare", ("equip", "host", "bring_up", "start")),
    "interlock": Part("interlock", ("bring_up", "programs")),
    "peer": Part("interlock", ("bring_up", "programs")),
    "views": Part("views", ("bring_up", "clients")),
    "guard": Part("guard", ("equip", "keep", "install_guard")),
    "virtual_ip": Part("address", ("bring_up", "clients", "address_on")),
}


def of(steps: Steps) -> dict[str, list[str]]:
    """Return the hosts that have a part in each phase."""
    return {
        phase: list(dict.fromkeys(host for name in names for host in steps.get(name) or []))
        for phase, names in PHASES.items()
    }


def differing(wanted: t.Mapping[str, t.Any], found: t.Mapping[str, t.Any], host: str, steps: Steps) -> dict[str, t.Any]:
    """Return the host at each phase and step that puts in order what differs there; what is not known differs."""
    differs = [
        part
        for name, part in PARTS.items()
        if host in (steps.get(part.step) or []) and (name not in wanted or wanted[name] != found.get(name))
    ]
    every = {ask for part in PARTS.values() for ask in part.asks}
    return {ask: [host] if any(ask in part.asks for part in differs) else [] for ask in sorted(every)}
