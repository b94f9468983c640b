# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Directories of the server's user: the user changes what it can, and asks root only for the rest."""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import separation, services, user_places
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from sessions import root_offers

Asked = list[tuple[t.Any, ...]]
USER = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Note what root is asked for, which does nothing."""
    found: Asked = []
    names = ("make_directory", "rename", "remove_directory", "write", "unlink")
    root_offers(monkeypatch, **{name: lambda *given, name=name: found.append((name, *given)) for name in names})
    return found


def refuse(monkeypatch: pytest.MonkeyPatch, function: str, number: int = errno.EACCES) -> None:
    def refused(*_arguments: t.Any, **_options: t.Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, function, refused)


def test_what_the_user_may_do_nobody_is_asked_for(tmp_path: Path, asked: Asked) -> None:
    data = tmp_path / "a/data"
    user_places.make(str(data))
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    user_places.make(str(data), 0o750)
    assert stat.S_IMODE(data.stat().st_mode) == 0o750
    user_places.write(f"{data}.note", "text\udcff")
    assert Path(f"{data}.note").read_bytes() == b"text\xff"
    assert stat.S_IMODE(os.stat(f"{data}.note").st_mode) == 0o644
    user_places.rename(str(data), f"{data}.kept")
    user_places.remove_empty(f"{data}.kept")
    user_places.unlink(f"{data}.note")
    user_places.unlink(f"{data}.note")
    assert list((tmp_path / "a").iterdir()) == []
    assert asked == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS], ids=errno.errorcode.get)
def test_what_the_user_may_not_do_root_is_asked_for(
    tmp_path: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = f"{tmp_path}/x"
    for name in ("mkdir", "rename", "rmdir", "replace", "unlink"):
        refuse(monkeypatch, name, number)
    user_places.make(path, 0o750)
    user_places.rename(path, f"{path}.new")
    user_places.remove_empty(path)
    user_places.unlink(path)
    assert asked == [
        ("make_directory", path, 0o750),
        ("rename", path, f"{path}.new"),
        ("remove_directory", path),
        ("unlink", path),
    ]


def test_a_note_that_the_user_may_not_write_is_roots(
    tmp_path: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "open")
    user_places.write(f"{tmp_path}/note", "text")
    assert asked == [("write", f"{tmp_path}/note", "text")]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EXDEV, errno.ENOTEMPTY, errno.EBUSY])
def test_no_other_trouble_is_roots(tmp_path: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    refuse(monkeypatch, "rename", number)
    with pytest.raises(OSError, match=os.strerror(number)):
        user_places.rename(f"{tmp_path}/x", f"{tmp_path}/y")
    assert asked == []


@as_root
def test_a_directory_of_somebody_elses_is_asked_about_and_not_touched(tmp_path: Path, asked: Asked) -> None:
    path = tmp_path / "x"
    path.mkdir(mode=0o755)
    os.chown(path, USER.pw_uid, USER.pw_gid)
    user_places.make(str(path))
    assert asked == [("make_directory", str(path), 0o700)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


@pytest.mark.parametrize("kind", ["file", "link to nothing", "pipe"])
def test_what_is_no_directory_is_asked_about(tmp_path: Path, asked: Asked, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "file":
        path.touch()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")
    user_places.make(str(path))
    assert asked == [("make_directory", str(path), 0o700)]


def test_a_directory_is_emptied_of_whatever_is_in_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "thesis.tex").write_text("years of work")
    place = tmp_path / "x"
    (place / "deep/er").mkdir(parents=True)
    (place / "deep/er/file").touch()
    (place / "link").symlink_to(outside)
    (place / "deep/link").symlink_to(outside)
    (place / "nothing").symlink_to("nowhere")
    os.link(outside / "thesis.tex", place / "hard")
    os.mkfifo(place / "pipe")
    with open(os.fsencode(place) + b"/\xff\n", "wb"):
        pass
    user_places.empty(str(place))
    assert list(place.iterdir()) == []
    assert (outside / "thesis.tex").read_text() == "years of work"


def test_a_directory_is_removed_with_what_is_in_it(tmp_path: Path, asked: Asked) -> None:
    (tmp_path / "x/y").mkdir(parents=True)
    user_places.remove(f"{tmp_path}/x")
    assert list(tmp_path.iterdir()) == []
    assert asked == []


@as_root
def test_a_name_outlives_a_power_cut_where_the_user_may_see_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").mkdir()
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    user_places.rename(f"{tmp_path}/x/", f"{tmp_path}/y")
    assert synced == [tmp_path.stat().st_ino] * 2


# for real, with a process of the user's and root beside it


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Path]:
    """Give a directory that is root's alone, where the data directory of the user's belongs."""
    found = Path(f"/hawq-test-{os.getpid()}")
    found.mkdir(mode=0o755)
    found.chmod(0o755)
    data = f"{found}/data"
    scope = services.Scope(USER.pw_name, "x", data, (data,))
    root_offers(monkeypatch, **services.offered(scope, t.cast("t.Any", None)))
    try:
        yield found
    finally:
        shutil.rmtree(found)


def as_user(work: t.Callable[[], t.Any]) -> t.Any:
    return separation.run_as(USER.pw_name, work)


@as_root
def test_the_user_makes_and_moves_a_copy_beside_its_data(place: Path) -> None:
    def work() -> None:
        user_places.make(f"{place}/data.hawq-snapshot")
        user_places.make(f"{place}/data.hawq-snapshot/copy")
        Path(f"{place}/data.hawq-snapshot/copy/PG_VERSION").touch()
        user_places.rename(f"{place}/data.hawq-snapshot/copy", f"{place}/data")
        user_places.write(f"{place}/data.hawq-unfinished", "{}")

    as_user(work)
    assert sorted(path.name for path in place.iterdir()) == ["data", "data.hawq-snapshot", "data.hawq-unfinished"]
    assert (place / "data/PG_VERSION").stat().st_uid == USER.pw_uid
    assert (place / "data").stat().st_uid == USER.pw_uid
    assert (place / "data.hawq-unfinished").stat().st_uid == 0

    def end() -> None:
        user_places.unlink(f"{place}/data.hawq-unfinished")
        user_places.rename(f"{place}/data", f"{place}/data.hawq-snapshot/old")
        user_places.remove(f"{place}/data.hawq-snapshot")

    as_user(end)
    assert list(place.iterdir()) == []


@as_root
def test_an_earlier_versions_staging_place_of_roots_is_removed(place: Path) -> None:
    staging = place / "data.hawq-snapshot"
    staging.mkdir(mode=0o755)
    as_user(lambda: user_places.remove(str(staging)))
    assert list(place.iterdir()) == []


@as_root
def test_nothing_of_roots_beside_the_data_is_given_away(place: Path) -> None:
    (place / "other").mkdir()
    (place / "other/file").touch()
    for act in (
        lambda: user_places.make(f"{place}/other"),
        lambda: user_places.remove(f"{place}/other"),
        lambda: user_places.rename(f"{place}/other", f"{place}/data"),
        lambda: user_places.write(f"{place}/other/file", "text"),
        lambda: user_places.unlink(f"{place}/other/file"),
    ):
        with pytest.raises((OSError, MirroringError)):
            as_user(act)
    assert (place / "other").stat().st_uid == 0
    assert (place / "other/file").read_text() == ""


@as_root
def test_what_links_beside_the_data_lead_to_stays(place: Path) -> None:
    """Whoever has the user may put links into what is the user's; nothing of root's follows them."""
    secret = place / "secret"
    secret.mkdir(mode=0o700)
    (secret / "file").write_text("root's")

    def work() -> None:
        user_places.make(f"{place}/data")
        os.symlink(secret, f"{place}/data/link")
        user_places.make(f"{place}/data.hawq-rewind")
        os.symlink(secret / "file", f"{place}/data.hawq-rewind/pass")

    as_user(work)
    for act in (
        lambda: user_places.make(f"{place}/data/link/new"),
        lambda: user_places.rename(f"{place}/data", f"{place}/data/link/new"),
        lambda: user_places.remove(f"{place}/data/link"),
    ):
        with pytest.raises((OSError, MirroringError)):
            as_user(act)
    as_user(lambda: user_places.remove(f"{place}/data"))
    as_user(lambda: user_places.remove(f"{place}/data.hawq-rewind"))
    assert (secret / "file").read_text() == "root's"
    assert os.stat(secret).st_mode == stat.S_IFDIR | 0o700
    assert [path.name for path in place.iterdir()] == ["secret"]
