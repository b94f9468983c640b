# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A block in a text file: where it goes, what else stays, and that nobody can lead its writer elsewhere."""

from __future__ import annotations

import json
import os
import pwd
import typing as t
from pathlib import Path

import attacks
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import text_block
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import blocks

MARKER = "# {mark} ours"
BLOCK = "# BEGIN ours\nb\n# END ours\n"
place = pytest.fixture(attacks.place)

EDITED: dict[str, tuple[str, str, bool, str]] = {
    "first": ("a\n", "b", True, f"{BLOCK}a\n"),
    "last": ("a\n", "b", False, f"a\n{BLOCK}"),
    "last, after a line without an end": ("a", "b\n", False, f"a\n{BLOCK}"),
    "into nothing": ("", "b", True, BLOCK),
    "where it was": ("a\n# BEGIN ours\nold\n# END ours\nc\n", "b", True, f"a\n{BLOCK}c\n"),
    "once": (f"{BLOCK}a\n{BLOCK}", "b", False, f"{BLOCK}a\n"),
    "taken away": (f"a\n{BLOCK}c", "", False, "a\nc"),
    "not there": ("a", "", False, "a"),
    "a begin without an end": ("# BEGIN ours\na\n", "b", False, f"# BEGIN ours\na\n{BLOCK}"),
    "an end alone, then a begin": ("# END ours\na\n# BEGIN ours\n", "", False, "# END ours\na\n# BEGIN ours\n"),
    "a second begin keeps what is before it": (f"# BEGIN ours\na\n{BLOCK}", "", False, "# BEGIN ours\na\n"),
    "of another": ("# BEGIN ours too\n# END ours too\n", "b", True, f"{BLOCK}# BEGIN ours too\n# END ours too\n"),
    "odd line ends": ("a\r\n\x0c\u2028x\n", "b", False, f"a\r\n\x0c\u2028x\n{BLOCK}"),
}


@pytest.mark.parametrize(("text", "block", "first", "wanted"), EDITED.values(), ids=EDITED)
def test_edited(text: str, block: str, first: bool, wanted: str) -> None:
    assert blocks.edited(text, MARKER, block, first)[0] == wanted
    assert blocks.edited(wanted, MARKER, block, first)[0] == wanted


def keep(path: t.Any, act: bool = True, block: str = "b", begin: str | None = None) -> dict[str, t.Any]:
    return text_block.keep(str(path), act, marker=MARKER, block=block, first=True, begin=begin, mode=0o644)


def test_bytes_and_mode_stay_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pg_hba.conf"
    path.write_bytes(b"\xff secret\n")
    path.chmod(0o640)
    shown = keep(path, act=False)
    assert shown["changed"]
    assert (shown["diff"]["before"], shown["diff"]["after"]) == ("", BLOCK)
    assert path.read_bytes() == b"\xff secret\n"
    assert "secret" not in json.dumps(keep(path))
    assert path.read_bytes() == BLOCK.encode() + b"\xff secret\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert not keep(path)["changed"]
    assert keep(path, block="")["diff"] == {
        "before_header": str(path),
        "after_header": str(path),
        "before": BLOCK,
        "after": "",
    }
    assert path.read_bytes() == b"\xff secret\n"


def test_a_new_file_begins_as_told(tmp_path: Path) -> None:
    path = tmp_path / "profile"
    assert keep(path, act=False, begin="x\n")["diff"]["after"] == f"x\n{BLOCK}"
    assert not path.exists()
    with pytest.raises(MirroringError, match="does not exist"):
        keep(path)
    assert not keep(path, block="", begin="x\n")["changed"]
    assert keep(path, begin="x\n")["changed"]
    assert path.read_text() == f"{BLOCK}x\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert not keep(path, begin="x\n")["changed"]


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a\n")
    (tmp_path / "link").symlink_to("file")
    assert keep(tmp_path / "link")["path"] == str(tmp_path / "file")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == f"{BLOCK}a\n"


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(MirroringError, match="is no regular file"):
            keep(path)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MirroringError, match="away is no directory that is there"):
        keep(tmp_path / "away/file", begin="")


def test_a_home_that_nobody_may_write_to_stays_one(place: attacks.Place) -> None:
    place.home.chmod(0o555)
    path = place.home / "profile"
    assert place.run(lambda: keep(path, begin="x\n"))["changed"]
    assert (path.read_text(), path.owner(), place.home.stat().st_mode & 0o777) == (f"{BLOCK}x\n", attacks.USER, 0o555)


def test_a_link_to_a_file_of_roots_changes_nothing(place: attacks.Place) -> None:
    (place.home / "profile").symlink_to(place.secret)
    with pytest.raises(MirroringError, match=f"may not read {place.secret}"):
        place.run(lambda: keep(place.home / "profile", begin=""))
    place.secret.chmod(0o644)
    with pytest.raises(MirroringError, match=f"{place.secret} is root's, .*profile leads there: remove that link"):
        place.run(lambda: keep(place.home / "profile", begin=""))
    place.secret.chmod(0o600)
    assert place.is_untouched()


def test_a_link_makes_no_file_in_a_place_of_roots(place: attacks.Place) -> None:
    (place.home / "profile").symlink_to(place.root / "new")
    with pytest.raises(MirroringError, match=f"{place.root} is root's"):
        place.run(lambda: keep(place.home / "profile", begin=""))
    assert not (place.root / "new").exists()


def test_roots_file_among_the_users_is_refused_with_what_to_do(place: attacks.Place) -> None:
    path = place.home / "pg_hba.conf"
    path.write_text("a\n")
    path.chmod(0o644)
    with pytest.raises(MirroringError, match=f"no file of the system.s: chown nobody {path}, then run this again"):
        place.run(lambda: keep(path, act=False))
    assert (path.read_text(), path.owner()) == ("a\n", "root")


def test_the_home_is_that_of_the_user(place: attacks.Place) -> None:
    """Root's own home would be another."""
    home = pwd.getpwnam(attacks.USER).pw_dir
    with pytest.raises(MirroringError, match=f"{home} is no directory"):
        place.run(lambda: keep("~/profile", begin=""))
