# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a witness promises to a failover, on real files: whole or not at all, and on the disk before it is told."""

from __future__ import annotations

import errno
import itertools
import json
import os
import pwd
import resource
import signal
import time
import types
import typing as t
from pathlib import Path

import attacks
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import ledger_file, promises
from ansible_collections.hawq.mirroring.plugins.module_utils.modules import promise as module
from ansible_collections.hawq.mirroring.plugins.module_utils.values import ledger
from cases import rows
from test_ledger_file import System, child, names

place = pytest.fixture(attacks.place)
SYSTEM, OTHER = "7712689664250374424", "7700000000000000001"
WISH = ledger.Wish(7, ledger.SYNCHRONOUS, 1, "0/3000000", "mdw", 1795428856.0, 1, ("smdw",), ("sdw1", "sdw2", "sdw3"))
KNOWN = ledger.Record(SYSTEM, "sdw1", None, WISH)
ASKED = promises.Asked(SYSTEM, 2, "smdw", "run-1")
MINE = ledger.Promise(2, "smdw", 1795428860.0, "run-1")


def promised(**changed: t.Any) -> ledger.Record:
    return KNOWN._replace(promised=MINE._replace(**changed))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "record.json"
    write(path, KNOWN)
    return path


def write(path: Path, record: ledger.Record) -> None:
    path.write_text(ledger.render(record))


def there(path: Path) -> ledger.Record:
    """What is on the disk, which must be whole."""
    record, damage = ledger.parse(path.read_text())
    assert damage is None
    assert record is not None
    return record


def ask(path: Path, act: bool = True, asked: promises.Asked = ASKED) -> dict[str, t.Any]:
    return promises.promise(str(path), asked, act, seconds=1)


def withdraw(path: Path, act: bool = True, anyway: bool = False) -> dict[str, t.Any]:
    return promises.withdraw(str(path), ASKED, act, seconds=1, anyway=anyway)


# what is there, and: kept, changed, whose promise is there then, who has asked for it, why, a part of the words
PROMISES: dict[str, tuple[t.Any, ...]] = {
    "the first": (KNOWN, True, True, (2, "smdw"), "run-1", "", ""),
    "of one that has granted nothing": (KNOWN._replace(wish=None), True, True, (2, "smdw"), "run-1", "", ""),
    "again": (promised(), True, False, (2, "smdw"), "run-1", "", ""),
    "again, by another run": (promised(run="run-0"), True, True, (2, "smdw"), None, "", ""),
    "again, after two runs": (promised(run=None), True, False, (2, "smdw"), None, "", ""),
    "in place of an older one": (promised(timeline=1, candidate="sby"), True, True, (2, "smdw"), "run-1", "", ""),
    "to another one": (
        promised(candidate="sby"),
        False,
        False,
        (2, "sby"),
        "run-1",
        "other-master",
        "it has promised timeline 2 to sby",
    ),
    "a newer one": (
        promised(timeline=3, candidate="sby"),
        False,
        False,
        (3, "sby"),
        "run-1",
        "promised",
        "it has promised timeline 3 to sby",
    ),
    "a newer one to the same": (
        promised(timeline=3),
        False,
        False,
        (3, "smdw"),
        "run-1",
        "promised",
        "it has promised timeline 3 to smdw",
    ),
    "a master has that timeline": (
        KNOWN._replace(wish=WISH._replace(timeline=2)),
        False,
        False,
        None,
        None,
        "other-master",
        "it knows mdw as the master on timeline 2",
    ),
    "a master has a newer one": (
        KNOWN._replace(wish=WISH._replace(timeline=9)),
        False,
        False,
        None,
        None,
        "newer-run",
        "it knows mdw as the master on timeline 9",
    ),
    "it is the master on it already": (
        promised()._replace(wish=WISH._replace(timeline=2, master="smdw")),
        True,
        False,
        (2, "smdw"),
        "run-1",
        "",
        "",
    ),
    "of another system": (
        KNOWN._replace(system=OTHER),
        False,
        False,
        None,
        None,
        "other-system",
        f"its record is of another system ({OTHER})",
    ),
}
COLUMNS = ("before", "kept", "changed", "whose", "run", "why", "words")


def assert_answer(found: dict[str, t.Any], before: ledger.Record, kept: bool, changed: bool, why: str) -> None:
    assert (found["kept"], found["changed"], found["why"]) == (kept, changed, why)
    assert (found["diff"]["before"] != found["diff"]["after"]) is changed
    assert bool(found["words"]) is bool(why)
    assert ledger.parse(json.dumps(found["record"]))[0] == before
    assert found["perhaps"] is False


@pytest.mark.parametrize(COLUMNS, rows(PROMISES))
def test_a_promise(
    path: Path,
    before: ledger.Record,
    kept: bool,
    changed: bool,
    whose: tuple[int, str] | None,
    run: str | None,
    why: str,
    words: str,
) -> None:
    write(path, before)
    text = path.read_text()
    shown = ask(path, act=False)
    assert path.read_text() == text
    assert names(path) == ["record.json"]
    assert_answer(shown, before, kept, changed, why)
    found = ask(path)
    assert_answer(found, before, kept, changed, why)
    assert words in found["words"]
    assert {**shown, "age_seconds": 0} == {**found, "age_seconds": 0}
    had = there(path).promised
    assert (had and (had.timeline, had.candidate)) == whose
    assert (had.run if had else None) == run
    assert there(path)._replace(promised=None) == before._replace(promised=None)
    again = ask(path)
    assert (again["kept"], again["changed"]) == (kept, False)


# what is there, whether the operator says so, and: kept, changed, why
WITHDRAWALS: dict[str, tuple[t.Any, ...]] = {
    "mine": (promised(), False, False, True, ""),
    "not there": (KNOWN, False, False, False, ""),
    "of another timeline": (promised(timeline=3), False, False, False, ""),
    "to another one": (promised(candidate="sby"), False, False, False, ""),
    "another run relies on it": (promised(run="run-0"), False, True, False, "other-run"),
    "several runs rely on it": (promised(run=None), False, True, False, "other-run"),
    "another run relied on it, as the operator knows": (promised(run="run-0"), True, False, True, ""),
    "several runs relied on it, as the operator knows": (promised(run=None), True, False, True, ""),
    "to another one, whatever the operator says": (promised(candidate="sby"), True, False, False, ""),
    "of another system": (promised()._replace(system=OTHER), True, False, False, "other-system"),
}


@pytest.mark.parametrize(("before", "anyway", "kept", "changed", "why"), rows(WITHDRAWALS))
def test_a_withdrawal(path: Path, before: ledger.Record, anyway: bool, kept: bool, changed: bool, why: str) -> None:
    write(path, before)
    shown = withdraw(path, act=False, anyway=anyway)
    assert there(path) == before
    found = withdraw(path, anyway=anyway)
    for each in (shown, found):
        assert_answer(each, before, kept, changed, why)
    assert there(path) == (before._replace(promised=None) if changed else before)
    assert withdraw(path, anyway=anyway)["changed"] is False


def test_how_old_its_wish_is_by_its_own_clock(path: Path) -> None:
    assert ask(path)["age_seconds"] == pytest.approx(time.time() - WISH.at, abs=5)
    write(path, KNOWN._replace(wish=None))
    assert ask(path)["age_seconds"] is None


def test_one_without_a_record_promises_nothing_and_begins_none(tmp_path: Path) -> None:
    """It may have been a witness, and have forgotten what it has granted."""
    for path in (tmp_path / "record.json", tmp_path / "no" / "record.json"):
        for act in (False, True):
            found = ask(path, act)
            assert (found["kept"], found["why"], found["record"]) == (False, "no-record", None)
            assert found["words"] == f"it has no record ({path})"
            assert withdraw(path, act)["why"] == "no-record"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{}", "x", '{"system": "1", "name": "sdw1", "wish": null}'])
def test_a_damaged_record_is_left_as_it_is(path: Path, text: str) -> None:
    path.write_text(text)
    found = ask(path)
    assert (found["kept"], found["why"], found["record"]) == (False, "damaged", None)
    assert found["words"].startswith(f"its record is damaged and not believed ({path}: ")
    assert path.read_text() == text


def killed(path: Path, last: int, after: bool) -> tuple[int, bytes]:
    """Let the module be killed at that call, and return how it ended and what it had answered."""
    ours, its = os.pipe()

    def answer() -> None:
        ledger_file.os = System(last, after)  # type: ignore[attr-defined]
        if ask(path)["kept"]:
            os.write(its, b"kept")

    ended = child(answer)
    os.close(its)
    with os.fdopen(ours, "rb") as file:
        return ended, file.read()


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_step(path: Path, after: bool) -> None:
    """There is the whole promise or none, what was answered is there, and the next run takes it up."""
    found = set()
    for last in itertools.count(1):
        write(path, KNOWN)
        ended, answered = killed(path, last, after)
        had = there(path).promised
        assert there(path)._replace(promised=None) == KNOWN
        assert had or not answered
        found.add(bool(had))
        assert ask(path)["kept"]
        assert names(path) == ["record.json", "record.json.lock"]
        if ended == 0:
            assert answered == b"kept"
            break
        assert ended == -signal.SIGKILL
    assert last > 12
    assert found == {False, True}


def test_one_that_is_there_already_is_made_safe_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wrote it may have been killed, or the host have lost its power, before its name was on the disk."""
    write(path, promised())
    system = System()
    monkeypatch.setattr(ledger_file, "os", system)
    assert ask(path)["changed"] is False
    told = [name for name in system.calls if name in ("write", "fsync", "replace")]
    assert [name for name, _same in itertools.groupby(told)] == ["write", "fsync", "replace", "fsync"]


def test_no_room_for_it(path: Path) -> None:
    def answer() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        found = ask(path)
        fits = not found["kept"] and not found["perhaps"] and found["why"] == "disk"
        os._exit(7 if fits and found["words"].startswith("its disk refuses (File too large") else 1)

    assert child(answer) == 7
    assert there(path) == KNOWN
    assert names(path) == ["record.json", "record.json.lock"]


@pytest.mark.parametrize(("number", "perhaps"), [(1, False), (2, True)])
def test_a_disk_that_does_not_make_it_safe(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int, perhaps: bool
) -> None:
    """That of the name comes last: the promise is seen, and does not count."""
    left = [number]

    def fsync(descriptor: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise OSError(errno.EIO, "Input/output error")
        os.fsync(descriptor)

    system = System()
    system.fsync = fsync  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(ledger_file, "os", system)
        found = ask(path)
    assert (found["kept"], found["perhaps"], found["why"]) == (False, perhaps, "disk")
    assert found["words"] == "its disk refuses (Input/output error)"
    assert bool(there(path).promised) is perhaps
    assert withdraw(path)["changed"] is perhaps
    assert there(path) == KNOWN


def test_somebody_has_the_record(path: Path) -> None:
    with ledger_file.locked(str(path)):
        found = ask(path)
        assert (found["kept"], found["why"]) == (False, "busy")
        assert found["words"] == f"another process has held the record for 1 s ({path}.lock)"
        assert ask(path, act=False)["kept"]  # a look does not wait for it
    assert ask(path)["kept"]


def test_nothing_is_granted_to_the_old_master_after_the_promise(path: Path) -> None:
    """The program of the witness grants as fast as it can meanwhile, by the same lock."""
    ours, its = os.pipe()

    def grant() -> None:
        for number in itertools.count(8):
            with ledger_file.locked(str(path)):
                record = there(path)
                answer = ledger.grant(record, WISH._replace(number=number, kind=ledger.ALONE), SYSTEM)
                if answer.record is None:
                    os.write(its, answer.reason.encode())
                    os._exit(3)
                ledger_file.keep(str(path), ledger.render(answer.record))
                os.write(its, b".")

    process = os.fork()
    if process == 0:
        try:
            grant()
        finally:
            os._exit(1)
    os.close(its)
    with os.fdopen(ours, "rb", 0) as file:
        assert [file.read(1) for _each in range(3)] == [b"."] * 3
        found = promises.promise(str(path), ASKED, True, seconds=20)
        last = ledger.parse(json.dumps(found["record"]))[0]
        assert found["kept"]
        assert file.readall().lstrip(b".") == b"promised"
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 3
    assert last is not None
    assert last.wish is not None
    assert last.wish.number > 8
    # what it told is the last that was granted, and neither has forgotten the other
    assert there(path).wish == last.wish
    assert there(path).promised is not None


def test_two_failovers_at_once(path: Path) -> None:
    """One of them has it, and the other one hears whose it is."""
    ours, its = os.pipe()
    processes = []
    for name in ("smdw", "sby"):
        process = os.fork()
        if process == 0:
            try:
                found = promises.promise(str(path), ASKED._replace(candidate=name, run=name), True, seconds=20)
                os.write(its, json.dumps([name, found["kept"], found["words"]]).encode() + b"\n")
            finally:
                os._exit(0)
        processes.append(process)
    os.close(its)
    with os.fdopen(ours) as file:
        told = sorted((json.loads(line) for line in file), key=lambda row: row[1])
    for process in processes:
        os.waitpid(process, 0)
    (loser, no, words), (winner, yes, _none) = told
    assert (no, yes) == (False, True)
    assert words == f"it has promised timeline 2 to {winner}"
    assert there(path).promised is not None
    assert loser != winner


def test_the_users_file_is_kept_by_the_user(place: attacks.Place) -> None:
    """And leads root nowhere."""
    path = place.home / "record.json"
    place.write(path, ledger.render(KNOWN), 0o600)
    assert place.run(lambda: ask(path))["kept"]
    assert path.stat().st_uid == pwd.getpwnam(attacks.USER).pw_uid
    assert there(path).promised is not None
    path.unlink()
    path.symlink_to(place.secret)
    found = place.run(lambda: ask(path))
    assert (found["kept"], found["why"]) == (False, "disk")
    assert place.is_untouched()


@pytest.mark.parametrize("check", [False, True])
def test_the_module(path: Path, check: bool) -> None:
    options = {
        "path": str(path),
        "state": "promised",
        "system": SYSTEM,
        "timeline": 2,
        "candidate": "smdw",
        "run": "run-1",
        "anyway": False,
        "timeout": 1,
    }

    def run(**changed: t.Any) -> dict[str, t.Any]:
        return module.main(types.SimpleNamespace(params={**options, **changed}, check_mode=check))

    assert run()["kept"]
    assert bool(there(path).promised) is not check
    write(path, promised(run="run-0"))
    assert run(state="withdrawn")["why"] == "other-run"
    assert run(state="withdrawn", anyway=True)["changed"]
    assert bool(there(path).promised) is check


def test_a_record_has_one_length_at_most() -> None:
    """Said in two files, since neither needs the other on a witness."""
    assert ledger_file.LONGEST == ledger.LONGEST
