# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a dead master's host offers its standby, when that is a loss, and what the standby checks before it takes it."""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import observe, stopping, wal_files
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql.salvage import offering, taking
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places
from sessions import instance_in

RUN = t.cast("t.Any", None)
SIZE = 16 << 20
NAME = "000000010000000000000003"
CONTROL = {"wal_segment_bytes": SIZE, "checkpoint_lsn": "0/3000028", "timeline": 1}
ENDS = ("0/3000060", "0/3000100", None)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The data directory of a dead master whose WAL ends at ENDS."""
    place = tmp_path / "master"
    (place / "pg_wal").mkdir(parents=True)
    (place / "pg_wal" / NAME).write_bytes(b"wal")
    monkeypatch.setattr(observe, "control", lambda instance, run: dict(CONTROL))
    monkeypatch.setattr(stopping, "workers", lambda path: [])
    monkeypatch.setattr(wal_files, "end_of_wal", lambda *_: ENDS)
    return place


def offered(place: Path, act: bool = True, **options: t.Any) -> dict[str, t.Any]:
    wanted: dict[str, t.Any] = {
        "after": "0/3000050",
        "have": "0/3000050",
        "timeline": 1,
        "known": None,
        "known_from": "",
        "accept_loss": False,
        "timeout": 60,
    }
    return offering.offered(instance_in(place), RUN, act, **{**wanted, **options})


def test_what_the_standby_lacks_is_offered(place: Path) -> None:
    offer = offered(place)["offer"]
    assert (offer["damage"], offer["missing_bytes"], offer["end_lsn"]) == (None, 0xB0, "0/3000100")
    assert offer["files"] == [{"name": NAME, "size": 3, "sha256": hashlib.sha256(b"wal").hexdigest()}]
    assert offered(place, have="0/3000100")["offer"]["files"] == []


def test_a_refusal_names_the_witness_that_alone_knows_of_more(place: Path) -> None:
    doubt = "sdw1 remembers mdw at LSN 0/3000200. If sdw1 cannot be right: ansible-playbook"
    with pytest.raises(MirroringError) as refused:
        offered(place, known="0/3000200", known_from=doubt)
    assert f"(it is known to have reached 0/3000200). {doubt}. If the file system" in str(refused.value)
    # of what comes before that position nobody needs to be doubted
    assert offered(place, known="0/3000100", known_from=doubt)["offer"]["damage"] is None


@pytest.mark.parametrize(
    ("options", "damage"),
    [
        ({"known": "0/3000200"}, "it is known to have reached 0/3000200"),
        ({"timeline": 2}, "it is on timeline 1, and the standby replays timeline 2"),
    ],
)
def test_what_cannot_be_read_is_a_loss(place: Path, options: dict[str, t.Any], damage: str) -> None:
    with pytest.raises(MirroringError, match=damage) as refused:
        offered(place, **options)
    assert "Nothing was activated" not in str(refused.value)
    (place / places.RECORD).touch()
    with pytest.raises(MirroringError, match=r"Nothing was activated; .*systemctl start hawq-master\.service"):
        offered(place, **options)
    assert damage in offered(place, accept_loss=True, **options)["offer"]["damage"]


def test_a_server_that_runs_offers_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "workers", lambda path: [4711])
    assert "offer" not in offered(place, act=False)
    with pytest.raises(MirroringError, match="fence it first"):
        offered(place)


def test_a_file_that_is_not_the_offered_one_is_not_replayed(place: Path) -> None:
    offer = offered(place)["offer"]
    staged = Path(offering.staging(instance_in(place)))
    staged.mkdir()
    (staged / NAME).write_bytes(b"law")
    with pytest.raises(MirroringError, match="is not what the old master offered"):
        taking.installed(instance_in(place), RUN, True, offer=offer, have="0/3000050", timeout=60)
    shown = taking.installed(instance_in(place), RUN, False, offer=offer, have="0/3000050", timeout=60)
    assert shown["diff"]["after"] == f"pg_wal/{NAME}\n"
    (staged / NAME).write_bytes(b"wal")
    assert not taking.fetched(instance_in(place), RUN, True, offer=offer, address="mdw", port=22, timeout=60)["changed"]
