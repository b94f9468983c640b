# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a standby may take over, and what must be done to its old master first. Pure: no I/O, no clock.

Safety rule S2: nothing is activated before the old master is fenced, proven dead, or declared dead by the operator.
"""

from __future__ import annotations

from ...values import conninfo
from ...values.clusters import MASTERS
from ...values.command import group, playbook
from ...values.observation import Hosts
from .. import address, differences, followers, identify, needs, settings, slots, tablespaces, takeover, topology
from ..options import Options
from ..plan import FailoverPlan
from ..refusal import AGAIN, Refusal, Verdict, decide, refuse, refused
from . import candidates, evidence, fitness, memories, promised, staleness


def judge(observations: topology.Observations, hosts: Hosts, options: Options) -> Verdict:
    """Return the plan of an activation, of nothing to activate, or the reasons not to."""
    writers = topology.masters(observations)
    records = promised.records(options["witnesses"], options.get("ignore_witness") or [])
    witnesses = {
        name: seen for name, seen in options["witnesses"].items() if topology.kind(seen) != topology.UNREACHABLE
    }
    if len(writers) > 1:
        return refused(identify.master_of(observations)[1])
    if writers:
        return _with_a_writer(observations, hosts, {**options, "witnesses": witnesses}, writers[0])
    new, refusals = candidates.choose(observations, options)
    if new is None:
        return refused(refusals)
    old, refusals = _old_master_of(observations, hosts, new, options)
    if old is None:
        return refused(refusals)
    system, ignored = topology.system_identifier(observations[new]), options.get("ignore_witness") or []
    segments, told = memories.registered(witnesses, system), memories.notes(witnesses, system, ignored)
    witnesses = memories.believed(witnesses, system, ignored)
    further = followers.followers(observations, old, new)
    after = followers.standbys_after(observations[new], new, old, further)
    # they see the old master as the segments do
    onlookers = {**{name: observations[name] for name in (new, *further)}, **witnesses}
    fence, unproven = evidence.fence(old, new, observations, onlookers, options)
    unproven += candidates.against(observations, onlookers, old, new, options)
    if not options["accept_data_loss"]:
        lacking = evidence.missing(old, new, observations, witnesses, options)
        unproven += lacking or staleness.refusals(old, new, observations, witnesses, options)
    refusals += [*unproven, *fitness.refusals(old, new, observations, options)]
    sources = fitness.sources(old, new, observations)
    wanted = settings.recovery_wanted(observations[new], *sources)
    start = topology.kind(observations[new]) == topology.STOPPED_STANDBY
    spaces = tablespaces.to_make(observations[new], *sources)
    salvage = fence == evidence.BY_MODULE and evidence.has_data(observations[old])
    known = evidence.known(old, new, observations, witnesses)
    doubt = (
        f"{memories.says(known.memory)}. {memories.ignoring([known.memory['name']], options)}" if known.memory else ""
    )
    found = slots.plan(old, new, observations, options)
    asked, in_the_way = promised.ask(new, observations, records, options)
    refusals += in_the_way
    held = promised.is_held(observations[new])
    # one that is stopped shows that it starts and replays before anybody is fenced
    first = bool(wanted or spaces or start)
    hands = takeover.Hands(old, new, fence, list(further), bool(segments), first, bool(found["make"]), held)
    plan: FailoverPlan = {
        "workflow": "failover",
        "engine": observations[new]["engine"],
        "activate": True,
        "old": old,
        "new": new,
        "master": new,
        "followers": further,
        "standbys": after,
        "fence": fence,
        "start": start,
        "reason": f"{new} took over as master",
        "salvage": salvage,
        "silent": [hosts[old]] if fence in (evidence.BY_WORD, evidence.BY_COMMAND) and old in hosts else [],
        # one that is restarted for its settings says afterwards how far it is
        "standing": evidence.standing(observations[new], known.lsn, doubt) if salvage and not wanted else None,
        "recovery_settings": wanted,
        "new_tablespaces": spaces,
        "known_lsn": known.lsn,
        "known_from": doubt,
        "untold": followers.untold(observations, after, further),
        "away": [],
        "endpoints": {name: hosts[name] for name in (old, new, *after) if name in hosts},
        "slots": [*topology.slots(observations[new], (old, *after)), *slots.before(found)],
        "segments": segments,
        "ignored_witnesses": ignored,
        "evidence": [
            *evidence.listed(observations, onlookers, old, new),
            *address.elsewhere(observations, new),
            *staleness.listed(old, new, observations),
            *told,
        ],
        "rebuild": needs.rebuilding(observations[new]),
        "lacking": [lack.found for lack in needs.of_itself(new, observations[new])],
        "locked_out": takeover.locked_out(observations[new]),
        "let_in": takeover.let_in(observations[new]),
        "other_slots": found,
        "slots_connection": slots.connection(observations[new]),
        "emptied": needs.unlogged(observations[old]) if old in observations else [],
        "settings_lost": differences.told(old, new, observations),
        "held": held,
        "inherited": promised.inherited(new, observations, asked),
        "promise": promised.part(asked, refusals),
        "steps": {**takeover.steps(hands, options), "promise": []},
    }
    return promised.judged(plan, refusals, records, observations, options)


def _with_a_writer(
    observations: topology.Observations,
    hosts: Hosts,
    options: Options,
    writer: str,
) -> Verdict:
    """A master that has or had a standby is alive; one that was activated has none, and is all that was wanted."""
    seen = observations[writer]
    old = next((name for name in observations if name != writer and _is_former(name, observations, writer)), None)
    standbys = [
        name
        for name, other in observations.items()
        if name != old
        and topology.may_take_over(other)
        and topology.system_identifier(other) == topology.system_identifier(seen)
    ]
    astray = followers.left_behind(observations, hosts, writer)
    known = list(dict.fromkeys([*topology.registered(writer, seen), *standbys]))
    # a former master whose host is off: WAL is kept for its way back
    away = [
        name
        for name, other in observations.items()
        if topology.kind(other) == topology.UNREACHABLE
        and name not in known
        and topology.slot_of(seen, conninfo.slot_name(name)) is not None
    ]
    if known and not astray and not away and (old is None or old in known):
        return refuse(
            "master-alive",
            f"{writer} is the master, is alive and accepts writes ({known[0]} is its standby)",
            "a failover beside a living master would make two writers",
            f"To swap them on purpose: {playbook('switchover')}",
        )
    segments = memories.registered(options["witnesses"], topology.system_identifier(seen))
    fence = evidence.BY_MODULE if old else evidence.NOT_NEEDED
    hands = takeover.Hands(old, writer, fence, list(astray), bool(segments), held=promised.is_held(seen))
    plan: FailoverPlan = {
        "workflow": "failover",
        "engine": seen["engine"],
        "activate": False,
        "old": old,
        "new": writer,
        "master": writer,
        "followers": astray,
        "untold": {},
        "away": away,
        "standbys": topology.registered(writer, seen),
        "fence": fence,
        "start": False,
        "reason": f"{writer} took over as master",
        "salvage": False,
        "silent": [],
        "standing": None,
        "recovery_settings": {},
        "new_tablespaces": [],
        "known_lsn": None,
        "known_from": "",
        "ignored_witnesses": [],
        "endpoints": {name: hosts[name] for name in observations},
        "slots": topology.slots(seen, [*([old] if old else []), *astray]),
        "segments": segments,
        "evidence": [],
        "rebuild": [],
        "lacking": [],
        "locked_out": takeover.locked_out(seen),
        "let_in": takeover.let_in(seen),
        "other_slots": slots.NONE,
        "slots_connection": slots.connection(seen),
        "emptied": [],
        "settings_lost": [],
        "held": hands.held,
        "inherited": None,
        "promise": None,
        "steps": {**takeover.steps(hands, options), "promise": []},
    }
    return decide(plan, [])


def _is_former(name: str, observations: topology.Observations, writer: str) -> bool:
    """Whether a host holds the data of a master of the same system that has been left behind, fenced already or not.

    One that has a record of its fence and was started as a standby is a former master until it is registered, whether
    or not it follows its successor already.
    """
    other, master = observations[name], observations[writer]
    if topology.system_identifier(other) != topology.system_identifier(master):
        return False
    if topology.kind(other) == topology.STOPPED:
        return (topology.timeline(other) or 0) < (topology.timeline(master) or 0)
    directory, told = other["data_directory"], topology.registered(writer, master)
    has_record = directory["fenced"] and not directory["removed"]
    return topology.kind(other) in topology.STANDBYS and has_record and (name not in told or topology.is_fenced(other))


def _old_master_of(
    observations: topology.Observations, hosts: Hosts, new: str, options: Options
) -> tuple[str | None, list[Refusal]]:
    """Return the host that the standby was told to follow: nobody else may be taken for its master.

    Of one that is told to follow nobody it is the only host that it can be, when the operator accepts the loss.
    """
    others = {name: host for name, host in hosts.items() if name != new}
    old = followers.followed_by(observations[new], others, observations)
    if old is not None:
        return old, _same_system(old, new, observations)
    address, port = followers.told(observations[new])
    left = [
        name for name in others if name in observations and topology.kind(observations[name]) not in topology.STANDBYS
    ]
    if address is None and len(left) == 1:
        return (left[0], []) if options["accept_data_loss"] else (None, [_follows_nobody(new, left[0], observations)])
    return None, [
        Refusal(
            "unknown-master",
            f"{new} follows {f'{address}:{port}' if address else 'nobody'}, which no host of the group"
            f" {group(MASTERS)} is",
            "the old master must be looked at before its standby may take over",
            _name_it(address, others),
        )
    ]


def _follows_nobody(new: str, other: str, observations: topology.Observations) -> Refusal:
    return Refusal(
        "unknown-master",
        f"{new} is told to follow nobody, and {topology.being(other, observations[other])}",
        f"what {new} lacks of its master's work cannot be told",
        f"If {other} was its master, and the loss is accepted: {playbook('failover', accept_data_loss=True)}",
    )


def _name_it(address: str | None, others: Hosts) -> str:
    """Return how the operator says which host an address is."""
    if address is None or len(others) != 1:
        return f"Add its host to the inventory's group {group(MASTERS)}, or correct server_address there, {AGAIN}"
    name = next(iter(others))
    return (
        f"If that is {name}, set server_address={address} for {name} in the inventory, {AGAIN}. If not, add its host to"
        f" the group {group(MASTERS)}"
    )


def _same_system(old: str, new: str, observations: topology.Observations) -> list[Refusal]:
    mine, its = topology.system_identifier(observations[new]), None
    if topology.kind(observations[old]) != topology.UNREACHABLE:
        its = topology.system_identifier(observations[old])
    if its is None or its == mine:
        return []
    return [
        Refusal(
            "other-system",
            f"{new} is a standby of another system (identifier {mine}) than {old} ({its})",
            "it does not hold what that master has committed",
            f"Look at both: {playbook('state')}",
        )
    ]
