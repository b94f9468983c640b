# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host has that is newer than what the master has: bringing it in line would give that up (S7). Pure.

Sources: PostgreSQL manual, "Timelines", "Streaming Replication Protocol" (a standby never has what its master has not
yet written to its disk).
"""

from __future__ import annotations

import datetime
import typing as t

from ..engines import table
from ..values import conninfo, history, lsn, places
from ..values.command import playbook
from . import timelines, topology
from .refusal import Kind, Refusal

#: hosts that have nothing of which that could be told
NOTHING = (topology.UNREACHABLE, topology.EMPTY, topology.OTHER)
OPTION = "accept_data_loss"


class Newer(t.NamedTuple):
    """What a host has and its master has not."""

    kind: Kind
    #: where it begins; None where its history cannot be read
    fork: history.Fork | None
    #: what was found, and the same in short, as the reason why a way is none
    found: str
    reason: str


def of(name: str, seen: topology.Observation, master: str, source: topology.Observation) -> Newer | None:
    """Return what is newer on a host than on the master, or None when nothing is known to be.

    What a run has left half-way was given up before, and kept aside.
    """
    if topology.kind(seen) in NOTHING or seen["data_directory"]["unfinished"]:
        return None
    last, other = timelines.timeline(seen), timelines.timeline(source)
    if topology.system_identifier(seen) != topology.system_identifier(source) or last is None or other is None:
        return None
    mine, its = timelines.stretches(seen), timelines.stretches(source)
    fork = history.fork(mine, its) if mine and its else None
    if table.of(source).timelines and (fork.timeline != last if fork else last > other):
        left = f"left timeline {fork.timeline} at {fork.lsn}" if fork else f"{master} does not have"
        return Newer(
            "newer-timeline",
            fork,
            f"{name} is on timeline {last}, which {left}, and {master} accepts writes on timeline {other}"
            + _ages(name, seen, master, source),
            f"it is on timeline {last}, which the master does not have",
        )
    if fork is None and last == other:
        return _ahead(name, seen, master, source, last)
    return None


def _ahead(
    name: str, seen: topology.Observation, master: str, source: topology.Observation, timeline: int
) -> Newer | None:
    """Return what a host has beyond the end of the master's WAL on the same timeline."""
    slot = conninfo.slot_name(name)
    has, written = _positions(seen, source, slot)
    if has is None or written is None or lsn.parse(has) <= lsn.parse(written):
        return None
    # what the slot keeps from on was on both when the master was copied; a set-back master brings its slots along
    row = topology.slot_of(source, slot)
    kept = row["keeps_from"] if row and not row["lost"] else None
    begin = min(kept or written, written, key=lsn.parse)
    return Newer(
        "ahead-of-master",
        history.Fork(timeline, begin, [history.Stretch(timeline, lsn.parse(begin), None)]),
        f"{name} holds WAL of timeline {timeline} up to {has}, and the master {master} has it up to {written} only"
        + _ages(name, seen, master, source),
        f"it holds WAL up to {has}, and the master up to {written} only",
    )


def _positions(seen: topology.Observation, source: topology.Observation, slot: str) -> tuple[str | None, str | None]:
    """Return up to where a host has WAL, and up to where the master has it; None where they cannot be compared.

    Hosts are not looked at in one moment: what streams from the master may have more by then. Of that its own receiver
    tells, which hears from the other end how far that is, and is asked after the replay.
    """
    server, sender = seen["server"], topology.sender_of(source, slot)
    receiver = server["receiver"] if server else None
    if sender or receiver:
        told = receiver["latest_end_lsn"] if receiver and sender and sender["streaming"] else None
        return (server["replay_lsn"] if server else None), told
    return have(seen), source["server"]["current_lsn"]


def have(seen: topology.Observation) -> str | None:
    """Return the LSN up to which a host holds WAL at least, as far as is known without reading that."""
    server, control = seen["server"], seen["control"]
    known = [server["have_lsn"]] if server else [seen["wal_end"]]
    if control and not server:
        known += [control["min_recovery_lsn"], control["checkpoint_lsn"]]
    return max((each for each in known if each), key=lsn.parse, default=None)


def _ages(name: str, seen: topology.Observation, master: str, source: topology.Observation) -> str:
    """Say how old what both have is, as far as their servers tell."""
    last = seen["server"]["last_commit_at"] if seen["server"] else None
    words = [f"the last commit that {name} has replayed is of {moment(last)}"] if last else []
    words.append(f"the server on {master} runs since {moment(source['server']['started'])}")
    return f" ({', '.join(words)})"


def moment(epoch: float) -> str:
    """Return a point in time as people read it."""
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def refusal(
    what: Newer,
    pair: tuple[str, str],
    hosts: topology.Observations,
    lost: str = "",
    **options: t.Any,
) -> Refusal:
    """Return the refusal to give it up: how either side is kept is the operator's word. ``pair``: host, master."""
    name, master = pair
    why = {
        "newer-timeline": f"what {name} has is newer, and would be given up for what {master} has",
        "ahead-of-master": f"{master} was set back, or has lost what it had written: what {name} has would be given up",
    }[what.kind]
    which = name if len(hosts) > 2 else None
    give_up = playbook("resync_standby", standby_host=which, **{**options, OPTION: True})
    return Refusal(
        what.kind,
        f"{what.found}{': ' if lost else ''}{lost}",
        why,
        f"To keep what {name} has: {keep(name, hosts, [master], what.kind)}. To give it up for what {master} has:"
        f" {give_up} (it is kept aside first)",
    )


def keep(name: str, hosts: topology.Observations, others: t.Sequence[str], kind: Kind = "newer-timeline") -> str:
    """Return the commands that make what one host has the master's, and the others its standbys, in their order."""
    seen, what = hosts[name], topology.kind(hosts[name])
    steps = [f"systemctl stop {hosts[other]['service']['unit']} on {other}" for other in others]
    if what in topology.STANDBYS or topology.is_standby(seen):
        steps.append(str(playbook("failover")))
    elif what != topology.MASTER:
        directory, unit = seen["data_directory"], seen["service"]["unit"]
        marker = table.of(seen).words.standby_marker
        free = f"rm {directory['path']}/{marker} {directory['path']}/{places.RECORD} and "
        steps.append(f"{free if directory['fenced'] else ''}systemctl start {unit} on {name}")
    # on the same timeline nobody can tell from where on the master's own WAL is another one
    route = "delta" if kind == "ahead-of-master" else None
    which = others[0] if len(hosts) > 2 else None
    steps.append(str(playbook("resync_standby", standby_host=which, resync_route=route)))
    return ", then ".join(steps)
