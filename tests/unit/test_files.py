# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of whoever this process is: what is no file is not waited for, and bytes that are no text stay as they are."""

from __future__ import annotations

import os
import socket
import stat
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo, settings_file

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
BYTES = b"plain\n\xff\xfe\x80 \xc3\xa9 \xc3\n\r\n\x00\x1b[31m no end"


def fifo(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(path))


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(files.MOST + 1)


NO_TEXTS: dict[str, t.Callable[[Path], t.Any]] = {
    "pipe": fifo,
    "socket": listening,
    "directory": Path.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "link to a pipe": lambda path: (os.mkfifo(f"{path}.pipe"), path.symlink_to(f"{path}.pipe")),
    "link to itself": lambda path: path.symlink_to(path),
    "too large": huge,
}


@pytest.mark.parametrize("make", NO_TEXTS.values(), ids=NO_TEXTS)
def test_what_is_no_file_is_an_error_at_once(tmp_path: Path, make: t.Callable[[Path], t.Any]) -> None:
    path = tmp_path / "x"
    make(path)
    begin = time.monotonic()
    with pytest.raises(OSError):  # noqa: PT011 which one depends on the kind
        files.read(str(path))
    assert files.text_of(str(path)) is None
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("name", [each for each in NO_TEXTS if each not in ("directory", "too large")])
def test_it_is_replaced_where_a_file_has_to_be(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x"
    NO_TEXTS[name](path)
    assert files.write(str(path), "text", act=False)
    assert not stat.S_ISREG(os.lstat(path).st_mode)
    assert files.write(str(path), "text", act=True)
    assert stat.S_ISREG(os.lstat(path).st_mode)
    assert path.read_text() == "text"


def test_a_directory_in_a_files_place_stays_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write(str(tmp_path / "x"), "text", act=True)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_as_much_as_is_allowed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST", 5)
    path = tmp_path / "x"
    path.write_text("12345")
    assert files.read(str(path)) == "12345"
    path.write_text("123456")
    with pytest.raises(OSError, match="too large"):
        files.read(str(path))


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert files.read(str(tmp_path / "x")) is None
    assert files.text_of(str(tmp_path / "x")) is None
    assert files.read("/proc/self/status")  # which has no size


def test_a_link_is_read_through_and_replaced(tmp_path: Path) -> None:
    """The link goes, and what it leads to stays as it is."""
    (tmp_path / "real").write_text("one")
    (tmp_path / "link").symlink_to("real")
    assert files.read(str(tmp_path / "link")) == "one"
    assert files.write(str(tmp_path / "link"), "two", act=True)
    assert not (tmp_path / "link").is_symlink()
    assert ((tmp_path / "link").read_text(), (tmp_path / "real").read_text()) == ("two", "one")


def test_a_hard_link_to_somebody_elses_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("one")
    os.link(tmp_path / "theirs", tmp_path / "ours")
    assert files.write(str(tmp_path / "ours"), "two", act=True)
    assert (tmp_path / "theirs").read_text() == "one"


def test_bytes_that_are_no_text_survive(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(BYTES)
    path.chmod(0o600)
    text = files.read(str(path))
    assert text is not None
    assert files.text_of(str(path)) == text
    assert not files.write(str(path), text, act=True)
    assert files.write(str(path), f"{text}more", act=True)
    assert path.read_bytes() == BYTES + b"more"


def test_they_survive_in_configuration_that_is_edited(tmp_path: Path) -> None:
    path = tmp_path / "postgresql.auto.conf"
    kept = b"search_path = '\xff\x0c\xe2\x80\xa8, \x1c\x85'\n# \xfe comment\r\nhawq_mirroring.note = 'a''\xff'\n"
    path.write_bytes(kept + b"port = 1\n")
    text = files.read(str(path)) or ""
    files.write(str(path), settings_file.edit(text, {"port": "2", "hot_standby": "on"}), act=True)
    assert path.read_bytes() == kept + b"port = '2'\nhot_standby = 'on'\n"
    assert settings_file.parse(text)["hawq_mirroring.note"] == "a'\udcff"


def test_they_survive_in_a_connection(tmp_path: Path) -> None:
    told = conninfo.parse("host='m\udcff\n' user=\udcfe")
    assert told == {"host": "m\udcff\n", "user": "\udcfe"}
    assert conninfo.parse(conninfo.render(dict(told))) == told


def test_a_text_that_no_file_can_hold_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        files.write(str(tmp_path / "x"), "half of a pair: \ud83d", act=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_mode_is_right_from_the_start_and_made_right_later(
    tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    seen: list[int] = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: (seen.append(os.stat(old).st_mode & 0o7777), replace(old, new)))
    before = os.umask(0)
    try:
        assert files.write(str(path), "text", mode, act=True)
    finally:
        os.umask(before)
    assert seen == [mode]
    assert path.stat().st_mode & 0o7777 == mode
    assert not files.write(str(path), "text", mode, act=True)
    path.chmod(0o666)
    assert files.write(str(path), "text", mode, act=False)
    assert files.write(str(path), "text", mode, act=True)
    assert path.stat().st_mode & 0o7777 == mode


@as_root
def test_a_file_of_another_owner_is_made_this_processs_own(tmp_path: Path) -> None:
    path = tmp_path / "x"
    files.write(str(path), "text", act=True)
    os.chown(path, 1, 1)
    assert files.write(str(path), "text", act=False)
    assert files.write(str(path), "text", act=True)
    assert (path.stat().st_uid, path.stat().st_gid) == (0, 0)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_text("one")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write(str(path), "two", act=True)
    assert path.read_text() == "one"
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("name", ["plain", "link", "hard link", "pipe"])
def test_a_new_file_takes_the_place_of_whatever_has_its_name(tmp_path: Path, name: str) -> None:
    path, other = tmp_path / "x", tmp_path / "other"
    other.write_text("one")
    if name == "plain":
        path.write_text("old and longer")
    elif name == "link":
        path.symlink_to(other)
    elif name == "hard link":
        os.link(other, path)
    else:
        os.mkfifo(path)
    with files.created(str(path)) as file:
        file.write(b"two")
    assert (path.read_text(), other.read_text()) == ("two", "one")
    assert os.lstat(path).st_mode == stat.S_IFREG | 0o600


@as_root
def test_only_what_is_roots_own_is_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("text")
    path.chmod(0o644)
    assert files.public(str(path)) == "text"
    for mode in (0o600, 0o664, 0o646, 0o4644):
        path.chmod(mode)
        assert files.public(str(path)) is None, oct(mode)
    path.chmod(0o644)
    (tmp_path / "link").symlink_to(path)
    assert files.public(str(tmp_path / "link")) is None
    for owner in ((1, 0), (0, 1)):
        os.chown(path, *owner)
        assert files.public(str(path)) is None
    os.mkfifo(tmp_path / "pipe", 0o644)
    assert files.public(str(tmp_path / "pipe")) is None
    assert files.public(str(tmp_path / "none")) is None


def test_our_lines_in_a_file_of_others() -> None:
    text = "a\udcff\x0c# BEGIN hawq.mirroring\n# BEGIN hawq.mirroring\none\x85\ntwo \udcff\n# END hawq.mirroring\nb"
    assert files.block(text) == ["one\x85", "two \udcff"]
    assert files.block("# BEGIN hawq.mirroring\nno end") is None
    assert files.block("") is files.block(None) is None
