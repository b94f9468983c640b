# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From observations and options to a plan, or to refusals. Pure: no I/O, no clock.

``hosts`` holds for each host of the group its ``address`` and ``port``; options are those of _options.
"""

from __future__ import annotations

from ..engines import table
from ..values import conninfo
from ..values.command import Command, playbook
from ..values.observation import Hosts
from . import address, checks, identify, members, mirror, needs, newer, topology
from .options import Options
from .plan import MirrorPlan
from .refusal import AGAIN, Refusal, Verdict, decide, either_way, refuse, refused


def needs_snapshot(seen: topology.Observation, source: topology.Observation, slot: str, choice: str) -> bool:
    """Whether the host must get a new copy: not when it already is this master's standby, running or stopped.

    What stopped there and was told to be kept or discarded is replaced, but not a new copy that a killed run left.
    """
    if topology.system_identifier(seen) != topology.system_identifier(source):
        return True
    if seen["data_directory"]["unfinished"]:
        return True
    if seen["data_directory"]["fenced"] and not topology.streams(source, slot):
        return True  # a former master: its WAL may go on where the new master's does not
    if topology.kind(seen) == topology.STANDBY:
        return False
    if mirror.resumes(seen, source):
        return True
    ours = seen["follows_slot"] == slot or not table.of(source).keeps_wal_for_standby
    started = not seen["data_directory"]["unstarted_copy"]
    stopped = topology.kind(seen) == topology.STOPPED_STANDBY
    replace = stopped and choice in ("keep", "discard") and (started or topology.slot_of(source, slot) is None)
    return replace or not (topology.is_standby(seen) and ours) or topology.is_lost(source, slot)


def _resync(standby: str, options: Options) -> Command:
    return playbook("resync_standby", standby_host=standby, additional_standby=options["additional_standby"] or None)


def _gives_up(seen: topology.Observation, snapshot: bool, choice: str, accepted: bool) -> bool:
    """Whether what a host has that is newer would not be moved aside as a whole, nor may be given up."""
    running = topology.kind(seen) not in (topology.STOPPED, topology.STOPPED_STANDBY)
    return running or not snapshot or not (choice == "keep" or (choice == "discard" and accepted))


def _stuck_standby(name: str, seen: topology.Observation, source: topology.Observation, slot: str) -> list[Refusal]:
    """A standby that can never catch up is only replaced when the operator says so."""
    if not topology.is_lost(source, slot) or topology.kind(seen) not in topology.STANDBYS:
        return []
    unit = seen["service"]["unit"]
    stop = f"Stop it on {name} first (systemctl stop {unit}). " if topology.kind(seen) == topology.STANDBY else ""
    return [
        Refusal(
            "too-far-behind",
            f"the standby on {name} is too far behind: the WAL it needs is gone from the master (slot {slot} is lost)",
            "it needs a new copy, which replaces its data",
            f"{stop}{either_way()}",
        )
    ]


def _frozen_standby(name: str, seen: topology.Observation) -> list[Refusal]:
    return [
        Refusal(
            "frozen",
            f"the standby on {topology.being(name, seen)}",
            "it cannot follow its master",
            f"If that is not wanted, {identify.thaw(seen)}, {AGAIN}",
        )
    ]


def judge(observations: topology.Observations, hosts: Hosts, options: Options) -> Verdict:
    """Judge whether and how a standby is made, or the present one repaired."""
    master, refusals = identify.master_of(observations)
    if master is None:
        return refused(refusals)
    further = options["replace_standby"] or options["additional_standby"]
    if options["replace_standby"] and options["additional_standby"]:
        return refuse(
            "contradicting-options",
            "both replace_standby and additional_standby are given",
            "a standby is made beside another one or instead of it",
            "Give one of the two",
        )
    standby, refusals = identify.standby_of(observations, master, options["standby_host"], further)
    if standby is None:
        return refused(refusals)
    seen, source = observations[standby], observations[master]
    if topology.kind(seen) == topology.UNREACHABLE:
        return refused([mirror.unreachable(standby, seen, hosts)])
    slot, choice = conninfo.slot_name(standby), options["existing_data"]
    snapshot = needs_snapshot(seen, source, slot, choice)
    stuck = _stuck_standby(standby, seen, source, slot) if choice == "refuse" or not snapshot else []
    refusals = list(stuck)
    if topology.kind(seen) == topology.FROZEN and not snapshot:
        refusals += _frozen_standby(standby, seen)
    more = newer.of(standby, seen, master, source)
    if more and _gives_up(seen, snapshot, choice, bool(options.get(newer.OPTION))):
        further_standby = options["additional_standby"] or None
        return refused([newer.refusal(more, (standby, master), observations, additional_standby=further_standby)])
    if snapshot and not stuck:
        refusals += checks.existing_data(standby, seen, source, choice, options["additional_standby"])
    if snapshot and not stuck:
        refusals += needs.serving(standby, seen, master, source, options)
    if checks.same_machine(standby, seen, master, source):
        refusals = []  # there is nothing else to say
    pair = members.Pair(master, standby)
    base, steps, found = mirror.plan(observations, hosts, options, pair, snapshot and not stuck)
    if not checks.same_machine(standby, seen, master, source):
        found += address.refusals(members.of(observations, pair), observations, hosts)
    others = [name for name in base["standbys"] if name != standby]
    replaced = others if options["replace_standby"] else []
    plan: MirrorPlan = {
        **base,
        "workflow": "init_standby",
        "advice": "" if snapshot else f"If its data is to blame: {_resync(standby, options)}",
        "steps": {**steps, "replace": replaced},
    }
    return decide(plan, refusals + found)
