# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server would say if it were started here with its master's configuration, before anything is copied.

The server itself tells: for a setting that it computes it reads all configuration, loads the libraries that are
preloaded, and looks at certificates, but opens no port and no data. Sources: PostgreSQL manual, "postgres" (-C),
"Managing Kernel Resources"; ``PostmasterMain`` of PostgreSQL.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import os
import re
import shlex
import shutil
import tempfile
import typing as t

from ...host import files, listening, ring
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import observation, settings_file
from ...values.text import MEBIBYTE
from . import named_files, own_words, start_files

#: until it must have said something
SECONDS = 20
#: computed at the start: only for such a one libraries are loaded
COMPUTED = "shared_memory_size"
SHARED_MEMORY = "/dev/shm"  # noqa: S108
_VARIABLE = re.compile(r"^\s*([A-Za-z_]\w*)\s*=\s*'?([^'\n#]*?)'?\s*$", re.M)


class Unit(t.NamedTuple):
    """What the server's unit gives to it: variables, as Debian's configuration does too, and directories."""

    environment: dict[str, str]
    directories: set[str]

    @classmethod
    def of(cls, instance: Instance, run: Runner) -> Unit:
        """Ask systemd."""
        wanted = "Environment,RuntimeDirectory"
        _code, output, _errors = run(["systemctl", "show", instance.service, "--property", wanted], timeout=10)
        shown = dict(line.partition("=")[::2] for line in output.splitlines())
        try:
            found = [word for word in shlex.split(shown.get("Environment", "")) if re.match(r"[A-Za-z_]\w*=", word)]
        except ValueError:
            found = []
        text = files.text_of(os.path.join(instance.config_directory, "environment")) or ""
        found += [f"{name}={value}" for name, value in _VARIABLE.findall(text)]
        directories = {f"/run/{name}" for name in shown.get("RuntimeDirectory", "").split()}
        return cls(dict(each.split("=", 1) for each in found if not each.startswith("PG")), directories)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> t.Iterator[None]:
    """Let programs that are started meanwhile have these variables; a process list would show them in a command."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Trial:
    """A place that looks like the data directory to a server that only reads its configuration."""

    def __init__(self, instance: Instance, run: Runner, place: str, source: dict[str, t.Any]) -> None:
        """Put the master's files there; a configuration of this host's own is used where it is."""
        self._instance, self._run, self._source = instance, run, source
        self.data, self.place = os.path.join(place, "data"), place
        outside = start_files.outside(instance)
        own = outside and os.path.exists(os.path.join(instance.config_directory, "postgresql.conf"))
        #: directories of the master's, and what is in their place meanwhile
        self._moved = {str(source["data_directory"]): self.data}
        self.config = self.data
        os.makedirs(os.path.join(self.data, "global"), mode=0o700)
        if own:
            self.config = instance.config_directory
        elif outside:
            self.config = os.path.join(place, "configuration")
            self._moved[str(source["config_directory"])] = self.config
        if instance.data_directory not in self._moved:
            self._moved[instance.data_directory] = self.data
        self.texts = [] if own else [start_files.text_of(row) for row in source["configuration_files"]]
        if own:
            self.texts += [
                start_files.text_of(row) for row in start_files.read(instance)["source"]["configuration_files"]
            ]
        for top, rows in ((self.data, source["data_files"]), (self.config, source["configuration_files"])):
            for row in rows if top != instance.config_directory else []:
                self._put(top, row)
        self._unit = Unit.of(instance, run)
        self._told: dict[str, str] = {}

    def _put(self, top: str, row: dict[str, str]) -> None:
        path = os.path.join(top, row["path"])
        if not start_files.is_below(path, top):
            raise MirroringError(f"{row['path']} is not the name of a file below {top}")
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        content = base64.b64decode(row["content"])
        if row["path"].endswith((".conf", ".conf.in")):
            content = self._there(content.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        with files.created(path) as file:
            file.write(content)
            os.fchmod(file.fileno(), int(row["mode"], 8) & 0o777)

    def _there(self, text: str) -> str:
        """Let what names one of the moved directories name the place where they are now."""
        for old, new in self._moved.items():
            text = re.sub(re.escape(old.rstrip("/")) + r"(?=[/'\"\s]|$)", new, text)
        return text

    def _named(self, text: str) -> str:
        """Return a text that names the directories as they will be."""
        text = text.replace(self.data, self._instance.data_directory)
        if self.config != self._instance.config_directory:
            text = text.replace(self.config, self._instance.config_directory)
        return text

    def tell(self, settings: dict[str, t.Any]) -> None:
        """Write what the standby will be told, and remember whether a name is set at all."""
        path = os.path.join(self.data, "postgresql.auto.conf")
        wanted = {name: None if value is None else str(value) for name, value in settings.items()}
        text = settings_file.edit(files.text_of(path) or "", wanted)
        files.write(path, text, act=True)
        for each in (*map(self._there, self.texts), text):
            self._told.update(settings_file.parse(each))

    def ask(self, name: str, *further: str) -> tuple[str | None, str]:
        """Return a setting as a server would have it, or None and what it says."""
        command = [self._instance.program("postgres"), "-D", self.data, "-c", f"data_directory={self.data}"]
        command += ["-c", "log_destination=stderr", "-c", "lc_messages=C", *further]
        if self.config != self.data:
            command += ["-c", f"config_file={os.path.join(self.config, 'postgresql.conf')}"]
        with _environment(self._unit.environment):
            code, output, errors = self._run([*command, "-C", name], timeout=SECONDS)
        if code == 0:
            return (output.rstrip("\n").rpartition("\n")[2], "")
        said = own_words.of_text(errors) or " ".join(errors.split())[-400:] or f"it ended with {code}"
        return None, self._named(said)

    def is_set(self, name: str) -> bool:
        """Whether the configuration names a setting at all."""
        return name in self._told

    def value(self, name: str) -> str:
        """Return a setting; of a configuration that has an error what it says as far as that can be read."""
        found = self.ask(name)[0]
        return self._told.get(name, "") if found is None else found

    @functools.cached_property
    def is_posix(self) -> bool:
        """Whether a server makes memory for parallel queries as files."""
        name = "dynamic_shared_memory_type"
        return not self.is_set(name) or self.value(name) == "posix"

    def comes_with_the_copy(self, path: str) -> bool:
        """Whether a file lies where the copy brings it."""
        inside = [self.data, self._instance.data_directory]
        inside += [self.config] if self.config.startswith(self.place) else []
        return any(start_files.is_below(path, top) for top in inside)

    def made_by_the_unit(self, path: str) -> bool:
        """Whether systemd makes a directory when it starts the server."""
        return os.path.realpath(path) in self._unit.directories

    def path_of(self, value: str) -> str:
        """Return the path that a setting means: one that is not absolute counts from the data directory."""
        return os.path.join(self.data, value.removeprefix("FILE:"))


def look(instance: Instance, run: Runner, *, source: dict[str, t.Any], settings: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what stands against a server here; the place that is made for that is removed."""
    place = tempfile.mkdtemp(prefix="hawq-start-", dir="/tmp")
    try:
        trial = Trial(instance, run, place, source)
        trial.tell(settings)
        return {"changed": False, "trial": _look(trial, source)}
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _look(trial: Trial, source: dict[str, t.Any]) -> observation.Trial:
    tls = trial.is_set("ssl") and trial.value("ssl") == "on"
    wanted = [name for name in named_files.TLS if tls and (trial.is_set(name) or name in named_files.OWN)]
    values = {name: trial.value(name) for name in wanted}
    paths = {name: trial.path_of(value) for name, value in values.items() if value}
    # a certificate in the data directory comes with the copy, and is not here yet
    off = ["-c", "ssl=off"] if any(trial.comes_with_the_copy(path) for path in paths.values()) else []
    memory, error = trial.ask(COMPUTED, *off)
    if error and "incorrect checksum in control file" in error:
        error = ""  # it was read while the master wrote it
    places = _places(trial, paths)
    places += [named_files.place(row["setting"], row["path"], row["wanted"]) for row in source["included"]]
    huge = trial.is_set("huge_pages") and trial.value("huge_pages") == "on"
    pages = trial.ask(f"{COMPUTED}_in_huge_pages", *off)[0] if huge and memory else None
    listens = trial.value("listen_addresses")
    told = next((each for text in trial.texts if (each := settings_file.parse(text).get("data_directory"))), None)
    return {
        "error": error or None,
        "places": [row for row in places if row["trouble"]],
        "memory_bytes": int(memory) * MEBIBYTE if memory and memory.isdigit() else None,
        "host_memory_bytes": _meminfo("MemTotal"),
        "huge_pages": int(pages) if pages and pages.isdigit() else None,
        "free_huge_pages": (_meminfo("HugePages_Free", 1) or 0) - (_meminfo("HugePages_Rsvd", 1) or 0)
        if huge
        else None,
        **_kernel(trial),
        "ring_refused": ring.refused()
        if trial.is_set("io_method") and trial.value("io_method") == "io_uring"
        else None,
        "listens": [listening.word(each.strip()) for each in listens.split(",") if each.strip()],
        "data_directory": told,
    }


class Kernel(t.TypedDict):
    """What the kernel gives of the two further kinds of shared memory."""

    segment_limit_bytes: int | None
    segments_limit_bytes: int | None
    dynamic_free_bytes: int | None


def _kernel(trial: Trial) -> Kernel:
    """Return the limits that count; min_dynamic_shared_memory is a part of the server's main memory already."""
    sysv = trial.is_set("shared_memory_type") and trial.value("shared_memory_type") == "sysv"
    pages = _sysctl("shmall") if sysv else None
    return {
        "segment_limit_bytes": _sysctl("shmmax") if sysv else None,
        "segments_limit_bytes": pages * os.sysconf("SC_PAGE_SIZE") if pages is not None else None,
        "dynamic_free_bytes": shutil.disk_usage(SHARED_MEMORY).free
        if trial.is_posix and os.path.isdir(SHARED_MEMORY)
        else None,
    }


def _sysctl(name: str) -> int | None:
    """Return a number of the kernel's, which gives nothing to whoever asks for many bytes at once."""
    try:
        with files.opened(f"/proc/sys/kernel/{name}") as file:
            found = file.read(64).strip()
    except OSError:
        return None
    return int(found) if found.isdigit() else None


def _meminfo(name: str, unit: int = 1024) -> int | None:
    found = re.search(rf"^{name}:\s+(\d+)", files.text_of("/proc/meminfo") or "", re.M)
    return int(found[1]) * unit if found else None


def _places(trial: Trial, tls: dict[str, str]) -> list[observation.NamedPlace]:
    """Return the files and directories that the configuration names and that no copy brings along."""
    found = [(name, path, named_files.WANTED[name]) for name, path in tls.items()]
    for name in (name for name in named_files.WANTED if trial.is_set(name) and name not in named_files.TLS):
        value = trial.value(name)
        found += [(name, trial.path_of(value), named_files.WANTED[name])] if value else []
    if trial.is_set("log_directory") and trial.value("logging_collector") == "on":
        found.append(("log_directory", trial.path_of(trial.value("log_directory")), "make"))
    if trial.is_set("external_pid_file"):
        found.append(("external_pid_file", os.path.dirname(trial.path_of(trial.value("external_pid_file"))), "write"))
    sockets = [each.strip().strip('"') for each in trial.value("unix_socket_directories").split(",")]
    found += [("unix_socket_directories", path, "write") for path in sockets if path.startswith("/")]
    if trial.is_posix:
        found.append(("dynamic_shared_memory_type", SHARED_MEMORY, "write"))
    for name in (name for name in named_files.COMMANDS if trial.is_set(name)):
        found += named_files.of_command(name, trial.value(name))
    return [
        named_files.place(name, path, wanted)
        for name, path, wanted in found
        if not trial.comes_with_the_copy(path) and not trial.made_by_the_unit(path)
    ]
