# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A configuration that lies outside of the data directory: what is read of it, what is written, what is taken back."""

from __future__ import annotations

import base64
import os
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
    assert done["written"] == [str(target / name) for name in names]
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


def test_what_no_configuration_is_is_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(match: str, name: str = "odd") -> None:
        with pytest.raises(MirroringError, match=match):
            configuration.read(str(source))
        (source / name).unlink()

    os.mkfifo(source / "odd")
    refused("odd is no file")
    (source / "odd").symlink_to("conf.d")
    refused("odd leads to a directory")
    (source / "odd").symlink_to("nowhere")
    refused("odd leads to .*nowhere, which .* cannot read")
    (source / "odd").symlink_to("/dev/zero")
    refused("odd is no file")
    (source / "odd").write_bytes(b"x" * (configuration.MOST_OF_ONE + 1))
    refused("odd is larger than 1 MB")
    monkeypatch.setattr(configuration, "MOST_OF_ALL", 4)
    with pytest.raises(MirroringError, match="source holds more than"):
        configuration.read(str(source))
    with pytest.raises(MirroringError, match="nowhere cannot be read"):
        configuration.read(str(source / "nowhere"))


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
    with pytest.raises(MirroringError, match=f"{place.home}/key leads to {place.secret}, which nobody cannot read"):
        place.run(lambda: configuration.read(str(place.home)))
    (place.home / "key").unlink()
    (place.home / "sub").symlink_to(place.root)
    with pytest.raises(MirroringError, match="sub leads to a directory"):
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
