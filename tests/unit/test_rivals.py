# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which other units would start a server in the same data directory at boot."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import rivals

DATA = "/data/hawq/master"
SERVER = "[Service]\nUser=postgres\nExecStart=/usr/lib/postgresql/15/bin/postgres -D {}\n"
#: files below the directories of units, and what is found
UNITS: dict[str, tuple[dict[str, str], list[str]]] = {
    "none": ({}, []),
    "our own": ({"etc/hawq-master.service": SERVER.format(DATA)}, []),
    "one of an operator": ({"etc/db.service": SERVER.format(DATA)}, ["db.service"]),
    "with a slash": ({"etc/db.service": SERVER.format(f"{DATA}/")}, ["db.service"]),
    "of another directory": ({"etc/db.service": SERVER.format(f"{DATA}2")}, []),
    "of a directory below": ({"etc/db.service": SERVER.format(f"{DATA}/old")}, []),
    "of a package": (
        {"lib/postgresql-15.service": f"Environment=PGDATA={DATA}\nExecStart=/usr/pgsql-15/bin/postmaster -D ${{X}}\n"},
        ["postgresql-15.service"],
    ),
    "of a package, told where in a drop-in": (
        {
            "lib/postgresql-15.service": "Environment=PGDATA=/x\nExecStart=/usr/pgsql-15/bin/postmaster -D ${PGDATA}\n",
            "etc/postgresql-15.service.d/override.conf": f"[Service]\nEnvironment=PGDATA={DATA}\n",
        },
        ["postgresql-15.service"],
    ),
    "no database of a package": ({"lib/cron.service": SERVER.format(DATA)}, []),
    "a backup": ({"etc/wal-g.service": f"Environment=PGDATA={DATA}\nExecStart=/usr/bin/wal-g daemon /run/wal-g\n"}, []),
    "a template": ({"etc/postgresql@.service": SERVER.format(DATA)}, []),
    "a cluster of postgresql-common": (
        {"clusters/15/main/postgresql.conf": f"data_directory = '{DATA}'\n"},
        ["postgresql@15-main.service"],
    ),
    "another cluster": ({"clusters/15/main/postgresql.conf": "data_directory = '/var/lib/postgresql/15/main'\n"}, []),
}


@pytest.mark.parametrize(("files", "found"), UNITS.values(), ids=UNITS)
def test_who_would_start_it_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], found: list[str]
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(rivals, "OPERATORS", (f"{tmp_path}/etc",))
    monkeypatch.setattr(rivals, "PACKAGES", (f"{tmp_path}/lib",))
    monkeypatch.setattr(rivals, "CLUSTERS", f"{tmp_path}/clusters/*/*/postgresql.conf")
    wanted = "LoadState=loaded\nUnitFileState=enabled\nWantedBy=multi-user.target\n"

    def run(command: list[str], timeout: float) -> tuple[int, str, str]:
        return 0, f"{wanted}Id={command[2]}\n", ""

    def of(run: t.Any) -> list[str]:
        return [row["unit"] for row in rivals.of(run, "hawq-master.service", DATA, DATA)]

    assert of(run) == found
    wanted = "LoadState=loaded\nUnitFileState=disabled\nWantedBy=\n"
    assert of(run) == []


def test_another_name_of_the_same_unit_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "postgresql.service").write_text(SERVER.format(DATA))
    monkeypatch.setattr(rivals, "OPERATORS", (str(tmp_path),))
    monkeypatch.setattr(rivals, "PACKAGES", ())
    monkeypatch.setattr(rivals, "CLUSTERS", f"{tmp_path}/none")
    run: t.Any = lambda *_, **__: (0, "Id=postgresql-15.service\nLoadState=loaded\nUnitFileState=enabled\n", "")  # noqa: E731
    assert rivals.of(run, "postgresql-15", DATA, DATA) == []
    assert [row["unit"] for row in rivals.of(run, "db", DATA, DATA)] == ["postgresql-15.service"]


def test_what_keeps_it_from_that() -> None:
    assert rivals.mend("postgresql-15.service") == "systemctl disable postgresql-15.service"
    manual = "echo manual >/etc/postgresql/15/my-main/start.conf && systemctl daemon-reload"
    assert rivals.mend("postgresql@15-my-main.service") == manual
