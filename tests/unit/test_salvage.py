# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a dead master's host offers its standby, when that is a loss, and what the standby checks before it takes it."""

from __future__ import annotations

import base64
import hashlib
import io
import typing as t
import zlib
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import observe, stopping, wal_files
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql.salvage import offering, taking
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import takeover
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places, wal
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
        taking.installed(instance_in(place), RUN, True, offer=offer, have="0/3000050", accept_loss=False, timeout=60)
    shown = taking.installed(
        instance_in(place), RUN, False, offer=offer, have="0/3000050", accept_loss=False, timeout=60
    )
    assert shown["diff"]["after"] == f"pg_wal/{NAME}\n"
    (staged / NAME).write_bytes(b"wal")
    assert not taking.fetched(
        instance_in(place), RUN, True, offer=offer, address="mdw", port=22, unit="db.service", timeout=60
    )["changed"]


def test_what_is_no_continuation_is_given_up_only_when_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator who has accepted the loss is not told to accept it."""
    offer = offered(place)["offer"]
    staged = Path(offering.staging(instance_in(place)))
    staged.mkdir()
    (staged / NAME).write_bytes(b"wal")
    (place / "standby.signal").touch()
    monkeypatch.setattr(taking, "_same_beginning", lambda *_: False)
    monkeypatch.setattr(observe, "control", lambda *_: {"wal_segment_bytes": 16 << 20})
    words: dict[str, t.Any] = {"offer": offer, "have": "0/3000050", "timeout": 60}
    with pytest.raises(MirroringError, match="begins differently on the old master"):
        taking.installed(instance_in(place), RUN, True, accept_loss=False, **words)
    found = taking.installed(instance_in(place), RUN, True, accept_loss=True, **words)
    assert (found["replay_lsn"], found["changed"]) == (None, False)
    assert not staged.exists()


class Line:
    """Runs ssh as another host answers it."""

    def __init__(self, sent: bytes, code: int = 0, errors: str = "") -> None:
        self.sent, self.code, self.errors, self.commands = sent, code, errors, []

    def reading(self, command: list[str], take: t.Callable[[t.IO[bytes]], None], timeout: float) -> tuple[int, str]:
        self.commands.append(command)
        take(io.BytesIO(self.sent))
        return self.code, self.errors


def fetched(place: Path, line: Line, offer: dict[str, t.Any]) -> dict[str, t.Any]:
    run = t.cast("t.Any", line)
    return taking.fetched(
        instance_in(place), run, True, offer=offer, address="fd00::2", port=2222, unit="db.service", timeout=60
    )


def test_files_are_fetched_by_the_narrow_key(place: Path) -> None:
    (place / "pg_wal" / f"{NAME[:-1]}4").write_bytes(b"more")
    offer = offered(place)["offer"]
    more = {"name": f"{NAME[:-1]}4", "size": 4, "sha256": hashlib.sha256(b"more").hexdigest()}
    offer["files"].append(more)
    line = Line(b"walmore")
    assert fetched(place, line, offer)["changed"]
    ((*_options, address, request),) = line.commands
    assert address == "fd00::2"
    assert request.endswith(f"/hawq-mirroring-peer db wal {NAME} {NAME[:-1]}4")
    staged = Path(offering.staging(instance_in(place)))
    assert [(staged / each["name"]).read_bytes() for each in offer["files"]] == [b"wal", b"more"]
    (staged / NAME).unlink()
    again = Line(b"wal")
    fetched(place, again, offer)
    assert again.commands[0][-1].endswith(f"wal {NAME}")


@pytest.mark.parametrize("line", [Line(b"wa"), Line(b"law"), Line(b"wal", 255, "refused"), Line(b"")])
def test_what_does_not_arrive_whole_is_told(place: Path, line: Line) -> None:
    with pytest.raises(MirroringError, match=r"could not be fetched from fd00::2 by SSH: (refused|.* whole)"):
        fetched(place, line, offered(place)["offer"])


def test_a_host_that_sends_without_end_is_cut_off(place: Path) -> None:
    fetched(place, Line(b"wal" + b"x" * (9 << 20)), offered(place)["offer"])


NOT_WAL = [
    {"name": "../master/postgresql.auto.conf", "size": 3},
    {"name": "00000002.history", "size": 3},
    {"name": NAME, "size": 2 << 30},
    {"name": NAME, "size": -1},
]


@pytest.mark.parametrize("entry", NOT_WAL)
def test_what_is_no_wal_file_is_not_taken(place: Path, entry: dict[str, t.Any]) -> None:
    offer = {"files": [{**entry, "sha256": ""}], "directory": "", "last_record_lsn": "0/3000060"}
    with pytest.raises(MirroringError, match="which is no WAL file"):
        fetched(place, Line(b"wal"), offer)
    with pytest.raises(MirroringError, match="which is no WAL file"):
        taking.installed(instance_in(place), RUN, True, offer=offer, have="0/3000050", accept_loss=False, timeout=60)
    with pytest.raises(MirroringError, match="which is no WAL file"):
        taken(place, offer, 0, "", entry["name"])


def taken(place: Path, offer: dict[str, t.Any], offset: int, content: str, name: str = NAME, act: bool = True) -> t.Any:
    return taking.taken(instance_in(place), act, offer=offer, name=name, offset=offset, content=content)


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def test_a_file_goes_through_the_controller_in_pieces(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "PIECE_BYTES", 2)
    offer = offered(place)["offer"]
    pieces = takeover.pieces(offer["files"])
    assert pieces == [{"name": NAME, "offset": 0}, {"name": NAME, "offset": 2}]
    staged = Path(offering.staging(instance_in(place))) / NAME
    for piece in pieces:
        content = offering.given(instance_in(place), **piece)["content"]
        assert taken(place, offer, piece["offset"], content, act=False)["changed"]
        assert taken(place, offer, piece["offset"], content)["changed"]
    assert staged.read_bytes() == b"wal"
    assert not taken(place, offer, 0, packed(b"wa"))["changed"]


def test_a_piece_that_is_not_of_the_offered_file_is_refused(place: Path) -> None:
    offer = offered(place)["offer"]
    with pytest.raises(MirroringError, match="is not what the old master's host has offered"):
        taken(place, offer, 0, packed(b"law"))
    with pytest.raises(MirroringError, match="is longer on the old master's host"):
        taken(place, offer, 2, packed(b"wal"))
    with pytest.raises(MirroringError, match="too long or not whole"):
        taken(place, offer, 0, packed(b"x" * (wal.PIECE_BYTES + 1)))
    with pytest.raises(MirroringError, match="has come over damaged"):
        taken(place, offer, 0, "nonsense")
    with pytest.raises(MirroringError, match="was not offered"):
        taken(place, offer, 0, packed(b"wal"), "000000010000000000000009")
    with pytest.raises(MirroringError, match="is no WAL file"):
        offering.given(instance_in(place), name="../PG_VERSION", offset=0)


def test_a_link_in_the_staging_place_is_not_followed(place: Path, tmp_path: Path) -> None:
    """Whoever is the server's user may write there meanwhile."""
    offer, victim = offered(place)["offer"], tmp_path / "victim"
    victim.write_text("root's")
    staged = Path(offering.staging(instance_in(place)))
    staged.mkdir()
    (staged / NAME).symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"):
        taken(place, offer, 2, packed(b"l"))
    taken(place, offer, 0, packed(b"wa"))
    assert victim.read_text() == "root's"
