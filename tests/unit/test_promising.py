# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a failover lets its witnesses promise, what it makes of their answers, and what the operator reads of that."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import promising
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover.promising import Witness
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Refusal
from ansible_collections.hawq.mirroring.plugins.module_utils.report import promises as promises_report
from ansible_collections.hawq.mirroring.plugins.module_utils.values import ledger
from cases import Hosts, Options, failover, rows
from observations import CLOSED, FOREIGN, OWN, crashed, standby, unreachable

AT = 1795428856.0
NAMES = ("sdw1", "sdw2", "sdw3")
SYNC = ledger.Wish(7, ledger.SYNCHRONOUS, 1, "0/3000000", "mdw", AT, 1, ("smdw",), NAMES)
ALONE = SYNC._replace(number=8, kind=ledger.ALONE, lsn="0/3000100", at=AT + 60, count=0, standbys=())
GONE: Hosts = {"mdw": unreachable(), "smdw": standby("smdw", CLOSED)}
THREE: Hosts = {**GONE, "sby": standby("sdw1", CLOSED)}
CRASHED: Hosts = {"mdw": crashed(), "smdw": standby("smdw", CLOSED)}
AWAY = "it cannot be reached by SSH (Connection timed out)"
FULL = "its disk refuses (No space left on device)"


def options(**changed: t.Any) -> Options:
    return {"standby_host": None, "accept_data_loss": False, **changed}


def record(name: str, wish: ledger.Wish | None = SYNC, promised: tuple[int, str] | None = None) -> ledger.Record:
    return ledger.Record(OWN, name, ledger.Promise(*promised, AT, "run-0") if promised else None, wish)


def looked(*records: ledger.Record | str) -> dict[str, Witness]:
    """What a look at the three witnesses shows: a record, or why there is none."""
    return {name: Witness(None, each) if isinstance(each, str) else Witness(each) for name, each in zip(NAMES, records)}


# who promises what

# what is seen of the witnesses, options, and: the timeline, those between, who is in the way
ASKS: dict[str, tuple[t.Any, ...]] = {
    "nothing is promised yet": (looked(*map(record, NAMES)), {}, 2, [], None),
    "a killed run of mine": (
        looked(record("sdw1", promised=(2, "smdw")), record("sdw2"), record("sdw3")),
        {},
        2,
        [],
        None,
    ),
    "a killed run of mine that had overtaken another one": (
        looked(record("sdw1", promised=(3, "smdw")), record("sdw2", promised=(2, "sby")), record("sdw3")),
        {"standby_host": "smdw"},
        3,
        [2],
        None,
    ),
    "to another standby, which is there": (
        looked(record("sdw1", promised=(2, "sby")), record("sdw2"), record("sdw3")),
        {},
        3,
        [2],
        "promised-to-another",
    ),
    "to another standby, and the operator has chosen": (
        looked(record("sdw1", promised=(2, "sby")), record("sdw2"), record("sdw3")),
        {"standby_host": "smdw"},
        3,
        [2],
        None,
    ),
    "to another host, which is gone": (
        looked(record("sdw1", promised=(2, "lost")), record("sdw2"), record("sdw3")),
        {},
        3,
        [2],
        None,
    ),
    "to both, the same timeline": (
        looked(record("sdw1", promised=(2, "lost")), record("sdw2", promised=(2, "smdw")), record("sdw3")),
        {},
        3,
        [2],
        None,
    ),
    "long ago, and a master has come of it": (
        looked(record("sdw1", SYNC._replace(timeline=4), promised=(4, "mdw")), record("sdw2"), record("sdw3")),
        {},
        5,
        [2, 3, 4],
        None,
    ),
    "one that cannot be looked at": (looked(record("sdw1"), record("sdw2"), AWAY), {}, 2, [], None),
}


@pytest.mark.parametrize(("witnesses", "given", "timeline", "skipped", "refused"), rows(ASKS))
def test_what_is_asked(
    witnesses: dict[str, Witness], given: Options, timeline: int, skipped: list[int], refused: str | None
) -> None:
    asked, refusals = promising.ask("smdw", THREE, witnesses, options(**given))
    assert asked is not None
    assert (asked.timeline, asked.skipped, asked.candidate) == (timeline, skipped, "smdw")
    assert asked.asked == [name for name, each in witnesses.items() if each.record]
    assert asked.silent == {name: each.why for name, each in witnesses.items() if not each.record}
    assert [each.kind for each in refusals] == ([refused] if refused else [])
    assert bool(asked.evidence) is (len(skipped) == 1)


def test_nobody_is_asked_where_there_is_no_witness_of_this_system() -> None:
    assert promising.ask("smdw", GONE, {}, options()) == (None, [])
    assert promising.ask("smdw", GONE, looked(AWAY, AWAY, AWAY), options()) == (None, [])
    foreign = looked(record("sdw1")._replace(system=FOREIGN))
    assert promising.ask("smdw", GONE, foreign, options()) == (None, [])
    asked, _refusals = promising.ask("smdw", GONE, {**foreign, "sdw2": Witness(record("sdw2"))}, options())
    assert asked is not None
    assert (asked.asked, asked.silent) == (["sdw2"], {"sdw1": f"its record is of another system ({FOREIGN})"})


def test_the_timeline_is_the_one_that_the_standby_takes() -> None:
    """It takes the next one whose history it does not have."""
    seen = standby("smdw", {"histories": {"2": [], "3": [], "5": []}})
    assert promising.natural(standby("smdw")) == 2
    assert promising.natural(seen) == 4


def test_a_failover_that_may_be_running_is_not_overtaken_by_chance() -> None:
    witnesses = looked(record("sdw1", promised=(2, "sby")), record("sdw2", promised=(2, "sby")), record("sdw3"))
    _asked, (refusal,) = promising.ask("smdw", THREE, witnesses, options())
    assert refusal.sentence() == (
        "sdw1 and sdw2 have promised timeline 2 to sby: a failover to sby may be running, and one to smdw would"
        " overtake it. Wait until that one has ended, then run this again. If none is running: Name it: -e"
        " standby_host=sby or -e standby_host=smdw."
    )


# what their answers come to


def answer(name: str, sort: str) -> dict[str, t.Any] | None:
    """What the module returns: s and a have promised and told of that wish, e of none, # under a new name."""
    if sort == "-":
        return None
    refused = {
        "f": ("disk", FULL),
        "F": ("disk", FULL),
        "x": ("other-master", "it has promised timeline 2 to sby"),
        "n": ("newer-run", "it knows sby as the master on timeline 5"),
        "0": ("no-record", "it has no record"),
    }.get(sort, ("", ""))
    told = record(f"{name}#2" if sort == "#" else name, ALONE if sort in "aF" else None if sort in "e#" else SYNC)
    return {
        "kept": sort in "sae#",
        "perhaps": False,
        "why": refused[0],
        "words": refused[1],
        "record": None if sort == "0" else json.loads(ledger.render(told)),
        "age_seconds": 754.0,
    }


def concluded(
    sorts: str, hosts: Hosts | None = None, wish: ledger.Wish | None = None, new: str = "smdw", **given: t.Any
) -> promising.Outcome:
    """Judge these answers of the three witnesses, with another wish in the place of the one that is synchronous."""
    found = {name: each for name, sort in zip(NAMES, sorts) if (each := answer(name, sort))}
    if wish:
        for each in found.values():
            each["record"]["wish"] = wish._asdict()
    witnesses = {
        name: Witness(None, AWAY)
        if sort == "-"
        else Witness(None, "it has no record")
        if sort == "0"
        else Witness(record(name))
        for name, sort in zip(NAMES, sorts)
    }
    seen = hosts or GONE
    asked, _refusals = promising.ask(new, seen, witnesses, options(standby_host=new))
    assert asked is not None
    return promising.conclude(asked, promising.heard(found), witnesses, "mdw", seen, options(**given))


# the three answers: whether nothing is lost, the refusal, whether something is told that would make a proof needless
ANSWERS: dict[str, tuple[str, bool, str | None, bool]] = {
    "all": ("sss", True, None, False),
    "a majority": ("ss-", True, None, False),
    "a majority, the third one full": ("ssf", True, None, False),
    "a majority, the third one has promised another one": ("ssx", True, None, False),
    "one had granted, which is no majority": ("ssa", True, None, False),
    "two had granted": ("saa", False, "gone-alone", False),
    "all had granted": ("aaa", False, "gone-alone", False),
    "one had granted, and one is silent": ("sa-", False, "gone-alone", False),
    "two had granted, and one is silent": ("aa-", False, "gone-alone", False),
    "no majority": ("s--", False, None, True),
    "no majority, one is full": ("sf-", False, None, True),
    "no majority, one has lost its record": ("s0-", False, None, True),
    "no majority, one had granted": ("a--", False, None, True),
    "no majority, and a majority had granted": ("aF-", False, "gone-alone", True),
    "no majority, another failover was faster": ("sxx", False, "promised-to-another", True),
    "no majority, one has promised another one": ("sx-", False, "promised-to-another", True),
    "no majority, and there is a newer master": ("snx", False, "another-took-over", True),
    "two have never granted anything": ("see", True, None, False),
    "two were begun anew, and have forgotten": ("s##", False, None, True),
}


@pytest.mark.parametrize(("sorts", "proven", "refused", "mend"), rows(ANSWERS))
def test_what_answers_come_to(sorts: str, proven: bool, refused: str | None, mend: bool) -> None:
    found = concluded(sorts)
    assert found.proven is proven
    assert [each.kind for each in found.refusals] == ([refused] if refused else [])
    assert bool(found.mend) is mend
    assert bool(found.fence) is proven
    assert found.lost.startswith("none: ") is proven
    assert found.withdraw == [name for name, sort in zip(NAMES, sorts) if sort in "sae#"]
    promised = [name for name, sort in zip(NAMES, sorts) if sort in "sae"]
    assert found.promises.startswith(
        f"timeline 2 to smdw by {promising.names(promised)} ({len(promised)} of 3 witnesses"
    )


LOSSES: dict[str, tuple[str, Hosts, Options, list[str], str]] = {
    "refused": ("saa", GONE, {}, ["gone-alone"], ""),
    "accepted": ("saa", GONE, {"accept_data_loss": True}, [], "accepted by the operator: mdw has gone on alone"),
    "may be, accepted": ("sa-", GONE, {"accept_data_loss": True}, [], "accepted by the operator: mdw may have gone"),
    "its disk can be read": ("saa", CRASHED, {}, [], ""),
    "its disk can be read, and nothing is lost": ("sss", CRASHED, {}, [], "none: commits on mdw waited for smdw"),
}


@pytest.mark.parametrize(("sorts", "hosts", "given", "refused", "lost"), rows(LOSSES))
def test_what_is_lost(sorts: str, hosts: Hosts, given: Options, refused: list[str], lost: str) -> None:
    found = concluded(sorts, hosts, **given)
    assert [each.kind for each in found.refusals] == refused
    assert found.lost.startswith(lost)
    assert bool(found.lost) is bool(lost)
    assert found.proven is (sorts == "sss")


BOTH = SYNC._replace(standbys=("smdw", "sby"))
# for whom commits waited, what is there, and: whether nothing is lost, the refusal, who must leave the old master first
WAITED: dict[str, tuple[t.Any, ...]] = {
    "for this one": (SYNC, THREE, {}, True, None, []),
    "for this one, in other letters": (SYNC._replace(standbys=("SMDW",)), THREE, {}, True, None, []),
    "for another one": (SYNC._replace(standbys=("sby",)), THREE, {}, False, "not-waited-for", []),
    "for another one, which is gone": (SYNC._replace(standbys=("sby",)), GONE, {}, False, "not-waited-for", []),
    "for another one, the loss is accepted": (
        SYNC._replace(standbys=("sby",)),
        THREE,
        {"accept_data_loss": True},
        False,
        None,
        [],
    ),
    "for one of two, both are there": (BOTH, THREE, {}, True, None, ["smdw", "sby"]),
    "for one of two, one is gone": (BOTH, GONE, {}, False, "not-compared", ["smdw"]),
    "for one of two, one is gone, the loss is accepted": (
        BOTH,
        GONE,
        {"accept_data_loss": True},
        False,
        None,
        ["smdw"],
    ),
    "for both": (BOTH._replace(count=2), GONE, {}, True, None, []),
}


@pytest.mark.parametrize(("wish", "hosts", "given", "proven", "refused", "leave"), rows(WAITED))
def test_for_whom_commits_waited(
    wish: ledger.Wish, hosts: Hosts, given: Options, proven: bool, refused: str | None, leave: list[str]
) -> None:
    found = concluded("sss", hosts, wish, **given)
    assert found.proven is proven
    assert [each.kind for each in found.refusals] == ([refused] if refused else [])
    assert found.leave == leave
    assert bool(found.lost) is proven


# what is not believed


def test_a_record_of_another_system_proves_nothing() -> None:
    """Nor does its consent count against this one."""
    witnesses = looked(*map(record, NAMES))
    asked, _refusals = promising.ask("smdw", GONE, witnesses, options())
    assert asked is not None
    found = {name: answer(name, "s") or {} for name in NAMES}
    for name in ("sdw2", "sdw3"):
        foreign = record(name, ALONE._replace(number=99))._replace(system=FOREIGN)
        found[name].update(kept=False, why="other-system", record=json.loads(ledger.render(foreign)))
    outcome = promising.conclude(asked, promising.heard(found), witnesses, "mdw", GONE, options())
    assert (outcome.proven, outcome.refusals, outcome.number) == (False, [], 7)


def test_a_copy_of_a_record_promises_nothing() -> None:
    witnesses = looked(*map(record, NAMES))
    asked, _refusals = promising.ask("smdw", GONE, witnesses, options())
    assert asked is not None
    found = {name: answer(name, "s") or {} for name in ("sdw1", "sdw2")}
    found["sdw2"] = answer("sdw1", "s") or {}
    outcome = promising.conclude(asked, promising.heard(found), {}, "mdw", GONE, options())
    assert not outcome.proven
    assert "sdw1: sdw1 and sdw2 have the same record, and one of them is a copy" in outcome.promises


@pytest.mark.parametrize(
    "wrong",
    [
        {"kept": "yes"},
        {"kept": 1},
        {"record": None},
        {"record": []},
        {"record": {"system": OWN}},
        {"record": {**json.loads(ledger.render(record("sdw2"))), "wish": 7}},
        {},
    ],
)
def test_an_answer_that_is_none_is_no_promise(wrong: dict[str, t.Any]) -> None:
    good = answer("sdw2", "s") or {}
    assert promising.heard({"sdw2": good})["sdw2"].kept
    assert not promising.heard({"sdw2": {**good, **wrong} if wrong else {}})["sdw2"].kept


def test_whoever_does_not_answer_any_more_is_not_forgotten() -> None:
    """What it had granted when this run looked speaks against the standby all the same."""
    witnesses = looked(record("sdw1", ALONE), record("sdw2", ALONE), record("sdw3"))
    asked, _refusals = promising.ask("smdw", GONE, witnesses, options())
    assert asked is not None
    heard = promising.heard({name: answer(name, "s") or {} for name in ("sdw2", "sdw3")})
    heard["sdw2"] = heard["sdw2"]._replace(record=record("sdw2", ALONE))
    outcome = promising.conclude(asked, heard, witnesses, "mdw", GONE, options())
    assert [each.kind for each in outcome.refusals] == ["gone-alone"]
    assert "by consent of sdw1 and sdw2" in outcome.refusals[0].found
    assert outcome.withdraw == ["sdw1", "sdw2", "sdw3"]


def test_a_promise_that_may_be_on_a_disk_is_taken_back_as_well() -> None:
    witnesses = looked(*map(record, NAMES))
    asked, _refusals = promising.ask("smdw", GONE, witnesses, options())
    assert asked is not None
    found = {name: answer(name, "f") or {} for name in NAMES}
    found["sdw1"]["perhaps"] = True
    outcome = promising.conclude(asked, promising.heard(found), witnesses, "mdw", GONE, options())
    assert (outcome.proven, outcome.withdraw) == (False, ["sdw1"])


# with what is found without witnesses


def without() -> list[Refusal]:
    """What forbids the failover as long as nobody has asked the witnesses."""
    refusals = failover(GONE, {}).refusals
    assert [each.kind for each in refusals] == ["not-proven-dead"]
    return refusals


def test_no_proof_of_death_is_needed_when_nothing_is_lost() -> None:
    assert promising.applied(without(), concluded("ss-")) == []


def test_whoever_says_how_death_is_proven_says_what_makes_it_needless() -> None:
    (refusal,) = promising.applied(without(), concluded("sf-"))
    assert refusal.command.startswith(without()[0].command)
    assert refusal.command.endswith(
        f". Or let 1 more of the witnesses promise (sdw2: {FULL}; sdw3: {AWAY}), then run this again: when a majority"
        " of them has promised and mdw was never alone, nobody has to be sure that it is off"
    )
    assert refusal.asks == without()[0].asks


@pytest.mark.parametrize("sorts", ["saa", "sa-"])
def test_a_master_that_may_be_alone_must_be_proven_dead_as_well(sorts: str) -> None:
    kinds = [each.kind for each in promising.applied(without(), concluded(sorts))]
    assert kinds == ["not-proven-dead", "gone-alone"]


@pytest.mark.parametrize("kind", ["master-alive", "read-only", "data-damaged", "address-taken", "two-masters"])
def test_what_else_forbids_it_stays(kind: t.Any) -> None:
    refusals = [Refusal(kind, "x", "y", "z"), *(Refusal(each, "x", "y", "z") for each in promising.LIFTED)]
    assert promising.applied(refusals, concluded("sss")) == refusals[:1]
    assert promising.applied(refusals, concluded("s--"))[0] == refusals[0]
    assert len(promising.applied(refusals, concluded("s--"))) == len(refusals)


# sentences

SENTENCES: dict[str, tuple[str, str]] = {
    "gone on alone": (
        "saa",
        "mdw has gone on alone since 2026-11-23 10:15:16 UTC, 13 minutes ago (LSN 0/3000100 on timeline 1), by consent"
        " of sdw2 and sdw3: smdw lacks what mdw has committed since then. Bring the host of mdw up without its server,"
        " then run this again: what is missing is fetched from there. Or accept the loss: -e accept_data_loss=true.",
    ),
    "may have gone on alone": (
        "sa-",
        "mdw may have gone on alone since 2026-11-23 10:15:16 UTC, 13 minutes ago (LSN 0/3000100 on timeline 1): sdw2"
        f" has that on disk, and others do not tell (sdw3: {AWAY}): smdw would lack what mdw has committed since then."
        " Bring the host of mdw up without its server, then run this again: what is missing is fetched from there. Or"
        " bring sdw3 up, then run this again: it may rule that out. Or accept the loss: -e accept_data_loss=true.",
    ),
    "another failover": (
        "sxx",
        "witnesses have promised otherwise since this run has looked (sdw2: it has promised timeline 2 to sby; sdw3: it"
        " has promised timeline 2 to sby): another failover is running, and only one of the two can go on. Wait until"
        " that one has ended, then run this again.",
    ),
    "a newer master": (
        "snx",
        "another host is the master on a newer timeline, as witnesses have on disk (sdw2: it knows sby as the master on"
        " timeline 5): smdw lacks what was committed there. Look at all of them: ansible-playbook"
        " hawq.mirroring.state.",
    ),
}


@pytest.mark.parametrize(("sorts", "words"), rows(SENTENCES))
def test_what_a_refusal_says(sorts: str, words: str) -> None:
    (refusal,) = concluded(sorts).refusals
    assert refusal.sentence() == words


def test_what_a_refusal_says_of_the_standbys() -> None:
    (refusal,) = concluded("sss", THREE, SYNC._replace(standbys=("sby",))).refusals
    assert refusal.sentence() == (
        "commits on mdw waited for sby, and not for smdw: smdw may lack what was committed. Name it: -e"
        " standby_host=sby. Or accept the loss: -e accept_data_loss=true."
    )
    (refusal,) = concluded("sss", GONE, BOTH).refusals
    assert refusal.sentence() == (
        "commits on mdw waited for any 1 of smdw and sby, and of these sby does not answer as a standby: a commit may"
        " be there and not on smdw: 2 of them must be compared. Bring sby up as a running standby, then run this again."
        " Or accept the loss: -e accept_data_loss=true."
    )


def test_the_report_of_a_failover_that_loses_nothing() -> None:
    facts = promises_report.facts(concluded("ss-"), check=False)
    assert facts == {
        "Promised": f"timeline 2 to smdw by sdw1 and sdw2 (2 of 3 witnesses, 2 needed). Not by sdw3: {AWAY}",
        "Fence": "mdw: cannot confirm a commit any more, since neither smdw nor a majority of the witnesses answers it",
        "Data lost": "none: commits on mdw waited for smdw since 2026-11-23 10:14:16 UTC (LSN 0/3000000 on timeline 1),"
        " and no majority of its witnesses has let it go on alone since then",
    }
    shown = promises_report.facts(concluded("ss-"), check=True)
    assert shown["Promised"].startswith(
        "not asked for in a check. As the witnesses are now: timeline 2 to smdw by sdw1"
    )
    assert "Fence" not in shown


def test_the_report_of_a_failover_that_loses_something() -> None:
    facts = promises_report.facts(concluded("saa", accept_data_loss=True), check=False)
    assert facts == {
        "Promised": "timeline 2 to smdw by sdw1, sdw2 and sdw3 (3 of 3 witnesses, 2 needed)",
        "Data lost": "accepted by the operator: mdw has gone on alone since 2026-11-23 10:15:16 UTC, 13 minutes ago"
        " (LSN 0/3000100 on timeline 1), by consent of sdw2 and sdw3. smdw lacks what was committed since then",
    }


def test_the_report_where_no_majority_tells() -> None:
    """What is said without witnesses stays."""
    assert list(promises_report.facts(concluded("s--"), check=False)) == ["Promised"]
    assert promises_report.facts(None, check=False) == {}


def test_the_evidence_names_what_is_known() -> None:
    found = concluded("ss-").evidence
    assert found[0] == "commits on mdw waited for smdw: wish 7 of 2026-11-23 10:14:16 UTC"
    assert found[1].startswith("promised: timeline 2 to smdw by sdw1 and sdw2")
    assert concluded("a--").evidence[0].startswith("mdw may have gone on alone since 2026-11-23 10:15:16 UTC")


SILENT: dict[str, tuple[str, str]] = {
    "its host is away": ("ss-", f"sdw3: {AWAY}"),
    "its disk is full": ("ssf", f"sdw3: {FULL}"),
    "it has no record": ("ss0", "sdw3: it has no record"),
    "it has promised another one": ("ssx", "sdw3: it has promised timeline 2 to sby"),
    "it was begun anew": (
        "ss#",
        "sdw3: its record was begun anew, as sdw3#2, and does not know what it had granted before",
    ),
}


@pytest.mark.parametrize(("sorts", "words"), rows(SILENT))
def test_why_a_witness_has_not_promised(sorts: str, words: str) -> None:
    assert concluded(sorts).promises.endswith(f"(2 of 3 witnesses, 2 needed). Not by {words}")


def test_why_a_witness_that_the_inventory_does_not_have_has_not_promised() -> None:
    found = concluded("sss", wish=SYNC._replace(witnesses=(*NAMES, "old", "older")))
    assert found.proven
    assert found.promises.endswith("Not by old: the inventory has no such host; older: the inventory has no such host")


def test_a_witness_whose_host_is_called_otherwise_is_named_with_it() -> None:
    witnesses = {f"new-{name}": Witness(record(name)) for name in NAMES}
    asked, _refusals = promising.ask("smdw", GONE, witnesses, options())
    assert asked is not None
    found = {f"new-{name}": answer(name, "f" if name == "sdw3" else "s") or {} for name in NAMES}
    outcome = promising.conclude(asked, promising.heard(found), witnesses, "mdw", GONE, options())
    assert outcome.proven
    assert outcome.promises.endswith(f"Not by sdw3: {FULL} (host new-sdw3)")


def test_a_clock_that_cannot_be_right_is_not_used() -> None:
    witnesses = looked(*map(record, NAMES))
    asked, _refusals = promising.ask("smdw", GONE, witnesses, options())
    assert asked is not None
    found = {name: {**(answer(name, "a") or {}), "age_seconds": -5.0} for name in NAMES}
    (refusal,) = promising.conclude(asked, promising.heard(found), witnesses, "mdw", GONE, options()).refusals
    assert "since 2026-11-23 10:15:16 UTC (LSN" in refusal.found


def test_what_the_new_master_inherits() -> None:
    found = concluded("ssa")
    assert (found.number, found.lists) == (8, (NAMES,))
