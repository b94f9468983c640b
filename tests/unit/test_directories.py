# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Directories that root changes: nobody leads it elsewhere, neither before it looks nor between its look and its act.

The trees are real, and so the tests need root. Their own root stands below / because /tmp is everybody's.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import directories

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")

USER = pwd.getpwnam("nobody")
OTHER = pwd.getpwnam("daemon")


@pytest.fixture
def place() -> t.Iterator[Path]:
    """Give a directory that is root's alone, like all above it."""
    found = Path(f"/hawq-test-{os.getpid()}")
    found.mkdir(mode=0o755)
    found.chmod(0o755)
    try:
        yield found
    finally:
        shutil.rmtree(found)


def own(path: Path, account: pwd.struct_passwd = USER, mode: int = 0o700) -> Path:
    """Make a directory somebody's."""
    path.mkdir(exist_ok=True)
    os.chown(path, account.pw_uid, account.pw_gid)
    path.chmod(mode)
    return path


def owner(path: Path) -> tuple[int, int, int]:
    found = os.lstat(path)
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


def tree(path: Path) -> list[str]:
    return sorted(f"{each.relative_to(path)} {os.lstat(each).st_uid}" for each in path.rglob("*"))


MINE = (USER.pw_uid, USER.pw_gid, 0o700)


def swap(
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    name: str,
    act: t.Callable[[], t.Any],
    before: bool = False,
    calls: int = 1,
) -> list[str]:
    """Let somebody act once, just after (or before) root calls a function of the system for a name again."""
    real, done, seen = getattr(os, function), [], []

    def swapped(path: t.Any, *rest: t.Any, **named: t.Any) -> t.Any:
        seen.extend([name] if path == name else [])
        mine = path == name and len(seen) == calls
        if mine:
            done.append(name)
        if mine and before:
            act()
        found = real(path, *rest, **named)
        if mine and not before:
            act()
        return found

    monkeypatch.setattr(os, function, swapped)
    return done


def exchange(path: Path, target: Path | str) -> t.Callable[[], None]:
    """Return what puts a link in a directory's place."""

    def act() -> None:
        os.rename(path, f"{path}.away")
        os.symlink(target, path)

    return act


# opened


def test_a_directory_that_is_roots_is_opened(place: Path) -> None:
    (place / "a/b").mkdir(parents=True)
    for path in (f"{place}/a/b", f"/{place}/a//b/", f"{place}/./a/b/.", f"{place}/a/../a/b", "/"):
        with directories.opened(path) as found:
            assert os.path.samestat(os.fstat(found), os.stat(path))


def test_no_descriptor_stays_open(place: Path) -> None:
    (place / "a/b").mkdir(parents=True)
    own(place / "a/theirs")
    before = os.listdir("/proc/self/fd")
    with directories.opened(f"{place}/a/b"):
        pass
    for path in ("a/theirs", "a/none", "a/b/c/d"):
        with contextlib.suppress(OSError), directories.opened(f"{place}/{path}"):
            pass
    directories.make(f"{place}/x", USER)
    directories.rename(f"{place}/x", f"{place}/y", USER)
    directories.remove(f"{place}/y", USER)
    directories.write(f"{place}/z", "text")
    assert len(os.listdir("/proc/self/fd")) == len(before)


UNSAFE: dict[str, tuple[int, int, int]] = {
    "the user's": (USER.pw_uid, USER.pw_gid, 0o755),
    "the user's, of root's group": (USER.pw_uid, 0, 0o555),
    "anybody's": (0, 0, 0o777),
    "anybody's, sticky": (0, 0, 0o1777),
    "writable by all but root": (0, 0, 0o757),
    "a group's": (0, USER.pw_gid, 0o775),
    "another user's": (OTHER.pw_uid, OTHER.pw_gid, 0o700),
}


@pytest.mark.parametrize("unsafe", UNSAFE.values(), ids=UNSAFE)
@pytest.mark.parametrize("below", ["", "/inner", "/inner/innermost"], ids=["itself", "above", "far above"])
def test_what_others_can_change_is_not_opened(place: Path, unsafe: tuple[int, int, int], below: str) -> None:
    (place / "x/inner/innermost").mkdir(parents=True)
    os.chown(place / "x", *unsafe[:2])
    (place / "x").chmod(unsafe[2])
    with pytest.raises(PermissionError, match="others than root"), directories.opened(f"{place}/x{below}"):
        pass
    notes = (
        lambda: directories.write(f"{place}/x{below}/new", "text"),
        lambda: directories.unlink(f"{place}/x{below}/inner"),
    )
    # notes may be in a place of everybody's where nobody can exchange them: the next test
    sticky = below == "" and unsafe == UNSAFE["anybody's, sticky"]
    for act in (lambda: directories.make(f"{place}/x{below}/new", USER), *(() if sticky else notes)):
        with pytest.raises(PermissionError):
            act()
    assert tree(place / "x") == ["inner 0", "inner/innermost 0"]


def test_a_note_may_be_where_everybody_has_files_and_nobody_can_exchange_it(place: Path) -> None:
    run, secret = place / "run", place / "secret"
    run.mkdir()
    run.chmod(0o1777)
    secret.write_text("root's")
    for name in ("note", f".hawq-{os.getpid()}"):
        os.symlink(secret, run / name)
        os.lchown(run / name, USER.pw_uid, USER.pw_gid)
    directories.write(f"{run}/note", "text")
    assert (owner(run / "note"), (run / "note").read_text()) == ((0, 0, 0o644), "text")
    own(run / "theirs")
    with pytest.raises(PermissionError):
        directories.write(f"{run}/theirs/note", "text")
    directories.unlink(f"{run}/note")
    assert tree(run) == [f"theirs {USER.pw_uid}"]
    assert secret.read_text() == "root's"


def test_a_group_of_roots_own_may_write(place: Path) -> None:
    (place / "x").mkdir()
    (place / "x").chmod(0o775)
    with directories.opened(f"{place}/x"):
        pass


LINKS = {
    "absolute": "{place}/real",
    "relative": "real",
    "upwards": "../{name}/real",
    "with slashes at its end": "real//",
    "to a link": "second",
}


@pytest.mark.parametrize("target", LINKS.values(), ids=LINKS)
def test_a_link_of_roots_in_the_middle_is_followed(place: Path, target: str) -> None:
    """Many a host has its /data behind one."""
    (place / "real/inner").mkdir(parents=True)
    (place / "second").symlink_to("real")
    (place / "link").symlink_to(target.format(place=place, name=place.name))
    directories.make(f"{place}/link/inner/new", USER)
    assert owner(place / "real/inner/new") == MINE


def test_a_link_of_roots_to_what_is_the_users_is_not_followed(place: Path) -> None:
    own(place / "theirs")
    (place / "link").symlink_to("theirs")
    with pytest.raises(PermissionError):
        directories.make(f"{place}/link/new", USER)
    assert tree(place / "theirs") == []


def test_a_link_of_the_users_in_the_middle_is_not_followed(place: Path) -> None:
    """It stands in a directory of the user's, and so root never gets as far as to it."""
    (place / "secret").mkdir()
    own(place / "theirs")
    os.symlink(place / "secret", place / "theirs/link")
    os.lchown(place / "theirs/link", USER.pw_uid, USER.pw_gid)
    for act in (
        lambda: directories.make(f"{place}/theirs/link/new", USER),
        lambda: directories.write(f"{place}/theirs/link/new", "text"),
        lambda: directories.rename(f"{place}/theirs/link/x", f"{place}/theirs/link/y", USER),
    ):
        with pytest.raises(PermissionError):
            act()
    assert tree(place / "secret") == []


def test_links_in_a_circle_come_to_an_end(place: Path) -> None:
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    with pytest.raises(OSError, match="Too many levels"), directories.opened(f"{place}/a/x"):
        pass


def test_dots_do_not_lead_above_the_root(place: Path) -> None:
    (place / "link").symlink_to("/../../../" + str(place))
    with directories.opened(f"{place}/link/../../..") as found:
        assert os.path.samestat(os.fstat(found), os.stat("/"))


def test_dots_behind_a_link_lead_above_what_it_leads_to(place: Path) -> None:
    (place / "a/b").mkdir(parents=True)
    (place / "link").symlink_to("a/b")
    with directories.opened(f"{place}/link/..") as found:
        assert os.path.samestat(os.fstat(found), os.stat(place / "a"))


@pytest.mark.parametrize("kind", ["file", "fifo"])
def test_what_is_no_directory_is_not_entered(place: Path, kind: str) -> None:
    if kind == "file":
        (place / "x").touch()
    else:
        os.mkfifo(place / "x")
    with pytest.raises(NotADirectoryError), directories.opened(f"{place}/x/y"):
        pass
    with pytest.raises(NotADirectoryError), directories.opened(f"{place}/x"):
        pass


def test_what_is_missing_is_made_as_roots_only_when_asked_for(place: Path) -> None:
    with pytest.raises(FileNotFoundError), directories.opened(f"{place}/a/b"):
        pass
    with directories.opened(f"{place}/a/b", make=True):
        pass
    assert owner(place / "a") == owner(place / "a/b") == (0, 0, 0o755)


@pytest.mark.parametrize("function", ["stat", "open"])
def test_a_link_put_there_between_look_and_act_is_not_followed(
    place: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    (place / "secret").mkdir()
    (place / "middle/inner").mkdir(parents=True)
    act = exchange(place / "middle", place / "secret")
    done = swap(monkeypatch, function, "middle", act, before=function == "open")
    with pytest.raises(NotADirectoryError):
        directories.write(f"{place}/middle/new", "text")
    assert done == ["middle"]
    assert tree(place / "secret") == []


def test_what_was_opened_stays_the_one_that_was_looked_at(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange after root is inside leads it nowhere: it goes on where it is."""
    (place / "secret/inner").mkdir(parents=True)
    (place / "middle/inner").mkdir(parents=True)
    swap(monkeypatch, "open", "middle", exchange(place / "middle", place / "secret"))
    directories.write(f"{place}/middle/inner/new", "text")
    assert tree(place / "secret") == ["inner 0"]
    assert (place / "middle.away/inner/new").read_text() == "text"


# make


def test_a_directory_becomes_the_users_and_what_is_above_it_roots(place: Path) -> None:
    directories.make(f"{place}/a/b/data", USER)
    assert owner(place / "a") == owner(place / "a/b") == (0, 0, 0o755)
    assert owner(place / "a/b/data") == MINE
    directories.make(f"{place}/a/b/open/", USER, 0o750)
    assert owner(place / "a/b/open") == (USER.pw_uid, USER.pw_gid, 0o750)


def test_roots_umask_does_not_count(place: Path) -> None:
    before = os.umask(0o077)
    try:
        directories.make(f"{place}/data", USER, 0o755)
    finally:
        os.umask(before)
    assert owner(place / "data") == (USER.pw_uid, USER.pw_gid, 0o755)


def test_one_that_is_the_users_already_stays_as_it_is(place: Path) -> None:
    own(place / "data", mode=0o750)
    (place / "data/file").touch()
    directories.make(f"{place}/data", USER)
    assert owner(place / "data") == (USER.pw_uid, USER.pw_gid, 0o750)


@pytest.mark.parametrize("adopt", [False, True])
def test_one_of_another_user_stays_that_ones(place: Path, adopt: bool) -> None:
    own(place / "data", OTHER)
    with pytest.raises(PermissionError, match="is not nobody's"):
        directories.make(f"{place}/data", USER, adopt=adopt)
    assert owner(place / "data") == (OTHER.pw_uid, OTHER.pw_gid, 0o700)


def test_one_of_roots_is_given_away_only_when_asked_for(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data/inner").mkdir()
    with pytest.raises(PermissionError, match="is not nobody's"):
        directories.make(f"{place}/data", USER)
    directories.make(f"{place}/data", USER, adopt=True)
    assert owner(place / "data") == MINE
    assert owner(place / "data/inner")[0] == 0  # itself, and nothing in it


@pytest.mark.parametrize("kind", ["file", "fifo", "hard link", "device"])
@pytest.mark.parametrize("adopt", [False, True])
def test_what_is_no_directory_is_never_given_away(place: Path, kind: str, adopt: bool) -> None:
    path, secret = place / "data", place / "secret"
    secret.write_text("root's")
    secret.chmod(0o600)
    if kind == "file":
        path.touch()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "hard link":
        os.link(secret, path)
    else:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    with pytest.raises(OSError):  # noqa: PT011 which one depends on the kind
        directories.make(str(path), USER, adopt=adopt)
    assert owner(secret) == (0, 0, 0o600)
    assert owner(path)[0] == 0


@pytest.mark.parametrize("target", ["disk/data", "disk", "link"])
def test_a_link_at_the_end_is_refused(place: Path, target: str) -> None:
    (place / "link").symlink_to(target)
    (place / "disk").mkdir()
    with pytest.raises(PermissionError, match="no directory"):
        directories.make(f"{place}/link", USER)
    assert tree(place / "disk") == []
    assert owner(place / "link")[0] == owner(place / "disk")[0] == 0


def test_a_link_that_takes_the_place_of_what_was_just_made_is_not_followed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "secret").mkdir()
    swap(monkeypatch, "mkdir", "data", exchange(place / "data", place / "secret"))
    with pytest.raises(NotADirectoryError):
        directories.make(f"{place}/data", USER)
    assert owner(place / "secret") == (0, 0, 0o755)


@pytest.mark.parametrize("path", ["relative/x", "x", "", "/", "//", "/x/..", "/x/.", "."])
def test_what_is_no_path_of_a_directory_is_refused(path: str) -> None:
    for act in (
        lambda: directories.make(path, USER),
        lambda: directories.remove(path, USER),
        lambda: directories.write(path, "text"),
        lambda: directories.unlink(path),
        lambda: directories.rename(path, "/x", USER),
        lambda: directories.rename("/x", path, USER),
    ):
        with pytest.raises(PermissionError, match="not an absolute path"):
            act()


def test_whether_one_is_empty(place: Path) -> None:
    (place / "empty").mkdir()
    (place / "full/x").mkdir(parents=True)
    own(place / "theirs")
    (place / "file").touch()
    (place / "link").symlink_to("empty")
    told = [
        name for name in ("empty", "full", "theirs", "file", "none", "link") if directories.is_empty(f"{place}/{name}")
    ]
    assert told == ["empty", "link"]


# rename


def test_the_users_directory_is_renamed_where_root_alone_can(place: Path) -> None:
    own(place / "old")
    (place / "old/file").touch()
    directories.rename(f"{place}/old", f"{place}/new", USER)
    assert tree(place) == [f"new {USER.pw_uid}", "new/file 0"]


def test_it_is_renamed_out_of_one_of_the_users_own(place: Path) -> None:
    own(place / "staging")
    own(place / "staging/copy")
    directories.rename(f"{place}/staging/copy", f"{place}/data", USER)
    directories.rename(f"{place}/data", f"{place}/staging/old", USER)
    assert tree(place) == [f"staging {USER.pw_uid}", f"staging/old {USER.pw_uid}"]


@pytest.mark.parametrize("unsafe", [each for each in UNSAFE if not each.startswith("the user's")])
def test_it_is_not_renamed_out_of_or_into_what_is_not_the_users(place: Path, unsafe: str) -> None:
    uid, gid, mode = UNSAFE[unsafe]
    (place / "theirs").mkdir()
    own(place / "theirs/x")
    own(place / "mine")
    os.chown(place / "theirs", uid, gid)
    (place / "theirs").chmod(mode)
    for old, new in (("theirs/x", "y"), ("mine", "theirs/mine")):
        with pytest.raises(PermissionError, match="is not nobody's"):
            directories.rename(f"{place}/{old}", f"{place}/{new}", USER)
    assert [line.split()[0] for line in tree(place)] == ["mine", "theirs", "theirs/x"]


def test_nor_two_levels_below_what_is_the_users(place: Path) -> None:
    own(place / "a")
    own(place / "a/b")
    own(place / "a/b/c")
    with pytest.raises(PermissionError):
        directories.rename(f"{place}/a/b/c", f"{place}/new", USER)


@pytest.mark.parametrize("kind", ["file", "hard link", "fifo", "link", "root's", "another's"])
@pytest.mark.parametrize("end", ["old", "new"])
def test_nothing_but_directories_of_the_users_is_renamed_or_replaced(place: Path, kind: str, end: str) -> None:
    own(place / ("new" if end == "old" else "old"))
    path, secret = place / end, place / "secret"
    secret.write_text("root's")
    if kind == "file":
        path.touch()
        os.chown(path, USER.pw_uid, USER.pw_gid)
    elif kind == "hard link":
        os.link(secret, path)
    elif kind == "fifo":
        os.mkfifo(path)
        os.chown(path, USER.pw_uid, USER.pw_gid)
    elif kind == "link":
        own(place / "real")
        path.symlink_to("real")
        os.lchown(path, USER.pw_uid, USER.pw_gid)
    else:
        own(path, OTHER if kind == "another's" else pwd.getpwuid(0))
    before = tree(place)
    with pytest.raises(PermissionError):
        directories.rename(f"{place}/old", f"{place}/new", USER)
    assert tree(place) == before


def test_a_directory_with_files_is_not_replaced(place: Path) -> None:
    own(place / "old")
    own(place / "new")
    (place / "new/file").touch()
    with pytest.raises(OSError, match="not empty"):
        directories.rename(f"{place}/old", f"{place}/new", USER)


@pytest.mark.parametrize("what", ["a file", "a link", "root's directory"])
def test_what_was_exchanged_between_look_and_act_does_not_stay(
    place: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """In a directory of its own the user may do that."""
    own(place / "staging")
    copy = own(place / "staging/copy")
    (place / "secret").mkdir()

    def act() -> None:
        os.rename(copy, place / "staging/away")
        if what == "a file":
            copy.write_text("[Service]")
        elif what == "a link":
            copy.symlink_to(place / "secret")
        else:
            copy.mkdir()

    done = swap(monkeypatch, "rename", "copy", act, before=True)
    with pytest.raises(PermissionError, match="exchanged meanwhile"):
        directories.rename(f"{place}/staging/copy", f"{place}/data", USER)
    assert done == ["copy"]
    assert not os.path.lexists(place / "data")
    # what is no directory is deleted, since the user can block the way back
    assert os.path.lexists(copy) == (what == "root's directory")
    assert tree(place / "secret") == []


def test_a_link_of_the_users_in_a_place_of_roots_is_not_followed(place: Path) -> None:
    (place / "secret").mkdir()
    (place / "link").symlink_to("secret")
    os.chown(place / "link", USER.pw_uid, USER.pw_gid, follow_symlinks=False)
    with pytest.raises(PermissionError, match="not root's"):
        directories.make(f"{place}/link/new", USER)
    assert tree(place / "secret") == []


def test_a_parent_that_is_exchanged_meanwhile_leads_nowhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(place / "staging")
    own(place / "staging/copy")
    own(place / "elsewhere")
    own(place / "elsewhere/copy")
    (place / "elsewhere/copy/theirs").touch()
    with monkeypatch.context() as patch:
        swap(patch, "open", "staging", exchange(place / "staging", "elsewhere"))
        with pytest.raises(NotADirectoryError):
            directories.rename(f"{place}/staging/copy", f"{place}/data", USER)
    (place / "staging").unlink()
    (place / "staging.away").rename(place / "staging")
    # the second time it is opened it stays open: what has its name afterwards does not count
    swap(monkeypatch, "open", "staging", exchange(place / "staging", "elsewhere"), calls=2)
    directories.rename(f"{place}/staging/copy", f"{place}/data", USER)
    assert list((place / "data").iterdir()) == []
    assert (place / "elsewhere/copy/theirs").exists()


# remove


def test_what_the_user_has_emptied_is_removed(place: Path) -> None:
    own(place / "data")
    directories.remove(f"{place}/data/", USER)
    assert tree(place) == []


def test_nothing_else_is_removed(place: Path) -> None:
    own(place / "full/", USER)
    (place / "full/x").touch()
    own(place / "another's", OTHER)
    (place / "root's").mkdir()
    own(place / "real")
    (place / "link").symlink_to("real")
    (place / "file").touch()
    os.chown(place / "file", USER.pw_uid, USER.pw_gid)
    before = tree(place)
    for name in ("full", "another's", "root's", "link", "file", "none", "real/none"):
        with pytest.raises(OSError):  # noqa: PT011 which one depends on the kind
            directories.remove(f"{place}/{name}", USER)
    assert tree(place) == before


def test_a_link_put_there_before_the_removal_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(place / "data")
    (place / "secret").mkdir()
    swap(monkeypatch, "rmdir", "data", exchange(place / "data", "secret"), before=True)
    with pytest.raises(NotADirectoryError):
        directories.remove(f"{place}/data", USER)
    assert (place / "secret").is_dir()


# write and unlink


def test_a_note_is_written_in_one_step(place: Path) -> None:
    directories.write(f"{place}/new/note", "Größe \udcff\n")
    assert (place / "new/note").read_bytes() == "Größe ".encode() + b"\xff\n"
    assert owner(place / "new/note") == (0, 0, 0o644)
    directories.write(f"{place}/new/note", "second", 0o600)
    assert (place / "new/note").read_text() == "second"
    assert owner(place / "new/note") == (0, 0, 0o600)
    assert [path.name for path in (place / "new").iterdir()] == ["note"]


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo"])
def test_what_has_the_notes_name_is_replaced_and_not_written_to(place: Path, kind: str) -> None:
    secret = place / "secret"
    secret.write_text("root's")
    if kind == "link":
        (place / "note").symlink_to(secret)
    elif kind == "hard link":
        os.link(secret, place / "note")
    else:
        os.mkfifo(place / "note")
    directories.write(f"{place}/note", "text")
    assert secret.read_text() == "root's"
    assert (place / "note").read_text() == "text"
    assert stat.S_ISREG(os.lstat(place / "note").st_mode)


def test_a_link_in_the_temporary_files_place_is_not_written_to(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = place / "secret"
    secret.write_text("root's")
    temporary = place / f".hawq-{os.getpid()}"
    temporary.symlink_to(secret)
    directories.write(f"{place}/note", "text")
    swap(monkeypatch, "open", temporary.name, lambda: temporary.symlink_to(secret), before=True)
    with pytest.raises(FileExistsError):
        directories.write(f"{place}/note", "more")
    assert (secret.read_text(), (place / "note").read_text()) == ("root's", "text")


def test_a_directory_is_not_replaced_by_a_note(place: Path) -> None:
    (place / "note").mkdir()
    with pytest.raises(IsADirectoryError):
        directories.write(f"{place}/note", "text")
    with pytest.raises(OSError):  # noqa: PT011 which one depends on the file system
        directories.unlink(f"{place}/note")


def test_a_note_is_removed_once(place: Path) -> None:
    (place / "secret").write_text("root's")
    (place / "note").symlink_to("secret")
    directories.unlink(f"{place}/note")
    directories.unlink(f"{place}/note")
    directories.unlink(f"{place}/nowhere/note")
    assert tree(place) == ["secret 0"]
