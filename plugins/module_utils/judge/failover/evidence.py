# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is known of an old master: is it dead, how to fence it, what does its standby lack. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ...engines import table
from ...values import lsn, places
from ...values.command import again, playbook
from ...values.observation import Server
from ...values.text import duration, size
from .. import address as addresses
from .. import identify, topology
from ..options import Options
from ..refusal import AGAIN, Refusal
from . import memories

#: how the old master is kept from accepting writes
BY_MODULE, BY_COMMAND, BY_WORD, NOT_NEEDED = "module", "command", "operator's word", "none"


def fence(
    old: str,
    new: str,
    observations: topology.Observations,
    onlookers: topology.Observations,
    options: Options,
) -> tuple[str, list[Refusal]]:
    """Return how the old master is fenced, or why it cannot be taken for dead."""
    seen, what = observations[old], topology.kind(observations[old])
    if what in (topology.STOPPED, topology.FROZEN, *topology.STANDBYS):
        return BY_MODULE, []
    if what == topology.SILENT:
        return NOT_NEEDED, [
            Refusal(
                "no-session",
                f"a server process runs on {old} and gives no session here ({seen['server_error']})",
                "it may serve others, or do so in a moment",
                f"If it is to be given up, stop it (systemctl stop {seen['service']['unit']} on {old}), {AGAIN}",
            )
        ]
    asked = {name: other["probes"][old] for name, other in onlookers.items() if old in other["probes"]}
    served = [name for name, answer in asked.items() if answer["answers"]]
    if served:
        answer = asked[served[0]]
        return NOT_NEEDED, [
            Refusal(
                "master-alive",
                f"{topology.being(old, seen)}, but its server answers {' and '.join(served)} at"
                f" {answer['address']}:{answer['port']}",
                "the master is alive, only cut off from here",
                f"Mend the way from here to {old}, or stop the server there, {AGAIN}",
            )
        ]
    silent = [name for name, answer in asked.items() if answer["open"]]
    if silent and not options["fence_command"]:
        return NOT_NEEDED, [
            Refusal(
                "port-open",
                f"{topology.being(old, seen)}, and {' and '.join(silent)} can open its port, where none answers",
                "it is frozen or overloaded, not dead, and may wake",
                f"Switch {old} off, {AGAIN}. Or let this do it: {again(fence_command='COMMAND')}",
            )
        ]
    if what in (topology.EMPTY, topology.OTHER) and not options["accept_data_loss"]:
        path = seen["data_directory"]["path"]
        there = f"has no data in {path}" if what == topology.EMPTY else f"{path} there is {topology.describe(seen)}"
        return NOT_NEEDED, [
            Refusal(
                "data-not-there",
                f"{old} answers, and {there}",
                "what the standby lacks may be on a file system that is not mounted",
                f"Mount it, {AGAIN}. If that data is gone for good:"
                f" {playbook('failover', accept_data_loss=True, master_is_down=True)}",
            )
        ]
    address = observations[new].get("virtual_ip")
    if address and address["taken"] and not options["fence_command"]:
        who = ", ".join(addresses.strangers(observations))
        return NOT_NEEDED, [
            Refusal(
                "address-taken",
                f"{topology.being(old, seen)}, but somebody answers for {address['address']} as seen from {new}"
                + (f" ({who})" if who else ""),
                "it is the master's address, so its host is most likely on",
                f"Switch {old} off, {AGAIN}. Or let this do it: {again(fence_command='COMMAND')}. If {old} is off, and"
                f" it is certain that another host answers, go on without the address:"
                f" {again(master_is_down=True, virtual_ip_address='')}",
            )
        ]
    if options["master_is_down"]:
        return BY_WORD, []
    if options["fence_command"]:
        return BY_COMMAND, []
    found = "; ".join(listed(observations, onlookers, old, new))
    if seen.get("unresolved"):
        return NOT_NEEDED, [
            Refusal(
                "not-proven-dead",
                f"it is not proven that {old} is dead ({found})",
                "that its name cannot be resolved says nothing of the host, which may be on and accept writes",
                f"For {old}: {topology.mend(seen)}, {AGAIN}",
            )
        ]
    return NOT_NEEDED, [
        Refusal(
            "not-proven-dead",
            f"it is not proven that {old} is dead ({found})",
            "a master that is only cut off would go on to accept writes beside the new one",
            f"Switch {old} off and say so: {again(master_is_down=True)}. Or let this do it, by a COMMAND that succeeds"
            f" only when {old} is off: {again(fence_command='COMMAND')}",
            ("master_is_down", old),
        )
    ]


def start(name: str, seen: topology.Observation) -> str:
    """Return how a stopped master becomes the master again, fenced or not."""
    unit = seen["service"]["unit"]
    if topology.kind(seen) == topology.FROZEN:
        return f"On {name}, {identify.thaw(seen)}"
    if topology.kind(seen) == topology.SILENT:
        return f"On {name}, {identify.let_in(seen)}"
    if topology.is_fenced(seen):
        return f"If it is certain that nobody took over, go back to {name}: {unfence(seen)} on {name}"
    return f"Start it on {name} (systemctl start {unit}; if it does not start, journalctl -u {unit} says why)"


def unfence(seen: topology.Observation) -> str:
    """Return the line that makes a fenced former master the master again."""
    place, mark = seen["data_directory"]["path"], table.of(seen).words.standby_marker
    return f"rm {place}/{mark} {place}/{places.RECORD} && systemctl start {seen['service']['unit']}"


def listed(observations: topology.Observations, onlookers: topology.Observations, old: str, new: str) -> list[str]:
    """Return what speaks for and against the death of the old master, as people read it."""
    others = [name for name in observations if name not in (old, new)]
    found = [f"{name}: {topology.describe(observations[name])}" for name in (old, *others)]
    for name, seen in onlookers.items():
        answer = seen["probes"].get(old)
        if answer:
            state = (
                "answered"
                if answer["answers"]
                else "open, no answer"
                if answer["open"]
                else f"not open ({answer['error']})"
            )
            found.append(f"its port {answer['address']}:{answer['port']} as seen from {name}: {state}")
    last = memories.furthest(old, onlookers)
    if last:
        found.append(
            f"{last['name']} last reached {old} at {memories.when(last)}: {last['summary_state']}, LSN {last['lsn']} on"
            f" timeline {last['timeline']}"
        )
    address = observations[new].get("virtual_ip")
    if address and address["taken"] is not None:
        found.append(f"{address['address']} as seen from {new}: {'answered' if address['taken'] else 'nobody answers'}")
    return found + _standby(new, observations[new])


def _standby(name: str, seen: topology.Observation) -> list[str]:
    """Return how current the standby is, and what its activation will do on the way."""
    server = seen["server"]
    if not server:
        mute = topology.kind(seen) == topology.STANDBY
        return [f"{name} gives no session ({seen['server_error']}): it is activated without one"] if mute else []
    receiver = server["receiver"]
    words = (
        f"{receiver['status']}, last heard of {receiver['silent_seconds']:.1f} s ago" if receiver else "not connected"
    )
    found = [f"WAL receiver on {name}: {words}"]
    if server["replay_blocked"]:
        found.append(f"sessions on {name} hold replay up, and the activation ends them: {blockers(server)}")
    return found


def blockers(server: Server) -> str:
    """Return the sessions that hold replay up, as people read it."""
    rows = [
        f"process {row['pid']} ({row['user'] or 'no role'}, {row['name'] or 'without a name'}"
        + (f", open for {duration(row['open_seconds'])})" if row["open_seconds"] is not None else ")")
        for row in server["blockers"]
    ]
    return ", ".join(rows) or "none that can be seen"


def standing(seen: topology.Observation, known: str | None, known_from: str = "") -> dict[str, t.Any] | None:
    """How far a running standby is, or None while that is not known: of one that must be started first."""
    if topology.kind(seen) != topology.STANDBY or have(seen) is None:
        return None
    return {**holds(seen), "known": known, "known_from": known_from}


def holds(seen: topology.Observation) -> dict[str, t.Any]:
    """Return what a standby has replayed, what it holds, and on which timeline.

    One that gives no session holds at least what its files show, and replays that before it is activated.
    """
    server = seen["server"]
    after = server["replay_lsn"] if server else have(seen)
    return {"after": after, "have": have(seen), "timeline": topology.timeline(seen)}


def have(seen: topology.Observation) -> str | None:
    """Return the LSN up to which a standby holds WAL, as far as can be told without starting it."""
    server, control = seen["server"], seen["control"]
    if server:
        return server["have_lsn"]
    return seen["wal_end"] or (control["min_recovery_lsn"] if control else None)


class Known(t.NamedTuple):
    """Up to where an old master is known to have written, and the memory that alone says so, if one does."""

    lsn: str | None
    memory: memories.Memory | None


def known(old: str, new: str, observations: topology.Observations, witnesses: topology.Observations) -> Known:
    """Return the newest LSN that the old master told the standby or a segment of, since the standby's timeline began.

    A server's LSNs only grow, also from one timeline to the next.
    """
    server = observations[new]["server"]
    told = server["receiver"]["latest_end_lsn"] if server and server["receiver"] else None
    found = memories.of(old, witnesses, topology.timeline(observations[new]))
    most = max(found, key=lambda row: lsn.parse(row["lsn"] or "0/0"), default=None)
    if most is None or (lsn.distance(most["lsn"], told or "0/0") or 0) <= 0:
        return Known(told, None)
    return Known(most["lsn"], most)


def _is_newer(memory: memories.Memory, timeline: int | None) -> bool:
    """Whether a memory is of a timeline that the standby does not have."""
    return timeline is not None and (memory["timeline"] or 0) > timeline


def has_data(seen: topology.Observation) -> bool:
    """Whether the host can be looked at and holds a server's data."""
    return topology.kind(seen) != topology.UNREACHABLE and seen["data_directory"]["state"] == "data"


def speaking(
    old: str, new: str, observations: topology.Observations, witnesses: topology.Observations
) -> list[memories.Memory]:
    """Return the memories that speak against the standby, each once: the furthest, and the one of the newest LSN."""
    held, mine = have(observations[new]), topology.timeline(observations[new])
    last, newest = memories.furthest(old, witnesses, mine), known(old, new, observations, witnesses)
    doubted = last and (_is_newer(last, mine) or _is_stale(last, held, mine))
    lacking = (lsn.distance(newest.lsn, held) or 0) > 0
    rows = [row for row in (last if doubted else None, newest.memory if lacking else None) if row]
    return list({row["name"]: row for row in rows}.values())


def _is_stale(memory: memories.Memory, held: str | None, timeline: int | None) -> bool:
    """Whether the master had no standby in step, and nothing shows that it had one later."""
    return memories.is_stale(memory) and not memories.is_outlived(memory, held, timeline)


def missing(
    old: str, new: str, observations: topology.Observations, witnesses: topology.Observations, options: Options
) -> list[Refusal]:
    """What the standby lacks and nobody can fetch, since the old master's host is gone with it."""
    held, mine = have(observations[new]), topology.timeline(observations[new])
    if has_data(observations[old]):
        return []
    last, newest = memories.furthest(old, witnesses, mine), known(old, new, observations, witnesses)
    lacking = lsn.distance(newest.lsn, held) or 0
    newer, stale = bool(last and _is_newer(last, mine)), bool(last and _is_stale(last, held, mine))
    if lacking <= 0 and not newer and not stale:
        return []
    how_much = "an unknown amount of WAL"
    if lacking > 0:
        how_much = f"at least {size(lacking)} of WAL ({held} of {newest.lsn})"
    words, doubt = "", ""
    if last and stale:
        words = f", and was {last['summary_state']} when {last['name']} last saw {old}"
    speak = {row["name"]: memories.says(row) for row in speaking(old, new, observations, witnesses)}
    if speak:
        words += f" ({'; '.join([*speak.values(), *([f'{new} has timeline {mine}'] if newer else [])])})"
        doubt = f". {memories.ignoring(list(speak), options)}"
    return [
        Refusal(
            "data-missing",
            f"{new} lacks {how_much} that {old} had{words}",
            "commits in it would be lost, and they may still be on the disk of the old master's host",
            f"Bring that host up without its server, {AGAIN}: it is fetched from there. Or accept the loss:"
            f" {again(accept_data_loss=True)}{doubt}",
        )
    ]
