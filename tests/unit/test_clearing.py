# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is taken away from a host, and what another cluster of it keeps."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import clearing, files, programs, ssh_trust, systemd
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What systemd is told; all files lie below a directory of the test."""
    for name in ("SETTINGS", "UNITS", "LIMITS", "RUN"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(clearing, name, str(tmp_path / name))
    monkeypatch.setattr(places, "LIBRARY", f"{tmp_path}/library")
    monkeypatch.setattr(clearing, "LIBEXEC", f"{tmp_path}/libexec")
    monkeypatch.setattr(clearing, "RECORDS", f"{tmp_path}/record")
    monkeypatch.setattr(clearing, "EARLIER", (f"{tmp_path}/SETTINGS/interlock.json", f"{tmp_path}/old.start"))
    monkeypatch.setattr(clearing, "PACKAGES", (f"{tmp_path}/packages.conf",))
    monkeypatch.setattr(programs, "path", lambda name: str(tmp_path / name))
    real = programs.unit_path
    monkeypatch.setattr(
        programs, "unit_path", lambda *asked: real(*asked).replace("/etc/systemd/system", f"{tmp_path}/UNITS")
    )
    for name in ("permission", "snapshot_log", "removed"):
        monkeypatch.setattr(places, name, lambda unit, name=name: f"{tmp_path}/{name}-{places.cluster(unit)}")
    monkeypatch.setattr(files, "public", files.text_of)
    monkeypatch.setattr(systemd, "unit", lambda _run, _name: {"active": "active"})
    return []


def runner(told: list[list[str]]) -> t.Any:
    def run(command: list[str], timeout: float = 0) -> tuple[int, str, str]:
        told.append(command[1:])
        return 0, "", ""

    return run


def cluster(place: Path, name: str, user: str = "gpadmin") -> None:
    """Put on the host what a cluster has there."""
    for path, text in {
        f"SETTINGS/{name}/interlock.json": f'{{"user": "{user}"}}',
        f"SETTINGS/{name}/peer.json": "{}",
        f"UNITS/{name}.service": "[Unit]\nUpholds=hawq-mirroring-virtual-ip-db.service\nAfter=x\n",
        f"UNITS/{name}.service.d/zz-hawq-mirroring.conf": "x",
        f"UNITS/hawq-mirroring-virtual-ip-{name}.service": "x",
        f"permission-{name}": "",
        f"removed-{name}": "",
        f"LIMITS/hawq-{user}.conf": "x",
        "interlock": "program",
        "peer": "program",
        "virtual-ip": "program",
        "packages.conf": "x",
    }.items():
        (place / path).parent.mkdir(exist_ok=True)
        (place / path).write_text(text)


def there(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def clear(told: list[list[str]], act: bool = True, **options: bool) -> dict[str, t.Any]:
    chosen = {"unit": True, "serves": False, "mark": True, **options}
    return t.cast("dict[str, t.Any]", clearing.clear(runner(told), act, service="db", user="gpadmin", **chosen))


def test_a_host_is_free(told: list[list[str]], tmp_path: Path) -> None:
    cluster(tmp_path, "db")
    before = there(tmp_path)
    assert clear(told, act=False)["changed"]
    assert (there(tmp_path), told) == (before, [])
    assert clear(told)["changed"]
    assert there(tmp_path) == []
    assert not (tmp_path / "UNITS/db.service.d").exists()
    address = "hawq-mirroring-virtual-ip-db.service"
    assert told == [["disable", "--now", address], ["disable", "db.service"], ["daemon-reload"]]
    assert not clear(told)["changed"]


def test_another_cluster_keeps_what_it_needs(told: list[list[str]], tmp_path: Path) -> None:
    cluster(tmp_path, "other")
    before = there(tmp_path)
    cluster(tmp_path, "db")
    clear(told)
    assert there(tmp_path) == before
    assert clearing.other_clusters("db") == ["other"]


def test_another_user_of_the_other_cluster(told: list[list[str]], tmp_path: Path) -> None:
    cluster(tmp_path, "other", "postgres")
    cluster(tmp_path, "db")
    clear(told)
    assert "LIMITS/hawq-gpadmin.conf" not in there(tmp_path)
    assert "LIMITS/hawq-postgres.conf" in there(tmp_path)


def test_a_server_that_goes_on_is_not_touched(told: list[list[str]], tmp_path: Path) -> None:
    """Its unit stays, its address as well: who holds it ends without taking it off, and nothing has failed then."""
    cluster(tmp_path, "db")
    (tmp_path / "RUN/hawq-mirroring-virtual-ip-db").mkdir()
    (tmp_path / "RUN/hawq-mirroring-virtual-ip-db/held").touch()
    clear(told, serves=True)
    assert there(tmp_path) == ["UNITS/db.service"]
    assert (tmp_path / "UNITS/db.service").read_text() == "[Unit]\nAfter=x\n"
    address = "hawq-mirroring-virtual-ip-db.service"
    assert told[:4] == [
        ["disable", address],
        ["daemon-reload"],
        ["kill", "--signal=KILL", address],
        ["stop", address],
    ]
    assert told[4] == ["reset-failed", address]
    assert not any({"restart", "--now"} & set(words) or words == ["stop", "db.service"] for words in told)
    assert not (tmp_path / "RUN/hawq-mirroring-virtual-ip-db").exists()


def test_the_mark_of_deleted_data_stays_until_all_goes(told: list[list[str]], tmp_path: Path) -> None:
    cluster(tmp_path, "db")
    clear(told, mark=False)
    assert there(tmp_path) == ["removed-db"]


def test_what_earlier_versions_have_left(told: list[list[str]], tmp_path: Path) -> None:
    for path in clearing.EARLIER:
        Path(path).write_text("")
    assert clearing.earlier("db") == list(clearing.EARLIER)
    cluster(tmp_path, "other")
    (tmp_path / "UNITS/other.service.d/zz-hawq-mirroring.conf").write_text(f"ExecStartPre=x {clearing.EARLIER[0]}\n")
    assert clearing.earlier("db") == [clearing.EARLIER[1]]
    assert clearing.take_away_earlier(runner(told), True, "db") == [clearing.EARLIER[1]]
    assert clearing.earlier("db") == []


def test_a_drop_in_that_others_could_be_read_after(told: list[list[str]], tmp_path: Path) -> None:
    cluster(tmp_path, "db")
    old = tmp_path / "UNITS/db.service.d/hawq-mirroring.conf"
    old.write_text("x")
    assert clearing.earlier("db") == [str(old)]
    assert clearing.take_away_earlier(runner(told), True, "db") == [str(old)]
    assert (tmp_path / "UNITS/db.service.d/zz-hawq-mirroring.conf").exists()
    assert clearing.earlier("db") == []


def test_a_segment(told: list[list[str]], tmp_path: Path) -> None:
    unit = tmp_path / "UNITS/hawq-mirroring-segment.service"
    unit.write_text("x")
    (tmp_path / "SETTINGS/segment.json").write_text("{}")
    assert clearing.clear_segment(runner(told), True)["changed"]
    assert told == [["disable", "--now", unit.name], ["daemon-reload"]]
    assert there(tmp_path) == []


def guard(place: Path, name: str) -> None:
    """Put on the host what lets commits of a cluster wait, and a witness."""
    for path in (
        *(f"UNITS/hawq-mirroring-{program}-{name}.service" for program in programs.GUARDS),
        *(f"SETTINGS/{name}/{program}.json" for program in programs.GUARDS),
        *(f"libexec/hawq-mirroring-{program}" for program in programs.GUARDS),
        f"record-{name}/record.json",
        f"record-{name}/record.json.lock",
        "library/hawq_mirroring/judge/guard.py",
        "library/hawq_mirroring/values/ledger.py",
    ):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text("x")


def test_what_lets_commits_wait_is_stopped_and_goes(told: list[list[str]], tmp_path: Path) -> None:
    guard(tmp_path, "db")
    found = clearing.clear_guard(runner(told), False, "db.service", programs.GUARD)
    assert (found["changed"], told, len(there(tmp_path))) == (True, [], 10)
    # a host may have the guard of one cluster and be a witness of another one whose server has the same unit elsewhere
    assert clearing.clear_guard(runner(told), True, "db.service", programs.WITNESS)["changed"]
    assert told == [["disable", "--now", "hawq-mirroring-witness-db.service"], ["daemon-reload"]]
    assert (tmp_path / "library").exists()
    assert not (tmp_path / "record-db").exists()
    told.clear()
    assert clearing.clear_guard(runner(told), True, "db.service", programs.GUARD)["changed"]
    assert told == [["disable", "--now", "hawq-mirroring-guard-db.service"], ["daemon-reload"]]
    assert there(tmp_path) == []
    assert not (tmp_path / "library").exists()
    assert clearing.clear_guard(runner(told), True, "db.service", programs.GUARD)["changed"] is False


def test_another_clusters_guard_keeps_what_it_is_run_with(told: list[list[str]], tmp_path: Path) -> None:
    guard(tmp_path, "db")
    guard(tmp_path, "other")
    for which in programs.GUARDS:
        clearing.clear_guard(runner(told), True, "db.service", which)
    assert [path for path in there(tmp_path) if "db" in path] == []
    assert len(there(tmp_path)) == 10


def test_who_leaves_a_host_takes_its_guard_along(told: list[list[str]], tmp_path: Path) -> None:
    cluster(tmp_path, "db")
    guard(tmp_path, "db")
    (tmp_path / "UNITS/hawq-mirroring-witness-db.service").unlink()
    (tmp_path / "record-db/record.json").unlink()
    (tmp_path / "record-db/record.json.lock").unlink()
    clearing.clear(runner(told), True, service="db.service", user="gpadmin", unit=True, serves=False, mark=True)
    assert there(tmp_path) == []


def test_a_witness_stays_one_when_a_standby_leaves_its_host(told: list[list[str]], tmp_path: Path) -> None:
    """Its record is one of those that a failover asks for."""
    cluster(tmp_path, "db")
    guard(tmp_path, "db")
    clearing.clear(runner(told), True, service="db.service", user="gpadmin", unit=True, serves=False, mark=True)
    left = there(tmp_path)
    assert "SETTINGS/db/witness.json" in left
    assert "record-db/record.json" in left
    assert "library/hawq_mirroring/values/ledger.py" in left
    assert not any("guard-db" in path or path.endswith("guard.json") for path in left)
    assert ["disable", "--now", "hawq-mirroring-witness-db.service"] not in told


ASKS = f"{ssh_trust.RESTRICTED} ssh-ed25519 AAAAsmdw gpadmin@smdw"
OTHER = f"{ssh_trust.RESTRICTED} ssh-ed25519 AAAAsdw1 gpadmin@sdw1"
LOGIN = "ssh-ed25519 AAAAmine me@smdw"


@pytest.mark.parametrize(
    ("names", "after"), [(None, [LOGIN]), (["smdw"], [OTHER, LOGIN]), (["gone"], [ASKS, OTHER, LOGIN])]
)
def test_whose_key_is_good_for_nothing_any_more(names: list[str] | None, after: list[str]) -> None:
    text = "".join(f"{line}\n" for line in (ASKS, OTHER, LOGIN))
    assert ssh_trust.forgotten(text, names, ssh_trust._asks).splitlines() == after


def test_which_host_keys_are_forgotten() -> None:
    hosts = [{"name": name, "addresses": [name], "keys": ["ssh-ed25519 A"]} for name in ("mdw", "smdw")]
    text = ssh_trust.known("mine ssh-rsa B\n", hosts)
    assert ssh_trust.unknown(text, None) == "mine ssh-rsa B\n"
    assert "hawq.mirroring mdw" in ssh_trust.unknown(text, ["smdw"])
    assert "hawq.mirroring smdw" not in ssh_trust.unknown(text, ["smdw"])
