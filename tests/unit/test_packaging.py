# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the packages are called, and where they put the programs, for what each distribution says of itself.

Those of Debian in os_release/ are recorded from hosts of the lab; the others are the published files of releases that
no test has run on.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import packages, packaging

RECORDED = Path(__file__).parent / "os_release"
#: by distribution: family; the version that it brings; whether PGDG's packages; the version asked for; package; place
CASES: list[tuple[str, str, int | None, bool, int | None, str, str]] = [
    ("debian-11", "debian", None, False, 15, "postgresql-15", "/usr/lib/postgresql/15/bin"),
    ("debian-12", "debian", 15, False, 15, "postgresql-15", "/usr/lib/postgresql/15/bin"),
    ("debian-12", "debian", 15, False, None, "postgresql", ""),
    ("debian-13", "debian", 17, False, 17, "postgresql-17", "/usr/lib/postgresql/17/bin"),
    ("ubuntu-24.04", "debian", 16, False, 16, "postgresql-16", "/usr/lib/postgresql/16/bin"),
    ("linuxmint-22", "debian", None, False, 16, "postgresql-16", "/usr/lib/postgresql/16/bin"),
    ("rhel-9", "redhat", 16, False, 16, "@postgresql:16/server", "/usr/bin"),
    ("rocky-9", "redhat", 16, False, None, "@postgresql:16/server", ""),
    ("rocky-9", "redhat", 16, False, 15, "@postgresql:15/server", "/usr/bin"),
    ("rocky-9", "redhat", 16, True, 16, "postgresql16-server", "/usr/pgsql-16/bin"),
    ("almalinux-9", "redhat", 16, True, 18, "postgresql18-server", "/usr/pgsql-18/bin"),
    ("almalinux-9", "redhat", 16, False, 16, "@postgresql:16/server", "/usr/bin"),
    ("almalinux-10", "redhat", 16, False, 16, "postgresql-server", "/usr/bin"),
    ("almalinux-10", "redhat", 16, True, 17, "postgresql17-server", "/usr/pgsql-17/bin"),
    ("centos-stream-9", "redhat", 16, False, 16, "@postgresql:16/server", "/usr/bin"),
    ("fedora-42", "redhat", None, False, None, "postgresql-server", ""),
    ("fedora-42", "redhat", None, False, 17, "postgresql17-server", "/usr/bin"),
    ("opensuse-leap-15.6", "suse", None, False, 17, "postgresql17-server", "/usr/lib/postgresql17/bin"),
    ("alpine-3.20", "", None, False, 17, "postgresql-17", "/usr/lib/postgresql/17/bin"),
]


@pytest.mark.parametrize(
    ("name", "family", "brings", "pgdg", "major", "package", "place"),
    CASES,
    ids=[f"{case[0]} {'pgdg ' if case[3] else ''}{case[4] or 'any'}" for case in CASES],
)
def test_packages_by_distribution(
    name: str, family: str, brings: int | None, pgdg: bool, major: int | None, package: str, place: str
) -> None:
    of = packaging.distribution((RECORDED / name).read_text())
    assert of.family == family
    assert packaging.brings(of) == brings
    assert packaging.packages(of, major, pgdg) == [package, "python3-psycopg2"]
    if major:
        assert packaging.directory(of, major, pgdg) == place


def test_every_recorded_distribution_has_a_case() -> None:
    assert {path.name for path in RECORDED.iterdir()} == {case[0] for case in CASES}


@pytest.mark.parametrize("text", ["", "ID", "ID=\nVERSION_ID=", "\0\udcff", 'ID="""\n'])
def test_what_says_nothing_is_of_no_family(text: str) -> None:
    of = packaging.distribution(text)
    assert (of.family, packaging.brings(of)) == ("", None)


#: what apt-cache policy prints: on a host of Debian 13; with PGDG's source; where nothing is offered; without lists
DEBIAN_13 = """postgresql:
  Installed: (none)
  Candidate: 17+278+deb13u1
  Version table:
     17+278+deb13u1 500
        500 file:/srv/packages ./ Packages
postgresql-17:
  Installed: 17.12-0+deb13u1
  Candidate: 17.12-0+deb13u1
  Version table:
 *** 17.12-0+deb13u1 500
        100 /var/lib/dpkg/status
"""
WITH_PGDG = """postgresql:
  Installed: (none)
  Candidate: 18+286.pgdg120+1
postgresql-15:
  Installed: (none)
  Candidate: 15.14-1.pgdg120+1
postgresql-18:
  Installed: (none)
  Candidate: 18.0-1.pgdg120+3
"""
NONE = "postgresql-15:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n"


@pytest.mark.parametrize(
    ("answer", "found"),
    [(DEBIAN_13, (17, [17])), (WITH_PGDG, (18, [15, 18])), (NONE, (None, [])), ("", (None, []))],
    ids=["Debian 13", "PGDG", "none", "no lists"],
)
def test_what_apt_offers(answer: str, found: tuple[int | None, list[int]]) -> None:
    assert packaging.offered(answer) == found


def test_a_host_tells_what_its_packages_are_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "OS_RELEASE", str(RECORDED / "rocky-9"))
    monkeypatch.setattr(packages, "PGDG", str(tmp_path / "pgdg*.repo"))
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/bin/{name}" if name in ("dnf", "yum") else None)
    told = {"changed": False, "package_manager": "dnf"}
    assert packages.tell(0) == {**told, "packages": ["@postgresql:16/server", "python3-psycopg2"]}
    (tmp_path / "pgdg-redhat-all.repo").touch()
    assert packages.tell(16) == {**told, "packages": ["postgresql16-server", "python3-psycopg2"]}
