# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A module's process that becomes the server's user: what it is then, and what it and root hear of each other."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import separation
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from sessions import root_offers

USER = separation.NOBODY
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def nothing_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    root_offers(monkeypatch)


def child(work: t.Callable[[], t.Any], user: str = USER) -> t.Any:
    return separation.run_as(user, work)


def send(content: bytes, length: int | None = None) -> None:
    """Send bytes to root as they are, past everything that makes a message of them."""
    assert separation._Process.parent
    line = separation._Process.parent._line
    line.sendall(struct.pack("!Q", len(content) if length is None else length) + content)


# what the child is


def status() -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)


@as_root
@pytest.mark.parametrize("user", [USER, "daemon", "www-data"])
def test_the_child_is_the_user_and_nobody_else(user: str) -> None:
    account = pwd.getpwnam(user)
    found = child(lambda: [os.getresuid(), os.getresgid(), sorted(os.getgroups()), status()], user)
    assert found[:2] == [[account.pw_uid] * 3, [account.pw_gid] * 3]
    assert found[2] == sorted(set(os.getgrouplist(user, account.pw_gid)))
    assert found[3]["Uid"].split() == [str(account.pw_uid)] * 4  # the last one is that of files
    assert found[3]["Gid"].split() == [str(account.pw_gid)] * 4
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(found[3][name], 16) == 0, name


@as_root
def test_this_process_stays_root() -> None:
    before = (os.getresuid(), os.getresgid(), os.getgroups(), os.getcwd(), dict(os.environ))
    child(lambda: None)
    assert (os.getresuid(), os.getresgid(), os.getgroups(), os.getcwd(), dict(os.environ)) == before
    assert separation._Process.parent is None


@as_root
@pytest.mark.parametrize(
    "back",
    [
        lambda: os.setuid(0),
        lambda: os.setgid(0),
        lambda: os.setresuid(0, 0, 0),
        lambda: os.setresgid(0, 0, 0),
        lambda: os.seteuid(0),
        lambda: os.setgroups([0]),
    ],
)
def test_the_child_cannot_become_root_again(back: t.Callable[[], None]) -> None:
    with pytest.raises(PermissionError):
        child(back)


@as_root
def test_nor_does_a_program_that_it_runs() -> None:
    """Not by its set-user-ID bit either: the kernel has been told that nothing here ever gets more rights."""
    words = ["sh", "-c", "grep -E '^(NoNewPrivs|Uid):' /proc/self/status; su -c id </dev/null 2>&1; id -u"]
    code, output, _errors = child(lambda: Runner()(words))
    assert code == 0
    lines = output.splitlines()
    assert lines[0].split() == ["Uid:", *[str(pwd.getpwnam(USER).pw_uid)] * 4]
    assert lines[1].split() == ["NoNewPrivs:", "1"]
    assert lines[-1] == str(pwd.getpwnam(USER).pw_uid)
    assert "uid=0" not in output


@as_root
def test_the_child_may_not_read_what_is_roots(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("root's")
    with pytest.raises(PermissionError):
        child(secret.read_text)


@as_root
def test_the_child_has_nothing_open_but_its_line_to_root(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("root's")
    with path.open() as file, socket.socket() as further:
        os.set_inheritable(file.fileno(), True)
        os.set_inheritable(further.fileno(), True)
        # a process that has given up root may not look into its own directory of descriptors
        found = child(lambda: [number for number in range(1024) if _target(number) is not None])
        devices = child(lambda: [_target(number) for number in (0, 1, 2)])
    assert found[:3] == [0, 1, 2]
    assert len(found) == 4
    null = os.stat(os.devnull)
    assert devices == [[null.st_dev, null.st_ino]] * 3


def _target(descriptor: int) -> list[int] | None:
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return [found.st_dev, found.st_ino]


@as_root
def test_a_program_of_the_childs_does_not_get_the_line_to_root() -> None:
    _code, output, _errors = child(lambda: Runner()(["ls", "-1", "/proc/self/fd"]))
    assert output.split() == ["0", "1", "2", "3"]  # the last one is ls's own


@as_root
def test_the_environment_is_the_users_and_nothing_of_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/evil.so")
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("PYTHONPATH", "/evil")
    account = pwd.getpwnam(USER)
    wanted = {"HOME": account.pw_dir, "USER": USER, "LOGNAME": USER, "PATH": separation.PATH, "LANG": "C.UTF-8"}
    assert child(lambda: dict(os.environ)) == wanted
    assert child(lambda: Runner()(["env"])[1].count("secret")) == 0


@as_root
def test_it_stands_at_the_root_and_makes_files_for_itself() -> None:
    def umask() -> int:
        now = os.umask(0)
        os.umask(now)
        return now

    assert child(lambda: [os.getcwd(), umask()]) == ["/", 0o077]


def test_who_is_the_user_already_does_the_work_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam(USER).pw_uid)
    here = os.getpid()
    assert child(os.getpid) == here


def test_who_is_neither_root_nor_the_user_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(MirroringError, match="set become to true"):
        child(lambda: pytest.fail("it must not begin"))


@pytest.mark.parametrize("user", ["root", "toor"])
def test_root_is_no_servers_user(user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwnam", lambda name: pwd.struct_passwd((name, "x", 0, 0, "", "/root", "/bin/sh")))
    with pytest.raises(MirroringError, match="does not run as root"):
        child(lambda: pytest.fail("it must not begin"), user)


def test_a_user_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        child(lambda: pytest.fail("it must not begin"), "nobody-at-all")


@as_root
@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("getresuid", "could not become"),
        ("getresgid", "could not become"),
        ("setuid", "can become root again"),
    ],
)
def test_what_could_not_give_up_root_does_not_begin(monkeypatch: pytest.MonkeyPatch, broken: str, says: str) -> None:
    monkeypatch.setattr(os, broken, lambda *_: (0, 0, 0))
    with pytest.raises(MirroringError, match=says):
        child(lambda: pytest.fail("it must not begin"))


@as_root
def test_what_the_kernel_does_not_hold_down_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    class Kernel:
        def __init__(self, *_: t.Any, **__: t.Any) -> None:
            self.prctl = lambda *_: -1

    monkeypatch.setattr(separation.ctypes, "CDLL", Kernel)
    with pytest.raises(MirroringError, match="for good"):
        child(lambda: pytest.fail("it must not begin"))


# what root hears of it

RESULTS: list[t.Any] = [
    None,
    True,
    "",
    0,
    [1, "two", None],
    {"nested": {"list": [{}]}},
    "Größe \u2028 \x1b[31m\n\t",
    "not text: \udcff\udc80",
    "half of a pair: \ud83d",
    "x" * (3 << 20),
]


@as_root
@pytest.mark.parametrize("result", RESULTS, ids=lambda value: ascii(value)[:30])
def test_the_result_comes_back_as_it_is(result: t.Any) -> None:
    assert child(lambda: result) == result


@as_root
@pytest.mark.parametrize("result", [object(), b"bytes", {1, 2}, {"a": object()}], ids=repr)
def test_a_result_that_is_no_json_is_an_error_of_the_program(result: t.Any) -> None:
    with pytest.raises(separation.BrokenError, match="no JSON"):
        child(lambda: result)


@as_root
def test_an_error_that_the_operator_must_know_comes_with_its_details() -> None:
    def work() -> None:
        raise MirroringError("no \udcff room", waited=1.5, mirroring={"a": [1]})

    with pytest.raises(MirroringError, match="no \udcff room") as raised:
        child(work)
    assert raised.value.details == {"waited": 1.5, "mirroring": {"a": [1]}}


@as_root
@pytest.mark.parametrize("path", ["/nowhere/at all", b"/nowhere/\xff"], ids=ascii)
def test_what_the_system_refuses_comes_as_the_same_error(path: t.Any) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        child(lambda: os.stat(path))
    assert (raised.value.errno, raised.value.filename) == (2, os.fsdecode(path))


@as_root
def test_an_error_without_a_number_is_still_one_of_the_system() -> None:
    def work() -> None:
        raise OSError("cannot do that")

    with pytest.raises(OSError, match="cannot do that") as raised:
        child(work)
    assert raised.value.filename is None


@as_root
@pytest.mark.parametrize("error", [ValueError("odd"), RuntimeError("odd"), KeyError("odd")])
def test_any_other_error_comes_with_where_it_happened(error: Exception) -> None:
    def somewhere() -> None:
        raise error

    with pytest.raises(separation.BrokenError, match="in somewhere"):
        child(somewhere)


@as_root
def test_what_is_nested_too_deeply_is_told_in_a_sentence() -> None:
    def walk() -> None:
        raise RecursionError("maximum recursion depth exceeded")

    with pytest.raises(MirroringError, match="nested more deeply"):
        child(walk)


@as_root
def test_a_child_that_its_user_stops_is_ended() -> None:
    begin = time.monotonic()
    with pytest.raises(MirroringError, match="has stopped the process"):
        child(lambda: os.kill(os.getpid(), signal.SIGSTOP))
    assert time.monotonic() - begin < 30


@as_root
def test_a_child_that_is_not_done_in_time_is_ended() -> None:
    with pytest.raises(MirroringError, match="not done after 1 s"):
        separation.run_as(USER, lambda: time.sleep(600), seconds=1)


@as_root
@pytest.mark.parametrize("end", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_a_child_that_ends_itself_is_no_result(end: BaseException) -> None:
    def work() -> None:
        raise end

    with pytest.raises(separation.BrokenError, match="without a word"):
        child(work)


@as_root
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_child_that_is_killed_is_an_error_at_once(number: signal.Signals) -> None:
    begin = time.monotonic()
    with pytest.raises(separation.BrokenError, match="without a word"):
        child(lambda: os.kill(os.getpid(), number))
    assert time.monotonic() - begin < 5


@as_root
def test_a_child_that_is_killed_while_root_works_for_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    root_offers(monkeypatch, kill=lambda pid: (os.kill(pid, signal.SIGKILL), time.sleep(0.1), "x" * (1 << 22))[2])
    with pytest.raises(separation.BrokenError, match="without a word"):
        child(lambda: separation.ask("kill", os.getpid()))


@as_root
def test_what_the_child_leaves_running_is_not_waited_for() -> None:
    def work() -> int:
        words = ["sleep", "30"]
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, close_fds=False, start_new_session=True).pid

    begin = time.monotonic()
    left = child(work)
    assert time.monotonic() - begin < 5
    os.kill(left, signal.SIGKILL)


@as_root
def test_no_child_is_left_behind() -> None:
    found = child(os.getpid)
    assert not os.path.exists(f"/proc/{found}")
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@as_root
def test_a_child_that_does_not_end_after_its_result_is_ended() -> None:
    def work() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        send(json.dumps({"value": os.getpid()}).encode())
        time.sleep(60)

    begin = time.monotonic()
    found = child(work)
    assert time.monotonic() - begin < 5
    assert not os.path.exists(f"/proc/{found}")


WAITS = f"""
import sys, time
sys.path[:0] = [{str(ROOT / "collections")!r}]
from ansible_collections.hawq.mirroring.plugins.module_utils.host import separation
import os
def work():
    separation.ask("say", os.getpid())
    time.sleep(60)
separation.offer({{"say": lambda pid: print(pid, flush=True)}})
separation.run_as({USER!r}, work)
"""


@as_root
def test_the_child_ends_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert os.path.exists(f"/proc/{pid}")
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 5
        while _runs(pid):
            assert time.monotonic() < deadline, "the child goes on"
            time.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for has ended all the same."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@as_root
def test_a_child_whose_parent_has_ended_before_it_could_be_told_does_not_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "getppid", lambda: 1)
    with pytest.raises(separation.BrokenError, match="without a word"):
        child(lambda: pytest.fail("it must not begin"))


NONSENSE = {
    "no JSON": b"{",
    "no text": b"\xff\xfe",
    "a list": b"[1]",
    "a number": b"5",
    "null": b"null",
    "nothing": b"",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "no outcome": b"{}",
    "a failure without its details": b'{"failed": "x"}',
    "details that are no details": b'{"failed": "x", "details": 5}',
    "details that are in the way": b'{"failed": "x", "details": {"message": 1}}',
    "a refusal of one word": b'{"refused": "x"}',
    "a refusal of lists": b'{"refused": [[], []]}',
}


@as_root
@pytest.mark.parametrize("content", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_an_error_of_the_program(content: bytes) -> None:
    def work() -> None:
        send(content)
        time.sleep(60)

    begin = time.monotonic()
    with pytest.raises(separation.BrokenError):
        child(work)
    assert time.monotonic() - begin < 10


@as_root
@pytest.mark.parametrize("length", [separation.MOST + 1, 1 << 40, (1 << 64) - 1])
def test_a_message_that_is_too_long_is_not_waited_for(length: int) -> None:
    def work() -> None:
        send(b"", length)
        time.sleep(60)

    begin = time.monotonic()
    with pytest.raises(separation.BrokenError, match="without a word"):
        child(work)
    assert time.monotonic() - begin < 5


@as_root
def test_half_a_message_is_none() -> None:
    def work() -> None:
        send(b'{"value": ', 100)
        os._exit(0)

    with pytest.raises(separation.BrokenError, match="without a word"):
        child(work)


# what the child asks of root


@as_root
def test_root_does_what_it_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    root_offers(monkeypatch, who=lambda *given: [os.geteuid(), os.getpid(), *given])
    found = child(lambda: separation.ask("who", "a", {"b": ["\udcff"]}))
    assert found == [0, os.getpid(), "a", {"b": ["\udcff"]}]


@as_root
def test_what_fails_there_fails_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise MirroringError("not that", kept=[1])

    root_offers(monkeypatch, refuse=refuse, system=lambda: os.stat("/nowhere"), odd=lambda: 1 // 0)

    def outcome(name: str) -> list[t.Any]:
        try:
            return [separation.ask(name)]
        except (MirroringError, OSError, separation.BrokenError) as error:
            return [type(error).__name__, getattr(error, "details", None)]

    assert child(lambda: [outcome(name) for name in ("refuse", "system", "odd")]) == [
        ["MirroringError", {"kept": [1]}],
        ["FileNotFoundError", None],
        ["BrokenError", None],
    ]


@as_root
@pytest.mark.parametrize("name", ["unknown", "__class__", "", None, 5, [], {}], ids=repr)
def test_what_is_not_offered_is_not_done(name: t.Any) -> None:
    with pytest.raises(separation.BrokenError):
        child(lambda: separation.ask(name))


QUESTIONS = {
    "without arguments": {"ask": "count"},
    "arguments that are none": {"ask": "count", "arguments": 5},
    "names of arguments": {"ask": "count", "arguments": {"a": 1}},
    "too many": {"ask": "count", "arguments": [1, 2, 3]},
}


@as_root
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_malformed_question_is_answered_with_an_error_and_the_next_one_is_heard(
    monkeypatch: pytest.MonkeyPatch, question: dict[str, t.Any]
) -> None:
    counted: list[t.Any] = []
    root_offers(monkeypatch, count=counted.append)

    def work() -> list[t.Any]:
        send(json.dumps(question).encode())
        answer = separation._Process.parent.receive()  # type: ignore[union-attr]
        separation.ask("count", 7)
        return sorted(answer or {})

    found = child(work)
    assert found == (["value"] if question.get("arguments") == {"a": 1} else ["broken"])
    assert counted == ([*question["arguments"], 7] if found == ["value"] else [7])


@as_root
def test_two_threads_get_each_its_own_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    root_offers(monkeypatch, echo=lambda value: value)

    def work() -> list[bool]:
        right: list[bool] = []

        def one(name: str) -> None:
            words = [f"{name} {number}" for number in range(100)]
            right.extend(separation.ask("echo", each) == each for each in words)

        threads = [threading.Thread(target=one, args=(name,)) for name in "abc"]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return right

    assert child(work) == [True] * 300


def test_without_a_child_root_does_it_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    root_offers(monkeypatch, double=lambda number: number * 2)
    assert separation.ask("double", 4) == 8
    with pytest.raises(KeyError):
        separation.ask("unknown")


@as_root
def test_a_child_whose_parent_hears_nothing_more_says_so() -> None:
    def work() -> str:
        mine, its = socket.socketpair()
        its.close()
        separation._Process.parent, kept = separation._Channel(mine), separation._Process.parent
        try:
            separation.ask("anything")
        except MirroringError as error:
            return str(error)
        finally:
            separation._Process.parent = kept
        return "nothing"

    assert "has ended" in child(work)
