# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A directory for the server's user: made, adopted or refused, never made by root where others can change things."""

from __future__ import annotations

import grp
import os
import typing as t
from pathlib import Path

import attacks
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import own_directory
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError

place = pytest.fixture(attacks.place)


def keep(path: Path, act: bool = True, group: str | None = None) -> dict[str, t.Any]:
    return own_directory.keep(str(path), act, group=group, mode=0o700)


def kept(place: attacks.Place, path: Path, act: bool = True, group: str | None = None) -> dict[str, t.Any]:
    return dict(place.run(lambda: keep(path, act, group), path))


def test_it_is_made_once_with_what_is_above_it(tmp_path: Path) -> None:
    path = tmp_path / "hawq/master"
    assert keep(path, act=False)["diff"]["before"] == "absent\n"
    assert not path.parent.exists()
    assert keep(path)["changed"]
    assert path.stat().st_mode & 0o777 == 0o700
    assert path.parent.stat().st_mode & 0o777 == 0o755
    assert not keep(path)["changed"]
    path.chmod(0o755)
    assert keep(path)["changed"]
    assert path.stat().st_mode & 0o777 == 0o700


def test_one_with_something_in_it_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.tex").touch()
    assert not keep(tmp_path)["changed"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(MirroringError, match="is not a directory: move it away"):
        keep(tmp_path / "file")
    with pytest.raises(MirroringError, match=r"above .* is not a directory"):
        keep(tmp_path / "file/below")
    with pytest.raises(MirroringError, match="leads nowhere"):
        keep(tmp_path / "link")


def test_a_group_is_one_that_is_there(tmp_path: Path) -> None:
    own = grp.getgrgid(os.getegid()).gr_name
    assert keep(tmp_path / "new", group=own)["changed"]
    assert not keep(tmp_path / "new", group=own)["changed"]
    with pytest.raises(MirroringError, match="no group not-a-group"):
        keep(tmp_path / "new", group="not-a-group")


def test_root_makes_it_in_its_own_place(place: attacks.Place) -> None:
    path = place.root / "data/hawq/master"
    assert kept(place, path, act=False)["changed"]
    umask = os.umask(0o077)
    try:
        assert kept(place, path)["changed"]
    finally:
        os.umask(umask)
    assert (path.owner(), path.stat().st_mode & 0o777) == (attacks.USER, 0o700)
    assert (path.parent.owner(), path.parent.stat().st_mode & 0o777) == ("root", 0o755)
    assert not kept(place, path)["changed"]


def test_an_empty_one_of_roots_becomes_the_users(place: attacks.Place) -> None:
    for mode in (0o755, 0o700):
        path = place.root / f"data{mode}"
        path.mkdir(mode=mode)
        assert kept(place, path)["changed"]
        assert (path.owner(), path.stat().st_mode & 0o777) == (attacks.USER, 0o700)
    inside = place.home / "data"
    inside.mkdir()
    assert kept(place, inside)["changed"]
    assert inside.owner() == attacks.USER


def test_one_of_roots_that_has_something_in_it_stays_roots(place: attacks.Place) -> None:
    (place.root / "data").mkdir(mode=0o755)
    (place.root / "data/file").touch()
    assert not kept(place, place.root / "data")["changed"]
    (place.root / "data").chmod(0o700)
    with pytest.raises(MirroringError, match="cannot become a directory of nobody's"):
        kept(place, place.root / "data")
    assert (place.root / "data").owner() == "root"


def test_a_link_above_is_followed_when_it_is_roots(place: attacks.Place) -> None:
    (place.root / "disk/empty").mkdir(parents=True)
    (place.root / "data").symlink_to("disk")
    assert kept(place, place.root / "data/hawq/master")["changed"]
    assert (place.root / "disk/hawq/master").owner() == attacks.USER
    (place.root / "link").symlink_to("disk/empty")
    with pytest.raises(MirroringError, match="disk/empty: name that path itself"):
        kept(place, place.root / "link")
    assert (place.root / "disk/empty").owner() == "root"


def test_a_link_of_the_users_gives_nothing_of_roots_away(place: attacks.Place) -> None:
    (place.root / "empty").mkdir()
    (place.home / "data").symlink_to(place.root / "empty")
    (place.home / "above").symlink_to(place.root)
    for path in (place.home / "data", place.home / "above/empty", place.home / "above/new"):
        with pytest.raises(MirroringError, match="cannot become a directory of nobody's"):
            kept(place, path)
        with pytest.raises(MirroringError, match=r"there is a symbolic link in it, to .*: name that path itself"):
            kept(place, path, act=False)
    assert (place.root / "empty").owner() == "root"
    assert not (place.root / "new").exists()


def test_another_users_is_refused(place: attacks.Place) -> None:
    path = place.root / "theirs"
    path.mkdir()
    os.chown(path, 1, 1)
    with pytest.raises(MirroringError, match=f"{path} belongs to .* and not to nobody: move it out of the way"):
        kept(place, path)
    for act in (False, True):
        with pytest.raises(MirroringError, match=r"cannot become a directory of nobody's .others than root can change"):
            kept(place, path / "data", act)
    assert not (path / "data").exists()


def test_it_is_made_in_a_place_that_its_owner_may_not_write_to(place: attacks.Place) -> None:
    (place.home / "roots").mkdir(mode=0o700)
    place.home.chmod(0o555)
    for path in (place.home / "15/main", place.home / "roots"):
        assert kept(place, path, act=False)["changed"]
        assert kept(place, path)["changed"]
        assert (path.owner(), path.stat().st_mode & 0o777) == (attacks.USER, 0o700)
    assert place.home.stat().st_mode & 0o777 == 0o555
    assert (place.home / "15").stat().st_mode & 0o777 == 0o755
