# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host has that is newer than what the master has: bringing it in line would give that up (S7). Pure.

Sources: PostgreSQL manual, "Timelines", "Streaming Replication Protocol" (a standby never has what its master has not
yet written to its disk).
"""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values import conninfo, history, lsn, places
from ..values.clusters import MASTERS
from ..values.command import group, playbook
from ..values.text import moment, size
from . import systems, timelines, topology
from .refusal import Kind, Refusal

#: hosts that have nothing of which that could be told
NOTHING = (topology.UNREACHABLE, topology.EMPTY, topology.OTHER)
OPTION = "accept_data_loss"
GIVEN_UP = "what {} alone has written is given up"
#: of one that has replayed more than its master, and is sent that one's WAL into the files of its own
STAYS = "the server of {} stays on until then, since it may not start again"


class Newer(t.NamedTuple):
    """What a host has and its master has not."""

    kind: Kind
    #: where it begins; None where its history cannot be read
    fork: history.Fork | None
    #: what was found, and the same in short, as the reason why a way is none
    found: str
    reason: str
    #: up to where it has WAL of the master's own timeline, if it is that
    reached: str | None = None


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


def of_the_same_right(name: str, seen: topology.Observation, master: str, source: topology.Observation) -> Newer | None:
    """Return what a former master may have on the timeline that the master is on: where they part nobody can tell."""
    control, directory, timeline = seen["control"], seen["data_directory"], timelines.timeline(source)
    was_master = topology.kind(seen) == topology.STOPPED and control is not None and control["as_master"]
    if not was_master or directory["unstarted_copy"] or directory["unfinished"] or not table.of(source).timelines:
        return None
    if timelines.timeline(seen) != timeline or topology.system_identifier(seen) != topology.system_identifier(source):
        return None
    return Newer(
        "not-compared",
        None,
        f"{name} was a master on timeline {timeline}, on which {master} accepts writes by now"
        + _ages(name, seen, master, source),
        "it was a master on the timeline that the master is on",
    )


def _ahead(
    name: str, seen: topology.Observation, master: str, source: topology.Observation, timeline: int
) -> Newer | None:
    """Return what a host has beyond the end of the master's WAL on the same timeline."""
    slot = conninfo.slot_name(name)
    has, written = positions(seen, source, slot)
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
        has,
    )


def unheard(name: str, seen: topology.Observation, master: str, source: topology.Observation) -> Newer | None:
    """Return what a standby has beyond what its master has heard of, while it does not follow although it could.

    A master that was set back and has written on since is as far as its standby, with another past: positions do not
    tell the two apart. What a standby has reported to it was in its own WAL, and the slot is just there then: one that
    was made later is anywhere. A standby that has got WAL of another past replays nothing of it. The same goes for one
    on a timeline that the master has left: it may be the set-back one itself, which its former standby was ahead of.
    """
    last, slot = timelines.timeline(seen), conninfo.slot_name(name)
    row, server, has = topology.slot_of(source, slot), seen["server"], topology.end(seen)
    if last is None or has is None or topology.streams(source, slot):
        return None
    heard = row["keeps_from"] if row else None
    stuck = bool(server) and not (server["replay_paused"] or server["replay_blocked"])
    stuck = stuck and lsn.parse(server["replay_lsn"] or "0/0") < lsn.parse(has)
    if heard and lsn.parse(heard) == lsn.parse(has) and not stuck:
        return None
    replayed = (server["replay_lsn"] if server else None) or has
    begin = min(heard, replayed, key=lsn.parse) if heard else None
    at = f"the slot of {master} for it is at {heard}" if heard else f"{master} has no slot that tells how far it came"
    return Newer(
        "not-compared",
        history.Fork(last, begin, [history.Stretch(last, lsn.parse(begin), None)]) if begin else None,
        f"{name} holds WAL of timeline {last} up to {has}, {at}, and it does not follow, although it could"
        + _ages(name, seen, master, source),
        f"whether the master has the same WAL up to {has} cannot be said",
        has,
    )


def positions(seen: topology.Observation, source: topology.Observation, slot: str) -> tuple[str | None, str | None]:
    """Return up to where a host has WAL, and up to where the master has it; None where they cannot be compared.

    Hosts are not looked at in one moment: what streams from the master may have more by then. Of that its own receiver
    tells, which hears from the other end how far that is, and is asked after the replay.
    """
    server, sender = seen["server"], topology.sender_of(source, slot)
    receiver = server["receiver"] if server else None
    if sender or receiver:
        told = receiver["latest_end_lsn"] if receiver and sender and sender["streaming"] else None
        return (server["replay_lsn"] if server else None), told
    return topology.end(seen), source["server"]["current_lsn"]


def _ages(name: str, seen: topology.Observation, master: str, source: topology.Observation) -> str:
    """Say how old what both have is, as far as their servers tell."""
    last = seen["server"]["last_commit_at"] if seen["server"] else None
    words = [f"the last commit that {name} has replayed is of {moment(last)}"] if last else []
    words.append(f"the server on {master} runs since {moment(source['server']['started'])}")
    return f" ({', '.join(words)})"


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
        "not-compared": f"what either has written alone, since {master} was set back or both were made masters, cannot"
        f" be told apart, and what {name} alone has would be given up",
    }[what.kind]
    which = name if len(hosts) > 2 else None
    # of what is on the same timeline nobody can tell where it parts, so it cannot be kept aside
    gone = f" ({price(name, master, hosts[name])})" if what.reached else ""
    give_up = playbook("resync_standby", standby_host=which, **{**options, OPTION: True})
    return Refusal(
        what.kind,
        f"{what.found}{', with ' if lost else ''}{lost}",
        why,
        f"To keep what {name} has: {keep(name, hosts, [master], what.kind)}{gone}. To give it up for what {master} has:"
        f" {give_up} (it is kept aside first)",
    )


def price(name: str, master: str, seen: topology.Observation) -> str:
    """Return what is to be known before what only this host has of the master's timeline is kept."""
    stays = f"; {STAYS.format(name)}" if topology.kind(seen) == topology.STANDBY else ""
    return f"{GIVEN_UP.format(master)}{stays}"


def keep(
    name: str,
    hosts: topology.Observations,
    others: t.Sequence[str],
    kind: Kind = "newer-timeline",
    give_up: bool = False,
) -> str:
    """Return the commands that make what one host has the master's, and the others its standbys, in their order.

    ``give_up`` says that the others have something newer, which is given up for it.
    """
    seen, what = hosts[name], topology.kind(hosts[name])
    steps = [f"systemctl stop {hosts[other]['service']['unit']} on {other}" for other in others]
    if what in topology.STANDBYS or topology.is_standby(seen):
        steps.append(take_over(name, seen, kind == "not-compared"))
    elif what != topology.MASTER:
        if kind != "newer-timeline":
            # the other one, of the same timeline, has the same right to be the master: each start would wait for it
            steps.append(f"touch {places.permission(seen['service']['unit'])} on {name}")
            give_up = True
        steps.append(start(name, seen))
    # on the same timeline nobody can tell from where on the master's own WAL is another one
    route = "delta" if kind in ("ahead-of-master", "not-compared") else None
    which = others[0] if len(hosts) > 2 else None
    told = {OPTION: True} if give_up else {}
    steps.append(str(playbook("resync_standby", standby_host=which, resync_route=route, **told)))
    return ", then ".join(steps)


def take_over(name: str, seen: topology.Observation, give_up: bool = False) -> str:
    """Return how a standby is made the master: the record of a fence goes, as the operator says.

    ``give_up`` says that the master has WAL that does not fit what the standby has, so that none can be fetched.
    """
    directory, unit = seen["data_directory"], seen["service"]["unit"]
    steps = [f"rm {directory['path']}/{places.RECORD} on {name}"] if topology.is_fenced(seen) else []
    steps += [f"systemctl restart {unit} on {name}"] if topology.kind(seen) == topology.FROZEN else []
    return ", then ".join([*steps, str(playbook("failover", **({OPTION: True} if give_up else {})))])


def start(name: str, seen: topology.Observation) -> str:
    """Return how the data of a former master is made the master's again: marks of a fence go, as the operator says."""
    directory, unit = seen["data_directory"], seen["service"]["unit"]
    marks = f"{directory['path']}/{table.of(seen).words.standby_marker} {directory['path']}/{places.RECORD}"
    free = f"rm {marks} && " if directory["fenced"] else ""
    return f"{free}systemctl start {unit} on {name}"


def newest(observations: topology.Observations, names: t.Iterable[str]) -> list[str]:
    """Return these hosts, those with the newest data first: by timeline, then what was a master, then by LSN."""

    def rank(name: str) -> tuple[int, bool, int]:
        seen = observations[name]
        return (
            timelines.timeline(seen) or 0,
            topology.kind(seen) not in topology.STANDBYS,
            lsn.parse(topology.end(seen) or "0/0"),
        )

    return sorted(names, key=rank, reverse=True)


def two_masters(names: list[str], observations: topology.Observations) -> Refusal:
    """Return the refusal to go on while several hosts accept writes: what each has, and how each is kept."""
    order = newest(observations, names)
    first, second = order[:2]
    if systems.several(observations):
        return Refusal(
            "several-systems",
            f"{' and '.join(names)} are the masters of different database systems ({systems.words(observations)})",
            f"the group {group(MASTERS)} is one master and its standbys, and it cannot be said which one is meant",
            systems.way(observations),
        )
    keeps = []
    for name in order:
        others = [other for other in order if other != name]
        give_up = any(of(other, observations[other], name, observations[name]) for other in others)
        keeps.append(f"To keep {name}: {keep(name, observations, others, give_up=give_up)}")
    return Refusal(
        "two-masters",
        f"{' and '.join(names)} both accept writes. "
        + ". ".join(_account(name, observations[name]) for name in order)
        + f". {_parting(first, second, observations)}",
        "with two masters every further step could destroy committed work, and only you can say whose is wanted",
        ". ".join(keeps),
    )


def _account(name: str, seen: topology.Observation) -> str:
    """Say what one of several masters is: its timeline, its age, who works with it."""
    server, place = seen["server"], seen.get("virtual_ip")
    words = [f"timeline {timelines.timeline(seen)}", f"runs since {moment(server['started'])}"]
    words.append(f"{server['clients']} client{'' if server['clients'] == 1 else 's'}")
    words += [f"has the address {place['address']}"] if place and place["here"] else []
    return f"{name}: {', '.join(words)}"


def _parting(first: str, second: str, observations: topology.Observations) -> str:
    """Say what each of two masters has written since their histories parted, and whose timeline is the newer one."""
    one, other = observations[first], observations[second]
    mine, its = timelines.stretches(one), timelines.stretches(other)
    fork = history.fork(mine, its) if mine and its else None
    if fork is None:
        return "Where their histories part cannot be told"
    written = [
        f"{name} {size(max(0, lsn.distance(observations[name]['server']['current_lsn'], fork.lsn) or 0))}"
        for name in (first, second)
    ]
    known = f"Their histories part at {fork.lsn}, and since then {' and '.join(written)} of WAL was written"
    if timelines.timeline(other) == fork.timeline != timelines.timeline(one):
        return f"{known}; {first} was made a master there, and is the newer one"
    return known
