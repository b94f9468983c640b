# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What would come of each single fault, and of a switchover: their own judges are asked beforehand. Pure.

Safety rule S10: "well" is only said when a failover of each single fault would go through without loss.
"""

from __future__ import annotations

import typing as t

from ..values import conninfo, lsn
from ..values.command import asked_of, playbook
from ..values.observation import Hosts, Observation, Observations
from ..values.text import size
from . import hypothetical, needs, switchover, synchronous, topology
from .failover import judge as failover
from .failover import promised
from .options import Options
from .refusal import Refusal, Verdict

WORKS, MAY_LOSE, REFUSED = "works", "may lose", "refused"
SERVER_DIES, HOST_SILENT, HOST_LOST, SWITCHOVER = "server dies", "host goes silent", "host is lost", "switchover"
#: as a report's labels, with the name of the master
LABELS = {
    SERVER_DIES: "If the server of {} dies",
    HOST_SILENT: "If host {} goes silent",
    HOST_LOST: "If host {} is lost with its disk",
    SWITCHOVER: "Switchover",
}


class Answer(t.TypedDict):
    """What would come of a fault, or of a switchover."""

    case: t.Annotated[
        t.Literal["server dies", "host goes silent", "host is lost", "switchover"],
        "what would happen: with the host that is lost its disk is",
    ]
    outcome: t.Annotated[t.Literal["works", "may lose", "refused"], "what would come of it"]
    new: t.Annotated[str | None, "who would be the master"]
    words: t.Annotated[str, "the same in words"]
    kinds: t.Annotated[list[str], "kinds of the refusals"]
    command: t.Annotated[str | None, "what to type then; None when it would be refused"]
    mend: t.Annotated[str | None, "what to type now, so that it would not be refused"]
    lost_bytes: t.Annotated[int | None, "WAL that would be lost if it happened now; None when that is not known"]
    lost_seconds: t.Annotated[float | None, "how old the oldest of it is"]


class _Seen(t.NamedTuple):
    """What there is now, or would be then; who the master is now, and what brings its standby back."""

    observations: Observations
    master: str
    mend: str


def ask(observations: Observations, hosts: Hosts, options: Options, master: str, mend: str) -> list[Answer]:
    """Return what would come of each fault of the master; ``mend`` is what brings its standby back now."""
    told = t.cast(Options, {**options, "standby_host": None, "accept_data_loss": False})
    witnesses = options.get("witnesses") or {}
    refusing, quiet = (
        hypothetical.seen_by_segments(witnesses, observations, hosts, master, error)
        for error in (hypothetical.REFUSED, hypothetical.SILENT)
    )
    told = t.cast(Options, {**told, "master_is_down": False, "witnesses": refusing, "promises_assumed": True})
    said = t.cast(Options, {**told, "master_is_down": True, "witnesses": quiet})
    dead = hypothetical.server_dies(observations, hosts, master)
    silent = hypothetical.host_goes_silent(observations, hosts, master)
    source = observations[master]
    seen, killed, gone = (_Seen(each, master, mend) for each in (observations, dead, silent))
    with asked_of("failover"):
        away = _of_silence(silent, hosts, said)
        answers = [
            _failover(SERVER_DIES, failover.judge(dead, hosts, told), killed, source),
            _failover(HOST_SILENT, away, gone, source),
            _failover(HOST_LOST, away, gone, source),
        ]
    with asked_of("switchover"):
        return [*answers, _switchover(observations, hosts, told, seen)]


def _of_silence(silent: Observations, hosts: Hosts, said: Options) -> Verdict:
    """Return what would come of a host that is silent: the operator's word is needed where no witnesses know enough."""
    if any(promised.is_held(seen) for seen in silent.values()):
        verdict = failover.judge(silent, hosts, t.cast(Options, {**said, "master_is_down": False}))
        if verdict.plan and _is_proven(verdict):
            return verdict
    return failover.judge(silent, hosts, said)


def _is_proven(verdict: Verdict) -> bool:
    """Whether the witnesses would say that nothing is lost and that the old master can confirm nothing any more."""
    outcome = promised.outcome_of(verdict.plan)
    return bool(outcome and outcome.proven and not verdict.plan["silent"])


def refused(refusals: list[Refusal], observations: Observations, master: str) -> list[Answer]:
    """Return that every workflow would be refused for the same."""
    seen = _Seen(observations, master, refusals[0].command)
    return [_refused(case, refusals, seen) for case in LABELS]


def _failover(case: t.Any, verdict: Verdict, seen: _Seen, source: Observation) -> Answer:
    if verdict.refusals:
        return _refused(case, verdict.refusals, seen)
    master = seen.master
    proven = case != SERVER_DIES and _is_proven(verdict)
    new, down = verdict.plan["new"], None if case == SERVER_DIES or proven else True
    answer: Answer = {
        "case": case,
        "outcome": "works",
        "new": new,
        "words": f"{new} takes over",
        "kinds": [],
        "command": str(playbook("failover", master_is_down=down)),
        "mend": None,
        "lost_bytes": 0,
        "lost_seconds": 0.0,
    }
    if proven:
        answer["words"] += ", nothing is lost: commits wait for it, and a majority of the witnesses knows that"
    elif case == HOST_SILENT:
        answer["words"] += f", once {master} is off and you say so"
    elif case == HOST_LOST:
        answer.update(_loss(source, new))
        answer["words"] += _of_loss(answer)
    else:
        answer["words"] += ", nothing is lost"
    answer["words"] += "".join(f"; {words}" for words in needs.aftermath(new, seen.observations[new]))
    return answer


def _loss(source: Observation, new: str) -> t.Any:
    """What a standby that takes over would not have, as far as its master can tell."""
    if synchronous.waits_for(source, new):
        return {"lost_bytes": 0, "lost_seconds": 0.0}
    sender = topology.sender_of(source, conninfo.slot_name(new))
    behind = lsn.distance(source["server"]["current_lsn"], sender["flushed_lsn"]) if sender else None
    seconds = sender["replay_lag_seconds"] if sender else None
    return {
        "outcome": MAY_LOSE,
        "lost_bytes": None if behind is None else max(0, behind),
        "lost_seconds": 0.0 if behind is not None and behind <= 0 else seconds,
    }


def _of_loss(answer: Answer) -> str:
    if answer["outcome"] == WORKS:
        return ", nothing is lost, since commits wait for it"
    if answer["lost_bytes"] is None:
        return ", and how much it lacks is not known"
    seconds = "" if answer["lost_seconds"] is None else f", {answer['lost_seconds']:.1f} s"
    return f" without what it has not received: {size(answer['lost_bytes'])}{seconds} now"


def _switchover(observations: Observations, hosts: Hosts, told: Options, seen: _Seen) -> Answer:
    """With several standbys it is enough that one of them can take over."""
    master = seen.master
    standbys = topology.registered(master, observations[master]) or [None]
    verdicts = {
        name: switchover.judge(observations, hosts, t.cast(Options, {**told, "master_host": name})) for name in standbys
    }
    for name, verdict in verdicts.items():
        if not verdict.refusals:
            new = verdict.plan["new"]
            named = name if len(standbys) > 1 else None
            return {
                "case": "switchover",
                "outcome": "works",
                "new": new,
                "words": f"{new} takes over, {master} follows it",
                "kinds": [],
                "command": str(playbook("switchover", master_host=named)),
                "mend": None,
                "lost_bytes": 0,
                "lost_seconds": 0.0,
            }
    return _refused(SWITCHOVER, verdicts[standbys[0]].refusals, seen)


def _refused(case: t.Any, refusals: list[Refusal], seen: _Seen) -> Answer:
    mend, first = seen.mend, refusals[0]
    return {
        "case": case,
        "outcome": "refused",
        "new": None,
        "words": "; ".join(_words(row, seen) for row in refusals),
        "kinds": [row.kind for row in refusals],
        "command": None,
        "mend": _mend(first, mend),
        "lost_bytes": None,
        "lost_seconds": None,
    }


def _words(refusal: Refusal, seen: _Seen) -> str:
    """Return what was found. That there is no standby is told of the others alone."""
    if refusal.kind != "no-standby":
        return refusal.found
    others = [name for name in seen.observations if name != seen.master]
    return ", ".join(topology.being(name, seen.observations[name]) for name in others) or "there is no other"


#: what passes by itself, and what only its own words mend: a standby that is brought back changes nothing of these
PASSES = ("copy-running", "lagging")
BY_HAND = (
    "address-configured",
    "address-interface",
    "address-misfit",
    "address-program",
    "address-taken",
    "another-took-over",
    "configuration-errors",
    "configuration-too-small",
    "data-closed",
    "inventory-directory",
    "inventory-name",
    "inventory-port",
    "master-alive",
    "named-place",
    "newer-timeline",
    "not-compared",
    "other-slots",
    "settings-lost",
)


def _mend(refusal: Refusal, mend: str) -> str:
    """Return what helps now: in most cases the standby is to be brought back, whatever the refusal would say then."""
    if refusal.kind in ("other-system", "different-systems"):
        return str(playbook("init_standby", existing_data="keep"))
    if refusal.kind in PASSES:
        return f"wait, then look again: {playbook('state')}"
    return refusal.command if refusal.kind in BY_HAND else mend
