# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a standby may take over, and what must be done to its old master first. Pure: no I/O, no clock.

Safety rule S2: nothing is activated before the old master is fenced, proven dead, or declared dead by the operator.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils import _checks as checks
from ansible_collections.hawq.mirroring.plugins.module_utils import _conninfo, _finding, _lsn
from ansible_collections.hawq.mirroring.plugins.module_utils import _topology as topology
from ansible_collections.hawq.mirroring.plugins.module_utils._checks import Refusal, Verdict

AGAIN = "then run this again"
#: how the old master is kept from accepting writes
BY_MODULE, BY_COMMAND, BY_WORD, NOT_NEEDED = "module", "command", "operator's word", "none"

STANDBYS = (topology.STANDBY, topology.STOPPED_STANDBY)


def judge(
    observations: dict[str, topology.Observation], hosts: dict[str, dict[str, t.Any]], options: dict[str, t.Any]
) -> Verdict:
    """Return the plan of an activation, of nothing to activate, or the reasons not to."""
    writers = topology.masters(observations)
    witnesses = {
        name: seen for name, seen in options["witnesses"].items() if topology.kind(seen) != topology.UNREACHABLE
    }
    if len(writers) > 1:
        return Verdict({}, _finding.master_of(observations)[1])
    if writers:
        return _with_a_writer(observations, hosts, witnesses, writers[0])
    new, refusals = _standby_of(observations, options)
    if new is None:
        return Verdict({}, refusals)
    old, refusals = _old_master_of(observations, hosts, new)
    if old is None:
        return Verdict({}, refusals)
    further = followers(observations, old, new)
    # they see the old master as the segments do
    onlookers = {**{name: observations[name] for name in further}, **witnesses}
    fence, unproven = _fence(old, new, observations, onlookers, options)
    if not options["accept_data_loss"]:
        unproven += _missing(old, new, observations, witnesses)
    refusals += unproven
    plan = {
        "workflow": "failover",
        "activate": True,
        "old": old,
        "new": new,
        "master": new,
        "followers": further,
        "standbys": standbys_after(observations[new], new, old, further),
        "fence": fence,
        "start": topology.kind(observations[new]) == topology.STOPPED_STANDBY,
        "again": False,
        "reason": f"{new} took over as master",
        "salvage": fence == BY_MODULE and _has_data(observations[old]),
        "standing": _standing(observations[new], _known(old, new, observations, witnesses)),
        "known_lsn": _known(old, new, observations, witnesses),
        "endpoints": {name: hosts[name] for name in (old, new, *further)},
        "slots": slots_after(observations[new], new, old, further),
        "segments": _registered(witnesses),
        "evidence": evidence(observations, onlookers, old, new),
    }
    return Verdict(plan, refusals)


def _registered(witnesses: dict[str, topology.Observation]) -> list[str]:
    """Return the segments that have ever registered with a master."""
    return [name for name, seen in witnesses.items() if seen["witness"]]


def _with_a_writer(
    observations: dict[str, topology.Observation],
    hosts: dict[str, dict[str, t.Any]],
    witnesses: dict[str, topology.Observation],
    writer: str,
) -> Verdict:
    """A master that has or had a standby is alive; one that was activated has none, and is all that was wanted."""
    seen = observations[writer]
    old = next((name for name, other in observations.items() if name != writer and _is_former(other, seen)), None)
    standbys = [
        name
        for name, other in observations.items()
        if topology.kind(other) in STANDBYS
        and not other["data_directory"]["fenced"]
        and topology.system_identifier(other) == topology.system_identifier(seen)
    ]
    # a standby that follows somebody else was left by a failover that was killed
    astray = {
        name: _conninfo.slot_name(name)
        for name in standbys
        if name in seen["server"]["standbys"]
        and _follows(observations[name], hosts) not in (None, writer)
        and (topology.timeline(observations[name]) or 0) < (topology.timeline(seen) or 0)
    }
    known = list(dict.fromkeys([*topology.registered(writer, seen), *standbys]))
    if known and not astray and (old is None or old in known):
        return _refuse(
            f"{writer} is the master, is alive and accepts writes ({known[0]} is its standby)",
            "a failover beside a living master would make two writers",
            "To swap them on purpose: ansible-playbook hawq.mirroring.switchover",
        )
    plan = {
        "workflow": "failover",
        "activate": False,
        "old": old,
        "new": writer,
        "master": writer,
        "followers": astray,
        "standbys": topology.registered(writer, seen),
        "fence": BY_MODULE if old else NOT_NEEDED,
        "start": False,
        "again": False,
        "reason": f"{writer} took over as master",
        "salvage": False,
        "standing": None,
        "known_lsn": None,
        "endpoints": {name: hosts[name] for name in observations},
        "slots": [*([_conninfo.slot_name(old)] if old else []), *astray.values()],
        "segments": _registered(witnesses),
        "evidence": [],
    }
    return Verdict(plan, [])


def _is_former(other: topology.Observation, master: topology.Observation) -> bool:
    """Whether a host holds the data of a master of the same system that has been left behind, fenced already or not."""
    same = topology.system_identifier(other) == topology.system_identifier(master)
    if topology.kind(other) != topology.STOPPED or not same:
        standby = same and topology.kind(other) in STANDBYS
        return standby and other["data_directory"]["fenced"] and not other["data_directory"]["removed"]
    return (topology.timeline(other) or 0) < (topology.timeline(master) or 0)


def followers(observations: dict[str, topology.Observation], old: str, new: str) -> dict[str, str]:
    """Return the further standbys that can be told to follow the new master, each with its slot there."""
    own = topology.system_identifier(observations[new])
    return {
        name: _conninfo.slot_name(name)
        for name, seen in observations.items()
        if name not in (old, new)
        and topology.kind(seen) == topology.STANDBY
        and not seen["data_directory"]["fenced"]
        and topology.system_identifier(seen) == own
    }


def standbys_after(seen: topology.Observation, new: str, old: str, further: dict[str, str]) -> list[str]:
    """Return who is registered with the new master: those that follow, and those that could not be looked at."""
    known = (seen["server"] or {"standbys": []})["standbys"]
    return sorted({*further, *known} - {old, new})


def slots_after(seen: topology.Observation, new: str, old: str, further: dict[str, str]) -> list[str]:
    """Return the slots that the new master keeps WAL in: for the old one's way back, and for the further standbys."""
    return [_conninfo.slot_name(name) for name in (old, *standbys_after(seen, new, old, further))]


def _follows(seen: topology.Observation, hosts: dict[str, dict[str, t.Any]]) -> str | None:
    """Return the host of the group that a standby is told to follow; None when it is none of them."""
    told = seen["replication"]["primary_conninfo"]
    server = seen["server"] or {}
    receiver = server.get("receiver") or {}
    address = told.get("host") or receiver.get("sender_host")
    port = int(told.get("port") or receiver.get("sender_port") or 5432)
    return next(
        (name for name, host in hosts.items() if str(host["address"]) == address and int(host["port"]) == port), None
    )


def _ahead(standbys: list[str], observations: dict[str, topology.Observation]) -> list[str]:
    """Return the standbys that hold the most WAL, running ones first."""
    held = {name: _lsn.parse(have(observations[name]) or "0/0") for name in standbys}
    found = [name for name in standbys if held[name] == max(held.values())]
    return sorted(found, key=lambda name: topology.kind(observations[name]) != topology.STANDBY)


def _standby_of(
    observations: dict[str, topology.Observation], options: dict[str, t.Any]
) -> tuple[str | None, list[Refusal]]:
    """Return the standby that is to be activated, the one that is ahead of the others, or why none can be."""
    chosen = options["standby_host"]
    standbys = [
        name
        for name, seen in observations.items()
        if topology.kind(seen) in STANDBYS and not seen["data_directory"]["fenced"]
    ]
    if chosen is not None and chosen not in standbys:
        found = topology.describe(observations[chosen]) if chosen in observations else "not in the group masters"
        return None, [
            Refusal(
                f"{chosen} is {found}", "only a standby can be activated", "Correct -e standby_host=, or leave it out"
            )
        ]
    if standbys:
        ahead = _ahead(standbys, observations)
        if chosen in (None, *ahead) or options["accept_data_loss"]:
            return chosen or ahead[0], []
        return None, [
            Refusal(
                f"{chosen} has WAL up to {have(observations[chosen])}, and {ahead[0]} up to"
                f" {have(observations[ahead[0]])}",
                "what only the other one has would be lost",
                f"Name {ahead[0]}, or leave -e standby_host= out; or accept the loss: -e accept_data_loss=true",
            )
        ]
    seen = "; ".join(f"{name}: {topology.describe(observation)}" for name, observation in observations.items())
    starts = [
        f"start the master again (systemctl start {observation['service']['unit']} on {name}; if it does not start,"
        f" journalctl -u {observation['service']['unit']} says why and what to do)"
        for name, observation in observations.items()
        if topology.kind(observation) == topology.STOPPED
    ]
    down = any(topology.kind(observation) == topology.UNREACHABLE for observation in observations.values())
    wakes = [
        f"on {name} {_finding.thaw(observation)}"
        for name, observation in observations.items()
        if topology.kind(observation) == topology.FROZEN
    ]
    return None, [
        Refusal(
            f"no host is a standby that could be activated ({seen})",
            "a failover makes a standby the master",
            ", or ".join([*wakes, *([] if wakes and not down else ["Bring the standby's host up"]), *starts])
            + f", {AGAIN}",
        )
    ]


def _old_master_of(
    observations: dict[str, topology.Observation], hosts: dict[str, dict[str, t.Any]], new: str
) -> tuple[str | None, list[Refusal]]:
    """Return the host that the standby was told to follow: nobody else may be taken for its master."""
    old = _follows(observations[new], {name: host for name, host in hosts.items() if name != new})
    if old is not None:
        return old, _same_system(old, new, observations)
    receiver = (observations[new]["server"] or {}).get("receiver") or {}
    told = observations[new]["replication"]["primary_conninfo"]
    address = told.get("host") or receiver.get("sender_host")
    port = told.get("port") or receiver.get("sender_port") or 5432
    return None, [
        Refusal(
            f"{new} follows {f'{address}:{port}' if address else 'nobody'}, which no host of the group masters is",
            "the old master must be looked at before its standby may take over",
            f"Add its host to the inventory's group masters, or correct server_address there, {AGAIN}",
        )
    ]


def _same_system(old: str, new: str, observations: dict[str, topology.Observation]) -> list[Refusal]:
    mine, its = topology.system_identifier(observations[new]), None
    if topology.kind(observations[old]) != topology.UNREACHABLE:
        its = topology.system_identifier(observations[old])
    if its is None or its == mine:
        return []
    return [
        Refusal(
            f"{new} is a standby of another system (identifier {mine}) than {old} ({its})",
            "it does not hold what that master has committed",
            "Look at both: ansible-playbook hawq.mirroring.state",
        )
    ]


def _fence(
    old: str,
    new: str,
    observations: dict[str, topology.Observation],
    witnesses: dict[str, topology.Observation],
    options: dict[str, t.Any],
) -> tuple[str, list[Refusal]]:
    """Return how the old master is fenced, or why it cannot be taken for dead."""
    seen, what = observations[old], topology.kind(observations[old])
    if what in (topology.STOPPED, topology.FROZEN, *STANDBYS):
        return BY_MODULE, []
    if what == topology.SILENT:
        return NOT_NEEDED, [
            Refusal(
                f"a server process runs on {old} and gives no session here ({seen['server_error']})",
                "it may serve others, or do so in a moment",
                f"If it is to be given up, stop it (systemctl stop {seen['service']['unit']} on {old}), {AGAIN}",
            )
        ]
    asked = {name: other["probes"].get(old) or {} for name, other in {new: observations[new], **witnesses}.items()}
    served = [name for name, answer in asked.items() if answer.get("answers")]
    if served:
        answer = asked[served[0]]
        return NOT_NEEDED, [
            Refusal(
                f"{old} is {topology.describe(seen)}, but its server answers {' and '.join(served)} at"
                f" {answer['address']}:{answer['port']}",
                "the master is alive, only cut off from here",
                f"Mend the way from here to {old}, or stop the server there, {AGAIN}",
            )
        ]
    silent = [name for name, answer in asked.items() if answer.get("open")]
    if silent and not options["fence_command"]:
        return NOT_NEEDED, [
            Refusal(
                f"{old} is {topology.describe(seen)}, and {' and '.join(silent)} can open its port, where none answers",
                "it is frozen or overloaded, not dead, and may wake",
                f"Switch {old} off, {AGAIN}, or let this do it, -e \"fence_command='COMMAND'\"",
            )
        ]
    if what in (topology.EMPTY, topology.OTHER) and not options["accept_data_loss"]:
        path = seen["data_directory"]["path"]
        return NOT_NEEDED, [
            Refusal(
                f"{old} answers, and {path} there is {topology.describe(seen)}",
                "what the standby lacks may be on a file system that is not mounted",
                f"Mount it, {AGAIN}. If that data is gone for good: -e accept_data_loss=true -e master_is_down=true",
            )
        ]
    address = observations[new].get("virtual_ip")
    if address and address["taken"] and not options["fence_command"]:
        return NOT_NEEDED, [
            Refusal(
                f"{old} is {topology.describe(seen)}, but somebody answers for {address['address']} as seen from {new}",
                "it is the master's address, so its host is most likely on",
                f"Switch {old} off, {AGAIN}, or let this do it, -e \"fence_command='COMMAND'\"",
            )
        ]
    if options["master_is_down"]:
        return BY_WORD, []
    if options["fence_command"]:
        return BY_COMMAND, []
    found = "; ".join(evidence(observations, witnesses, old, new))
    return NOT_NEEDED, [
        Refusal(
            f"it is not proven that {old} is dead ({found})",
            "a master that is only cut off would go on to accept writes beside the new one",
            f"Switch {old} off and say so, -e master_is_down=true, or let this do it, -e \"fence_command='COMMAND'\""
            f" (which must succeed only when {old} is off)",
            ("master_is_down", old),
        )
    ]


def evidence(
    observations: dict[str, topology.Observation], witnesses: dict[str, topology.Observation], old: str, new: str
) -> list[str]:
    """Return what speaks for and against the death of the old master, as people read it."""
    found = [f"{old}: {topology.describe(observations[old])}"]
    for name, seen in {new: observations[new], **witnesses}.items():
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
    last = _last_seen(old, witnesses)
    if last:
        when = datetime.datetime.fromtimestamp(last["at"], datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
        found.append(f"{last['name']} last reached {old} at {when}: {last['summary_state']}, LSN {last['lsn']}")
    address = observations[new].get("virtual_ip")
    if address and address["taken"] is not None:
        found.append(f"{address['address']} as seen from {new}: {'answered' if address['taken'] else 'nobody answers'}")
    server = observations[new]["server"]
    if server:
        receiver = server["receiver"]
        words = (
            f"{receiver['status']}, last heard of {receiver['silent_seconds']:.1f} s ago"
            if receiver
            else "not connected"
        )
        found.append(f"WAL receiver on {new}: {words}")
    return found


def _standing(seen: topology.Observation, known: str | None) -> dict[str, t.Any] | None:
    """How far the standby is, or None while that is not known: of one that must be started first."""
    server = seen["server"]
    if not server:
        return None
    return {
        "after": server["replay_lsn"],
        "have": have(seen),
        "timeline": server["timeline"] or server["checkpoint_timeline"],
        "known": known,
    }


def have(seen: topology.Observation) -> str | None:
    """Return the LSN up to which a standby holds WAL, as far as can be told without starting it."""
    server, control = seen["server"], seen["control"]
    if server:
        return str(server["have_lsn"]) if server["have_lsn"] else None
    return control["min_recovery_lsn"] if control else None


def _last_seen(old: str, witnesses: dict[str, topology.Observation]) -> dict[str, t.Any] | None:
    """What the segment that was the last to reach the old master remembers of it."""
    found = [
        {**seen["witness"], "name": name}
        for name, seen in witnesses.items()
        if seen["witness"] and seen["witness"]["master"] == old
    ]
    return max(found, key=lambda row: row["at"], default=None)


def _known(
    old: str, new: str, observations: dict[str, topology.Observation], witnesses: dict[str, topology.Observation]
) -> str | None:
    """Return the newest LSN that the old master told the standby or a segment of."""
    receiver = (observations[new]["server"] or {}).get("receiver") or {}
    last = _last_seen(old, witnesses) or {}
    return max((lsn for lsn in (receiver.get("latest_end_lsn"), last.get("lsn")) if lsn), key=_lsn.parse, default=None)


def _has_data(seen: topology.Observation) -> bool:
    """Whether the host can be looked at and holds a server's data."""
    return topology.kind(seen) != topology.UNREACHABLE and seen["data_directory"]["state"] == "data"


def _missing(
    old: str, new: str, observations: dict[str, topology.Observation], witnesses: dict[str, topology.Observation]
) -> list[Refusal]:
    """What the standby lacks and nobody can fetch, since the old master's host is gone with it."""
    held = have(observations[new])
    if _has_data(observations[old]):
        return []
    last, newest = _last_seen(old, witnesses), _known(old, new, observations, witnesses)
    lacking = _lsn.distance(newest, held) or 0
    stale = last is not None and last["summary_state"] in (topology.NOT_SYNCHRONIZED, topology.NOT_CONFIGURED)
    if lacking <= 0 and not stale:
        return []
    how_much = (
        f"at least {checks.size(lacking)} of WAL ({held} of {newest})" if lacking > 0 else "an unknown amount of WAL"
    )
    words = f", and was {last['summary_state']} when {last['name']} last saw {old}" if last and stale else ""
    return [
        Refusal(
            f"{new} lacks {how_much} that {old} had{words}",
            "commits in it would be lost, and they may still be on the disk of the old master's host",
            f"Bring that host up without its server, {AGAIN}: it is fetched from there. Or accept the loss:"
            " -e accept_data_loss=true",
        )
    ]


def _refuse(found: str, why: str, command: str) -> Verdict:
    return Verdict({}, [Refusal(found, why, command)])
