# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether master and standby may swap their roles on purpose. Pure: no I/O, no clock.

All that could fail on the way is asked before: what is refused here costs nobody a second.
"""

from __future__ import annotations

import typing as t

from ..engines.table import POSTGRESQL
from ..values import conninfo, lsn, places
from ..values.text import size
from . import followers, identify, members, settings, takeover, topology
from .failover import evidence
from .failover import judge as failover
from .plan import FailoverPlan, SwitchoverPlan, only
from .refusal import Refusal, Verdict, decide, one_of, refuse, refused

#: WAL that a standby may have yet to replay: it is replayed while nobody is served
LAG_BYTES = 16 << 20
REASON = "switchover to "
CATCH_UP = "it would have to catch up while nobody is served"
REPAIR = "Repair it first (ansible-playbook hawq.mirroring.resync_standby), then run this again"


def judge(
    observations: topology.Observations, hosts: dict[str, dict[str, t.Any]], options: dict[str, t.Any]
) -> Verdict:
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
        return refuse(
            f"{wanted} is not in the inventory's group masters ({', '.join(observations)})",
            "only hosts of that group are looked at",
            "Correct -e master_host=",
        )
    standby, refusals = _standby_of(observations, master, wanted)
    if standby is None:
        return refused(refusals)
    further = followers.followers(observations, master, standby)
    after = followers.standbys_after(observations[master], standby, master, further)
    segments = _registered(options["witnesses"])
    hands = takeover.Hands(master, standby, evidence.BY_MODULE, list(further), bool(segments))
    plan: SwitchoverPlan = {
        "workflow": "switchover",
        "engine": takeover.engine(observations[standby]),
        "old": master,
        "new": standby,
        "master": standby,
        "followers": further,
        "untold": followers.untold(observations, after, further),
        "standbys": after,
        "slots": [conninfo.slot_name(name) for name in (master, *after)],
        "activate": True,
        "rollback": True,
        "fence": evidence.BY_MODULE,
        "start": False,
        "salvage": True,
        "again": True,
        "known_lsn": None,
        "standing": None,
        "reason": f"{REASON}{standby}",
        "endpoints": {name: hosts[name] for name in observations},
        "segments": segments,
        "evidence": [],
        "steps": {
            **takeover.steps(hands, options),
            "again": [standby],
            "rollback": [master],
            "rollback_address": only(master, bool(observations[master].get("virtual_ip"))),
        },
    }
    return decide(plan, preflight(observations, hosts, options, members.Pair(master, standby)))


def _registered(witnesses: topology.Observations) -> list[str]:
    """Return the segments that can be reached and have ever registered with a master."""
    there = {name: seen for name, seen in witnesses.items() if topology.kind(seen) != topology.UNREACHABLE}
    return [name for name, seen in there.items() if seen["witness"]]


def _standby_of(
    observations: topology.Observations, master: str, wanted: str | None
) -> tuple[str | None, list[Refusal]]:
    """Return the standby that is to take over: the one that was named, or the only one."""
    standbys = topology.registered(master, observations[master])
    if wanted is None and len(standbys) > 1:
        return None, [
            Refusal(
                f"{master} has {len(standbys)} standbys ({', '.join(standbys)})",
                "it cannot be said which is to take over",
                one_of("master_host", standbys),
            )
        ]
    if wanted in standbys:
        return wanted, []
    standby, refusals = identify.standby_of(observations, master, None)
    if standby is not None and wanted not in (None, standby):
        return None, [
            Refusal(f"{wanted} is no standby of {master}", "only its standby can take over", "Correct -e master_host=")
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
    hosts: dict[str, dict[str, t.Any]],
    options: dict[str, t.Any],
    master: str,
    left: list[str],
) -> Verdict:
    """The wanted host is the master: what is left is its address, and the way back of the other."""
    astray = followers.left_behind(observations, hosts, master)
    old = left[0] if left else None
    fence = evidence.BY_MODULE if left else evidence.NOT_NEEDED
    segments = _registered(options["witnesses"])
    steps = takeover.steps(takeover.Hands(old, master, fence, list(astray), bool(segments)), options)
    plan: SwitchoverPlan = {
        "workflow": "switchover",
        "engine": takeover.engine(observations[master]),
        "old": old,
        "new": master,
        "master": master,
        "followers": astray,
        "untold": {},
        "standbys": topology.registered(master, observations[master]),
        "slots": list(astray.values()),
        "activate": False,
        "rollback": False,
        "fence": fence,
        "start": False,
        "salvage": False,
        "again": False,
        "known_lsn": None,
        "standing": None,
        "reason": f"{REASON}{master}",
        "endpoints": {name: hosts[name] for name in observations},
        "segments": segments,
        "evidence": [],
        "steps": {
            **steps,
            # a master that has its standby lacks nothing: without an interrupted swap it is not touched
            "activate": only(master, bool(left or astray)),
            "again": [],
            "rollback": [],
            "rollback_address": [],
        },
    }
    return decide(plan, [])


def _go_on(
    observations: topology.Observations, hosts: dict[str, dict[str, t.Any]], options: dict[str, t.Any], left: list[str]
) -> Verdict:
    """A swap was interrupted after the master had been stopped: it goes on as the failover that it is by now."""
    if not left:
        seen = "; ".join(f"{name}: {topology.describe(seen)}" for name, seen in observations.items())
        return refuse(
            f"no host accepts writes ({seen})",
            "roles are swapped between a master and a standby that both run",
            "If the master is lost: ansible-playbook hawq.mirroring.failover",
        )
    # the host that was meant when it began, unless the operator means another by now
    meant = (
        options["master_host"] if options["master_host"] not in (None, left[0]) else _given_up(observations[left[0]])
    )
    found, refusals = failover.judge(observations, hosts, {**options, "standby_host": meant})
    if refusals:
        place, unit = observations[left[0]]["data_directory"]["path"], observations[left[0]]["service"]["unit"]
        back = (
            f"Or, if it is certain that nobody took over, go back to {left[0]}: rm {place}/standby.signal"
            f" {place}/{places.RECORD} && systemctl start {unit} there"
        )
        return refused([each._replace(command=f"{each.command}. {back}") for each in refusals])
    return decide(_of_failover(found), [])


def _of_failover(found: FailoverPlan) -> SwitchoverPlan:
    """Return the plan of a failover as one of a swap that can only go on."""
    plan: dict[str, t.Any] = {key: value for key, value in found.items() if key != "away"}
    plan.update(
        workflow="switchover",
        again=False,
        rollback=False,
        reason=f"{REASON}{found['new']}",
        steps={**found["steps"], "again": [], "rollback": [], "rollback_address": []},
    )
    return t.cast(SwitchoverPlan, plan)


def preflight(
    observations: topology.Observations,
    hosts: dict[str, dict[str, t.Any]],
    options: dict[str, t.Any],
    pair: members.Pair,
) -> list[Refusal]:
    """Return everything that would make the swap fail, or leave the old master without a way back."""
    master, standby = pair
    source, seen = observations[master], observations[standby]
    if topology.kind(seen) != topology.STANDBY:
        return [Refusal(f"{standby} is {topology.describe(seen)}", "only a running standby can take over", REPAIR)]
    return [
        *_mirroring(source, pair),
        *_replay(source, seen, pair),
        *_backups(source, master),
        *_settings_of(source, seen, pair),
        *_address(seen, pair),
        *_way_back(observations, hosts, options, pair),
    ]


def _mirroring(source: topology.Observation, pair: members.Pair) -> list[Refusal]:
    state = topology.mirroring(source, pair.standby)
    if state["summary_state"] == topology.SYNCHRONIZED:
        return []
    why = f" ({state['detail_state']})" if state["detail_state"] else ""
    return [
        Refusal(
            f"mirroring from {pair.master} to {pair.standby} is {state['summary_state']}{why}",
            "what the standby lacks would be missing",
            REPAIR,
        )
    ]


def _replay(source: topology.Observation, seen: topology.Observation, pair: members.Pair) -> list[Refusal]:
    if seen["server"]["replay_paused"]:
        return [Refusal(f"replay on {pair.standby} is paused", CATCH_UP, REPAIR)]
    lag = lsn.distance(source["server"]["current_lsn"], seen["server"]["replay_lsn"]) or 0
    if lag <= LAG_BYTES:
        return []
    return [
        Refusal(
            f"{pair.standby} is {size(lag)} behind",
            CATCH_UP,
            "Run this again when less is written (ansible-playbook hawq.mirroring.state shows how far it is)",
        )
    ]


def _backups(source: topology.Observation, master: str) -> list[Refusal]:
    running = [row for row in source["server"]["senders"] if row["state"] == "backup"]
    if not running:
        return []
    return [
        Refusal(
            f"a base backup is being taken from {master} ({running[0]['application_name']})",
            "stopping the master would break it",
            f"Run this again when it has ended, or end it there (SELECT pg_terminate_backend({running[0]['pid']}))",
        )
    ]


def _settings_of(source: topology.Observation, seen: topology.Observation, pair: members.Pair) -> list[Refusal]:
    """The old master becomes a standby: it must not have less than the new one."""
    now, then = source["server"]["settings"], seen["server"]["settings"]
    less = [name for name in POSTGRESQL.standby_at_least if int(now[name]) < int(then[name])]
    return [
        Refusal(
            f"{name} is {now[name]} on {pair.master} and {then[name]} on {pair.standby}",
            "a standby with less than its master does not start, so the old master could not follow",
            f"Set {name} = {then[name]} on {pair.master} and restart it when it suits, or lower it on {pair.standby}",
        )
        for name in less
    ]


def _address(seen: topology.Observation, pair: members.Pair) -> list[Refusal]:
    """The address that clients use must be able to follow."""
    if not seen["virtual_ip"] or seen["programs"]["virtual-ip"]["program"]:
        return []
    return [
        Refusal(
            f"{pair.standby} has not the program that holds {seen['virtual_ip']['address']}",
            "the address could not follow the master",
            "Install it first (ansible-playbook hawq.mirroring.init_standby), then run this again",
        )
    ]


def _way_back(
    observations: topology.Observations,
    hosts: dict[str, dict[str, t.Any]],
    options: dict[str, t.Any],
    pair: members.Pair,
) -> list[Refusal]:
    """Passwords and pg_hba.conf must let the two in to each other, whoever is the master."""
    names = members.of(observations, pair)
    servers = [[str(hosts[name]["address"]), str(hosts[name]["port"])] for name in names]
    lines = members.hba_lines(observations, hosts, pair, options)
    wrong = [name for name in names if observations[name]["blocks"]["hba"] != lines]
    found = []
    if wrong:
        found.append(f"the replication lines in pg_hba.conf on {' and '.join(wrong)} are not those of these hosts")
    if members.needs_passwords([observations[name] for name in names], servers):
        found.append("the replication password is not in order on these hosts")
    _reload, restart = settings.wanted(observations[pair.standby], conninfo.slot_name(pair.master), False, 1)
    if restart:
        found.append(f"{pair.standby} needs {', '.join(sorted(restart))} set to serve as a master")
    return [Refusal(words, "the old master could not follow the new one", REPAIR) for words in found]
