# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a failover lets the witnesses promise, and what it makes of their answers. Pure: no I/O, no clock.

A witness that has promised a timeline grants nothing to a master of an older one. What a majority has granted before
says whether that master may have gone on alone. ``majority`` judges that; here stands who is asked for what, and what
the operator is told.
"""

from __future__ import annotations

import json
import typing as t

from ...values import ledger
from ...values.command import again, playbook
from ...values.text import duration, moment
from .. import topology
from ..options import Options
from ..refusal import AGAIN, Refusal, one_of
from . import evidence, majority


class Witness(t.NamedTuple):
    """What one witness has on its disk, as this run has looked, or why that is not known."""

    record: ledger.Record | None
    why: str = ""


class Ask(t.NamedTuple):
    """What the witnesses are asked to promise."""

    system: str
    timeline: int
    candidate: str
    #: who can be asked
    asked: list[str]
    #: who cannot, and why
    silent: dict[str, str]
    #: numbers of timelines that the standby would take by itself and that were promised to another one
    skipped: list[int]
    #: what the operator must know of promises that are there already
    evidence: list[str]


class Answer(t.NamedTuple):
    """What a witness has answered, as the module ``promise`` returns it."""

    kept: bool
    #: what it had on its disk before
    record: ledger.Record | None
    #: why it has not promised, for programs and for people
    why: str = ""
    words: str = ""
    #: whether the promise may be on its disk all the same
    perhaps: bool = False
    #: seconds since the moment of its wish, by its own clock
    age_seconds: float | None = None


#: refusals of an old master that is not seen dead: they do not matter where it cannot confirm a commit any more
LIFTED = ("data-missing", "data-not-there", "not-proven-dead", "port-open", "standby-stale")
#: the refusal that asks for a proof of death
PROOF = "not-proven-dead"


def names(words: t.Iterable[str]) -> str:
    """Return names as people read them."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def natural(seen: topology.Observation) -> int:
    """Return the timeline that a standby takes when it is activated: the next whose history it does not have."""
    number = (topology.timeline(seen) or 0) + 1
    while str(number) in seen["histories"]:
        number += 1
    return number


def ask(
    new: str, observations: topology.Observations, witnesses: dict[str, Witness], options: Options
) -> tuple[Ask | None, list[Refusal]]:
    """Return what the witnesses are to promise; nothing where there are none. A promise that is in the way refuses.

    The timeline is the one that the standby will really have. Only when that number was promised to another one, which
    may have taken it, it is a higher one, and the activation passes over those between.
    """
    own, system = natural(observations[new]), topology.system_identifier(observations[new])
    there = {name: each.record for name, each in witnesses.items() if each.record and each.record.system == system}
    if system is None or not there:
        return None, []
    seen = [each for each in observations.values() if topology.kind(each) != topology.UNREACHABLE]
    known = [topology.last_timeline(each) or 0 for each in seen if topology.system_identifier(each) == system]
    known += [record.wish.timeline for record in there.values() if record.wish]
    first = max([own, *(each + 1 for each in known)])
    pending = {name: each.promised for name, each in there.items() if each.promised and each.promised.timeline >= first}
    others = {name: each for name, each in pending.items() if each.candidate != new}
    highest = max([first, *(each.timeline for each in pending.values())])
    timeline = highest + 1 if any(each.timeline == highest for each in others.values()) else highest
    evidence, refusals = [], []
    for promised, by in _grouped(others).items():
        words = _promised(promised, by)
        evidence.append(f"{words}, which this failover overtakes with timeline {timeline}")
        refusals += _in_the_way(promised, words, new, observations, options)
    silent = {name: _why_unasked(each) for name, each in witnesses.items() if name not in there}
    return Ask(system, timeline, new, sorted(there), silent, list(range(own, timeline)), evidence), refusals


def _why_unasked(witness: Witness) -> str:
    if witness.record:
        return f"its record is of another system ({witness.record.system})"
    return witness.why or "it has no record"


def _grouped(promises: dict[str, ledger.Promise]) -> dict[tuple[int, str], list[str]]:
    """Return who has promised which timeline to whom, the newest first."""
    found: dict[tuple[int, str], list[str]] = {}
    for name, each in sorted(promises.items(), key=lambda row: (-row[1].timeline, row[1].candidate, row[0])):
        found.setdefault((each.timeline, each.candidate), []).append(name)
    return found


def _promised(promised: tuple[int, str], by: list[str]) -> str:
    return f"{names(by)} {'have' if len(by) > 1 else 'has'} promised timeline {promised[0]} to {promised[1]}"


def _in_the_way(
    promised: tuple[int, str], words: str, new: str, observations: topology.Observations, options: Options
) -> list[Refusal]:
    """A failover to a standby that is there may be running, and nobody has said which of the two is to be.

    To overtake it is safe all the same: whoever has the lower timeline cannot confirm a commit.
    """
    other = observations.get(promised[1])
    if options["standby_host"] or other is None or not topology.may_take_over(other):
        return []
    return [
        Refusal(
            "promised-to-another",
            words,
            f"a failover to {promised[1]} may be running, and one to {new} would overtake it",
            f"Wait until that one has ended, {AGAIN}. If none is running: {one_of('standby_host', [promised[1], new])}",
        )
    ]


class Outcome(t.NamedTuple):
    """What the witnesses' answers come to."""

    #: whether nothing is lost and the old master can confirm nothing any more, whatever has become of it
    proven: bool
    refusals: list[Refusal]
    evidence: list[str]
    #: what the report says of the promises, of the old master, and of what is lost; empty where witnesses do not tell
    promises: str
    fence: str
    lost: str
    #: what would make a proof of death needless, for a refusal that asks for one
    mend: str
    #: what the new master must know before its first wish: the highest number, and whose majorities must grant it
    number: int
    lists: tuple[tuple[str, ...], ...]
    #: standbys that must have left the old master for good before the candidate is compared with them
    leave: list[str]
    #: who may have a promise that has to be taken back when this run does not go on
    withdraw: list[str]


def heard(results: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, Answer]:
    """Return what the witnesses have answered, as the module ``promise`` returns it. It is read as any input is."""
    found = {}
    for name, each in results.items():
        record, _damage = ledger.parse(json.dumps(each.get("record")))
        age = each.get("age_seconds")
        found[name] = Answer(
            each.get("kept") is True and record is not None,
            record,
            str(each.get("why") or ""),
            str(each.get("words") or ""),
            each.get("perhaps") is True,
            float(age) if isinstance(age, (int, float)) else None,
        )
    return found


def conclude(
    asked: Ask,
    answers: dict[str, Answer],
    witnesses: dict[str, Witness],
    old: str,
    observations: topology.Observations,
    options: Options,
) -> Outcome:
    """Return what is known of the old master by what its witnesses have told with their promises."""
    case = _Case(asked, answers, old, observations, options, majority.prove(_told(asked, answers, witnesses)))
    refusals, lost = _overtaken(case), ""
    if case.proof.outcome == majority.NOTHING_LOST and case.proof.claim:
        refusals += _waited_for(case, case.proof.claim)
        lost = _nothing(case, case.proof.claim) if not refusals and not _is_given_up(case) else ""
    elif case.proof.alone and (case.proof.certain or case.proof.outcome == majority.PERHAPS_ALONE):
        refusals += _gone_alone(case, case.proof.alone)
        lost = _since(case, case.proof.alone) if not _is_readable(case, case.proof.alone) else ""
    proven = case.proof.outcome == majority.NOTHING_LOST and not refusals and not _is_given_up(case)
    return Outcome(
        proven,
        refusals,
        [*asked.evidence, *_listed(case)],
        _by_whom(case),
        f"{old}: cannot confirm a commit any more, since neither {asked.candidate} nor a majority of the witnesses"
        f" answers it"
        if proven
        else "",
        lost,
        _mend(case),
        case.proof.number,
        case.proof.lists,
        _leave(case),
        sorted(name for name in asked.asked if name not in answers or answers[name].kept or answers[name].perhaps),
    )


def _told(asked: Ask, answers: dict[str, Answer], witnesses: dict[str, Witness]) -> list[majority.Told]:
    """Return what each witness has told. Whoever does not answer any more was looked at before, and promises nothing.

    Of two hosts with one record one has a copy, which promises nothing for the other.
    """
    found = [(each.record, each.kept) for each in answers.values()]
    found += [(each.record, False) for name, each in witnesses.items() if name not in answers]
    told = [(record, kept) for record, kept in found if record and record.system == asked.system]
    known = [record.name for record, _kept in told]
    return [majority.Told(record, kept and known.count(record.name) == 1) for record, kept in told]


class _Case(t.NamedTuple):
    asked: Ask
    answers: dict[str, Answer]
    old: str
    observations: topology.Observations
    options: Options
    proof: majority.Proof

    @property
    def new(self) -> str:
        return self.asked.candidate


def applied(refusals: list[Refusal], outcome: Outcome) -> list[Refusal]:
    """Return what still forbids the failover, of what was found without the witnesses, and what they have told."""
    if outcome.proven:
        return [each for each in refusals if each.kind not in LIFTED]
    mended = [
        each._replace(command=f"{each.command}. {outcome.mend}") if each.kind == PROOF and outcome.mend else each
        for each in refusals
    ]
    return [*mended, *outcome.refusals]


def _is_given_up(case: _Case) -> bool:
    """Whether the operator takes a standby although another one has what it lacks."""
    claim = case.proof.claim
    return bool(claim and case.options["accept_data_loss"] and _why_not(case, claim))


def _waited_for(case: _Case, claim: ledger.Wish) -> list[Refusal]:
    """Return why the candidate cannot be the one that has everything that was confirmed."""
    return [] if case.options["accept_data_loss"] else _why_not(case, claim)


def _why_not(case: _Case, claim: ledger.Wish) -> list[Refusal]:
    accept = f"Or accept the loss: {again(accept_data_loss=True)}"
    standbys = _known_as(claim.standbys, case.observations)
    if case.new not in standbys.values():
        there = [name for name in standbys.values() if name and topology.may_take_over(case.observations[name])]
        way = one_of("standby_host", there) if there else f"Bring {_or(claim.standbys)} up, {AGAIN}"
        return [
            Refusal(
                "not-waited-for",
                f"commits on {claim.master} waited for {_which(claim)}, and not for {case.new}",
                f"{case.new} may lack what was committed",
                f"{way}. {accept}",
            )
        ]
    answering = _answering(case)
    needed = majority.needed_standbys(claim)
    if len(answering) >= needed:
        return []
    away = [name for name in claim.standbys if standbys[name] not in answering]
    return [
        Refusal(
            "not-compared",
            f"commits on {claim.master} waited for {_which(claim)}, and of these {names(away)}"
            f" {'do' if len(away) > 1 else 'does'} not answer as a standby",
            f"a commit may be there and not on {case.new}: {needed} of them must be compared",
            f"Bring {_or(away)} up as a running standby, {AGAIN}. {accept}",
        )
    ]


def _known_as(standbys: t.Iterable[str], observations: topology.Observations) -> dict[str, str | None]:
    """Return what the inventory calls the standbys that commits wait for. The server does not heed capitals."""
    known = {name.lower(): name for name in observations}
    return {name: known.get(name.lower()) for name in standbys}


def _leave(case: _Case) -> list[str]:
    """Return who must leave the old master first; nobody where the activation takes away as many as are needed."""
    claim = case.proof.claim
    return _answering(case) if claim and majority.needed_standbys(claim) > 1 else []


def _answering(case: _Case) -> list[str]:
    """Return the standbys that commits waited for and that can be compared."""
    claim = case.proof.claim
    if claim is None:
        return []
    known = [name for name in _known_as(claim.standbys, case.observations).values() if name]
    return [name for name in known if name == case.new or topology.may_take_over(case.observations[name])]


def _is_readable(case: _Case, wish: ledger.Wish) -> bool:
    """Whether the disk of the master that has gone on alone can be read, which may be another one than the last."""
    is_another = wish.master != case.old and wish.master in case.observations
    return evidence.has_data(case.observations[case.old]) and not is_another


def _gone_alone(case: _Case, wish: ledger.Wish) -> list[Refusal]:
    """A master that may work alone confirms what its standby lacks. Its disk, where it can be read, has that."""
    if case.options["accept_data_loss"] or _is_readable(case, wish):
        return []
    since = f"what {wish.master} has committed since then"
    why = f"{case.new} lacks {since}" if case.proof.certain else f"{case.new} would lack {since}"
    return [
        Refusal(
            "gone-alone",
            _alone(case, wish),
            why,
            f"Bring the host of {case.old} up without its server, {AGAIN}: what is missing is fetched from there."
            f"{_rule_out(case)} Or accept the loss: {again(accept_data_loss=True)}",
        )
    ]


def _rule_out(case: _Case) -> str:
    silent = sorted({*case.proof.silent})
    return "" if case.proof.certain or not silent else f" Or bring {_or(silent)} up, {AGAIN}: it may rule that out."


def _alone(case: _Case, wish: ledger.Wish) -> str:
    """Return since when the old master works alone, or may, and who says so."""
    when = f"since {moment(wish.at)}{_ago(case, wish)} (LSN {wish.lsn or 'not known'} on timeline {wish.timeline})"
    consented = names(case.proof.consented)
    if case.proof.certain:
        return f"{wish.master} has gone on alone {when}, by consent of {consented}"
    have = "have" if len(case.proof.consented) > 1 else "has"
    return (
        f"{wish.master} may have gone on alone {when}: {consented} {have} that on disk, and others do not tell"
        f" ({_silent(case)})"
    )


def _ago(case: _Case, wish: ledger.Wish) -> str:
    """Return for how long, by the clock of a witness; nothing where that clock cannot be right."""
    ages = [
        each.age_seconds
        for each in case.answers.values()
        if each.record and each.record.wish == wish and each.age_seconds is not None and each.age_seconds >= 0
    ]
    return f", {duration(min(ages))} ago" if ages else ""


def _since(case: _Case, wish: ledger.Wish) -> str:
    if case.options["accept_data_loss"]:
        return f"accepted by the operator: {_alone(case, wish)}. {case.new} lacks what was committed since then"
    return ""


def _nothing(case: _Case, claim: ledger.Wish) -> str:
    return (
        f"none: commits on {claim.master} waited for {_which(claim)} since {moment(claim.at)} (LSN"
        f" {claim.lsn or 'not known'} on timeline {claim.timeline}), and no majority of its witnesses has let it go on"
        f" alone since then"
    )


def _which(claim: ledger.Wish) -> str:
    some = f"any {claim.count} of " if claim.count < len(claim.standbys) else ""
    return f"{some}{names(claim.standbys)}"


def _by_whom(case: _Case) -> str:
    """Return who has promised what, and who has not and why."""
    proof, timeline = case.proof, case.asked.timeline
    if not proof.witnesses:
        return ""
    some = names(proof.promised) if proof.promised else "nobody"
    words = f"timeline {timeline} to {case.new} by {some} ({len(proof.promised)} of {len(proof.witnesses)} witnesses,"
    words += f" {proof.needed} needed)"
    return f"{words}. Not by {_silent(case)}" if proof.silent else words


def _why_silent(case: _Case, name: str) -> str:
    """Return why a witness of the list has not promised. The inventory may not have it, or call its host otherwise."""
    hosts = [host for host, answer in case.answers.items() if answer.record and answer.record.name == name]
    if len(hosts) > 1:
        return f"{names(hosts)} have the same record, and one of them is a copy"
    if hosts:
        words = case.answers[hosts[0]].words or "it has not said why"
        return f"{words} (host {hosts[0]})" if hosts[0] != name.partition("#")[0] else words
    base = name.partition("#")[0]
    answer = case.answers.get(base)
    if answer and answer.record and answer.record.system == case.asked.system:
        return f"its record was begun anew, as {answer.record.name}, and does not know what it had granted before"
    if answer and answer.words:
        return answer.words
    if base in case.asked.silent:
        return case.asked.silent[base]
    return "it does not answer any more" if base in case.asked.asked else "the inventory has no such host"


def _listed(case: _Case) -> list[str]:
    """Return what the witnesses have told, for the evidence."""
    found = []
    if case.proof.claim:
        wish = case.proof.claim
        found.append(f"commits on {wish.master} waited for {_which(wish)}: wish {wish.number} of {moment(wish.at)}")
    elif case.proof.alone:
        found.append(_alone(case, case.proof.alone))
    words = _by_whom(case)
    return [*found, *([f"promised: {words}"] if words else [])]


def _mend(case: _Case) -> str:
    """Return what would let a majority promise."""
    proof = case.proof
    lacking = proof.needed - len(proof.promised)
    if proof.outcome != majority.NO_MAJORITY or lacking <= 0:
        return ""
    return (
        f"Or let {lacking} more of the witnesses promise ({_silent(case)}), {AGAIN}: when a majority of them has"
        f" promised and {case.old} was never alone, nobody has to be sure that it is off"
    )


def _silent(case: _Case) -> str:
    return "; ".join(f"{name}: {_why_silent(case, name)}" for name in case.proof.silent)


def _overtaken(case: _Case) -> list[Refusal]:
    """Another failover was faster, and a majority is not to be had any more."""
    if case.proof.outcome != majority.NO_MAJORITY:
        return []
    newer = {name: each for name, each in case.answers.items() if each.why == "newer-run"}
    other = {name: each for name, each in case.answers.items() if each.why in ("promised", "other-master")}
    if newer:
        said = "; ".join(f"{name}: {each.words}" for name, each in newer.items())
        return [
            Refusal(
                "another-took-over",
                f"another host is the master on a newer timeline, as witnesses have on disk ({said})",
                f"{case.new} lacks what was committed there",
                f"Look at all of them: {playbook('state')}",
            )
        ]
    if not other:
        return []
    said = "; ".join(f"{name}: {each.words}" for name, each in other.items())
    return [
        Refusal(
            "promised-to-another",
            f"witnesses have promised otherwise since this run has looked ({said})",
            "another failover is running, and only one of the two can go on",
            f"Wait until that one has ended, {AGAIN}",
        )
    ]


def _or(words: t.Iterable[str]) -> str:
    return " or ".join(words)
