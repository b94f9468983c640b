# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The extension's files and their installation. What they do on a server is held by molecule/hostile."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, extension, views
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from sessions import given, instance_in

FILES = Path(__file__).resolve().parents[2] / "roles/master/files"
WHOLE, UPDATE = (FILES / f"hawq_mirroring--{name}.sql" for name in ("1.1", "1.0--1.1"))
#: who may be in an extension's own schema makes names there that come before the server's own
SAFE_PATH = "SET LOCAL search_path = pg_catalog, pg_temp;"


def definition(path: Path, what: str) -> str:
    """What a script makes under this name, up to the end of its statement."""
    found = re.search(
        rf"CREATE (?:OR REPLACE )?{re.escape(what)}.*?(?:\$function\$.*?\$function\$;|;\n)", path.read_text(), re.S
    )
    assert found, what
    return found[0].replace("OR REPLACE ", "")


@pytest.mark.parametrize("path", [WHOLE, UPDATE], ids=lambda path: path.stem)
def test_a_script_looks_names_up_among_the_servers_own_alone(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("--", "\\echo"))]
    assert lines[0] == SAFE_PATH
    made = re.findall(
        r"^(?:CREATE(?: OR REPLACE)?|DROP|COMMENT ON|GRANT \w+ ON) (?:VIEW |TABLE |FUNCTION )?(\S+)",
        path.read_text(),
        re.M,
    )
    assert made
    assert [name for name in made if not name.startswith("public.")] == []
    functions = re.findall(r"^LANGUAGE .*$", path.read_text(), re.M)
    assert all("SET search_path = pg_catalog, pg_temp" in each for each in functions)


def test_a_new_extension_adopts_nothing() -> None:
    assert "OR REPLACE" not in WHOLE.read_text()
    assert "IF NOT EXISTS" not in WHOLE.read_text()


@pytest.mark.parametrize(
    "what",
    [
        "VIEW public.gp_master_mirroring",
        "VIEW public.gp_segment_configuration",
        "FUNCTION public.hawq_mirroring_register",
    ],
)
def test_an_update_makes_what_a_new_extension_has(what: str) -> None:
    assert definition(UPDATE, what) == definition(WHOLE, what)


def test_the_control_file_names_the_newest_script() -> None:
    assert "default_version = '1.1'" in (FILES / "hawq_mirroring.control").read_text()


def run_nothing(*_words: object, **_options: object) -> tuple[int, str, str]:
    return 0, "", ""


INSTALL = {"extension": "hawq_mirroring", "databases": ["shop"]}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(views, "directory", lambda *_arguments: str(tmp_path))
    return tmp_path


def test_what_somebody_else_has_put_there_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = [{"kind": "VIEW", "name": "gp_master_mirroring"}, {"kind": "ROUTINE", "name": "hawq_mirroring_state()"}]
    cursor = given(monkeypatch, {extension.FOREIGN: foreign})
    with pytest.raises(MirroringError) as refused:
        extension.install(instance_in(place), run_nothing, True, files={}, **INSTALL)
    assert str(refused.value) == (
        "somebody else has put gp_master_mirroring and hawq_mirroring_state() into schema public of database shop,"
        " where the views need these names: look at it, and if nobody needs it: DROP VIEW public.gp_master_mirroring;"
        " DROP ROUTINE public.hawq_mirroring_state(); then run this again"
    )
    assert not any("CREATE" in each for each in cursor.told)


def test_it_is_dropped_wherever_it_is(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database was renamed, and others were made from their template."""
    asked: list[str] = []
    cursor = given(monkeypatch, {database.ALL: [{"name": "old_postgres"}, {"name": "shop"}], extension.THERE: [{}]})
    begun = database.session

    def session(_instance: object, name: str = "first") -> t.Any:
        asked.append(name)
        return begun()

    monkeypatch.setattr(database, "session", session)
    options = {"extension": "hawq_mirroring", "files": {}, "databases": []}
    assert extension.remove(instance_in(place), run_nothing, True, everywhere=True, **options)["changed"]
    assert asked == ["first", "old_postgres", "shop"]
    assert [each for each in cursor.told if "DROP" in each] == ['DROP EXTENSION "hawq_mirroring"'] * 2
    assert not extension.remove(instance_in(place), run_nothing, True, **options)["changed"]


def test_scripts_of_other_versions_are_taken_away(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("hawq_mirroring--1.0.sql", "hawq_mirroring--1.1.sql", "plpgsql--1.0.sql"):
        (place / name).write_text("")
    monkeypatch.setattr(extension.host_files, "write", lambda *_arguments, **_options: False)
    files = {"hawq_mirroring--1.1.sql": ""}
    options = {"extension": "hawq_mirroring", "databases": [], "files": files}
    assert extension.install(instance_in(place), run_nothing, False, **options)["changed"]
    assert (place / "hawq_mirroring--1.0.sql").exists()
    assert extension.install(instance_in(place), run_nothing, True, **options)["changed"]
    assert sorted(path.name for path in place.iterdir()) == ["hawq_mirroring--1.1.sql", "plpgsql--1.0.sql"]
    assert not extension.install(instance_in(place), run_nothing, True, **options)["changed"]
