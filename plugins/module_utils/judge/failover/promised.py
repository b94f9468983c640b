# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A failover with witnesses: judged before they are asked, and again by what they have told with their promises. Pure.

What promises cannot lift refuses before anybody promises. What they may lift waits in the plan until they have told.
"""

from __future__ import annotations

import json
import typing as t

from ...values import ledger
from .. import guarded, topology
from ..options import Options
from ..plan import FailoverPlan, Inherited, Promise
from ..refusal import AGAIN, Refusal, Verdict, refused
from . import evidence, majority, promising

ASYNCHRONOUS = "asynchronous"


def is_held(seen: topology.Observation) -> bool:
    """Whether the guard of this host keeps commits waiting, so that a new master there confirms none at first."""
    # one that was told a mode, and never installed, can release nothing
    guard = seen.get("guard") if topology.kind(seen) != topology.UNREACHABLE else None
    return guard is not None and guarded.is_installed(guard) and guard["mode"] != ASYNCHRONOUS


def records(witnesses: topology.Observations, ignored: t.Collection[str] = ()) -> dict[str, promising.Witness]:
    """Return what each witness has on its disk, as this run has looked, or why that is not known."""
    return {name: _record(name, seen, ignored) for name, seen in witnesses.items()}


def _record(name: str, seen: topology.Observation, ignored: t.Collection[str]) -> promising.Witness:
    if topology.kind(seen) == topology.UNREACHABLE:
        return promising.Witness(None, topology.describe(seen))
    if name in ignored:
        return promising.Witness(None, "the operator has told not to believe it (ignore_witness)")
    found = seen.get("ledger")
    if not found or found["record"] is None:
        return promising.Witness(None, (found["why"] if found else None) or "")
    record, damage = ledger.parse(json.dumps(found["record"]))
    return promising.Witness(record, f"its record is damaged ({damage})" if damage else "")


def ask(
    new: str, observations: topology.Observations, witnesses: dict[str, promising.Witness], options: Options
) -> tuple[promising.Ask | None, list[Refusal]]:
    """Return what the witnesses are to promise. Where commits wait for nobody on purpose, they know nothing of them."""
    if topology.kind(observations[new]) == topology.UNREACHABLE:
        return None, []
    guard = observations[new].get("guard")
    if guard and guard["mode"] == ASYNCHRONOUS:
        return None, []
    return promising.ask(new, observations, witnesses, options)


def inherited(new: str, observations: topology.Observations, asked: promising.Ask | None) -> Inherited | None:
    """Return what the new master's guard is told before it has one; None where there is no guard to tell."""
    if asked is None and not is_held(observations[new]):
        return None
    timeline = asked.timeline if asked else promising.natural(observations[new])
    return {"timeline": timeline, "number": 0, "witnesses": [], "skipped": asked.skipped if asked else []}


class Takeover(t.NamedTuple):
    """What concerns the new master's guard."""

    held: bool
    inherited: Inherited | None
    refusals: list[Refusal]


def planned(new: str, observations: topology.Observations, options: Options) -> Takeover:
    """Return the same of a swap on purpose: nobody is asked for a promise, and what was promised is passed over."""
    witnesses = records(options.get("witnesses") or {})
    asked, _refusals = ask(new, observations, witnesses, t.cast(Options, {**options, "standby_host": new}))
    held, inherits = is_held(observations[new]), inherited(new, observations, asked)
    there = {each.record.name: each.record for each in witnesses.values() if asked and each.record}
    there = {name: each for name, each in there.items() if asked and each.system == asked.system}
    newest = max((each.wish for each in there.values() if each.wish), key=majority.place, default=None)
    if inherits is None or newest is None:
        return Takeover(held, inherits, [])
    inherits = {**inherits, "number": newest.number, "witnesses": [list(newest.witnesses)]}
    return Takeover(held, inherits, _consent(new, newest.witnesses, there, inherits["timeline"]) if held else [])


def _consent(new: str, listed: t.Sequence[str], there: dict[str, ledger.Record], timeline: int) -> list[Refusal]:
    """A new master confirms no commit before a majority of the witnesses of its predecessor has granted that."""
    ready = [
        name
        for name in listed
        if name in there and (there[name].promised is None or there[name].promised.timeline <= timeline)
    ]
    needed = ledger.majority(listed)
    if not listed or len(ready) >= needed:
        return []
    lacking = promising.names(name.partition("#")[0] for name in listed if name not in ready)
    return [
        Refusal(
            "witnesses-missing",
            f"{len(ready)} of {len(listed)} witnesses could let a new master commit, and {needed} are needed ({lacking}"
            " cannot)",
            f"{new} would confirm no commit after the swap, and clients would wait until more of them answer",
            f"Bring {lacking} up, {AGAIN}",
        )
    ]


def part(asked: promising.Ask | None, refusals: list[Refusal]) -> Promise | None:
    """Return what of a plan is about the promises; the refusals are those that these may lift."""
    if asked is None:
        return None
    rows = [{**each._asdict(), "asks": list(each.asks or ())} for each in refusals]
    return t.cast("Promise", {**asked._asdict(), "waiting": rows, "outcome": None})


def judged(
    plan: FailoverPlan,
    refusals: list[Refusal],
    witnesses: dict[str, promising.Witness],
    observations: topology.Observations,
    options: Options,
) -> Verdict:
    """Return the plan of a failover: whether anybody promises first, and what speaks against it by now."""
    if plan["promise"] is None:
        return refused(refusals) if refusals else Verdict(plan, [])
    if any(each.kind not in promising.LIFTED for each in refusals):
        return refused(refusals)
    if options.get("check") or options.get("promises_assumed"):
        return concluded(plan, as_they_are(plan, witnesses), witnesses, observations, options)[0]
    steps = {**plan["steps"], "promise": plan["promise"]["asked"]}
    return Verdict({**plan, "steps": steps}, [])


def as_they_are(plan: FailoverPlan, witnesses: dict[str, promising.Witness]) -> dict[str, promising.Answer]:
    """Return what those that can be asked would answer now."""
    asked = _asked(plan)
    found = {}
    for name in asked.asked:
        record = witnesses[name].record
        if record is None:
            continue
        answer = ledger.promise(record, asked.timeline, asked.candidate, 0.0, None, asked.system)
        found[name] = promising.Answer(answer.granted, record, answer.reason)
    return found


def concluded(
    plan: FailoverPlan,
    answers: dict[str, promising.Answer],
    witnesses: dict[str, promising.Witness],
    observations: topology.Observations,
    options: Options,
) -> tuple[Verdict, list[str]]:
    """Return the plan by what the witnesses have told, or why there is none and who takes a promise back then."""
    asked, promise = _asked(plan), plan["promise"]
    outcome = promising.conclude(asked, answers, witnesses, plan["old"], observations, options)
    outcome = _with_several(plan, outcome)
    waiting = [Refusal(**{**row, "asks": tuple(row["asks"]) or None}) for row in promise["waiting"]]
    still = promising.applied(waiting, outcome)
    if still:
        return refused(still), outcome.withdraw
    told = {**outcome._asdict(), "refusals": []}
    lists = [list(each) for each in outcome.lists]
    inherits = {
        "timeline": asked.timeline,
        "number": outcome.number,
        "witnesses": lists,
        "skipped": asked.skipped,
    }
    after = {
        **plan,
        "evidence": [*plan["evidence"], *outcome.evidence],
        "promise": {**promise, "waiting": [], "outcome": told},
        "inherited": inherits,
        "steps": {**plan["steps"], "promise": []},
    }
    return Verdict(after, []), []


def outcome_of(plan: t.Mapping[str, t.Any]) -> promising.Outcome | None:
    """Return what the witnesses' answers came to, as a plan has it; None where nobody was asked."""
    told = (plan.get("promise") or {}).get("outcome")
    return promising.Outcome(**told) if told else None


def _asked(plan: FailoverPlan) -> promising.Ask:
    promise = t.cast("dict[str, t.Any]", plan["promise"])
    return promising.Ask(**{name: promise[name] for name in promising.Ask._fields})


def _with_several(plan: FailoverPlan, outcome: promising.Outcome) -> promising.Outcome:
    """Take back what is proven where commits wait for any of several standbys and the old master may live.

    It can confirm a commit with another standby then. Whoever is proven dead confirms nothing, and the furthest of its
    standbys has everything.
    """
    if not outcome.leave or not outcome.proven or plan["fence"] != evidence.NOT_NEEDED:
        return outcome
    why = (
        "Commits wait for any of several standbys: the witnesses' word alone does not keep it from confirming one with"
        f" {promising.names(name for name in outcome.leave if name != plan['new'])}"
        if [name for name in outcome.leave if name != plan["new"]]
        else "Commits wait for any of several standbys, and the witnesses' word alone does not prove it"
    )
    return outcome._replace(proven=False, fence="", lost="", mend=why)
