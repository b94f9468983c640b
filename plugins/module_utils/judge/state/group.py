# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every look at the state is made of, and what comes of it: findings. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ...values import conninfo
from ...values.command import Command, playbook
from ...values.observation import Hosts, Observation, Observations
from .. import topology
from ..options import Options


class Finding(t.TypedDict):
    """A problem or a note."""

    kind: t.Annotated[str, "what it is about, for programs: docs/state.md lists the kinds"]
    host: t.Annotated[str | None, "the host that it is found on; None where that is none or several"]
    text: t.Annotated[str, "what was found, and why it matters"]
    command: t.Annotated[str, "what to do now: a command, or two and what decides between them"]


class Group(t.NamedTuple):
    """All that was seen, and who is who."""

    observations: Observations
    hosts: Hosts
    options: Options
    masters: list[str]
    #: the one that accepts writes, and what was seen of it; None without one or with several
    master: str | None
    source: Observation | None
    #: registered with the master
    standbys: list[str]

    @property
    def witnesses(self) -> Observations:
        """What was seen of the segments, and of hosts that only bear witness."""
        return self.options.get("witnesses") or {}

    @property
    def reachable(self) -> Observations:
        """The hosts that could be looked at."""
        return {name: seen for name, seen in self.observations.items() if not is_away(seen)}

    @property
    def members(self) -> Observations:
        """Master and registered standbys that could be looked at."""
        return {name: seen for name, seen in self.reachable.items() if name in (self.master, *self.standbys)}

    def resync(self, standby: str | None = None, **options: t.Any) -> Command:
        """Return the command that brings a standby back; it is named where there are several hosts to choose from."""
        return playbook("resync_standby", standby_host=standby if len(self.observations) > 2 else None, **options)


def of(observations: Observations, hosts: Hosts, options: Options) -> Group:
    """Say who is who."""
    masters = topology.masters(observations)
    master = masters[0] if len(masters) == 1 else None
    source = observations[master] if master else None
    standbys = topology.registered(master, source) if master and source else []
    return Group(observations, hosts, options, masters, master, source, standbys)


def finding(kind: str, host: str | None, text: str, command: t.Any) -> Finding:
    """Return what was found."""
    return {"kind": kind, "host": host, "text": text, "command": str(command)}


def is_away(seen: Observation) -> bool:
    """Whether a host could not be looked at."""
    return topology.kind(seen) == topology.UNREACHABLE


def on(host: str, command: t.Any) -> str:
    """Return a command that is typed on a host."""
    return f"on {host}: {command}"


def systemctl(verb: str, name: str, seen: Observation) -> str:
    """Return what is typed on a host to do something to its server's unit."""
    return on(name, f"systemctl {verb} {seen['service']['unit']}")


def slot(group: Group, name: str) -> t.Any:
    """Return the slot that the master has for a host, if it has one."""
    return topology.slot_of(group.source, conninfo.slot_name(name)) if group.source else None
