# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role of the segments: made, repaired, and alone with its one right."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, segment_role
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import scram
from sessions import given, instance_in

ROLE = "hawq_mirroring_segment"
GRANT = f'GRANT EXECUTE ON FUNCTION {segment_role.REGISTER} TO "{ROLE}"'


def row(**changed: t.Any) -> list[dict[str, t.Any]]:
    return [{"rolpassword": scram.verifier("secret"), "ours": True, "fits": True, **changed}]


def names(*found: str) -> list[dict[str, t.Any]]:
    return [{"name": name} for name in found]


CASES: dict[str, tuple[list[dict[str, t.Any]], list[dict[str, t.Any]], list[str], list[str]]] = {
    "in order": (row(), names(ROLE), [], []),
    "none yet": ([], [], ["role", "right to register"], ["CREATE ROLE", "COMMENT ON ROLE", GRANT]),
    "another password": (row(rolpassword="x"), names(ROLE), ["role"], ["ALTER ROLE", "COMMENT ON ROLE"]),
    "may replicate": (row(fits=False), names(ROLE), ["role"], ["ALTER ROLE", "COMMENT ON ROLE"]),
    "as version 1.0 has left it": (
        row(),
        names("hawq_mirroring"),
        ["no right of hawq_mirroring", "right to register"],
        [f'REVOKE EXECUTE ON FUNCTION {segment_role.REGISTER} FROM "hawq_mirroring"', GRANT],
    ),
    "everybody may register": (
        row(),
        names("", ROLE),
        ["no right of everybody"],
        [f"REVOKE EXECUTE ON FUNCTION {segment_role.REGISTER} FROM PUBLIC"],
    ),
}


@pytest.fixture
def passfile(tmp_path: Path) -> str:
    path = tmp_path / "passfile"
    path.write_text(f"mdw:5432:replication:hawq_mirroring:other\nmdw:5432:postgres:{ROLE}:secret\n")
    return str(path)


@pytest.mark.parametrize(("found", "may", "done", "told"), CASES.values(), ids=CASES)
def test_the_role_is_as_it_should_be(
    found: t.Any,
    may: t.Any,
    done: list[str],
    told: list[str],
    passfile: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = {segment_role.ROLE: found, segment_role.GRANTEES: may, segment_role.WAY_IN: [{"open": True}]}
    answers[segment_role.BEARS_WITNESS] = [{"may": True}]
    cursor = given(monkeypatch, answers)
    seen = segment_role.present(instance_in(tmp_path), True, role=ROLE, passfile=passfile)
    assert (seen["changed"], seen["done"]) == (bool(done), done)
    statements = [each for each in cursor.told if each != database.UNLOGGED]
    hidden = any("PASSWORD" in each for each in statements)
    assert (database.UNLOGGED in cursor.told) is hidden
    assert len(statements) == len(told)
    assert all(statement.startswith(words) for statement, words in zip(statements, told))
    assert "secret" not in "".join(statements)
    assert all(" NOREPLICATION " in each for each in statements if each.startswith(("CREATE ROLE", "ALTER ROLE")))
    cursor = given(monkeypatch, answers)
    assert segment_role.present(instance_in(tmp_path), False, role=ROLE, passfile=passfile)["done"] == done
    assert cursor.told == []


def test_a_role_of_somebody_else_is_left_alone(passfile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {segment_role.ROLE: row(ours=False)})
    with pytest.raises(MirroringError, match="name another with master_segment_user"):
        segment_role.present(instance_in(tmp_path), True, role=ROLE, passfile=passfile)


def test_without_a_password_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {})
    with pytest.raises(MirroringError, match="holds no password"):
        segment_role.present(instance_in(tmp_path), True, role=ROLE, passfile=str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("found", "public", "told"),
    [
        (
            row(),
            [{}],
            [
                f'REVOKE ALL ON DATABASE shop FROM "{ROLE}"',
                f'REVOKE ALL ON SCHEMA public FROM "{ROLE}"',
                f'DROP ROLE "{ROLE}"',
            ],
        ),
        (row(), [], [f'REVOKE ALL ON DATABASE shop FROM "{ROLE}"', f'DROP ROLE "{ROLE}"']),
        (row(ours=False), [{}], []),
        ([], [{}], []),
    ],
    ids=["ours", "no schema public", "other", "none"],
)
def test_only_our_role_is_dropped(
    found: t.Any, public: t.Any, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = [{"name": "shop"}]
    answers = {segment_role.ROLE: found, database.ALL: shop, database.CURRENT: shop, segment_role.PUBLIC: public}
    cursor = given(monkeypatch, answers)
    assert segment_role.absent(instance_in(tmp_path), False, role=ROLE)["changed"] == bool(told)
    assert cursor.told == []
    segment_role.absent(instance_in(tmp_path), True, role=ROLE)
    assert cursor.told == told


def test_a_role_gets_the_way_in_that_was_taken_from_all(
    passfile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = {segment_role.WAY_IN: [{"open": False}], database.CURRENT: [{"name": "postgres"}]}
    cursor = given(monkeypatch, {segment_role.ROLE: row(), **closed})
    assert "way in" in segment_role.present(instance_in(tmp_path), True, role=ROLE, passfile=passfile)["done"]
    assert f'GRANT CONNECT ON DATABASE postgres TO "{ROLE}"' in cursor.told
    assert f'GRANT USAGE ON SCHEMA public TO "{ROLE}"' in cursor.told
