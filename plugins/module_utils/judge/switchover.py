# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether master and standby may swap their roles on purpose. Pure: no I/O, no clock.

All that could fail on the way is asked before: what is refused here costs nobody a second.
"""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values import conninfo, lsn
from ..values.command import playbook
from ..values.observation import Hosts, Server
from ..values.text import sentence, size
from . import (
    address,
    differences,
    disk,
    followers,
    identify,
    listens,
    members,
    named,
    needs,
    newer,
    settings,
    slots,
    tablespaces,
    takeover,
    topology,
    units,
)
from .failover import evidence, memories, promised
from .failover import judge as failover
from .options import Options
from .plan import FailoverPlan, SwitchoverPlan, only
from .refusal import AGAIN, Refusal, Verdict, correct, decide, refuse, refused

#: WAL that a standby may have yet to replay: it is replayed while nobody is served
LAG_BYTES = 16 << 20
REASON = "switchover to "
CATCH_UP = "it would have to catch up while nobody is served"


def judge(observations: topology.Observations, hosts: Hosts, options: Options) -> Verdict:
    """Return the plan of a swap, of what is left of one, or the reasons not to."""
    writers = topology.masters(observations)
    if len(writers) > 1:
        return refused(identify.master_of(observations)[1])
    left = [name for name, seen in observations.items() if _given_up(seen)]
    if not writers:
        return _go_on(observations, hosts, options, left)
    master = writers[0]
    if options["master_host"] == master or any(_given_up(observations[name]) == master for name in left):
        return _nothing(observations, hosts, options, master, left)
    wanted = options["master_host"]
    if wanted is not None and wanted not in observations:
        return refused([identify.not_in_group(wanted, observations, correct("master_host"))])
    standby, refusals = _to_take_over(observations, master, wanted)
    if standby is None:
        return refused(refusals)
    further = followers.followers(observations, master, standby)
    after = followers.standbys_after(observations[master], standby, master, further)
    segments = _registered(options["witnesses"], observations[master])
    found = slots.plan(master, standby, observations, options)
    guard = promised.planned(standby, observations, options)
    hands = takeover.Hands(
        master,
        standby,
        evidence.BY_MODULE,
        list(further),
        bool(segments),
        slots=bool(found["make"]),
        held=guard.held,
    )
    plan: SwitchoverPlan = {
        "workflow": "switchover",
        "engine": topology.engine(observations),
        "old": master,
        "new": standby,
        "master": standby,
        "followers": further,
        "untold": followers.untold(observations, after, further),
        "standbys": after,
        "slots": [*topology.slots(observations[master], (master, *after)), *slots.before(found)],
        "activate": True,
        "rollback": True,
        "fence": evidence.BY_MODULE,
        "start": False,
        "salvage": True,
        "again": True,
        "known_lsn": None,
        "known_from": "",
        "ignored_witnesses": [],
        "silent": [],
        "standing": None,
        "recovery_settings": {},
        "new_tablespaces": [],
        "reason": f"{REASON}{standby}",
        "endpoints": {name: hosts[name] for name in observations},
        "segments": segments,
        "evidence": [],
        "rebuild": needs.rebuilding(observations[standby]),
        "lacking": [],
        "locked_out": takeover.locked_out(observations[standby]),
        "let_in": takeover.let_in(observations[standby]),
        "other_slots": found,
        "slots_connection": slots.connection(observations[standby]),
        "emptied": needs.unlogged(observations[master]),
        "settings_lost": differences.told(master, standby, observations),
        "held": guard.held,
        "inherited": guard.inherited,
        "steps": {
            **takeover.steps(hands, options),
            "again": [standby],
            "rollback": [master],
            "rollback_look": [name for name in dict.fromkeys([standby, *after]) if name in hosts and name != master],
            "rollback_address": only(master, bool(observations[master].get("virtual_ip"))),
        },
    }
    return decide(plan, [*preflight(observations, hosts, options, members.Pair(master, standby)), *guard.refusals])


def _registered(witnesses: topology.Observations, master: topology.Observation) -> list[str]:
    """Return the segments that can be reached and have ever registered with a master of this system."""
    there = {name: seen for name, seen in witnesses.items() if topology.kind(seen) != topology.UNREACHABLE}
    return memories.registered(there, topology.system_identifier(master))


def _to_take_over(
    observations: topology.Observations, master: str, wanted: str | None
) -> tuple[str | None, list[Refusal]]:
    """Return the standby that is to take over: the one that was named, or the only one."""
    standbys = topology.registered(master, observations[master])
    if wanted is None and len(standbys) > 1:
        found = f"{master} has {len(standbys)} standbys ({', '.join(standbys)})"
        return None, [identify.several(found, "to take over", "master_host", standbys)]
    if wanted in standbys:
        return wanted, []
    standby, refusals = identify.standby_of(observations, master, None)
    if standby is not None and wanted not in (None, standby):
        return None, [
            Refusal(
                "no-such-standby",
                f"{wanted} is no standby of {master}",
                "only its standby can take over",
                correct("master_host"),
            )
        ]
    return standby, refusals


def _given_up(seen: topology.Observation) -> str | None:
    """Return for whom a stopped master was given up by a switchover, if it was."""
    if topology.kind(seen) == topology.UNREACHABLE:
        return None
    reason = seen["data_directory"]["fence_reason"] or ""
    return reason.removeprefix(REASON) if reason.startswith(REASON) else None


def _nothing(
    observations: topology.Observations,
    hosts: Hosts,
    options: Options,
    master: str,
    left: list[str],
) -> Verdict:
    """The wanted host is the master: what is left is its address, and the way back of the other."""
    astray = followers.left_behind(observations, hosts, master)
    old = left[0] if left else None
    fence = evidence.BY_MODULE if left else evidence.NOT_NEEDED
    segments = _registered(options["witnesses"], observations[master])
    held = promised.is_held(observations[master])
    hands = takeover.Hands(old, master, fence, list(astray), bool(segments), held=held)
    steps = takeover.steps(hands, options)
    plan: SwitchoverPlan = {
        "workflow": "switchover",
        "engine": observations[master]["engine"],
        "old": old,
        "new": master,
        "master": master,
        "followers": astray,
        "untold": {},
        "standbys": topology.registered(master, observations[master]),
        "slots": topology.slots(observations[master], astray),
        "activate": False,
        "rollback": False,
        "fence": fence,
        "start": False,
        "salvage": False,
        "again": False,
        "known_lsn": None,
        "known_from": "",
        "ignored_witnesses": [],
        "silent": [],
        "standing": None,
        "recovery_settings": {},
        "new_tablespaces": [],
        "reason": f"{REASON}{master}",
        "endpoints": {name: hosts[name] for name in observations},
        "segments": segments,
        "evidence": [],
        "rebuild": [],
        "lacking": [],
        "locked_out": takeover.locked_out(observations[master]),
        "let_in": takeover.let_in(observations[master]),
        "other_slots": slots.NONE,
        "slots_connection": slots.connection(observations[master]),
        "emptied": [],
        "settings_lost": [],
        "held": held,
        "inherited": None,
        "steps": {
            **steps,
            # a master that has its standby lacks nothing: without an interrupted swap it is not touched
            "activate": only(master, bool(left or astray)),
            "commits": [],
            "again": [],
            "rollback": [],
            "rollback_look": [],
            "rollback_address": [],
        },
    }
    return decide(plan, [])


def _go_on(observations: topology.Observations, hosts: Hosts, options: Options, left: list[str]) -> Verdict:
    """A swap was interrupted after the master had been stopped: it goes on as the failover that it is by now."""
    if not left:
        seen = "; ".join(f"{name}: {topology.describe(seen)}" for name, seen in observations.items())
        return refuse(
            "no-master",
            f"no host accepts writes ({seen})",
            "roles are swapped between a master and a standby that both run",
            identify.to_a_master(observations),
        )
    # the host that was meant when it began, unless the operator means another by now
    meant = (
        options["master_host"] if options["master_host"] not in (None, left[0]) else _given_up(observations[left[0]])
    )
    # the old master stands still: what its witnesses have on disk tells enough
    told = t.cast(Options, {**options, "standby_host": meant, "promises_assumed": True})
    found, refusals = failover.judge(observations, hosts, told)
    if refusals:
        line = evidence.unfence(observations[left[0]])
        back = f"Or, if it is certain that nobody took over, go back to {left[0]}: {line} on {left[0]}"
        return refused([each._replace(command=f"{each.command}. {back}") for each in refusals])
    return decide(_of_failover(found), [])


def _of_failover(found: FailoverPlan) -> SwitchoverPlan:
    """Return the plan of a failover as one of a swap that can only go on."""
    plan: dict[str, t.Any] = {key: value for key, value in found.items() if key not in ("away", "promise")}
    steps = {key: value for key, value in found["steps"].items() if key != "promise"}
    plan.update(
        workflow="switchover",
        again=False,
        rollback=False,
        reason=f"{REASON}{found['new']}",
        steps={**steps, "again": [], "rollback": [], "rollback_look": [], "rollback_address": []},
    )
    return t.cast(SwitchoverPlan, plan)


def _repair() -> str:
    return f"Repair it first, {AGAIN}. To repair it: {playbook('resync_standby')}"


def preflight(
    observations: topology.Observations,
    hosts: Hosts,
    options: Options,
    pair: members.Pair,
) -> list[Refusal]:
    """Return everything that would make the swap fail, or leave the old master without a way back."""
    master, standby = pair
    source, seen = observations[master], observations[standby]
    if topology.kind(seen) != topology.STANDBY:
        return [
            Refusal(
                "not-a-running-standby",
                topology.being(standby, seen),
                "only a running standby can take over",
                _repair(),
            )
        ]
    more = newer.of(standby, seen, master, source)
    if more:
        left = f"{standby} has left its timeline" if more.kind == "newer-timeline" else f"{master} was set back"
        why = f"{left}, and what {master} has written since would be given up: {standby} does not have it"
        return [newer.refusal(more, (standby, master), observations)._replace(why=why)]
    return [
        *_mirroring(source, pair),
        *(row for name in pair for row in units.refusals(name, observations[name])),
        *(row for name in pair for row in disk.read_only(name, observations[name])),
        *(row for name in pair for row in disk.closed(name, observations[name])),
        *_session(seen, standby),
        *tablespaces.for_a_start(standby, seen),
        *(_too_small(source, seen, pair) or _replay(source, seen, pair)),
        *needs.taking_over(standby, seen, master, source, options),
        *needs.restarting(master, source),
        *_copies(source, master),
        *differences.stopping(master, source),
        *_settings_of(source, seen, pair),
        *_address(seen, pair),
        *listens.running(pair.standby, seen),
        *address.refusals(pair, observations, hosts),
        *_way_back(observations, hosts, options, pair),
        *(row for name in pair for row in differences.broken(name, observations[name])),
        *(row for name in pair for row in named.refusals(name, observations)),
        *differences.refusals(source, seen, pair, options),
        *slots.refusals(source, seen, pair, options),
    ]


def _session(seen: topology.Observation, standby: str) -> list[Refusal]:
    """A swap can wait until the standby gives sessions; a failover goes on without any."""
    if seen["server"] or not table.of(seen).queries_on_standby:
        return []
    unit = seen["service"]["unit"]
    return [
        Refusal(
            "no-session",
            f"{standby} runs as a standby and gives no session ({sentence(seen['server_error'] or 'no answer')})",
            "it cannot be asked whether it is ready, and clients could not use it as the master",
            f"Mend what keeps sessions out of it (journalctl -u {unit} on {standby} says more; end the clients that"
            f" have all its sessions, or systemctl restart {unit}), {AGAIN}. If the master is lost meanwhile, a"
            " failover goes on without a session",
        )
    ]


def _too_small(source: topology.Observation, seen: topology.Observation, pair: members.Pair) -> list[Refusal]:
    """With less than its master the standby stops replaying, and is never promoted."""
    wanted = settings.recovery_wanted(seen, source)
    if not wanted:
        return []
    words = ", ".join(f"{name} = {value}" for name, value in wanted.items())
    return [
        Refusal(
            "settings-too-small",
            f"{pair.standby} needs at least {words}, as {pair.master} has",
            "with less it does not replay what comes next, and cannot become the master",
            f"Set that first, {AGAIN}. To set it: {playbook('resync_standby')}",
        )
    ]


def _mirroring(source: topology.Observation, pair: members.Pair) -> list[Refusal]:
    state = topology.mirroring(source, pair.standby)
    if state["summary_state"] == topology.SYNCHRONIZED:
        return []
    why = f" ({state['detail_state']})" if state["detail_state"] else ""
    return [
        Refusal(
            "not-synchronized",
            f"mirroring from {pair.master} to {pair.standby} is {state['summary_state']}{why}",
            "what the standby lacks would be missing",
            _repair(),
        )
    ]


def _replay(source: topology.Observation, seen: topology.Observation, pair: members.Pair) -> list[Refusal]:
    # one that gives no session is known by what it tells its master
    server, sender = seen["server"], topology.sender_of(source, conninfo.slot_name(pair.standby))
    if server and server["replay_blocked"]:
        return [_blocked(seen, server, pair.standby)]
    if server and server["replay_paused"]:
        return [Refusal("replay-paused", f"replay on {pair.standby} is paused", CATCH_UP, _repair())]
    replayed = server["replay_lsn"] if server else sender["replay_lsn"] if sender else None
    lag = lsn.distance(source["server"]["current_lsn"], replayed) or 0
    if lag <= LAG_BYTES:
        return []
    return [
        Refusal(
            "lagging",
            f"{pair.standby} is {size(lag)} behind",
            CATCH_UP,
            f"Run this again when less is written. To see how far it is: {playbook('state')}",
        )
    ]


def _blocked(seen: topology.Observation, server: Server, standby: str) -> Refusal:
    """A promotion waits until the standby has replayed all, and that waits for these sessions."""
    words, pids = table.of(seen).words, [row["pid"] for row in server["blockers"]]
    end = table.typed(seen, (words.end_session.format(pid=pid) for pid in pids))
    return Refusal(
        "replay-blocked",
        f"sessions on {standby} hold its replay up: {evidence.blockers(server)}",
        "the swap would wait for them while nobody is served",
        f"Run this again when they have ended, or end them on {standby}: {end}"
        if pids
        else f"Run this again when its queries have ended. To see how far it is: {playbook('state')}",
    )


def _copies(source: topology.Observation, master: str) -> list[Refusal]:
    running = [row for row in source["server"]["senders"] if row["copying"]]
    if not running:
        return []
    end = table.typed(source, [table.of(source).words.end_session.format(pid=running[0]["pid"])])
    return [
        Refusal(
            "copy-running",
            f"a base backup is being taken from {master} ({running[0]['name']})",
            "stopping the master would break it",
            f"Run this again when it has ended, or end it on {master}: {end}",
        )
    ]


def _settings_of(source: topology.Observation, seen: topology.Observation, pair: members.Pair) -> list[Refusal]:
    """The old master becomes a standby: it must not have less than the new one."""
    if not seen["server"]:
        return []
    now, then = source["server"]["settings"]["at_least"], seen["server"]["settings"]["at_least"]
    less, words = [name for name in now if now[name] < then[name]], table.of(source).words
    return [
        Refusal(
            "configuration-too-small",
            f"{name} is {now[name]} on {pair.master} and {then[name]} on {pair.standby}",
            "a standby with less than its master does not start, so the old master could not follow",
            f"Set {name} = {then[name]} on {pair.master} and restart it when it suits, or lower it on {pair.standby}."
            f" On {pair.master}: {table.typed(source, [words.set_setting.format(name=name, value=then[name])])}, then"
            f" systemctl restart {source['service']['unit']}",
        )
        for name in less
    ]


def _address(seen: topology.Observation, pair: members.Pair) -> list[Refusal]:
    """The address that clients use must be able to follow."""
    if not seen["virtual_ip"]:
        return []
    if seen["programs"]["virtual-ip"]["program"]:
        idle = address.idle(pair.standby, seen)
        mend = f"Mend that, {AGAIN}. To see whether it is: {playbook('state')}"
        return [Refusal("address-program", idle, address.NOT_FOLLOW, mend)] if idle else []
    return [
        Refusal(
            "programs-missing",
            f"{pair.standby} lacks the program that holds {seen['virtual_ip']['address']}",
            "the address could not follow the master",
            f"Install it first, {AGAIN}. To install it: {playbook('init_standby')}",
        )
    ]


def _way_back(
    observations: topology.Observations,
    hosts: Hosts,
    options: Options,
    pair: members.Pair,
) -> list[Refusal]:
    """Passwords and access lines must let the two in to each other, whoever is the master."""
    names = members.of(observations, pair)
    servers = [[str(hosts[name]["address"]), str(hosts[name]["port"])] for name in names]
    lines = members.hba_lines(observations, hosts, pair, options)
    wrong = [name for name in names if observations[name]["blocks"]["access"] != lines]
    found = []
    if wrong:
        file = table.of(observations[pair.master]).words.access_file
        found.append(f"the replication lines in {file} on {' and '.join(wrong)} are not those of these hosts")
    if members.needs_passwords([observations[name] for name in names], servers):
        found.append("the replication password is not in order on these hosts")
    restart: dict[str, str] = {}
    if observations[pair.standby]["server"]:
        _reload, restart = settings.wanted(observations[pair.standby], conninfo.slot_name(pair.master), False, 1)
    if restart:
        found.append(f"{pair.standby} needs {', '.join(sorted(restart))} set to serve as a master")
    return [Refusal("no-way-back", words, "the old master could not follow the new one", _repair()) for words in found]
