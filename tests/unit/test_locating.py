# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the programs are found when the inventory does not name the place."""

from __future__ import annotations

import dataclasses
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import locating, packages
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from sessions import instance_in

RECORDED = Path(__file__).parent / "os_release"


def place(major: int) -> str:
    return f"/usr/lib/postgresql/{major}/bin"


class Case(t.NamedTuple):
    """A host: its release, what is installed, data and inventory; and what is found."""

    release: str = "debian-12"
    there: tuple[str, ...] = ()
    data: str = ""
    running: str = ""
    version: int = 0
    prefix: str = ""
    offered: tuple[int | None, list[int] | None] = (None, None)
    directory: str = ""
    wanted: int | None = None
    named: bool = False


CASES = {
    "nothing is there": Case(offered=(15, [15]), directory=place(15), wanted=15),
    "nothing is there, and apt has no lists": Case(directory=place(15), wanted=15),
    "Debian 13": Case("debian-13", offered=(17, [17]), directory=place(17), wanted=17),
    "PGDG's source": Case(offered=(18, [15, 16, 17, 18]), directory=place(18), wanted=18),
    "one is installed": Case(there=(place(16),), directory=place(16), wanted=16),
    "two are installed": Case(there=(place(15), place(17)), directory=place(17), wanted=17),
    "the data is of the older one": Case(there=(place(15), place(17)), data="15\n", directory=place(15), wanted=15),
    "the data is of one that is missing": Case(there=(place(17),), data="15\n", directory=place(15), wanted=15),
    "the data is of one that is not known": Case(data="13\n", directory=place(13), wanted=13),
    "the data is of none": Case(there=(place(17),), data="rubbish", directory=place(17), wanted=17),
    "a server runs elsewhere": Case(
        there=(place(17),), data="18\n", running="/opt/pg/bin", directory="/opt/pg/bin", wanted=18
    ),
    "the inventory names a version": Case(
        there=(place(17),), data="17\n", running=place(17), version=16, directory=place(16), wanted=16, named=True
    ),
    "the inventory names a place": Case(
        there=(place(17), "/opt/16/bin"), prefix="/opt/16/bin", directory="/opt/16/bin", wanted=15, named=True
    ),
    "PGDG's packages": Case("rocky-9", ("/usr/pgsql-17/bin",), directory="/usr/pgsql-17/bin", wanted=17),
    "Red Hat's own": Case("almalinux-9", ("/usr/bin",), directory="/usr/bin", wanted=16),
    "a version of PGDG that is not there yet": Case("rocky-9", version=18, directory="/usr/bin", wanted=18, named=True),
    "nobody knows": Case("alpine-3.20", directory=place(15), wanted=None),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_host_has_its_programs_there(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "OS_RELEASE", str(RECORDED / case.release))
    monkeypatch.setattr(packages, "PGDG", str(tmp_path / "no*.repo"))
    monkeypatch.setattr(locating, "has_server", lambda directory: directory in (*case.there, case.running))
    monkeypatch.setattr(locating, "of_process", lambda _instance: case.running)
    asked: list[bool] = []
    monkeypatch.setattr(locating, "on_offer", lambda _run: asked.append(True) or case.offered)
    if case.data:
        (tmp_path / "PG_VERSION").write_text(case.data)

    instance = dataclasses.replace(instance_in(tmp_path), bin_directory=case.prefix)
    found = locating.locate(instance, Runner(), case.version)

    assert (found.directory, found.wanted, found.named) == (case.directory, case.wanted, case.named)
    if case.release.startswith("debian"):
        lacks = case.directory not in (*case.there, case.running)
        assert bool(asked) is lacks, "apt is slow, and only asked in need"
    assert found.offered == (case.offered[1] if asked else None)
    assert list(found.places) == ["15", "16", "17", "18"]
    assert all(
        f"/usr/lib/postgresql/{major}/bin" in case.there or case.release != "debian-12" for major in found.installed
    )


def test_the_running_server_is_asked_for_its_place(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n1\n5432\n/tmp\nlocalhost\n1 2\nready\n")
    instance = instance_in(tmp_path)
    assert locating.of_process(instance) == ""  # it works elsewhere
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert locating.of_process(instance) == os.path.dirname(os.path.realpath("/proc/self/exe"))
    finally:
        os.chdir(here)


class Apt(Runner):
    """Answers as apt does."""

    def __call__(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        assert command[:3] == ["apt-cache", "policy", "postgresql"]
        return 0, "postgresql-17:\n  Installed: (none)\n  Candidate: 17.1\n", ""


def test_a_source_that_apt_has_not_read_yet_makes_the_offer_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(locating.shutil, "which", lambda _name: "/usr/bin/apt-cache")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/one").touch()
    (tmp_path / "some.list").touch()
    monkeypatch.setattr(locating, "LISTS", str(tmp_path / "lists/*"))
    monkeypatch.setattr(locating, "SOURCES", (str(tmp_path / "*.list"),))
    os.utime(tmp_path / "some.list", (1, 1))
    assert locating.on_offer(Apt()) == (None, [17])
    os.utime(tmp_path / "some.list", (2_000_000_000, 2_000_000_000))
    assert locating.on_offer(Apt()) == (None, None)
    monkeypatch.setattr(locating.shutil, "which", lambda _name: None)
    assert locating.on_offer(Apt()) == (None, None)
