# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a witness grants, promises and takes back, and how its record is read."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import ledger
from ansible_collections.hawq.mirroring.plugins.module_utils.values.ledger import Promise, Record, Wish

SYSTEM, OTHER = "7712689664250374424", "7712689664250374425"
WISH = Wish(7, "synchronous", 2, "0/3017F88", "smdw", 1795428856.0, 1, ("mdw",), ("sdw1", "sdw2", "sdw3"))
PROMISE = Promise(3, "mdw", 1795428860.0, "run 1")
NEW = ledger.start(SYSTEM, "sdw1")
KEPT = NEW._replace(wish=WISH)
PROMISED = KEPT._replace(promised=PROMISE)

#: a record, a wish, and why it is refused; nothing when it is granted
GRANTS: dict[str, tuple[Record, Wish, str]] = {
    "a new witness": (NEW, WISH, ""),
    "the same again": (KEPT, WISH, ""),
    "a higher number": (KEPT, WISH._replace(number=8, kind="alone"), ""),
    "a number far above": (KEPT, WISH._replace(number=1000), ""),
    "a lower number": (KEPT, WISH._replace(number=6), "older-wish"),
    "the same number, other content": (KEPT, WISH._replace(kind="alone"), "other-wish"),
    "the same number at another moment": (KEPT, WISH._replace(at=1.0), "other-wish"),
    "of a run that is overtaken, whatever its number": (KEPT, WISH._replace(number=8, timeline=1), "newer-run"),
    "of the same run by another master": (KEPT, WISH._replace(number=8, master="mdw"), "other-master"),
    "of a newer run with a higher number": (KEPT, WISH._replace(number=8, timeline=3, master="mdw"), ""),
    "of a newer run whose numbers were not raised": (KEPT, WISH._replace(number=1, timeline=3), "older-wish"),
    "after a promise to a newer run": (PROMISED, WISH._replace(number=8), "promised"),
    "the same again after a promise": (PROMISED, WISH, "promised"),
    "of the run that was promised": (PROMISED, WISH._replace(number=8, timeline=3, master="mdw"), ""),
    "of that timeline, by another host": (PROMISED, WISH._replace(number=8, timeline=3), "other-master"),
    "of a run above the promise": (PROMISED, WISH._replace(number=8, timeline=4), ""),
    "longer than a record may be": (
        NEW,
        WISH._replace(witnesses=tuple(f"sdw{each}.{'x' * 90}" for each in range(64))),
        "too-long",
    ),
}


@pytest.mark.parametrize(("record", "wish", "reason"), GRANTS.values(), ids=GRANTS)
def test_a_wish_is_granted_or_refused(record: Record, wish: Wish, reason: str) -> None:
    answer = ledger.grant(record, wish, SYSTEM)
    assert (answer.granted, answer.reason) == (not reason, reason)
    assert answer.record == (None if reason else record._replace(wish=wish))


def test_a_refusal_tells_what_stands_against_it() -> None:
    answer = ledger.grant(PROMISED, WISH, SYSTEM)
    assert (answer.timeline, answer.number, answer.master) == (3, 7, "mdw")


#: a record, timeline, candidate, run; why not, and which run is remembered
PROMISES: dict[str, tuple[Record, int, str, str | None, str, str | None]] = {
    "of a new witness": (NEW, 2, "smdw", "run 1", "", "run 1"),
    "above all": (KEPT, 3, "mdw", "run 1", "", "run 1"),
    "the same again by the same run": (PROMISED, 3, "mdw", "run 1", "", "run 1"),
    "the same again by another run: both rely on it": (PROMISED, 3, "mdw", "run 2", "", None),
    "the same timeline for another": (PROMISED, 3, "tmdw", "run 2", "other-master", None),
    "a lower timeline": (PROMISED, 2, "mdw", "run 2", "promised", None),
    "a higher timeline for another": (PROMISED, 4, "tmdw", "run 2", "", "run 2"),
    "a run of that timeline is granted already": (KEPT, 2, "mdw", "run 1", "other-master", None),
    "that run is the candidate's own": (KEPT, 2, "smdw", "run 1", "", "run 1"),
    "a newer run is granted already": (KEPT, 1, "mdw", "run 1", "newer-run", None),
}


@pytest.mark.parametrize(
    ("record", "timeline", "candidate", "run", "reason", "remembered"), PROMISES.values(), ids=PROMISES
)
def test_a_promise_is_given_or_refused(
    record: Record, timeline: int, candidate: str, run: str, reason: str, remembered: str | None
) -> None:
    answer = ledger.promise(record, timeline, candidate, 5.0, run, SYSTEM)
    assert answer.reason == reason
    if reason:
        assert answer.record is None
        return
    assert answer.record
    assert answer.record.wish == record.wish
    assert answer.record.promised
    assert answer.record.promised[:2] == (timeline, candidate)
    assert answer.record.promised.run == remembered


@pytest.mark.parametrize(
    ("timeline", "candidate", "run", "anyway", "gone"),
    [
        (3, "mdw", "run 1", False, True),
        (3, "mdw", "run 2", False, False),
        (3, "mdw", None, False, False),
        (3, "mdw", None, True, True),
        (3, "smdw", None, True, False),
        (4, "mdw", "run 1", False, False),
    ],
)
def test_only_who_was_promised_takes_it_back(
    timeline: int, candidate: str, run: str | None, anyway: bool, gone: bool
) -> None:
    assert ledger.withdraw(PROMISED, timeline, candidate, run, anyway) == (KEPT if gone else None)


def test_what_two_runs_rely_on_is_taken_back_by_neither() -> None:
    both = ledger.promise(PROMISED, 3, "mdw", 5.0, "run 2", SYSTEM).record
    assert both
    assert [ledger.withdraw(both, 3, "mdw", run) for run in ("run 1", "run 2", None)] == [None, None, None]
    assert ledger.withdraw(KEPT, 3, "mdw", "run 1", anyway=True) is None


def test_another_system_gets_nothing() -> None:
    assert ledger.grant(NEW, WISH, OTHER).reason == "other-system"
    assert ledger.promise(NEW, 9, "mdw", 5.0, None, OTHER).reason == "other-system"


@pytest.mark.parametrize("record", [NEW, KEPT, PROMISED, PROMISED._replace(promised=PROMISE._replace(run=None))])
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert ledger.parse(ledger.render(record)) == (record, None)


def test_what_is_not_known_is_left_alone() -> None:
    text = json.loads(ledger.render(PROMISED))
    text["wish"]["colour"] = text["promised"]["colour"] = text["colour"] = "blue"
    assert ledger.parse(json.dumps(text)) == (PROMISED, None)


def changed(part: str | None, **values: t.Any) -> str:
    found = json.loads(ledger.render(PROMISED))
    (found[part] if part else found).update(values)
    return json.dumps(found)


DAMAGED = {
    "empty": ("", "it is no JSON"),
    "cut off": (ledger.render(PROMISED)[:-9], "it is no JSON"),
    "deep": ("[" * 4000, "it is no JSON"),
    "a list": ("[]", "it is no record"),
    "too long": (changed(None, colour="b" * ledger.LONGEST), "it is too long"),
    "nothing known": ("{}", "name and promised and system and wish cannot be right"),
    "no promise where there was one": (
        json.dumps({"system": SYSTEM, "name": "sdw1", "wish": None}),
        "promised cannot be right",
    ),
    "a wish that is a list": (changed(None, wish=[]), "wish cannot be right"),
    "a system in words": (changed(None, system="ours"), "system cannot be right"),
    "a name that is none": (changed(None, name=""), "name cannot be right"),
    "a number that is a truth": (changed("wish", number=True), "wish.number cannot be right"),
    "number 0": (changed("wish", number=0), "wish.number cannot be right"),
    "a number beyond all": (changed("wish", number=1 << 63), "wish.number cannot be right"),
    "half a number": (changed("wish", number=1.5), "wish.number cannot be right"),
    "a kind that there is not": (changed("wish", kind="perhaps"), "wish.kind cannot be right"),
    "a kind that is a list": (changed("wish", kind=[]), "wish.kind cannot be right"),
    "timeline 0": (changed("promised", timeline=0), "promised.timeline cannot be right"),
    "a timeline beyond all": (changed("promised", timeline=1 << 32), "promised.timeline cannot be right"),
    "an LSN and a line more": (changed("wish", lsn="0/1\n"), "wish.lsn cannot be right"),
    "no moment": (changed("wish", at=float("nan")), "wish.at cannot be right"),
    "an endless moment": (changed("promised", at=float("inf")), "promised.at cannot be right"),
    "a candidate with a colour": (changed("promised", candidate="\x1b[31mmdw"), "promised.candidate cannot be right"),
    "half a letter": (changed("wish", master="\ud800"), "wish.master cannot be right"),
    "a witness twice": (changed("wish", witnesses=["sdw1", "sdw1"]), "wish.witnesses cannot be right"),
    "a standby that is a number": (changed("wish", standbys=[1]), "wish.standbys cannot be right"),
    "a count in words": (changed("wish", count="one"), "wish.count cannot be right"),
    "a run without end": (changed("promised", run="r" * 254), "promised.run cannot be right"),
}


@pytest.mark.parametrize(("written", "damage"), DAMAGED.values(), ids=DAMAGED)
def test_what_does_not_fit_is_told(written: str, damage: str) -> None:
    assert ledger.parse(written) == (None, damage)


@pytest.mark.parametrize(("number", "needed"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_two_majorities_share_a_witness(number: int, needed: int) -> None:
    assert ledger.majority([f"sdw{each}" for each in range(number)]) == needed
    assert ledger.majority(["sdw1", "sdw1"]) == 1


def test_a_wish_that_a_master_tells_is_looked_at() -> None:
    found = json.loads(json.dumps(WISH._asdict()))
    assert ledger.wish_of(found) == WISH
    assert ledger.wish_of({**found, "number": "7"}) is None
    assert ledger.wish_of([]) is None
