# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The record of a witness on its disk: whoever is killed or has no room leaves the old record or the new one, whole."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import pwd
import resource
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import attacks
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import ledger_file

place = pytest.fixture(attacks.place)
OLD, WANTED = '{"promised": null}', '{"promised": "' + "x" * 200 + '"}'
#: bytes that the system takes at once, so that a record is written in several steps
SLICE = 64


class System:
    """The module ``os`` as a record's writer sees it: what it calls is written down, and one call can be its last."""

    def __init__(self, last: int = 0, after: bool = False) -> None:
        self.calls: list[str] = []
        self._last, self._after = last, after

    def __getattr__(self, name: str) -> t.Any:
        real = getattr(os, name)
        if not callable(real):
            return real

        def call(*arguments: t.Any, **named: t.Any) -> t.Any:
            self.calls.append(name)
            if len(self.calls) == self._last and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            if name == "write":
                arguments = (arguments[0], arguments[1][:SLICE])
            try:
                return real(*arguments, **named)
            finally:
                if len(self.calls) == self._last:
                    os.kill(os.getpid(), signal.SIGKILL)

        return call


def child(work: t.Callable[[], None]) -> int:
    """Let a process do it, and return how it ended."""
    process = os.fork()
    if process == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def keep(path: Path, text: str = WANTED) -> None:
    with ledger_file.locked(str(path), 1):
        ledger_file.keep(str(path), text)


def errno_of(work: t.Callable[[], None]) -> int | None:
    """Return what the system refuses of it; None when it is done."""
    try:
        work()
    except OSError as error:
        return error.errno
    return None


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "record.json"
    keep(path, OLD)
    return path


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


def test_what_is_kept_is_read(record: Path) -> None:
    assert ledger_file.read(str(record)) == OLD
    keep(record)
    assert ledger_file.read(str(record)) == WANTED
    assert names(record) == ["record.json", "record.json.lock"]
    assert record.stat().st_mode & 0o777 == 0o600


def test_the_order_in_which_it_becomes_safe(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content before its name, and the name before anybody is told; also where nothing seems to change."""
    for text in (WANTED, WANTED):
        system = System()
        monkeypatch.setattr(ledger_file, "os", system)
        keep(record, text)
        told = [name for name in system.calls if name in ("write", "fsync", "replace")]
        assert [name for name, _same in itertools.groupby(told)] == ["write", "fsync", "replace", "fsync"]


def killed(path: Path, last: int, after: bool) -> tuple[int, bytes]:
    """Let a writer be killed at that call, and return how it ended and whether it had told anybody."""
    ours, its = os.pipe()

    def write() -> None:
        ledger_file.os = System(last, after)  # type: ignore[attr-defined]
        keep(path)
        os.write(its, b"kept")

    ended = child(write)
    os.close(its)
    with os.fdopen(ours, "rb") as file:
        return ended, file.read()


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_step(record: Path, after: bool) -> None:
    """There is always a whole record, what was told is there, and the next writer goes on."""
    found = set()
    for last in itertools.count(1):
        keep(record, OLD)
        ended, told = killed(record, last, after)
        there = ledger_file.read(str(record))
        assert there in (OLD, WANTED)
        assert there == WANTED or not told
        found.add(there)
        keep(record)
        assert ledger_file.read(str(record)) == WANTED
        assert names(record) == ["record.json", "record.json.lock"]
        if ended == 0:
            assert told == b"kept"
            break
        assert ended == -signal.SIGKILL
    assert last > 12
    assert found == {OLD, WANTED}


def failing(name: str, number: int) -> t.Callable[..., t.Any]:
    """Return a call of the system that fails when it is made for so many times."""
    made = itertools.count(1)

    def call(*arguments: t.Any, **named: t.Any) -> t.Any:
        if next(made) == number:
            raise OSError(errno.EIO, "Input/output error")
        return getattr(os, name)(*arguments, **named)

    return call


@pytest.mark.parametrize("name", ["open", "write", "fsync", "replace"])
def test_an_error_of_the_disk_at_every_step(record: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Nobody is told that it is kept, and nothing half is left."""
    for number in itertools.count(1):
        keep(record, OLD)
        system = System()
        setattr(system, name, failing(name, number))
        with monkeypatch.context() as patch, ledger_file.locked(str(record)):
            patch.setattr(ledger_file, "os", system)
            if errno_of(lambda: ledger_file.keep(str(record), WANTED)) is None:
                break
        # the directory comes last: the new record is there, and nobody was told
        directory = name == "fsync" and number == 2
        assert ledger_file.read(str(record)) == (WANTED if directory else OLD)
        assert names(record) == ["record.json", "record.json.lock"]
    assert number > 1


def test_a_disk_that_takes_no_more_of_a_file(record: Path) -> None:
    """The kernel refuses in the middle of the record: the old one stays, and its writer hears of it."""

    def write() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        try:
            keep(record)
        except OSError as error:
            os._exit(error.errno or 1)

    assert child(write) == errno.EFBIG
    assert ledger_file.read(str(record)) == OLD
    assert names(record) == ["record.json", "record.json.lock"]


FULL = """
import errno, os, subprocess, sys
sys.path.insert(0, sys.argv[1])
import ledger_file
directory, text = sys.argv[2], sys.argv[3]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", directory], check=True, timeout=10)
record = directory + "/record.json"
ledger_file.keep(record, "{}")
with open(directory + "/ballast", "wb", 0) as ballast:
    try:
        while True:
            ballast.write(b"x" * 4096)
    except OSError as error:
        assert error.errno == errno.ENOSPC
try:
    with ledger_file.locked(record):
        ledger_file.keep(record, text)
except OSError as error:
    print(errno.errorcode[error.errno], ledger_file.read(record), *sorted(os.listdir(directory)))
os.unlink(directory + "/ballast")
ledger_file.keep(record, text)
print(ledger_file.read(record) == text)
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """A real one. The promise is there as soon as there is room again."""
    asked = ["unshare", "-rm", "true"]
    if subprocess.run(asked, capture_output=True, timeout=10, check=False).returncode:
        pytest.skip("this machine lets nobody mount a disk of his own")
    code = [sys.executable, "-c", FULL, str(Path(ledger_file.__file__).parent), str(tmp_path), WANTED]
    done = subprocess.run(["unshare", "-rm", *code], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.splitlines() == ["ENOSPC {} ballast record.json record.json.lock", "True"], done.stderr


def test_one_at_a_time(record: Path) -> None:
    """Whoever waits too long says what holds it up; whoever is killed lets go of it."""
    ours, its = os.pipe()

    def hold() -> None:
        with ledger_file.locked(str(record)):
            os.write(its, b"x")
            time.sleep(60)

    process = os.fork()
    if process == 0:
        try:
            hold()
        finally:
            os._exit(1)
    try:
        assert os.read(ours, 1) == b"x"
        with (
            pytest.raises(BlockingIOError, match=r"another process has held the record for 0 s.*record\.json\.lock"),
            ledger_file.locked(str(record), 0.1),
        ):
            pass
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    keep(record)
    assert ledger_file.read(str(record)) == WANTED


def test_many_writers_lose_nothing(record: Path) -> None:
    """What is read and written under the lock is never that of another."""

    def count() -> None:
        for _time in range(20):
            with ledger_file.locked(str(record)):
                ledger_file.keep(str(record), str(int(ledger_file.read(str(record)) or 0) + 1))

    keep(record, "0")
    processes = []
    for _number in range(4):
        process = os.fork()
        if process == 0:
            try:
                count()
            finally:
                os._exit(0)
        processes.append(process)
    for process in processes:
        os.waitpid(process, 0)
    assert ledger_file.read(str(record)) == "80"


def test_the_lock_is_not_inherited_and_stays(record: Path) -> None:
    """A program that is started meanwhile does not hold it on, and nobody locks a name that is gone."""
    with ledger_file.locked(str(record)):
        held = [int(name) for name in os.listdir("/proc/self/fd")]
        locks = [number for number in held if os.path.realpath(f"/proc/self/fd/{number}").endswith(".lock")]
        assert [fcntl.fcntl(number, fcntl.F_GETFD) & fcntl.FD_CLOEXEC for number in locks] == [fcntl.FD_CLOEXEC]
    assert names(record) == ["record.json", "record.json.lock"]


def test_no_record_is_none(tmp_path: Path) -> None:
    assert ledger_file.read(str(tmp_path / "record.json")) is None
    assert list(tmp_path.iterdir()) == []


def test_only_a_plain_and_short_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text("x" * (ledger_file.LONGEST + 1))
    with pytest.raises(OSError, match="longer than 4096 bytes"):
        ledger_file.read(str(path))
    path.write_text("x" * ledger_file.LONGEST)
    assert len(ledger_file.read(str(path)) or "") == ledger_file.LONGEST
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="no plain file"):
        ledger_file.read(str(path))
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic link"):
        ledger_file.read(str(path))
    keep(path, OLD)
    assert not path.is_symlink()


def test_a_record_that_is_too_long_is_not_written(record: Path) -> None:
    with pytest.raises(OSError, match="at most 4096 bytes"):
        keep(record, "x" * (ledger_file.LONGEST + 1))
    assert ledger_file.read(str(record)) == OLD


@pytest.mark.parametrize("name", ["record.json.new", "record.json.lock"])
def test_the_user_leads_nobody_elsewhere(place: attacks.Place, name: str) -> None:
    """The record's user writes, and can write nothing else by it."""
    (place.home / name).symlink_to(place.secret)
    account = pwd.getpwnam(attacks.USER)
    os.lchown(place.home / name, account.pw_uid, account.pw_gid)
    path = place.home / "record.json"
    if name == "record.json.lock":
        assert errno_of(lambda: place.run(lambda: keep(path))) == errno.ELOOP
    else:
        place.run(lambda: keep(path))
        assert path.read_text() == WANTED
    assert place.is_untouched()
