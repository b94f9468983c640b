# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server says that its databases need, and what a host says that it has."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import psycopg2
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import needs, offers
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from sessions import Answers, Cursor, given, instance_in

SETTINGS: dict[str, t.Any] = {
    "shared_preload_libraries": "",
    "session_preload_libraries": "",
    "local_preload_libraries": "",
    "archive_library": None,
    "dynamic_library_path": "$libdir",
    "lc_messages": "C.UTF-8",
    "lc_monetary": "C",
    "lc_numeric": "POSIX",
    "lc_time": "",
}
#: as a server of PostgreSQL 15 told it
SHOP = {"database": "shop", "collate": "de_DE.UTF-8", "ctype": "de_DE.UTF-8"}
ROWS: list[dict[str, t.Any]] = [
    {"database": "postgres", "collate": "C.UTF-8", "ctype": "C.UTF-8", "provider": "libc"},
    {**SHOP, "provider": "libc", "recorded": "2.36", "actual": "2.36"},
]
DATABASES = [{"recorded": None, "actual": None, **row} for row in ROWS]


class NoSuchLocaleError(psycopg2.Error):
    """The server's host lacks a locale."""

    pgcode = needs.NO_SUCH_VALUE


class Server(Cursor):
    """One whose host has these locales."""

    locales = ("C.UTF-8", "de_DE.UTF-8")

    def execute(self, query: str, parameters: t.Any = None) -> None:
        if query == needs.HAS_LOCALE and parameters[0] not in self.locales:
            raise NoSuchLocaleError("invalid value")
        super().execute(query, parameters)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of the engine's own libraries, with some."""
    own = tmp_path / "lib"
    (own / "plugins").mkdir(parents=True)
    (tmp_path / "further").mkdir()
    for name in ("libpqwalreceiver.so", "auto_explain.so", "plugins/trace.so", "README", "../further/price.so"):
        (own / name).touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "postgres").touch()
    monkeypatch.setattr(needs, "library_directory", lambda _instance: str(own))
    return own


def told(place: Path, answers: Answers, **settings: t.Any) -> dict[str, t.Any]:
    cursor = Server({needs.SETTINGS: [{**SETTINGS, **settings}], needs.DATABASES: DATABASES, **answers})
    found = needs.of_server(cursor, instance_in(place))
    assert found
    return t.cast("dict[str, t.Any]", found.needs)


def libraries(found: dict[str, t.Any]) -> list[tuple[str, str, bool, bool]]:
    return [(row["name"], " and ".join(row["by"]), row["starts"], row["here"]) for row in found["libraries"]]


LIBRARIES: dict[str, tuple[dict[str, t.Any], Answers, list[tuple[str, str, bool, bool]]]] = {
    "none": ({}, {}, []),
    "preloaded": (
        {"shared_preload_libraries": 'auto_explain, "$libdir/pg_cron"', "session_preload_libraries": "auto_explain.so"},
        {},
        [
            ("auto_explain", "shared_preload_libraries and session_preload_libraries", True, True),
            ("pg_cron", "shared_preload_libraries", True, False),
        ],
    ),
    "of the plugins": (
        {"local_preload_libraries": "trace"},
        {},
        [("plugins/trace", "local_preload_libraries", True, True)],
    ),
    "of a role, of a database": (
        {},
        {
            needs.ROLE_SETTINGS: [
                {"role": "anna", "database": "", "name": "session_preload_libraries", "value": "auto_explain"},
                {"role": "", "database": "shop", "name": "local_preload_libraries", "value": "gone"},
                {"role": "", "database": "", "name": "session_preload_libraries", "value": "all"},
            ]
        },
        [
            ("auto_explain", "session_preload_libraries of role anna", False, True),
            ("plugins/gone", "local_preload_libraries of database shop", False, False),
            ("all", "session_preload_libraries of all roles", False, False),
        ],
    ),
    "of the archive": ({"archive_library": "basic_archive"}, {}, [("basic_archive", "archive_library", False, False)]),
    "of a slot": (
        {},
        {needs.PLUGINS: [{"name": "debezium", "plugin": "wal2json"}]},
        [("wal2json", "slot debezium", False, False)],
    ),
}


@pytest.mark.parametrize(("settings", "answers", "expected"), LIBRARIES.values(), ids=LIBRARIES)
def test_libraries(place: Path, settings: dict[str, t.Any], answers: Answers, expected: t.Any) -> None:
    assert libraries(told(place, answers, **settings)) == expected


def test_a_library_of_another_place_is_told_with_its_path(place: Path) -> None:
    further = place.parent / "further"
    settings = {"shared_preload_libraries": "price,auto_explain", "dynamic_library_path": f"{further}:$libdir"}
    found = told(place, {}, **settings)["libraries"]
    assert [(row["name"], row["path"]) for row in found] == [("price", f"{further}/price.so"), ("auto_explain", None)]
    found = told(place, {}, shared_preload_libraries=f"{further}/price,{further}/gone.so")["libraries"]
    assert [(row["name"], row["path"], row["here"]) for row in found] == [
        (f"{further}/price", f"{further}/price.so", True),
        (f"{further}/gone", f"{further}/gone.so", False),
    ]


def test_locales_and_sorting(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(place, {})
    locales = [(row["name"], row["by"], row["starts"], row["here"]) for row in found["locales"]]
    assert locales == [
        ("C.UTF-8", ["lc_messages", "database postgres"], True, True),
        ("de_DE.UTF-8", ["database shop"], False, True),
    ]
    assert [(row["database"], row["actual"]) for row in found["sorting"]] == [("postgres", None), ("shop", "2.36")]
    monkeypatch.setattr(Server, "locales", ("C.UTF-8",))
    assert [row["here"] for row in told(place, {})["locales"]] == [True, False]


def test_a_server_that_does_not_say_it_is_still_observed(place: Path) -> None:
    def broken() -> list[dict[str, t.Any]]:
        raise psycopg2.Error("ICU is not supported in this build")

    answers: Answers = {needs.SETTINGS: [SETTINGS], needs.DATABASES: broken}
    assert needs.of_server(Server(answers), instance_in(place)) is None
    assert needs.of_server(Server({}), instance_in(place)) is None


FUNCTIONS = [
    {"library": "$libdir/postgis-3", "function": "area", "extension": "postgis"},
    {"library": "/opt/price.so", "function": "price", "extension": None},
]
ICU = {"collation": 'pg_catalog."de-x-icu"', "locale": None, "provider": "icu", "recorded": "153", "actual": "153"}


def test_each_database_is_asked_while_there_is_time(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [{"name": "public.sessions", "number": 2}, {"name": "public.cache", "number": 2}]
    asked = {needs.FUNCTIONS: FUNCTIONS, needs.COLLATIONS: [ICU], needs.UNLOGGED: tables}
    cursor = Server({needs.SETTINGS: [SETTINGS], needs.DATABASES: DATABASES})
    given(monkeypatch, t.cast(Answers, asked))
    found = needs.of_server(cursor, instance_in(place))
    assert found
    whole = needs.of_databases(found, instance_in(place), ["postgres", "shop"], False)
    assert [(row["name"], row["by"]) for row in whole["libraries"]] == [
        ("postgis-3", ["extension postgis of database postgres", "extension postgis of database shop"]),
        ("/opt/price", ["function price of database postgres", "function price of database shop"]),
    ]
    assert (whole["sorting"][-1]["collation"], whole["unasked"]) == ('pg_catalog."de-x-icu"', [])
    names = ["public.sessions", "public.cache"]
    assert whole["unlogged"][0] == {"database": "postgres", "names": names, "number": 2}
    monkeypatch.setattr(needs, "BUDGET_SECONDS", -1)
    assert needs.of_databases(found, instance_in(place), ["late"], False)["unasked"] == ["late"]


NAMES: dict[str, list[str]] = {
    "": [],
    "a": ["a"],
    "a, b ,c": ["a", "b", "c"],
    '"a, b", c': ["a, b", "c"],
    '"$libdir/a"': ["$libdir/a"],
}


@pytest.mark.parametrize(("setting", "names"), NAMES.items())
def test_what_a_setting_names(setting: str, names: list[str]) -> None:
    assert needs.listed(setting) == names


def test_what_lies_in_the_engines_own_place(place: Path) -> None:
    assert needs.libraries_in(str(place)) == ["auto_explain", "libpqwalreceiver", "plugins/trace"]


class Host(Runner):
    """A host on which systemd says this of the unit, with locales of glibc."""

    def __init__(self, shown: str = "LoadState=loaded\n", look: str = "") -> None:
        self.shown, self.look, self.commands = shown, look, t.cast("list[list[str]]", [])

    def __call__(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        self.commands.append(command)
        if command[0] == "systemctl":
            return 0, self.shown, ""
        return (0, "C\nC.utf8\nde_DE.utf8\n", "") if command[-2:] == ["locale", "-a"] else (0, self.look, "")


NO_PROCESS: t.Any = {"running": False, "pid": None, "frozen": False, "stopped": {}, "pidfile": {}}


def test_a_host_is_looked_at_as_its_unit_would(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "environment.of.unit"
    file.write_text("# ours\nICU_DATA=/opt/icu\nPASSWORD=secret\n")
    (place / "environment").write_text("GLIBC_TUNABLES = 'glibc.x=1'\n")
    shown = 'LoadState=loaded\nEnvironment=LD_PRELOAD=/opt/a.so "LOCPATH=/opt/b c" PGPORT=1\n'
    shown += f"EnvironmentFiles={file} (ignore_errors=no)\n"
    host = Host(shown, json.dumps({"libc": "2.28", "icu": None, "broken": {f"{place}/postgis-3.so": "no libproj"}}))
    found = offers.observe(instance_in(place), host, ["/opt/x.so"], NO_PROCESS, session=False, trial=True)
    words = ["LD_PRELOAD=/opt/a.so", "LOCPATH=/opt/b c", "ICU_DATA=/opt/icu", "GLIBC_TUNABLES=glibc.x=1"]
    assert host.commands[1] == ["env", *words, "locale", "-a"]
    assert host.commands[2][: len(words) + 1] == ["env", *words]
    assert (found["versions"], found["broken"]) == ({"libc": "2.28"}, {"postgis-3": "no libproj"})
    assert (found["paths"], found["locales"]) == ({"/opt/x.so": False}, ["C", "C.utf8", "de_DE.utf8"])


def test_with_a_session_no_program_is_run(place: Path) -> None:
    host = Host()
    found = offers.observe(instance_in(place), host, [], NO_PROCESS, session=True, trial=False)
    assert host.commands == []
    assert (found["libraries"], found["locales"], found["versions"]) == (needs.libraries_in(str(place)), None, {})


def test_a_host_that_says_nonsense_is_not_known(place: Path) -> None:
    found = offers.observe(instance_in(place), Host(look="{"), [], NO_PROCESS, session=False, trial=False)
    assert (found["versions"], found["broken"]) == ({}, {})


def test_the_look_itself(tmp_path: Path) -> None:
    server = tmp_path / "postgres"
    server.write_bytes(b"\0libicui18n.so.1\0")
    code, output, errors = Runner()([sys.executable, "-I", "-c", offers.LOOK, str(server), "/nowhere/gone.so"])
    assert code == 0, errors
    found = json.loads(output)
    assert found["libc"].startswith("2.")
    assert (found["icu"], found["broken"]) == (None, {})
