# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Privilege separation: what concerns the server's user is done by a process that has become that user for good.

The module's process forks. The child gives up every right of root and does the module's work; the parent stays root,
takes the result, and does for the child only the few things that ``services`` offers, after looking at what is asked
for. Both speak JSON over a socket, so nothing that the child says can be more than data.

Sources: credentials(7), PR_SET_NO_NEW_PRIVS(2const), PR_SET_PDEATHSIG(2const).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import json
import os
import pwd
import signal
import socket
import struct
import threading
import time
import traceback
import typing as t

from .errors import MirroringError

#: who acts where the server's user does not exist yet
NOBODY = "nobody"
#: bytes of one message
MOST = 256 << 20
#: until a process must have taken what it is told
SEND_SECONDS = 30
#: seconds that a module may take if it does not say how long its own work may
WORK_SECONDS = 3600
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38

Services = dict[str, t.Callable[..., t.Any]]


class BrokenError(Exception):
    """The child has ended without a result, or with an error of the program itself."""


class _Channel:
    """Messages over a socket: the length, then JSON."""

    def __init__(self, line: socket.socket, watch: t.Callable[[], None] | None = None) -> None:
        """``watch`` is called every second while nothing comes; it raises when there is no sense in waiting."""
        self._line, self._watch = line, watch

    def send(self, message: dict[str, t.Any]) -> None:
        data = json.dumps(message).encode()
        self._line.settimeout(SEND_SECONDS if self._watch else None)
        try:
            self._line.sendall(struct.pack("!Q", len(data)) + data)
        except socket.timeout as error:  # Python 3.9 does not take it for a TimeoutError
            raise ConnectionResetError(errno.ECONNRESET, "the other side takes nothing") from error

    def receive(self) -> dict[str, t.Any] | None:
        """Return the next message; None when the other side has ended, or has sent what is none."""
        head = self._exactly(8)
        length = struct.unpack("!Q", head)[0] if head else MOST + 1
        data = self._exactly(length) if length <= MOST else None
        try:
            message = json.loads(data or b"")
        except (ValueError, RecursionError):
            return None
        return message if isinstance(message, dict) else None

    def _exactly(self, length: int) -> bytes | None:
        parts, left = [], length
        while left:
            self._line.settimeout(1 if self._watch else None)
            try:
                part = self._line.recv(min(left, 1 << 20))
            except ConnectionError:  # it has ended with something unread
                return None
            except socket.timeout:
                if self._watch:
                    self._watch()
                continue
            if not part:
                return None
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


class _Process:
    """This process: what it offers to its child, and its parent when it is one."""

    services: t.ClassVar[Services] = {}
    parent: t.ClassVar[_Channel | None] = None
    #: held from a question to its answer: an observation asks from two threads
    asking: t.ClassVar[threading.Lock] = threading.Lock()


def offer(services: Services) -> None:
    """Say what root does for the child of this process, or for this process when it needs none."""
    _Process.services = services


def ask(service: str, *arguments: t.Any) -> t.Any:
    """Let root do one of the services: the parent of a child, else this process itself."""
    if _Process.parent is None:
        return _Process.services[service](*arguments)
    answer = None
    with _Process.asking, contextlib.suppress(ConnectionError):
        _Process.parent.send({"ask": service, "arguments": arguments})
        answer = _Process.parent.receive()
    if answer is None:
        raise MirroringError("the module's own process has ended: run this again")
    return _value(answer)


def run_as(user: str, work: t.Callable[[], t.Any], seconds: float = WORK_SECONDS) -> t.Any:
    """Let a child that is this user do the work, and serve it meanwhile; return what it returns (JSON).

    The user can stop its processes, and so the child, which is ended then; it is also ended after these seconds.

    Raises MirroringError and OSError as the work does, and BrokenError for any other end.
    """
    account = pwd.getpwnam(user)
    if account.pw_uid == 0:
        raise MirroringError(f"{user} is root, and a database server does not run as root: name another user")
    if os.geteuid() == account.pw_uid:
        return work()
    if os.geteuid() != 0:
        raise MirroringError(f"this module must run as root, to become {user}: set become to true")
    mine, its = socket.socketpair()
    parent, child = os.getpid(), os.fork()
    if child == 0:
        try:
            mine.close()
            _child(account, parent, its, work)
        finally:
            os._exit(0)
    its.close()
    deadline = time.monotonic() + seconds

    def watch() -> None:
        if os.waitid(os.P_PID, child, os.WSTOPPED | os.WNOHANG | os.WNOWAIT):
            raise MirroringError(f"somebody has stopped the process that works as {user}: see who, then run this again")
        if time.monotonic() > deadline:
            raise MirroringError(f"the process that works as {user} is not done after {seconds:.0f} s: run this again")

    try:
        return _serve(_Channel(mine, watch))
    finally:
        mine.close()
        os.kill(child, signal.SIGKILL)  # it has nothing left to do, whatever it thinks of that
        os.waitpid(child, 0)


def _serve(channel: _Channel) -> t.Any:
    while True:
        message = channel.receive()
        if message is None:
            raise BrokenError("the process that did the module's work has ended without a word")
        if "ask" not in message:
            return _value(message)
        answer = _outcome(functools.partial(_answer, message))
        with contextlib.suppress(ConnectionError):  # it has ended meanwhile, which is noticed next
            channel.send(answer)


def _answer(message: dict[str, t.Any]) -> t.Any:
    return ask(message["ask"], *message["arguments"])


def _outcome(work: t.Callable[[], t.Any]) -> dict[str, t.Any]:
    """Return what comes of the work as a message."""
    try:
        return {"value": work()}
    except MirroringError as error:
        return {"failed": str(error), "details": error.details}
    except OSError as error:
        return {"refused": [error.errno, error.strerror or str(error), error.filename and os.fsdecode(error.filename)]}
    except RecursionError:
        return {"failed": "directories are nested more deeply here than can be walked: remove them", "details": {}}
    except Exception:  # whatever it is, the other side must hear of it
        return {"broken": traceback.format_exc()}


def _value(message: dict[str, t.Any]) -> t.Any:
    """Return the value of an outcome, or raise its error; BrokenError when it is none."""
    try:
        if "value" in message:
            return message["value"]
        error: Exception
        if "failed" in message:
            error = MirroringError(str(message["failed"]), **message["details"])
        elif "refused" in message:
            number, why, path = message["refused"]
            error = OSError(number, why) if path is None else OSError(number, why, path)
        else:
            error = BrokenError(str(message["broken"]))
    except (KeyError, TypeError, ValueError):
        error = BrokenError(f"this is no outcome: {message!r:.2000}")
    raise error


def _child(account: pwd.struct_passwd, parent: int, line: socket.socket, work: t.Callable[[], t.Any]) -> None:
    channel = _Process.parent = _Channel(line)
    _Process.asking = threading.Lock()  # another thread may have held it when this process began

    def begin() -> t.Any:
        become(account, keep=line.fileno())
        if os.getppid() != parent:  # it ended before this process could be told to end with it
            os._exit(1)
        return work()

    outcome = _outcome(begin)
    try:
        channel.send(outcome)
    except (TypeError, ValueError):
        channel.send({"broken": f"this result is no JSON: {outcome!r:.2000}"})


def become(account: pwd.struct_passwd, keep: int) -> None:
    """Be this user for good, with nothing of root's but one descriptor."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != keep:
            with contextlib.suppress(OSError):  # that of the listing itself
                os.close(int(name))
    os.setgroups(os.getgrouplist(account.pw_name, account.pw_gid))
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    if os.getresuid() != (account.pw_uid,) * 3 or os.getresgid() != (account.pw_gid,) * 3:
        raise MirroringError(f"this process could not become {account.pw_name}")
    try:
        os.setuid(0)
    except OSError:
        pass
    else:
        raise MirroringError(f"this process can become root again after it has become {account.pw_name}")
    control = ctypes.CDLL(None, use_errno=True).prctl
    if control(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or control(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise MirroringError("this kernel does not let a process give up its rights for good")
    os.chdir("/")
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(
        {"HOME": account.pw_dir, "USER": account.pw_name, "LOGNAME": account.pw_name, "PATH": PATH, "LANG": "C.UTF-8"}
    )
