# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is made on a master for its standby, what is taken away again, and what is neither ours nor touched."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    rewind_source,
    server_info,
    source,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import scram
from sessions import Answers, Cursor, given, instance_in

ROLE, SLOT = "hawq_mirroring", "hawq_mirroring_smdw"
OURS = {"may_replicate": True, "ours": True, "rolpassword": scram.verifier("secret")}
FREE = {"slot_type": "physical", "active": False, "active_pid": None, "wal_status": "reserved"}


def master(
    roles: tuple[dict[str, t.Any], ...] = (OURS,),
    standbys: tuple[str, ...] = ("smdw",),
    slots: tuple[dict[str, t.Any], ...] = (FREE,),
) -> Answers:
    """What a master answers that is a source for smdw already, unless said otherwise."""
    return {
        source.SLOT: list(slots),
        source.STALE_HBA: [{"stale": False}],
        source.OTHERS_NEED_ROLE: [{"there": False}],
        server_info.STANDBYS: [{"name": name} for name in standbys],
        server_info.MASTER_NAME: [{"name": "mdw"}],
        "role": list(roles),
    }


def make(
    monkeypatch: pytest.MonkeyPatch,
    place: Path,
    answers: Answers,
    act: bool = True,
    by: str | None = None,
    kept_wal: int | None = None,
) -> tuple[t.Any, Cursor]:
    cursor, passfile = given(monkeypatch, answers), place / ".pgpass"
    monkeypatch.setattr(server_info, "replication_role", lambda cursor, role: answers["role"])
    passfile.write_text(f"mdw:5432:replication:{ROLE}:secret\n")
    done = source.present(
        instance_in(place),
        act,
        role=ROLE,
        passfile=str(passfile),
        master="mdw",
        standby="smdw",
        others=[],
        slot=SLOT,
        kept_wal=kept_wal,
        by=by,
    )
    return done, cursor


def take_away(
    monkeypatch: pytest.MonkeyPatch,
    place: Path,
    answers: Answers,
    act: bool = True,
    spare: bool = False,
    by: str | None = None,
) -> tuple[t.Any, Cursor]:
    cursor = given(monkeypatch, answers)
    monkeypatch.setattr(server_info, "replication_role", lambda cursor, role: answers["role"])
    created = ["role", "registration", "slot"]
    done = source.absent(
        instance_in(place),
        act,
        role=ROLE,
        master="mdw",
        standby="smdw",
        slot=SLOT,
        created=created,
        spare=spare,
        by=by,
    )
    return done, cursor


def test_nothing_is_changed_where_all_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done, cursor = make(monkeypatch, tmp_path, master())
    assert (done["changed"], done["created"], done["slot_made"]) == (False, [], False)
    assert cursor.told == []


@pytest.mark.parametrize("act", [True, False])
def test_what_is_missing_is_made_and_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, act: bool) -> None:
    done, cursor = make(monkeypatch, tmp_path, master((), (), ()), act)
    assert done["created"] == ["role", "registration", "slot"]
    assert (done["changed"], done["slot_made"]) == (True, True)
    assert (len(cursor.told) > 1) == act
    assert any(line.startswith(f'CREATE ROLE "{ROLE}"') for line in cursor.told) == act


def test_no_password_is_sent_in_clear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done, cursor = make(monkeypatch, tmp_path, master(()))
    assert "secret" not in str((done, cursor.told))
    assert "SCRAM-SHA-256$" in str(cursor.told)


def test_a_role_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    theirs = {**OURS, "ours": False, "rolpassword": scram.verifier("other")}
    with pytest.raises(MirroringError, match="that this collection did not make"):
        make(monkeypatch, tmp_path, master((theirs,)))


def test_a_slot_that_has_lost_its_wal_is_made_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done, cursor = make(monkeypatch, tmp_path, master(slots=({**FREE, "wal_status": "lost"},)))
    assert (done["changed"], done["created"], done["slot_made"]) == (True, [], True)
    assert [line.split("(")[0] for line in cursor.told] == [
        "SELECT pg_drop_replication_slot",
        "SELECT pg_create_physical_replication_slot",
    ]


@pytest.mark.parametrize("act", [True, False])
def test_what_was_made_is_taken_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, act: bool) -> None:
    done, cursor = take_away(monkeypatch, tmp_path, master(), act)
    assert done["removed"] == ["slot", "registration", "role"]
    assert (done["goes_on"], done["slot_lost"], done["role_stays"]) == (False, False, "")
    assert (f'DROP ROLE "{ROLE}"' in cursor.told) == act


def test_what_is_not_there_is_not_taken_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done, _cursor = take_away(monkeypatch, tmp_path, master((), (), ()))
    assert (done["changed"], done["removed"]) == (False, [])


def test_a_role_of_somebody_else_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done, cursor = take_away(monkeypatch, tmp_path, master(({**OURS, "ours": False},)))
    assert (done["removed"], done["role_stays"]) == (["slot", "registration"], "it was not made by this collection")
    assert not any(line.startswith("DROP ROLE") for line in cursor.told)


def test_a_snapshot_whose_host_answers_is_spared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    times = iter([1, 2])
    alive: Answers = {**master(), source.REPLIED: lambda: [{"at": next(times)}]}
    done, cursor = take_away(monkeypatch, tmp_path, alive, spare=True)
    assert (done["goes_on"], done["changed"], done["removed"]) == (True, False, [])
    assert cursor.told == []
    done, _cursor = take_away(monkeypatch, tmp_path, {**master(), source.REPLIED: [{"at": None}]}, spare=True)
    assert (done["goes_on"], done["changed"]) == (False, True)


MINE, ANOTHER = "init_standby-20261127T074408Z-3f9a", "resync_standby-20261127T074500Z-0001"
#: who was noted last, who streams through the slot, and who it is that keeps this run from taking back what it made
USERS: dict[str, tuple[str | None, list[str], str]] = {
    "nobody": (None, [], ""),
    "this run": (MINE, [], ""),
    "another run": (ANOTHER, [], f"the run {ANOTHER}"),
    "a standby that another run has started": (MINE, ["smdw"], "smdw, which streams"),
}


@pytest.mark.parametrize(("noted", "streams", "words"), USERS.values(), ids=USERS)
def test_what_another_run_relies_on_by_now_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, noted: str | None, streams: list[str], words: str
) -> None:
    answers = {
        **master(),
        server_info.RUN: [{"run": noted}] if noted else [],
        source.STREAMS: [{"name": name} for name in streams],
    }
    done, cursor = take_away(monkeypatch, tmp_path, answers, by=MINE)
    assert (done["used_by"], done["goes_on"], done["changed"]) == (words, bool(words), not words)
    assert (cursor.told == []) == bool(words)
    # a removal is no run that takes back its own
    done, _cursor = take_away(monkeypatch, tmp_path, answers)
    assert done["removed"] == ["slot", "registration", "role"]


def test_a_run_that_relies_on_it_is_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done, cursor = make(monkeypatch, tmp_path, master(), by=MINE)
    assert not done["changed"]
    assert cursor.told == [f'ALTER ROLE "{ROLE}" SET "hawq_mirroring.run" = {MINE}']
    _done, cursor = make(monkeypatch, tmp_path, master(), act=False, by=MINE)
    assert cursor.told == []


@pytest.mark.parametrize(("by", "goes"), [(MINE, False), (ANOTHER, True), (None, True)])
def test_a_rewinds_role_is_dropped_by_its_run_or_by_whoever_finds_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by: str | None, goes: bool
) -> None:
    (tmp_path / "pg_hba.conf").touch()
    timelines = [{"last": 2, "now": 2, "hba_file": str(tmp_path / "pg_hba.conf")}]
    answers: Answers = {
        rewind_source.TIMELINES: timelines,
        rewind_source.ROLE: [{"ours": True}],
        server_info.RUN: [{"run": ANOTHER}],
    }
    cursor = given(monkeypatch, answers)
    done = rewind_source.absent(instance_in(tmp_path), True, role="hawq_mirroring_rewind", by=by)
    assert done["changed"] is goes
    assert ('DROP ROLE "hawq_mirroring_rewind"' in cursor.told) is goes
