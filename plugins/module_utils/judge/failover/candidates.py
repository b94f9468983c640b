# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which standby takes over, and what the other hosts of the group say against it. Pure: no I/O, no clock.

With more than two hosts there is more to know than an old master and its standby: somebody else may have taken over
already, or hold what the chosen one lacks.
"""

from __future__ import annotations

import re

from ...values import lsn, places
from ...values.clusters import MASTERS
from ...values.command import again, group
from .. import identify, remains, systems, topology
from ..options import Options
from ..refusal import AGAIN, Refusal, correct, one_of
from . import evidence, memories

#: what a fence records of who took over
SUCCESSOR = re.compile(r"(?:switchover to (\S+)|(\S+) took over as master)")


def place(seen: topology.Observation) -> tuple[int, int]:
    """Return how far a standby is: its timeline, then its LSN. An older timeline is behind, whatever its LSN."""
    return topology.timeline(seen) or 0, lsn.parse(evidence.have(seen) or "0/0")


def choose(observations: topology.Observations, options: Options) -> tuple[str | None, list[Refusal]]:
    """Return the standby that is to be activated, the one that is ahead of the others, or why none can be."""
    chosen = options["standby_host"]
    standbys = [name for name, seen in observations.items() if topology.may_take_over(seen)]
    if chosen is not None and chosen not in standbys:
        found = (
            topology.describe(observations[chosen]) if chosen in observations else f"not in the group {group(MASTERS)}"
        )
        away = chosen in observations and topology.kind(observations[chosen]) == topology.UNREACHABLE
        way = topology.mend(observations[chosen]) if away else ""
        command = f"{way or 'Bring it up'}, {AGAIN}, or name another" if away else correct("standby_host")
        return None, [Refusal("not-a-standby", f"{chosen} is {found}", "only a standby can be activated", command)]
    if not standbys:
        closed = all(topology.mend(seen) for seen in observations.values())
        return None, identify.not_looked_at(observations) if closed else [_none(observations)]
    if chosen is None and len({topology.system_identifier(observations[name]) for name in standbys}) > 1:
        return None, [
            Refusal(
                "different-systems",
                f"{' and '.join(standbys)} are standbys of different systems ({systems.words(observations)})",
                "it cannot be said which is to become the master",
                f"{one_of('standby_host', standbys)}. {systems.way(observations)}",
            )
        ]
    most = max(place(observations[name]) for name in standbys)
    ahead = [name for name in standbys if place(observations[name]) == most]
    ahead.sort(
        key=lambda name: (topology.kind(observations[name]) != topology.STANDBY, not observations[name]["server"])
    )
    if chosen in (None, *ahead) or options["accept_data_loss"]:
        return chosen or ahead[0], []
    return None, [
        Refusal(
            "behind-another",
            f"{chosen} has WAL up to {_words(observations[chosen])},"
            f" and {ahead[0]} up to {_words(observations[ahead[0]])}",
            "what only the other one has would be lost",
            f"Name {ahead[0]}: {again(standby_host=ahead[0])}. Or {_accept()}",
        )
    ]


def _accept() -> str:
    return f"accept the loss: {again(accept_data_loss=True)}"


def _words(seen: topology.Observation) -> str:
    return f"{evidence.have(seen)} on timeline {topology.timeline(seen)}"


def _none(observations: topology.Observations) -> Refusal:
    seen = "; ".join(f"{name}: {topology.describe(observation)}" for name, observation in observations.items())
    # the newest data first: whoever starts what is older first begins anew without the rest
    starts = sorted(
        [*_starts(observations), *_fenced_without_timeline(observations)],
        key=lambda row: topology.newest(observations).index(row[0]),
    )
    down = [name for name, seen in observations.items() if topology.kind(seen) == topology.UNREACHABLE]
    wake = {topology.FROZEN: identify.thaw, topology.SILENT: identify.let_in}
    wakes = [
        f"on {name}, {wake[topology.kind(observation)](observation)}"
        for name, observation in observations.items()
        if topology.kind(observation) in wake
    ]
    hidden = remains.unmounted(observations)
    mounts = [remains.mount(hidden)] if hidden else []
    closed = [topology.bring_up(name, seen, "") for name, seen in observations.items() if topology.mend(seen)]
    there = " or ".join(down) or "the standby's host"
    bring = closed or ([f"bring {there} up"] if down or not (wakes or starts or mounts) else [])
    ways = f", {AGAIN}, or ".join([*bring, *mounts, *wakes, *(words for _name, words in starts)])
    command = remains.way(observations) or f"{ways[0].upper()}{ways[1:]}, {AGAIN}"
    return Refusal(
        "no-standby",
        f"no host is a standby that could be activated ({seen})",
        "a failover makes a standby the master",
        command,
    )


def _starts(observations: topology.Observations) -> list[tuple[str, str]]:
    """Return how the master that was the last one starts again: older data would come up without its commits."""
    stopped = [name for name in topology.newest(observations) if remains.may_start(observations[name])]
    last = [topology.last_timeline(observations[name]) for name in stopped]
    found = []
    for name in (name for name, timeline in zip(stopped, last) if timeline == last[0]):
        seen, unit = observations[name], observations[name]["service"]["unit"]
        which = f", whose timeline {last[0]} is the newest" if len(set(last)) > 1 else ""
        words = (
            f"if it is certain that nobody took over, go back to {name}: {evidence.unfence(seen)} on {name}"
            if topology.is_fenced(seen)
            else f"start the master again (systemctl start {unit} on {name}{which}; if it does not start,"
            f" journalctl -u {unit} says why and what to do)"
        )
        found.append((name, words))
    return found


def _fenced_without_timeline(observations: topology.Observations) -> list[tuple[str, str]]:
    """Return what the operator can say of standbys whose record does not tell whether it is obsolete."""
    return [
        (
            name,
            f"if {name} has followed the last master since it was fenced: rm"
            f" {seen['data_directory']['path']}/{places.RECORD} on {name}",
        )
        for name, seen in observations.items()
        if topology.kind(seen) in topology.STANDBYS
        and topology.is_fenced(seen)
        and not seen["data_directory"]["removed"]
        and seen["data_directory"]["fence_timeline"] is None
    ]


def against(
    observations: topology.Observations, onlookers: topology.Observations, old: str, new: str, options: Options
) -> list[Refusal]:
    """Return what forbids that this standby takes over from that old master, as far as third hosts are concerned."""
    found, loss = [], options["accept_data_loss"]
    seen = observations[old]
    if topology.kind(seen) in topology.STANDBYS and not topology.is_fenced(seen) and not loss:
        found.append(
            Refusal(
                "follows-a-standby",
                f"{new} follows {old}, which is itself {topology.describe(seen)}",
                "the master is somebody else, who may be alive",
                f"Bring the master's host up, {AGAIN}. If there is none any more: {again(accept_data_loss=True)}",
            )
        )
    readable = evidence.has_data(seen)
    for name in (name for name in observations if name not in (old, new)):
        if topology.kind(observations[name]) == topology.UNREACHABLE:
            found += _unreachable(name, observations, onlookers, old, new, options)
            if not readable and not loss and _may_hold_more(name, observations[new]):
                found.append(_uncompared(name, observations[name], new))
        elif topology.system_identifier(observations[name]) == topology.system_identifier(observations[new]):
            found += [] if loss else _reachable(name, observations[name], observations[new], new, readable)
    return found


def _may_hold_more(name: str, seen: topology.Observation) -> bool:
    """Whether a host that cannot be looked at is a standby, as the registration tells that came with the WAL."""
    return seen["server"] is None or name in seen["server"]["standbys"]


def _reachable(
    name: str, seen: topology.Observation, taken: topology.Observation, new: str, readable: bool
) -> list[Refusal]:
    directory, mine, its = seen["data_directory"], topology.timeline(seen) or 0, topology.timeline(taken) or 0
    if directory["removed"] or directory["unfinished"]:
        return []  # what was left half-way cannot be used, and was given up before
    if mine > its and topology.kind(seen) != topology.STANDBY:
        return [
            Refusal(
                "newer-timeline",
                f"{topology.being(name, seen)}, on a newer timeline ({mine}) than {new} ({its})",
                f"what was committed on it would be lost, since {new} does not have it",
                f"{evidence.start(name, seen)}, or {_accept()}",
            )
        ]
    dark = (topology.is_standby(seen) and not seen["server"]) or topology.kind(seen) in topology.BUSY
    if readable or not dark or topology.is_fenced(seen) or _has_no_more(seen, taken):
        return []
    return [_uncompared(name, seen, new)]


def _has_no_more(seen: topology.Observation, taken: topology.Observation) -> bool:
    """Whether the files of a standby without a session show that it has nothing that the other one lacks.

    Its control file may name an older timeline than it has got to: the history of a timeline is there before its WAL.
    """
    mine, most = topology.timeline(taken) or 0, evidence.have(taken)
    newest = max([topology.timeline(seen) or 0, *map(int, seen["histories"])])
    if not seen["wal_end"] or not most or newest > mine:
        return False
    return topology.kind(seen) in topology.STANDBYS and lsn.parse(seen["wal_end"]) <= lsn.parse(most)


def _uncompared(name: str, seen: topology.Observation, new: str) -> Refusal:
    wakes = {topology.FROZEN: identify.thaw, topology.SILENT: identify.let_in}
    wake = wakes.get(topology.kind(seen))
    bring = f"On {name}, {wake(seen)}" if wake else "Bring it up as a running standby"
    return Refusal(
        "not-compared",
        f"{topology.being(name, seen)}, and may hold WAL that {new} lacks",
        "what only it has would be lost",
        f"{bring}, {AGAIN}: the one that is ahead takes over. Or {_accept()}",
    )


def _unreachable(
    name: str,
    observations: topology.Observations,
    onlookers: topology.Observations,
    old: str,
    new: str,
    options: Options,
) -> list[Refusal]:
    """A third host that cannot be looked at must not be a master that has taken over already."""
    served = [
        each
        for each, seen in onlookers.items()
        if each != name and name in seen["probes"] and seen["probes"][name]["answers"]
    ]
    if served:
        return [
            Refusal(
                "master-alive",
                f"{topology.being(name, observations[name])}, and its server answers {' and '.join(served)}",
                "it may be the master by now",
                f"Mend the way from here to {name}, or stop the server there, {AGAIN}",
            )
        ]
    address = observations[new]["virtual_ip"]
    addresses = [seen["virtual_ip"] for seen in observations.values() if seen.get("virtual_ip")]
    held = any(row["here"] for row in addresses)
    if address and address["taken"] and not held and topology.kind(observations[old]) != topology.UNREACHABLE:
        return [
            Refusal(
                "address-taken",
                f"{topology.being(name, observations[name])}, and somebody answers for {address['address']}",
                "it is the master's address, so that host may be the master by now",
                f"Switch {name} off, or mend the way to it, {AGAIN}",
            )
        ]
    sure = options["master_is_down"] and options["accept_data_loss"]
    told = [] if name in _successors(observations) else _heard_of(name, observations[new], onlookers)
    if sure or not (told or name in _successors(observations)):
        return []
    words = f" ({'; '.join(map(memories.says, told))})" if told else ""
    doubt = f". {memories.ignoring([row['name'] for row in told], options)}" if told else ""
    given_up = again(master_is_down=True, accept_data_loss=True)
    way = f"Bring it up, {AGAIN}. If it is off, and what it has may be lost: {given_up}{doubt}"
    if observations[name].get("unresolved"):
        way = f"For {name}: {topology.mend(observations[name])}, {AGAIN}"
    return [
        Refusal(
            "another-took-over",
            f"{name} has taken over as master since, and is {topology.describe(observations[name])}{words}",
            f"it may be alive, and {new} lacks what was committed there",
            way,
        )
    ]


def _heard_of(name: str, seen: topology.Observation, onlookers: topology.Observations) -> list[memories.Memory]:
    """Return what segments remember of a host as a master on a newer timeline than the standby's."""
    newest = topology.timeline(seen) or 0
    return [
        {**other["witness"], "name": segment}
        for segment, other in onlookers.items()
        if other.get("witness")
        and other["witness"]["master"] == name
        and int(other["witness"]["timeline"] or 0) > newest
    ]


def _successors(observations: topology.Observations) -> set[str]:
    """Return who took over from somebody, by the records of fences."""
    found = set()
    for seen in observations.values():
        there = topology.kind(seen) != topology.UNREACHABLE
        record = SUCCESSOR.fullmatch(seen["data_directory"]["fence_reason"] or "") if there else None
        if record:
            found.add(record[1] or record[2])
    return found
