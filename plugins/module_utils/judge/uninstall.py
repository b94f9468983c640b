# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking the collection away from all hosts: what goes first, and what stays as an ordinary server. Pure."""

from __future__ import annotations

from ..values.command import playbook
from ..values.observation import Hosts
from . import disk, guarded, identify, topology
from .options import Options
from .plan import UninstallPlan, only
from .refusal import Refusal, Verdict, decide, refused


def judge(observations: topology.Observations, hosts: Hosts, options: Options) -> Verdict:
    """Return what is taken away, or why not yet."""
    kinds = {name: topology.kind(seen) for name, seen in observations.items()}
    here = [name for name, kind in kinds.items() if kind != topology.UNREACHABLE]
    master, refusals = identify.master_of(observations)
    nothing = all(kinds[name] in (topology.EMPTY, topology.OTHER) for name in here)
    if master is None and not (here and nothing):
        return refused([_without_a_master(refusal) for refusal in refusals])
    source = observations[master] if master else None
    standbys = _standbys(observations, master) if master else []
    told = [] if options.get("remove_standbys") else [_has_standbys(name, master, observations) for name in standbys]
    unnamed = bool(source) and not standbys and source is not None and _leftovers(source)
    segments = options.get("witnesses") or {}
    reached = [name for name, seen in segments.items() if topology.kind(seen) != topology.UNREACHABLE]
    guards = [name for name in here if guarded.has_files(observations[name])]
    plan: UninstallPlan = {
        "workflow": "uninstall",
        "engine": topology.engine(observations),
        "master": master or here[0],
        "standby": None,
        "endpoints": {name: hosts[name] for name in observations},
        "hba_file": source["server"]["settings"]["access_file"] if source else "",
        "left": [*_left(observations), *_left(segments), *_restart(master, source)],
        "steps": {
            "remove": standbys or ([""] if unnamed else []),
            "guard": guards,
            # one that was away when the rest went has its record still
            "witness": [name for name in reached if guards or segments[name].get("ledger")],
            "let_go": only(master, source is not None and guarded.is_left_to_it(source)),
            "master": only(master),
            "views": [name for name in here if observations[name]["views"]["files"]],
            "leave": here,
            "empty": [name for name in here if kinds[name] == topology.EMPTY],
            "segments": [name for name in reached if name not in (options.get("only_witnesses") or [])],
        },
    }
    ours = [name for name in plan["steps"]["master"] if _has_lines(observations[name])]
    marked = disk.access(observations, ours)
    marked += disk.keys(observations, [name for name in here if observations[name]["ssh"]["restricted"]])
    return decide(plan, told + marked)


def _has_lines(seen: topology.Observation) -> bool:
    return seen["blocks"]["access"] is not None or seen["blocks"]["segments"] is not None


def _without_a_master(refusal: Refusal) -> Refusal:
    if refusal.kind != "no-master":
        return refusal
    why = (
        "what the collection has made in the database is taken away there, and two hosts with data must not both start"
    )
    return refusal._replace(why=why)


def _standbys(observations: topology.Observations, master: str) -> list[str]:
    """Return the standbys: those that are registered, and those that hold a copy which was not removed."""
    source = observations[master]
    copies = [
        name
        for name, seen in observations.items()
        if name != master
        and topology.kind(seen) not in (topology.UNREACHABLE, topology.EMPTY, topology.OTHER)
        and topology.system_identifier(seen) == topology.system_identifier(source)
        and not seen["data_directory"]["removed"]
    ]
    return list(dict.fromkeys([*topology.registered(master, source), *copies]))


def _has_standbys(name: str, master: str | None, observations: topology.Observations) -> Refusal:
    source = observations[str(master)]
    state = topology.mirroring(source, name)["summary_state"] if name in source["server"]["standbys"] else "there"
    seen = topology.seen_at(observations, name)
    return Refusal(
        "has-a-standby",
        f"{name} is a standby of {master} ({state}; {topology.describe(seen)})",
        "without this collection nothing keeps the two from both accepting writes",
        "To remove it first, with its data left where it is (with -e existing_data=discard it is deleted as well):"
        f" {playbook('uninstall', remove_standbys=True)}",
    )


def _leftovers(source: topology.Observation) -> bool:
    """Whether the master still has something that was made for a standby."""
    server = source["server"]
    ours = any(row["name"].startswith("hawq_mirroring_") for row in server["slots"])
    return ours or server["master_name"] is not None or source["blocks"]["access"] is not None


def _left(observations: topology.Observations) -> list[str]:
    return [
        f"{topology.being(name, seen)}: what this collection has put there stays. When it is back, run again:"
        f" {playbook('uninstall')}"
        for name, seen in observations.items()
        if topology.kind(seen) == topology.UNREACHABLE
    ]


def _restart(master: str | None, source: topology.Observation | None) -> list[str]:
    """Return what only a restart would take back, and so stays."""
    address = source.get("virtual_ip") if source else None
    if not address or not address["here"]:
        return []
    return [
        f"the address that follows the master stays on {master} until its next boot, and nothing adds it there again"
    ]
