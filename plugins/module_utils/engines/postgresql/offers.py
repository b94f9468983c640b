# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host has of what the databases of another host's server may need.

Where no server gives a session, a program looks at the host as the server would: in the environment of its unit, so
that what is preloaded there, or where locales are looked for, counts here as well.

Sources: PostgreSQL manual, "Collation Versions"; ld.so(8); systemd.exec(5), "Environment".
"""

from __future__ import annotations

import glob
import json
import os
import re
import shlex
import sys
import typing as t

from ...host import files
from ...host.module import Instance
from ...host.run import Runner
from ...values import observation, places
from . import needs

#: of a unit's environment, what changes how programs find libraries and locales
COUNTS = re.compile(r"(LD_|LOC|ICU_)[A-Z_]+|GLIBC_TUNABLES")
SECONDS = 10
#: gets a place of libraries and further libraries to try, or none. Of a library that misses the engine's own names it
#: is not told here, since only the engine has these; of one whose own libraries are missing it is.
LOOK = r"""
import ctypes, json, os, re, sys
server, tried = sys.argv[1], sys.argv[2:]
found = {"libc": None, "icu": None, "broken": {}}
try:
    library = ctypes.CDLL(None)
    library.gnu_get_libc_version.restype = ctypes.c_char_p
    found["libc"] = library.gnu_get_libc_version().decode()
except (AttributeError, OSError):
    pass
try:
    with open(server, "rb") as file:
        named = sorted(set(re.findall(rb"libicui18n\.so\.(\d+)", file.read())))
    for number in [each.decode() for each in named]:
        icu = ctypes.CDLL("libicui18n.so." + number)
        opened = getattr(icu, "ucol_open_" + number)
        opened.restype, opened.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)]
        status, version, text = ctypes.c_int(0), (ctypes.c_uint8 * 4)(), ctypes.create_string_buffer(20)
        collator = opened(b"", ctypes.byref(status))
        if collator and status.value <= 0:
            getattr(icu, "ucol_getVersion_" + number)(ctypes.c_void_p(collator), version)
            common = ctypes.CDLL("libicuuc.so." + number)
            getattr(common, "u_versionToString_" + number)(version, text)
            found["icu"] = text.value.decode()
except (AttributeError, OSError):
    pass
for path in tried:
    try:
        ctypes.CDLL(path)
    except OSError as error:
        said = str(error)
        if "cannot open shared object file" in said and not said.startswith(path + ":"):
            found["broken"][path] = said
print(json.dumps(found))
"""


def observe(
    instance: Instance, run: Runner, asked: list[str], process: observation.Process, *, session: bool, trial: bool
) -> observation.Offers:
    """Return what the host has. With a session the server itself is asked for the rest.

    ``asked`` are libraries by their path; with ``trial`` it is tried whether those of the engine's place find theirs.
    """
    own = needs.library_directory(instance)
    found: observation.Offers = {
        "directory": own,
        "libraries": needs.libraries_in(own) if own else None,
        "paths": {path: os.path.isfile(path) for path in asked},
        "broken": {},
        "locales": None,
        "versions": {},
    }
    if session:
        return found
    environment = ["env", *(f"{name}={value}" for name, value in surroundings(instance, run, process).items())]
    code, output, _errors = run([*environment, "locale", "-a"], timeout=SECONDS)
    found["locales"] = sorted(output.split("\n")[:-1]) if code == 0 else None
    # the largest one is loaded when it is used first, and a server goes on without it
    tried = [f"{own}/{name}.so" for name in found["libraries"] or [] if "llvmjit" not in name] if trial else []
    tried += [path for path, there in found["paths"].items() if there]
    server = os.path.realpath(instance.program("postgres"))
    look = [sys.executable or "/usr/bin/python3", "-I", "-c", LOOK, server, *tried]
    code, output, _errors = run([*environment, *look], timeout=SECONDS)
    try:
        told = dict(json.loads(output)) if code == 0 else {}
    except (ValueError, TypeError):
        told = {}
    found["versions"] = {name: told[name] for name in ("libc", "icu") if told.get(name)}
    found["broken"] = {_short(path, own): str(said) for path, said in (told.get("broken") or {}).items()}
    return found


def _short(path: str, own: str | None) -> str:
    return needs.short(path.removeprefix(f"{own}/"))


def surroundings(instance: Instance, run: Runner, process: observation.Process) -> dict[str, str]:
    """Return what the server's process has in its environment, or would get from its unit, as far as it counts."""
    if process["pid"]:
        words = (files.text_of(f"/proc/{process['pid']}/environ") or "").split("\0")
        return _counting(words)
    _code, output, _errors = run(
        ["systemctl", "show", instance.service, "--property", "LoadState,Environment,EnvironmentFiles"], timeout=SECONDS
    )
    lines = [line.partition("=")[::2] for line in output.splitlines()]
    words = [word for name, value in lines if name == "Environment" for word in _split(value)]
    if ("LoadState", "loaded") not in lines:
        words += _of_drop_ins(instance.service)
    for name, value in lines:
        if name == "EnvironmentFiles":
            words += _assigned(files.text_of(value.partition(" (")[0].removeprefix("-")) or "")
    words += _assigned(files.text_of(os.path.join(instance.config_directory, "environment")) or "")
    return _counting(words)


def _of_drop_ins(service: str) -> list[str]:
    """Return what is set for a unit that is not there yet, of which systemd tells nothing."""
    name = f"{places.cluster(service)}.service"
    template = re.sub(r"@.*(?=\.service$)", "@", name)
    words = []
    for each in dict.fromkeys((template, name)):
        for path in sorted(glob.glob(f"/etc/systemd/system/{glob.escape(each)}.d/*.conf")):
            lines = (files.text_of(path) or "").splitlines()
            words += [word for line in lines if line.startswith("Environment=") for word in _split(line[12:])]
    return words


def _split(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:
        return []


def _assigned(content: str) -> list[str]:
    """Return the assignments of a file: one a line, blanks around the sign as Debian's clusters have them."""
    found = re.findall(r"^\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*$", content, re.M)
    return [f"{name}={''.join(_split(value)[:1])}" for name, value in found]


def _counting(words: t.Iterable[str]) -> dict[str, str]:
    pairs = [word.partition("=")[::2] for word in words if "=" in word]
    return {name: value for name, value in pairs if COUNTS.fullmatch(name)}
