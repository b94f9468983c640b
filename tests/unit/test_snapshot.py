# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The snapshot job: its command, its phases, and what a kill at any step of the move into place leaves."""

from __future__ import annotations

import json
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import deployment, snapshot_job, staging
from ansible_collections.hawq.mirroring.plugins.module_utils.host import user_places
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import Instance

PHASES: dict[str, tuple[dict[str, str], str]] = {
    "nothing answered": ({}, "none"),
    "not known": ({"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}, "none"),
    "copying": ({"LoadState": "loaded", "ActiveState": "activating", "SubState": "start-pre"}, "copying"),
    "verifying": ({"LoadState": "loaded", "ActiveState": "activating", "SubState": "start"}, "verifying"),
    "marking": ({"LoadState": "loaded", "ActiveState": "activating", "SubState": "start-post"}, "verifying"),
    "done": ({"LoadState": "loaded", "ActiveState": "active", "SubState": "exited"}, "done"),
    "failed": ({"LoadState": "loaded", "ActiveState": "failed", "SubState": "failed"}, "failed"),
    "being stopped": ({"LoadState": "loaded", "ActiveState": "deactivating", "SubState": "stop"}, "verifying"),
    "stopped": ({"LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead"}, "none"),
}


@pytest.mark.parametrize(("shown", "phase"), PHASES.values(), ids=PHASES)
def test_phase(shown: dict[str, str], phase: str) -> None:
    assert staging.phase_of(shown) == phase


def test_staging_is_beside_the_data_directory() -> None:
    for path in ("/data/hawq/master", "/data/hawq/master/"):
        assert staging.Staging(path).place == "/data/hawq/master.hawq-snapshot"
        assert staging.Staging(path).copy == "/data/hawq/master.hawq-snapshot/unverified-copy"


REQUEST: dict[str, t.Any] = {
    "system_identifier": "1",
    "source": {"host": "fd00::2", "port": 5432, "user": "r", "passfile": "/home/a b/.pgpass"},
    "slot": "hawq_mirroring_smdw",
    "checkpoint": "fast",
    "rate_limit": None,
    "compression": "none",
    "tablespace_mapping": {},
    "tablespaces": [],
}
OPTIONS: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "least": ({}, []),
    "rate": ({"rate_limit": "32M"}, ["--max-rate=32M"]),
    "compression": ({"compression": "server-lz4"}, ["--compress=server-lz4"]),
    "mapping": (
        {"tablespace_mapping": {"/b": "/d", "/a=1": "/c=2"}},
        ["--tablespace-mapping=/a\\=1=/c\\=2", "--tablespace-mapping=/b=/d"],
    ),
}


def instance_in(place: Path) -> Instance:
    path = str(place / "master")
    return Instance("root", "/usr/lib/postgresql/15/bin", path, path, "hawq-master.service", "smdw", 5432)


@pytest.mark.parametrize(("overrides", "extra"), OPTIONS.values(), ids=OPTIONS)
def test_copy_command(overrides: dict[str, t.Any], extra: list[str]) -> None:
    command = snapshot_job.copy_command(instance_in(Path("/data")), "/copy", {**REQUEST, **overrides})
    assert command[:2] == ["/usr/lib/postgresql/15/bin/pg_basebackup", "--no-password"]
    assert command[2].startswith(
        "--dbname=host=fd00::2 port=5432 user=r passfile='/home/a b/.pgpass' application_name="
    )
    assert "tcp_user_timeout=30000" in command[2]
    assert command[3:] == [
        "--pgdata=/copy",
        "--format=plain",
        "--wal-method=stream",
        "--slot=hawq_mirroring_smdw",
        "--checkpoint=fast",
        "--status-interval=1",
        *extra,
    ]


def no_unit(command: list[str], timeout: int = 30, user: str | None = None) -> tuple[int, str, str]:
    """Answer as a systemd that knows no snapshot job."""
    return 0, "LoadState=not-found\n", ""


class Killed(BaseException):
    """The host lost power here."""


@pytest.fixture
def ready(tmp_path: Path) -> Instance:
    """Return an instance whose verified copy, with a tablespace, waits to be moved into place."""
    instance = instance_in(tmp_path)
    staged = staging.Staging(instance.data_directory)
    (tmp_path / "ts/PG_15_1").mkdir(parents=True)
    Path(staged.copy).mkdir(parents=True)
    Path(staged.copy, "PG_VERSION").write_text("15\n")
    Path(staged.copy, "standby.signal").touch()
    Path(staged.request).write_text(
        json.dumps({"tablespaces": [str(tmp_path / "ts")], "tablespace_version": "PG_15_1"})
    )
    Path(staged.verified).parent.mkdir()
    Path(staged.verified).touch()
    return instance


def clear(instance: Instance) -> bool:
    return snapshot_job.clear(instance, t.cast("t.Any", no_unit))


def test_clear_takes_the_half_copy_and_its_tablespaces(ready: Instance, tmp_path: Path) -> None:
    assert clear(ready)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["ts"]
    assert not clear(ready)


def test_clear_takes_the_tablespaces_that_a_failed_pg_basebackup_leaves(ready: Instance, tmp_path: Path) -> None:
    staged = staging.Staging(ready.data_directory)
    shutil.rmtree(staged.copy)
    Path(staged.verified).unlink()
    assert clear(ready)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["ts"]


def test_a_tablespace_with_files_never_becomes_ours_to_empty(tmp_path: Path) -> None:
    (tmp_path / "ts").mkdir()
    (tmp_path / "ts/thesis.tex").write_text("years of work")
    instance, request = instance_in(tmp_path), {**REQUEST, "tablespaces": [str(tmp_path / "ts")]}
    with pytest.raises(MirroringError, match="existing_data=keep"):
        snapshot_job.start(instance, request, 60)
    clear(instance)
    assert (tmp_path / "ts/thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize("step", ["fsync", "unlink", "rmtree"])
def test_a_kill_after_the_move_leaves_the_tablespaces(
    ready: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The next run clears the staging place away; what the deployed copy lives on must stay."""

    def kill(*_arguments: t.Any, **_options: t.Any) -> None:
        if (tmp_path / "master").exists():
            raise Killed

    module = user_places.shutil if step == "rmtree" else user_places.os
    with monkeypatch.context() as patch:
        patch.setattr(module, step, kill)
        with pytest.raises(Killed):
            deployment.deploy(ready, "none")
    assert clear(ready)
    assert (tmp_path / "master/PG_VERSION").is_file()
    assert (tmp_path / "ts/PG_15_1").is_dir()


def test_a_kill_in_the_removal_leaves_the_tablespaces(
    ready: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = Path(staging.Staging(ready.data_directory).verified)

    def half(path: str) -> None:
        verified.unlink()
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(user_places.shutil, "rmtree", half)
        with pytest.raises(Killed):
            deployment.deploy(ready, "none")
    assert clear(ready)
    assert (tmp_path / "ts/PG_15_1").is_dir()


def test_what_would_start_as_a_master_is_not_deployed(ready: Instance, tmp_path: Path) -> None:
    Path(staging.Staging(ready.data_directory).copy, "standby.signal").unlink()
    with pytest.raises(MirroringError, match="second master"):
        deployment.deploy(ready, "none")
    assert not (tmp_path / "master").exists()


def test_a_kill_before_discarded_data_is_removed_leaves_it_to_the_next_run(
    ready: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_arguments: t.Any, **_options: t.Any) -> None:
        raise Killed

    (tmp_path / "master").mkdir()
    (tmp_path / "master/thesis.tex").write_text("not wanted")
    with monkeypatch.context() as patch:
        patch.setattr(user_places.shutil, "rmtree", kill)
        with pytest.raises(Killed):
            deployment.deploy(ready, "discard")
    assert clear(ready)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["master", "ts"]


def test_a_copy_is_known_after_another_run_has_deployed_it(ready: Instance) -> None:
    wanted = deployment.copy_id(ready)
    assert wanted is not None
    assert not deployment.is_deployed(ready, wanted)
    deployment.deploy(ready, "none")
    assert deployment.is_deployed(ready, wanted)
    assert not deployment.is_deployed(ready, None)


@pytest.mark.parametrize(("existing", "kept"), [("keep", 1), ("discard", 0)])
def test_deploy_over_old_data(ready: Instance, tmp_path: Path, existing: str, kept: int) -> None:
    (tmp_path / "master").mkdir()
    (tmp_path / "master/thesis.tex").write_text("years of work")
    deployment.deploy(ready, existing)
    assert (tmp_path / "master/PG_VERSION").is_file()
    assert [path.read_text() for path in tmp_path.glob("master.kept-*/thesis.tex")] == ["years of work"] * kept


@pytest.mark.parametrize(("existing", "kept"), [("keep", 1), ("discard", 0)])
def test_deploy_over_a_file_in_the_directorys_place(ready: Instance, tmp_path: Path, existing: str, kept: int) -> None:
    (tmp_path / "master").write_text("no directory")
    deployment.deploy(ready, existing)
    assert (tmp_path / "master/PG_VERSION").is_file()
    assert [path.read_text() for path in tmp_path.glob("master.kept-*")] == ["no directory"] * kept


def test_deploy_refuses_files_that_appeared_meanwhile(ready: Instance, tmp_path: Path) -> None:
    (tmp_path / "master").mkdir()
    (tmp_path / "master/thesis.tex").write_text("years of work")
    with pytest.raises(MirroringError, match="somebody wrote there"):
        deployment.deploy(ready, "none")
    assert (tmp_path / "master/thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize("existing", ["keep", "discard"])
def test_deploy_refuses_a_directory_that_a_server_was_started_in(
    ready: Instance, tmp_path: Path, existing: str
) -> None:
    """A copy takes hours; whoever starts the old server meanwhile must not lose its directory."""
    (tmp_path / "master").mkdir()
    with subprocess.Popen(["cat"], cwd=tmp_path / "master", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin
        assert server.stdout
        server.stdin.write(b"\n")
        server.stdin.flush()
        server.stdout.read(1)
        (tmp_path / "master/postmaster.pid").write_text(f"{server.pid}\n{tmp_path}/master\n1\n5432\n/tmp\n\n\n\n")
        with pytest.raises(MirroringError, match="systemctl stop hawq-master"):
            deployment.deploy(ready, existing)
        server.stdin.close()
    assert (tmp_path / "master/postmaster.pid").is_file()
    assert not list(tmp_path.glob("*.kept-*"))
