# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A configuration that lies outside of the data directory: what is read of it, what is written, what is taken back."""

from __future__ import annotations

import base64
import os
import re
import typing as t
from pathlib import Path

import attacks
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import configuration, files
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError

place = pytest.fixture(attacks.place)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    (path / "conf.d/empty").mkdir(parents=True)
    (path / "postgresql.conf").write_bytes(b"\xff\n")
    (path / "postgresql.conf").chmod(0o644)
    (path / "conf.d/z.conf").write_text("z\n")
    (path / "conf.d/z.conf").chmod(0o600)
    (path / ".hidden").write_text("hidden")
    (tmp_path / "elsewhere").write_text("linked\n")
    (tmp_path / "elsewhere").chmod(0o666)
    (path / "pg_ident.conf").symlink_to(tmp_path / "elsewhere")
    return path


def test_what_is_read_is_written(source: Path, tmp_path: Path) -> None:
    read = configuration.read(str(source))
    assert read["directories"] == ["conf.d", "conf.d/empty"]
    assert {each["path"]: each["mode"] for each in read["files"]} == {
        "pg_ident.conf": "0640",
        "postgresql.conf": "0644",
        "conf.d/z.conf": "0600",
    }
    target = tmp_path / "above/target"

    def write(act: bool = True) -> dict[str, t.Any]:
        return configuration.write(str(target), act, directories=read["directories"], found=read["files"])

    assert write(act=False)["changed"]
    assert not target.parent.exists()
    done = write()
    names = ["conf.d/z.conf", "pg_ident.conf", "postgresql.conf"]
    assert done["written"] == [str(target / name) for name in (configuration.MARK, *names)]
    assert not write()["changed"]
    assert {name: (target / name).stat().st_mode & 0o777 for name in names} == dict(zip(names, (0o600, 0o640, 0o644)))
    assert (target / "postgresql.conf").read_bytes() == b"\xff\n"
    assert (target / "conf.d/empty").stat().st_mode & 0o777 == 0o755
    assert not (target / "pg_ident.conf").is_symlink()
    (target / "mine").touch()
    assert configuration.remove(str(target), False, paths=done["written"])["changed"]
    assert configuration.remove(str(target), True, paths=done["written"])["changed"]
    assert [path.name for path in target.rglob("*") if not path.is_dir()] == ["mine"]
    assert not configuration.remove(str(target), True, paths=done["written"])["changed"]


def test_what_no_configuration_is_is_left_out(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source.parent / "logs").mkdir()
    (source.parent / "logs/today.log").touch()

    def left_out(match: str, name: str = "odd") -> None:
        found = configuration.read(str(source))
        assert re.search(match, found["skipped"][str(source / name)])
        assert "postgresql.conf" in [each["path"] for each in found["files"]]
        assert not [each for each in found["files"] if each["path"].startswith(name)]
        assert name not in found["directories"]
        (source / name).unlink()

    os.mkfifo(source / "odd")
    left_out("it is no file")
    (source / "odd").symlink_to(source.parent / "logs")
    left_out("it leads to .*/logs, which holds other files")
    (source / "odd").symlink_to("nowhere")
    left_out("No such file")
    (source / "odd").symlink_to("odd")
    left_out("Too many levels")
    (source / "odd").symlink_to("/dev/zero")
    left_out("it is no file")
    (source / "odd").write_bytes(b"x" * (configuration.MOST_OF_ONE + 1))
    left_out("it is larger than 1 MB")
    with open(source.parent / "large", "wb") as large:
        large.truncate(300 << 20)
    (source / "log").symlink_to(source.parent / "large")
    left_out("it is larger than 1 MB", "log")
    monkeypatch.setattr(configuration, "MOST_OF_ALL", 4)
    with pytest.raises(MirroringError, match="source holds more than"):
        configuration.read(str(source))
    with pytest.raises(MirroringError, match="nowhere cannot be read"):
        configuration.read(str(source / "nowhere"))


def test_a_link_to_files_of_configuration_is_followed(source: Path) -> None:
    (source.parent / "more").mkdir()
    (source.parent / "more/memory.conf").write_text("work_mem = 8MB\n")
    (source / "more").symlink_to(source.parent / "more")
    found = configuration.read(str(source))
    assert "more" in found["directories"]
    assert {"path": "more/memory.conf", "mode": "0644", "content": "d29ya19tZW0gPSA4TUIK"} in found["files"]
    assert found["skipped"] == {}


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_nothing_is_written_or_removed_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").touch()
    file = {"path": name, "mode": "0644", "content": ""}
    with pytest.raises(MirroringError, match="is not the name of a file below"):
        configuration.write(str(tmp_path / "in"), True, directories=[], found=[file])
    with pytest.raises(MirroringError, match="is not the name of a file below"):
        configuration.write(str(tmp_path / "in"), True, directories=[name], found=[])
    with pytest.raises(MirroringError, match="is not below"):
        configuration.remove(str(tmp_path / "in"), True, paths=[os.path.join(tmp_path, "in", "..", "outside")])
    assert (tmp_path / "outside").exists()


def test_half_done_work_says_what_it_has_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = files.write

    def full(path: str, *arguments: t.Any, **options: t.Any) -> bool:
        if path.endswith("postgresql.conf"):
            raise OSError(28, "No space left on device", path)
        return write(path, *arguments, **options)

    monkeypatch.setattr(files, "write", full)
    found = [{"path": name, "mode": "0644", "content": ""} for name in ("postgresql.conf", "pg_hba.conf")]
    with pytest.raises(MirroringError, match=r"postgresql\.conf cannot be written") as error:
        configuration.write(str(tmp_path), True, directories=[], found=found)
    assert error.value.details["written"] == [str(tmp_path / "pg_hba.conf")]


def test_a_link_to_a_file_of_roots_is_not_read(place: attacks.Place) -> None:
    place.write(place.home / "postgresql.conf", "a\n")
    (place.home / "key").symlink_to(place.secret)
    (place.home / "sub").symlink_to(place.root)
    (place.secret.parent / "closed").mkdir(mode=0o700)
    (place.home / "closed").symlink_to(place.secret.parent / "closed")
    found = place.run(lambda: configuration.read(str(place.home)))
    assert [each["path"] for each in found["files"]] == ["postgresql.conf"]
    assert sorted(found["skipped"]) == [str(place.home / name) for name in ("closed", "key", "sub")]
    (place.home / "postgresql.conf").unlink()
    (place.home / "postgresql.conf").symlink_to(place.secret)
    with pytest.raises(MirroringError, match=r"postgresql\.conf cannot be read by nobody"):
        place.run(lambda: configuration.read(str(place.home)))


def test_root_makes_the_directory_and_the_user_writes(place: attacks.Place) -> None:
    target = place.root / "etc/15/main"
    found = [{"path": "postgresql.conf", "mode": "0644", "content": base64.b64encode(b"a\n").decode()}]

    def write() -> dict[str, t.Any]:
        return configuration.write(str(target), True, directories=["conf.d"], found=found)

    assert place.run(write, target)["changed"]
    assert not place.run(write, target)["changed"]
    assert [(target / name).owner() for name in (".", "conf.d", "postgresql.conf")] == [attacks.USER] * 3
    assert target.parent.owner() == "root"


def test_an_empty_directory_of_roots_in_the_users_place_is_no_obstacle(place: attacks.Place) -> None:
    """As what mkdir of an operator has left in /etc/postgresql, which is the user's."""
    (place.home / "15").mkdir(mode=0o755)
    (place.home / "16/other").mkdir(mode=0o755, parents=True)
    target = place.home / "15/main"
    assert place.run(lambda: configuration.write(str(target), True, directories=[], found=[]), target)["changed"]
    assert (target.owner(), target.parent.owner()) == (attacks.USER, attacks.USER)
    target = place.home / "16/main"
    with pytest.raises(MirroringError, match="cannot be written by nobody"):
        place.run(lambda: configuration.write(str(target), True, directories=[], found=[]), target)


def test_links_of_the_users_lead_the_writer_nowhere(place: attacks.Place) -> None:
    """A link in place of a file is replaced, one in place of a directory is refused."""
    found = [{"path": "postgresql.conf", "mode": "0644", "content": ""}]
    (place.home / "postgresql.conf").symlink_to(place.secret)
    place.run(lambda: configuration.write(str(place.home), True, directories=[], found=found), place.home)
    assert not (place.home / "postgresql.conf").is_symlink()
    (place.home / "main").symlink_to(place.root)
    for target in (place.home / "main", place.home / "main/new"):
        with pytest.raises(MirroringError, match="cannot be written by nobody"):
            place.run(lambda path=str(target): configuration.write(path, True, directories=[], found=found), target)
    assert place.is_untouched()
    assert sorted(path.name for path in place.root.iterdir()) == ["home", "secret"]
    with pytest.raises(PermissionError):
        place.run(lambda: configuration.remove(str(place.home), True, paths=[f"{place.home}/main/secret"]), place.home)
    assert place.is_untouched()


def test_only_a_directory_that_was_made_here_is_discarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    monkeypatch.setattr(configuration.user_places, "remove", gone.append)
    found = [{"path": "postgresql.conf", "mode": "0644", "content": ""}]
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    theirs.mkdir()
    for place in (ours, theirs):
        configuration.write(str(place), True, directories=[], found=found)
    assert configuration.discard(str(ours), False)["changed"]
    assert gone == []
    assert configuration.discard(str(ours), True)["changed"]
    assert not configuration.discard(str(theirs), True)["changed"]
    assert gone == [str(ours)]
