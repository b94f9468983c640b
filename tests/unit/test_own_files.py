# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates and keys in a data directory: which they are, and that each host keeps its own (case 77)."""

from __future__ import annotations

import os
from pathlib import Path

import attacks
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import in_place, own_files
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places
from sessions import instance_in

place = pytest.fixture(attacks.place)


def made(path: Path, whose: str, conf: str = "", mode: int = 0o600) -> Path:
    path.mkdir(parents=True, mode=0o700, exist_ok=True)
    (path / "postgresql.conf").write_text(conf)
    for name in ("server.crt", "server.key"):
        (path / name).write_text(whose)
        (path / name).chmod(mode)
    return path


def test_what_the_configuration_names(tmp_path: Path) -> None:
    data = made(tmp_path / "d", "x", "include_dir = 'conf.d'\nssl_ca_file = 'tls/root.crt'\n")
    assert own_files.named(str(data), str(data)) == {"ssl_cert_file": "server.crt", "ssl_key_file": "server.key"}
    (data / "tls").mkdir()
    (data / "tls/root.crt").touch()
    (data / "conf.d").mkdir()
    (data / "conf.d/a.conf").write_text("ssl_cert_file = '/etc/ssl/a.crt'\n")
    found = own_files.named(str(data), str(data))
    assert found == {"ssl_key_file": "server.key", "ssl_ca_file": "tls/root.crt"}
    (data / "postgresql.auto.conf").write_text(f"ssl_cert_file = '{data}/tls/root.crt'\nssl_key_file = '../key'\n")
    found = own_files.named(str(data), str(data))
    assert found == {"ssl_cert_file": "tls/root.crt", "ssl_ca_file": "tls/root.crt"}
    assert own_files.named(str(tmp_path / "none"), str(tmp_path / "none")) == {}


def test_a_configuration_that_includes_itself_ends(tmp_path: Path) -> None:
    data = made(tmp_path / "d", "x", "include 'postgresql.conf'\n")
    assert set(own_files.named(str(data), str(data))) == {"ssl_cert_file", "ssl_key_file"}


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_what_was_kept_aside_comes_back(tmp_path: Path, mode: int) -> None:
    """As around a rewind, which writes the master's over them."""
    instance = instance_in(tmp_path)
    data = made(Path(instance.data_directory), "own", "a = 1\n", mode)
    os.makedirs(places.scratch(str(data)), exist_ok=True)
    in_place.save_configuration(instance)
    own_files.let_write(str(data))
    made(data, "master", "a = 2\n", 0o400)
    in_place.restore_configuration(instance)
    assert [(data / name).read_text() for name in ("server.key", "server.crt", "postgresql.conf")] == [
        "own",
        "own",
        "a = 1\n",
    ]
    assert (data / "server.key").stat().st_mode & 0o777 == mode
    assert [path.name for path in data.rglob("*.hawq-own")] == []


def test_the_servers_own_files_are_left_alone(tmp_path: Path) -> None:
    data = made(tmp_path / "d", "x")
    for name in ("base/1/1", "pg_wal/a", "global/pg_control", "more/deep/note", "script"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).touch(0o400)
        (data / name).chmod(0o400)
    (data / "link").symlink_to("/nowhere")
    user = os.geteuid()
    attacks_as_user = user != 0
    own_files.let_write(str(data))
    assert (data / "base/1/1").stat().st_mode & 0o777 == 0o400
    if attacks_as_user:
        assert (data / "more/deep/note").stat().st_mode & 0o777 == 0o600


def test_the_user_may_write_what_it_could_not(place: attacks.Place) -> None:
    """What is root's goes, since the directory is the user's."""
    place.write(place.home / "note", "user's")
    (place.home / "note").chmod(0o400)
    (place.home / "key").write_text("root's")
    (place.home / "key").chmod(0o640)
    place.run(lambda: own_files.let_write(str(place.home)))
    assert (place.home / "note").stat().st_mode & 0o777 == 0o600
    assert not (place.home / "key").exists()
    assert place.is_untouched()


def test_a_key_of_roots_is_the_users_afterwards(place: attacks.Place) -> None:
    """A server takes one of root's that a group may read, and one of its own that nobody else may."""
    (place.home / "key").write_text("root's")
    (place.home / "key").chmod(0o644)
    place.run(lambda: own_files.keep(str(place.home / "key"), str(place.home / "kept")))
    assert (place.home / "kept").stat().st_mode & 0o777 == 0o600
    assert (place.home / "kept").owner() == attacks.USER


def test_a_copy_takes_over_what_the_host_had(tmp_path: Path) -> None:
    old, copy, aside = (
        made(tmp_path / "old", "own", "", 0o400),
        made(tmp_path / "copy", "master", "", 0o640),
        tmp_path / "a",
    )
    taken = own_files.carry(str(old), str(aside), str(copy), str(old))
    assert taken == ["server.crt", "server.key"]
    assert (copy / "server.key").read_text() == "own"
    assert (copy / "server.key").stat().st_mode & 0o777 == 0o400
    made(aside, "kept aside", "", 0o600)
    own_files.carry(str(old), str(aside), str(copy), str(old))
    assert (copy / "server.key").read_text() == "kept aside"


def test_a_host_that_had_none_or_half_of_a_pair_has_the_masters(tmp_path: Path) -> None:
    old, copy = made(tmp_path / "old", "own"), made(tmp_path / "copy", "master", "", 0o640)
    (old / "server.key").unlink()
    for place in (old, tmp_path / "none"):
        assert own_files.carry(str(place), str(tmp_path / "a"), str(copy), str(place)) == []
        assert (copy / "server.key").read_text() == "master"
        # root's on the master, with a group; the user's in the copy
        assert (copy / "server.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("inner", "top"), [(0o700, 0o700), (0o750, 0o750)])
def test_the_group_is_let_in_as_on_the_master(tmp_path: Path, inner: int, top: int) -> None:
    copy = made(tmp_path / "copy", "x")
    (copy / "base").mkdir()
    (copy / "base").chmod(inner)
    own_files.let_group_in(str(copy))
    assert copy.stat().st_mode & 0o777 == top
    assert own_files.modes(str(copy)) == ((0o750, 0o640) if top == 0o750 else (0o700, 0o600))
    own_files.let_group_in(str(tmp_path / "none"))
