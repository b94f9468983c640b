# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A failover of a pair whose commits wait: judged before its witnesses are asked, and again by what they have told."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import promised, promising
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Refusal
from ansible_collections.hawq.mirroring.plugins.module_utils.values import ledger
from cases import Hosts, Options, failover, rows
from observations import CLOSED, FOREIGN, OWN, change, crashed, empty, mirrored, standby, unreachable

AT = 1795428856.0
NAMES = ("sdw1", "sdw2", "sdw3")
SYNC = ledger.Wish(7, ledger.SYNCHRONOUS, 1, "0/3000000", "mdw", AT, 1, ("smdw",), NAMES)
ALONE = SYNC._replace(number=8, kind=ledger.ALONE, count=0, standbys=())
EITHER = SYNC._replace(standbys=("sby", "smdw"))
GUARD = {
    "mode": "synchronous",
    "degrade_after": 5.0,
    "count": 1,
    "witnesses": list(NAMES),
    "active": True,
    "enabled": True,
    "files": {"/etc/systemd/system/hawq-mirroring-guard-hawq-master.service": "digest"},
    "unit": "hawq-mirroring-guard-hawq-master.service",
    "says": "",
}
DOWN, LOSS, CHECK = {"master_is_down": True}, {"accept_data_loss": True}, {"check": True}
GONE: Hosts = {"mdw": unreachable(), "smdw": standby("smdw", {**CLOSED, "guard": GUARD})}
CRASHED: Hosts = {"mdw": crashed({"guard": GUARD}), "smdw": standby("smdw", {**CLOSED, "guard": GUARD})}
ASYNCHRONOUS: Hosts = {
    "mdw": unreachable(),
    "smdw": standby("smdw", {**CLOSED, "guard": {**GUARD, "mode": "asynchronous"}}),
}


def record(name: str, wish: ledger.Wish | None = SYNC, promise: tuple[int, str] | None = None) -> dict[str, t.Any]:
    promised_ = ledger.Promise(*promise, AT, "run-0") if promise else None
    return json.loads(ledger.render(ledger.Record(OWN, name, promised_, wish)))


def witnesses(sorts: str, wish: ledger.Wish = SYNC) -> Hosts:
    """Segments with records: s has the wish, a one to go on alone, x has promised another host, 0 none, - is silent.

    Of o the program does not run.
    """
    found = {}
    for name, sort in zip(NAMES, sorts):
        seen = empty("sdw1", CLOSED)
        told = {
            "s": record(name, wish),
            "a": record(name, ALONE),
            "x": record(name, wish, (9, "lost")),
            "o": record(name, wish),
            "f": {**record(name, wish), "system": FOREIGN},
        }.get(sort)
        if sort != "0":
            why, unit = None if told else "its record is damaged", "hawq-mirroring-witness-hawq-master.service"
            shown = {"record": told, "why": why, "stopped": unit if sort == "o" else None}
            seen = change(seen, {"ledger": shown})
        found[name] = unreachable() if sort == "-" else seen
    return found


def judged(hosts: Hosts, sorts: str, wish: ledger.Wish = SYNC, **given: t.Any) -> t.Any:
    options: Options = {**given, "witnesses": witnesses(sorts, wish)}
    return failover(hosts, options)


# hosts, the three records, options: the kinds of refusals at once, who is asked, the kinds that wait
BEFORE: dict[str, tuple[Hosts, str, Options, list[str], list[str], list[str]]] = {
    "host gone": (GONE, "sss", {}, [], ["sdw1", "sdw2", "sdw3"], ["not-proven-dead"]),
    "host gone, and one says so": (GONE, "sss", DOWN, [], ["sdw1", "sdw2", "sdw3"], []),
    "one witness gone": (GONE, "ss-", {}, [], ["sdw1", "sdw2"], ["not-proven-dead"]),
    "one without a record": (GONE, "s0s", {}, [], ["sdw1", "sdw3"], ["not-proven-dead"]),
    "one of another system": (GONE, "sfs", {}, [], ["sdw1", "sdw3"], ["not-proven-dead"]),
    "one damaged": (GONE, "sds", {}, [], ["sdw1", "sdw3"], ["not-proven-dead"]),
    "no witness": (GONE, "000", {}, ["not-proven-dead"], [], []),
    "no witness answers": (GONE, "---", {}, ["not-proven-dead"], [], []),
    "its server only": (CRASHED, "sss", {}, [], ["sdw1", "sdw2", "sdw3"], []),
    "commits wait for nobody on purpose": (ASYNCHRONOUS, "aaa", {}, ["not-proven-dead"], [], []),
}


@pytest.mark.parametrize(("hosts", "sorts", "given", "kinds", "asked", "waiting"), rows(BEFORE))
def test_what_is_judged_before_anybody_promises(
    hosts: Hosts, sorts: str, given: Options, kinds: list[str], asked: list[str], waiting: list[str]
) -> None:
    plan, refusals = judged(hosts, sorts, **given)
    assert [each.kind for each in refusals] == kinds
    if kinds:
        return
    assert plan["steps"]["promise"] == asked
    assert [row["kind"] for row in plan["promise"]["waiting"]] == waiting
    assert plan["promise"]["outcome"] is None
    assert plan["held"] is True


def test_what_no_promise_can_lift_refuses_before_anybody_promises() -> None:
    answering = change(standby("smdw", {"guard": GUARD}), {"probes.mdw.open": True, "probes.mdw.answers": True})
    refusals = judged({"mdw": unreachable(), "smdw": answering}, "sss").refusals
    assert "master-alive" in [each.kind for each in refusals]


def test_without_witnesses_a_plan_is_what_it_was() -> None:
    hosts: Hosts = {"mdw": crashed(), "smdw": standby("smdw", CLOSED)}
    plan = failover(hosts, {}).plan
    assert (plan["promise"], plan["held"], plan["inherited"]) == (None, False, None)
    assert plan["steps"]["promise"] == plan["steps"]["commits"] == []


# what the witnesses have on disk, options: refusals in a check, whether it is proven, what the report says of a loss
CHECKS: dict[str, tuple[str, ledger.Wish, Options, list[str], bool, str]] = {
    "never alone": ("sss", SYNC, {}, [], True, "none: commits on mdw waited for smdw"),
    "never alone, one is silent": ("ss-", SYNC, {}, [], True, "none: commits on mdw waited for smdw"),
    "alone": ("aas", SYNC, {}, ["not-proven-dead", "gone-alone"], False, ""),
    "alone, and off": ("aas", SYNC, DOWN, ["gone-alone"], False, ""),
    "alone, off, and the loss is accepted": ("aas", SYNC, {**DOWN, **LOSS}, [], False, "accepted by the operator: mdw"),
    "no majority": ("s--", SYNC, {}, ["not-proven-dead"], False, ""),
    "no majority, and off": ("s--", SYNC, DOWN, [], False, ""),
    "promised to somebody who is gone": ("sxs", SYNC, {}, [], True, "none: commits on mdw waited for smdw"),
    "of several, and it may confirm with the other one": (
        "sss",
        EITHER,
        {},
        ["not-proven-dead", "not-compared"],
        False,
        "",
    ),
}


@pytest.mark.parametrize(("sorts", "wish", "given", "kinds", "proven", "lost"), rows(CHECKS))
def test_a_check_judges_by_what_the_records_say_now(
    sorts: str, wish: ledger.Wish, given: Options, kinds: list[str], proven: bool, lost: str
) -> None:
    plan, refusals = judged(GONE, sorts, wish, **CHECK, **given)
    assert [each.kind for each in refusals] == kinds
    if kinds:
        return
    outcome = promised.outcome_of(plan)
    assert outcome
    assert (outcome.proven, plan["steps"]["promise"]) == (proven, [])
    assert outcome.lost.startswith(lost)
    assert bool(outcome.lost) is bool(lost)


def answers(sorts: str) -> dict[str, promising.Answer]:
    """What the module tells: s and a have promised, f could not."""
    given = {
        name: {
            "kept": sort in "sa",
            "perhaps": False,
            "why": "" if sort in "sa" else "disk",
            "words": "" if sort in "sa" else "its disk refuses (No space left on device)",
            "record": record(name, ALONE if sort == "a" else SYNC),
            "age_seconds": 3.0,
        }
        for name, sort in zip(NAMES, sorts)
        if sort != "-"
    }
    return promising.heard(given)


# what they have told: the refusals, and from whom promises are taken back then
MIDDLE: dict[str, tuple[str, Options, list[str], list[str]]] = {
    "all": ("sss", {}, [], []),
    "a majority": ("ssf", {}, [], []),
    "no majority": ("sff", {}, ["not-proven-dead"], ["sdw1"]),
    "no majority, and one does not answer any more": ("sf-", {}, ["not-proven-dead"], ["sdw1", "sdw3"]),
    "alone meanwhile": ("aas", {}, ["not-proven-dead", "gone-alone"], ["sdw1", "sdw2", "sdw3"]),
    "no majority, and off": ("sff", DOWN, [], []),
}


@pytest.mark.parametrize(("sorts", "given", "kinds", "withdraw"), rows(MIDDLE))
def test_what_they_have_told_decides(sorts: str, given: Options, kinds: list[str], withdraw: list[str]) -> None:
    before = judged(GONE, "sss", **given).plan
    before = json.loads(json.dumps(before))  # a plan goes through Ansible's variables
    options: Options = {"standby_host": None, "accept_data_loss": False, "ignore_witness": [], **given}
    known = promised.records(witnesses("sss"))
    verdict, back = promised.concluded(before, answers(sorts), known, GONE, options)
    assert ([each.kind for each in verdict.refusals], back) == (kinds, withdraw)
    for each in verdict.refusals:
        assert isinstance(each, Refusal)
        assert each.command
    if kinds:
        return
    plan = verdict.plan
    assert plan["inherited"] == {"timeline": 2, "number": 7, "witnesses": [list(NAMES)], "skipped": []}
    assert plan["promise"]["waiting"] == []
    assert len(plan["evidence"]) > len(before["evidence"])
    json.dumps(plan)


def test_a_promise_to_another_host_is_passed_over() -> None:
    plan = judged(GONE, "sxs", **CHECK).plan
    assert plan["inherited"] == {"timeline": 10, "number": 7, "witnesses": [list(NAMES)], "skipped": list(range(2, 10))}


def test_a_witness_that_the_operator_does_not_believe_proves_nothing() -> None:
    refusals = judged(GONE, "ss-", **CHECK, ignore_witness=["sdw2"]).refusals
    assert [each.kind for each in refusals] == ["not-proven-dead"]
    assert "sdw2" in refusals[0].command


def test_a_swap_on_purpose_asks_for_no_promise_and_passes_over_those_that_are_there() -> None:
    hosts: Hosts = {"mdw": mirrored("mdw", {"guard": GUARD}), "smdw": standby("smdw", {"guard": GUARD})}
    found = promised.planned("smdw", hosts, t.cast(t.Any, {"witnesses": witnesses("sxs")}))
    assert found.held
    assert found.refusals == []
    assert found.inherited == {"timeline": 10, "number": 7, "witnesses": [list(NAMES)], "skipped": list(range(2, 10))}
    away: Hosts = {**hosts, "smdw": unreachable()}
    assert promised.planned("smdw", away, t.cast(t.Any, {"witnesses": witnesses("sss")})) == (False, None, [])
    bare: Hosts = {"mdw": mirrored("mdw"), "smdw": standby("smdw")}
    assert promised.planned("smdw", bare, t.cast(t.Any, {"witnesses": {}})) == (False, None, [])


def test_a_swap_on_purpose_needs_witnesses_that_let_the_new_master_commit() -> None:
    hosts: Hosts = {"mdw": mirrored("mdw", {"guard": GUARD}), "smdw": standby("smdw", {"guard": GUARD})}
    (refusal,) = promised.planned("smdw", hosts, t.cast(t.Any, {"witnesses": witnesses("s--")})).refusals
    assert refusal.kind == "witnesses-missing"
    assert refusal.found.startswith("1 of 3 witnesses could let a new master commit, and 2 are needed (sdw2 and sdw3")
    assert refusal.command.startswith("Bring sdw2 and sdw3 up")
    assert promised.planned("smdw", hosts, t.cast(t.Any, {"witnesses": {}})).refusals == []
