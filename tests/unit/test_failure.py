# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run that has failed says: why, and what goes on."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import failure
from ansible_collections.hawq.mirroring.plugins.module_utils.values import command

DISK = {"smdw": "the copy failed: No space left on device"}
TAKEN_BACK = "What this run had made is taken back: run this again when that is mended."
PAIR = {"engine": "postgresql", "pair": ["smdw", "mdw"], "answered": ["smdw", "mdw"]}
FAILURES: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "taken back": (
        {"causes": DISK, "undone": {"smdw": {"goes_on": False}, "mdw": {"changed": True}}},
        ["smdw: the copy failed: No space left on device.", TAKEN_BACK],
    ),
    "copy goes on": (
        {"answered": ["mdw"], "causes": {}, "undone": {"smdw": {}, "mdw": {"goes_on": True}}},
        ["smdw does not answer by SSH any more.", "The snapshot goes on by itself, nothing was taken back"],
    ),
    "verified copy waits": (
        {"causes": {"mdw": "no"}, "undone": {"smdw": {"goes_on": True, "phase": "done"}, "mdw": {}}},
        ["The verified copy waits, nothing was taken back: run this again"],
    ),
    "another run relies on it": (
        {"causes": DISK, "undone": {"smdw": {"goes_on": False}, "mdw": {"goes_on": True, "used_by": "the run init-1"}}},
        ["The run init-1 relies on what this run had made on the master, so it was left as it is."],
    ),
    "another run relies on it, and the copy could not be taken back": (
        {"causes": DISK, "undone": {"smdw": {"msg": "busy."}, "mdw": {"goes_on": True, "used_by": "the run init-1"}}},
        ["so it was left as it is. What this run had made is still there on smdw (busy)."],
    ),
    "host lost": (
        {"answered": ["mdw"], "causes": {}, "undone": {"smdw": {}, "mdw": {"changed": True}}},
        ["What this run had made is still there on smdw: run this again when that is mended"],
    ),
    "undoing failed, too": (
        {"causes": DISK, "undone": {"smdw": {"goes_on": False}, "mdw": {"msg": "no session."}}},
        ["What this run had made is still there on mdw (no session)"],
    ),
    "slot lost": (
        {"causes": DISK, "undone": {"smdw": {"goes_on": False}, "mdw": {"slot_lost": True}}},
        [
            "The master had to drop WAL that the copy still needed",
            "ALTER SYSTEM SET max_slot_wal_keep_size",
            TAKEN_BACK,
        ],
    ),
}


@pytest.mark.parametrize(("found", "sentences"), FAILURES.values(), ids=FAILURES)
def test_failure_says_why_and_what_goes_on(found: dict[str, t.Any], sentences: list[str]) -> None:
    text = " ".join(failure.sentences({**PAIR, **found}))
    assert [words for words in sentences if words not in text] == []
    assert ("is taken back: run" in text) == any(words is TAKEN_BACK for words in sentences)


def test_a_takeover_that_ended_after_the_fence_says_so() -> None:
    plan = {"workflow": "failover", "old": "mdw", "new": "smdw"}
    assert failure.silent(["smdw"]) == ["smdw does not answer by SSH any more."]
    (sentence,) = failure.fenced(plan, {"reason": "smdw took over as master"}, False)
    assert sentence.startswith("mdw is fenced")
    assert sentence.endswith("Nobody was activated.")
    assert failure.fenced(plan, {"reason": "smdw took over as master"}, True) == []
    assert failure.fenced(plan, None, False) == []
    assert failure.fenced({**plan, "workflow": "switchover"}, {"reason": "x"}, False) == []


def test_the_same_is_not_to_be_typed_again_where_another_run_works() -> None:
    typed = command.Typed(playbook="hawq.mirroring.init_standby")
    relied, waits = {"mdw": {"goes_on": True, "used_by": "the run init-1"}}, {"smdw": {"goes_on": True}, "mdw": {}}
    with command.inventory_in_use((), typed=typed):
        assert failure.after_taking_back({}, relied) == ["look how far that is: ansible-playbook hawq.mirroring.state"]
        assert failure.after_taking_back({}, waits) == [
            "type the same again, which goes on from there: ansible-playbook hawq.mirroring.init_standby"
        ]
        (again,) = failure.after_taking_back({}, {"smdw": {"changed": True}, "mdw": {}})
    assert again == "when that is mended, type the same again: ansible-playbook hawq.mirroring.init_standby"


def test_what_goes_on_after_a_failure() -> None:
    assert failure.follow({"advice": "take the next way"}, again=False) == ["take the next way"]
    assert failure.follow({}, again=True) == ["when that is mended, type the same again"]
    text = failure.text("failover", ["mdw is fenced."], ["type the same again"])
    assert text.splitlines() == ["failover failed.", "  Why: mdw is fenced.", "  Next: type the same again"]
