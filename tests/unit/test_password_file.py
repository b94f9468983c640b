# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of a password file: whose password they hold, which of them are ours, and what is shown of them."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import attacks
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import password_file
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError

OURS = "mdw:5432:replication:hawq_mirroring:secret\nfd77\\:\\:12:5432:replication:hawq_mirroring:secret\n"
THEIRS = "# mine\nmdw:5432:*:me:other\n"


@pytest.mark.parametrize("kept", [THEIRS, ""], ids=["foreign lines stay", "nothing is left"])
def test_only_our_lines_leave_the_password_file(tmp_path: Path, kept: str) -> None:
    path = tmp_path / ".pgpass"
    path.write_text(OURS + kept)

    def take_away(act: bool) -> dict[str, t.Any]:
        return password_file.take_away(str(path), act, role="hawq_mirroring")

    shown = take_away(False)
    assert (shown["changed"], path.read_text()) == (True, OURS + kept)
    assert "secret" not in json.dumps(shown)
    assert take_away(True)["changed"]
    assert (path.read_text() if path.exists() else "") == kept
    assert not take_away(True)["changed"]


place = pytest.fixture(attacks.place)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".pgpass"


def keep(path: Path, act: bool = True, like: str = "") -> dict[str, t.Any]:
    servers = [("mdw", 5432), ("fd77::12", 5432)]
    return password_file.keep(str(path), act, role="hawq_mirroring", database="replication", servers=servers, like=like)


def test_the_password_is_kept_and_foreign_lines_stay(path: Path) -> None:
    path.write_text(OURS + THEIRS)
    path.chmod(0o600)
    assert not keep(path)["changed"]
    path.write_text("mdw:5432:replication:hawq_mirroring:secret\n" + THEIRS)
    assert keep(path, act=False)["changed"]
    assert keep(path)["changed"]
    assert path.read_text() == OURS + THEIRS
    assert not keep(path)["changed"]


def test_another_hosts_password_comes_first(path: Path) -> None:
    path.write_text(OURS)
    shown = keep(path, like="smdw:5432:replication:hawq_mirroring:elsewhere-known\n")
    assert path.read_text() == OURS.replace("secret", "elsewhere-known")
    assert "secret" not in json.dumps(shown)
    assert "elsewhere-known" not in json.dumps(shown)


def test_a_new_password_is_made_up_once(path: Path) -> None:
    assert not keep(path, act=False)["exists"]
    assert keep(path)["exists"]
    passwords = {line.rpartition(":")[2] for line in path.read_text().splitlines()}
    assert len(passwords) == 1
    assert len(passwords.pop()) > 30
    found = path.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (os.geteuid(), os.getegid(), 0o600)
    assert not keep(path)["changed"]


def test_a_link_is_refused(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")
    with pytest.raises(MirroringError, match="symbolic link"):
        keep(path)
    with pytest.raises(MirroringError, match="symbolic link"):
        password_file.of_role(str(path), "hawq_mirroring")


def test_another_host_is_told_the_lines_of_the_role_alone(path: Path) -> None:
    assert password_file.of_role(str(path), "hawq_mirroring")["text"] == ""
    path.write_text(THEIRS + OURS)
    read = password_file.of_role(str(path), "hawq_mirroring")
    assert (read["text"], read["changed"], read["exists"]) == (OURS, False, True)


def test_it_leaves_a_home_that_nobody_may_write_to(place: attacks.Place) -> None:
    path = place.home / ".pgpass"
    place.write(path, OURS, 0o600)
    place.home.chmod(0o555)
    assert place.run(lambda: keep(path, like="x:1:replication:hawq_mirroring:new"))["changed"]
    assert path.owner() == attacks.USER
    assert place.run(lambda: password_file.take_away(str(path), True, role="hawq_mirroring"))["changed"]
    assert not path.exists()
    assert place.home.stat().st_mode & 0o777 == 0o555


def test_it_is_kept_in_a_place_of_roots(place: attacks.Place) -> None:
    """There only root can begin it."""
    path = place.root / "pgpass"
    with pytest.raises(PermissionError):
        place.run(lambda: keep(path))
    assert not path.exists()
    place.write(path, "x" * 999 + "\n" + OURS.replace("secret", "old"), 0o640)
    assert place.run(lambda: keep(path, like=OURS))["changed"]
    assert path.read_text() == OURS + "x" * 999 + "\n"
    assert (path.owner(), path.stat().st_mode & 0o777) == (attacks.USER, 0o600)
    os.chown(path, -1, 0)
    assert not place.run(lambda: keep(path, like=OURS))["changed"]
    place.write(path, OURS, 0o600)
    place.run(lambda: password_file.take_away(str(path), True, role="hawq_mirroring"))
    assert path.read_text() == ""


def test_a_file_of_roots_is_neither_read_nor_replaced(place: attacks.Place) -> None:
    (place.home / ".pgpass").symlink_to(place.secret)
    (place.home / "above").symlink_to(place.root)
    for path in (place.home / ".pgpass", place.home / "above/secret"):
        for work in (lambda at=path: keep(at), lambda at=path: password_file.of_role(str(at), "hawq_mirroring")):
            with pytest.raises((MirroringError, PermissionError)):
                place.run(work)
    assert place.is_untouched()
