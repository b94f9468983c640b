# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hosts of a lab, the network between them, and the faults of both."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path("/var/cache/hawq-lab")
LABS = Path("/var/lib/hawq-lab")
CGROUPS = Path("/sys/fs/cgroup")
MARK = Path("/run/netns/.hawq-lab")  # exists only inside a lab, and holds its name

CONTROLLER = "controller"
DEFAULT_HOSTS = {"mdw": 11, "smdw": 12, "sdw1": 13, "sdw2": 14}
BRIDGE = "lab.bridge"  # a dot, so that no host can have this name
NAME = re.compile(r"[a-z][a-z0-9-]{0,13}")  # also the name of a network interface, hence the length
RELEASES = ("12", "11", "13")  # of Debian, the usual one first; `image` has their recipes
HOST_KEY = "etc/ssh/ssh_host_ed25519_key"
BOOT_LIMIT = 60.0
RECIPES = {"image": "", "archive": ".tar.gz"}  # beside this file, and what their product is called

CONTAINER = [
    *["--systemd=always", "--restart=always", "--no-hosts", "--dns=none", "--log-driver=none", "--shm-size=256m"],
    "--cap-add=NET_ADMIN,NET_RAW,SYS_ADMIN,AUDIT_WRITE,SYS_PTRACE,SYS_NICE",
    *["--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined"],
    *["--ulimit=nofile=16384:16384", "--ulimit=nproc=32768:32768"],
]


class LabError(Exception):
    """Something that the user can read and mend."""


class UsageError(LabError):
    """The user asked for something that does not exist."""


def sh(*command: object) -> str:
    """Run a command that must succeed, return what it prints."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{shlex.join(words)} failed: {done.stderr.strip() or done.stdout.strip() or done.returncode}")
    return done.stdout


def succeeds(*command: object) -> bool:
    with contextlib.suppress(LabError):
        sh(*command)
        return True
    return False


def delete(path: Path) -> None:
    sh("rm", "-rf", "--one-file-system", path)


def until(condition: Callable[[], bool], limit: float) -> bool:
    deadline = time.monotonic() + limit
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return met


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have a folder to ourselves; it is made if need be, also when another process removes it while we wait."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if folder.exists() and os.path.samestat(os.fstat(handle), folder.stat()):
                yield
                return
        finally:
            os.close(handle)


def made(recipe: str, *arguments: str) -> Path:
    """What a recipe makes: from the cache, unless the recipe has changed."""
    script = HERE / recipe
    digest = hashlib.sha256(script.read_bytes()).hexdigest()[:12]
    path = CACHE / ("-".join([recipe, *arguments, digest]) + RECIPES[recipe])
    with locked(CACHE):
        if path.exists():
            return path
        if MARK.exists():
            raise LabError(f"the {recipe} is not made yet, and inside `lab run` cannot be: do this outside")
        print(f"lab: making the {recipe}, once", file=sys.stderr)
        partial, log = CACHE / "partial", CACHE / f"{recipe}.log"
        delete(partial)
        with log.open("w") as output:
            done = subprocess.run([script, partial, *arguments], stdout=output, stderr=output, check=False)
        if done.returncode:
            raise LabError(f"the {recipe} could not be made, see {log}")
        partial.rename(path)
    return path


def release_of(image: str) -> str:
    """The Debian release of an image, by its name."""
    return image.split("-")[1]


def wanted(host: str) -> tuple[str, str]:
    """Name and Debian release of a host as `up` is told them; no release where it does not matter."""
    name, _, release = host.partition(":")
    if ":" in host and release not in RELEASES:
        raise UsageError(f"{host!r}: there are hosts of Debian {', '.join(sorted(RELEASES))}, none of {release!r}")
    return name, release


def clean() -> None:
    """Empty the cache of all that no lab is using."""
    with locked(CACHE):
        used = {path.read_text() for path in LABS.glob("*/hosts/*/image")}
        for path in CACHE.iterdir():
            if path.name not in used:
                delete(path)
        if not used:
            CACHE.rmdir()


class Lab:
    """A private network with hosts. What is done to hosts is done inside it, and with its folder locked."""

    def __init__(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise UsageError(f"LAB={name!r} is no name for a lab: lower-case letters, digits and dashes, at most 14")
        self.name = name
        self.state = LABS / name
        self.hosts_dir = self.state / "hosts"
        self.ssh_config = self.state / "ssh_config"
        self.known_hosts = self.state / "known_hosts"
        self.namespaces = {kind: self.state / "namespaces" / kind for kind in ("mount", "net")}
        self.podman = (
            f"podman --root {self.state}/podman --runroot {self.state}/run/root --tmpdir {self.state}/run/tmp"
            f" --network-config-dir {self.state}/run/networks --storage-driver vfs --cgroup-manager cgroupfs"
            " --runtime crun --events-backend none"
        ).split()

    # Names and addresses

    def hosts(self) -> list[str]:
        return sorted(path.parent.name for path in self.hosts_dir.glob("*/image"))

    def known(self, name: str, *others: str) -> str:
        names = [*self.hosts(), *others]
        if name not in names:
            raise UsageError(f"lab {self.name!r} has no host {name!r}, only: {', '.join(names) or 'none'}")
        return name

    def images(self, hosts: tuple[str, ...]) -> dict[str, Path]:
        """By name, the images of those hosts that are not there yet; one of another release is not taken for it."""
        found = {}
        for name, release in map(wanted, hosts):
            if name not in self.hosts():
                found[name] = made("image", release or RELEASES[0])
            elif release not in ("", there := release_of((self.hosts_dir / name / "image").read_text())):
                raise UsageError(f"{name} is a host of Debian {there}; to make it anew: lab down {name}")
        return found

    def root(self, name: str) -> Path:
        return self.hosts_dir / name / "root"

    @staticmethod
    def number(name: str) -> int:
        """The last part of a host's addresses, always the same for the same name."""
        if name == CONTROLLER:
            return 1
        return DEFAULT_HOSTS.get(name) or 32 + zlib.crc32(name.encode()) % 208

    def addresses(self, name: str) -> tuple[str, str]:
        return f"10.77.0.{self.number(name)}", f"fd77::{self.number(name)}"

    def write_names(self) -> None:
        """Who is who, for the controller and every host, and by which key the controller knows them."""
        lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
        keys = ""
        for name in [CONTROLLER, *self.hosts()]:
            lines += [f"{address} {name}" for address in self.addresses(name)]
            if name != CONTROLLER:
                key = (self.root(name) / f"{HOST_KEY}.pub").read_text()
                keys += f"{','.join([name, *self.addresses(name)])} {key}"
        for path in [self.state / "etc_hosts", *(self.root(name) / "etc/hosts" for name in self.hosts())]:
            path.write_text("\n".join(lines) + "\n")
        self.known_hosts.write_text(keys)

    # The private network

    def is_up(self) -> bool:
        """Whether the namespace files are namespaces, not what a reboot of the machine left, and all is in them."""
        paths = self.namespaces.values()
        return self.known_hosts.exists() and all(path.exists() and os.path.ismount(path) for path in paths)

    def inside(self, *command: str) -> list[str]:
        """The command line that runs a command inside the lab."""
        if MARK.exists():
            return list(command)
        if not self.is_up():
            raise LabError(f"lab {self.name!r} is down; start it with: lab up")
        mount, net = (f"--{kind}={path}" for kind, path in self.namespaces.items())
        return ["nsenter", mount, net, f"--wdns={Path.cwd()}", *command]

    def make(self) -> None:
        """Outside: make the namespaces, and in them what belongs to the lab as a whole."""
        with locked(self.state):
            if self.is_up():
                return
            self.clear()
            self.hosts_dir.mkdir()
            # A mount namespace can be bound to a file only on a private mount.
            folder = self.state / "namespaces"
            folder.mkdir()
            sh("mount", "--bind", "--make-private", folder, folder)
            for path in self.namespaces.values():
                path.touch()
            mount, net = (f"--{kind}={path}" for kind, path in self.namespaces.items())
            sh("unshare", mount, net, "--propagation=slave", HERE / "network", self.name, self.state, BRIDGE)

    def vanish(self) -> None:
        """Outside: end everything, whatever state it is in."""
        if not self.state.exists():
            return
        with locked(self.state):
            self.clear()
            self.state.rmdir()
        with contextlib.suppress(OSError):  # there is another lab
            LABS.rmdir()
            sh("find", CGROUPS, "-mindepth", 1, "-maxdepth", 1, "-type", "d", "-empty", "-delete")

    def clear(self) -> None:
        if self.is_up():
            for path in CGROUPS.glob(f"freezer/hawq-lab-{self.name}/*/freezer.state"):
                path.write_text("THAWED")
            ours = ["(", "-path", f"*/hawq-lab-{self.name}", "-o", "-path", f"*/hawq-lab-{self.name}/*", ")"]
            groups = self.inside("find", str(CGROUPS), "-depth", "-type", "d", *ours, "-delete")
            if not until(lambda: not self.kill_all() and succeeds(*groups), 10):
                raise LabError("some process of the lab could not be killed")
        for path in [*self.namespaces.values(), self.state / "namespaces"]:
            succeeds("umount", path)
        for path in self.state.iterdir():
            delete(path)

    def kill_all(self) -> bool:
        """Kill what runs in the lab's network or in its hosts; whether there was anything."""
        ours = self.namespaces["net"].stat().st_ino
        pids = set()
        for path in Path("/proc").glob("[0-9]*/ns/net"):
            with contextlib.suppress(OSError):
                if path.stat().st_ino == ours:
                    pids.add(int(path.parts[2]))
        for group in (f"hawq-lab-{self.name}", f"*/hawq-lab-{self.name}"):
            for path in CGROUPS.glob(f"{group}/**/cgroup.procs"):
                pids.update(int(pid) for pid in path.read_text().split())
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(pids)

    # Hosts

    def power(self, name: str) -> str:
        found = sh(*self.podman, "ps", "--all", "--filter", f"name=^{name}$", "--format", "{{.Status}}")
        return "frozen" if found.startswith("Paused") else "on" if found.startswith("Up") else "off"

    def create(self, name: str, image: Path) -> None:
        """A host's own file system, with all that makes it this host; from here on it exists."""
        if not NAME.fullmatch(name) or name in ("lo", "eth0", "localhost", CONTROLLER):
            raise UsageError(f"{name!r} is no name for a host: lower-case letters, digits and dashes, at most 14")
        for twin in self.hosts():
            if self.number(twin) == self.number(name):
                raise UsageError(f"{name!r} would have the address of {twin!r}: take another name")
        self.drop_files(name)  # of an attempt that was interrupted
        folder, root = self.hosts_dir / name, self.root(name)
        for part in ("upper", "work", "root"):
            (folder / part).mkdir(parents=True)
        layers = f"lowerdir={image},upperdir={folder}/upper,workdir={folder}/work"
        sh("mount", "-t", "overlay", "-o", layers, "overlay", root)
        (root / "etc/hostname").write_text(f"{name}\n")
        settings = zip(("IPV4", "IPV6", "GATEWAY4", "GATEWAY6"), self.addresses(name) + self.addresses(CONTROLLER))
        (root / "etc/default/lab-network").write_text("".join(f"{word}={address}\n" for word, address in settings))
        (root / "etc/ssh/authorized_keys").write_bytes((self.state / "id_ed25519.pub").read_bytes())
        sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", root / HOST_KEY)
        (folder / "image").write_text(image.name)

    def drop_files(self, name: str) -> None:
        succeeds("umount", self.root(name))
        delete(self.hosts_dir / name)

    def start(self, name: str) -> None:
        power = self.power(name)
        if power == "frozen":
            raise LabError(f"{name} is frozen, not off; to wake it: lab thaw {name}")
        if power == "on":
            return
        # A new network stack each time, or peers would still hear from the sockets of the last life; but always the
        # same MAC address, which they remember.
        self.drop_network(name)
        mac = f"02:00:00:00:77:{self.number(name):02x}"
        sh("ip", "netns", "add", name)
        sh("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", name)
        sh("ip", "-n", name, "link", "set", "lo", "up")
        sh("ip", "-n", name, "link", "set", "eth0", "up")
        sh("ip", "link", "set", name, "master", BRIDGE, "down" if self.unplugged(name) else "up")
        if not succeeds(*self.podman, "container", "exists", name):
            its = ["--name", name, "--hostname", name, "--network", f"ns:/run/netns/{name}"]
            group = f"--cgroup-parent=/hawq-lab-{self.name}"
            sh(*self.podman, "create", *CONTAINER, *its, group, "--rootfs", self.root(name), "/sbin/init")
        sh(*self.podman, "start", name)

    def drop_network(self, name: str) -> None:
        succeeds("ip", "link", "delete", name)
        succeeds("ip", "netns", "delete", name)

    def stop(self, name: str) -> None:
        # First the cable: who loses power does not say good-bye to his connections.
        succeeds("ip", "link", "set", name, "down")
        if self.power(name) == "frozen":
            sh(*self.podman, "unpause", name)
        if self.power(name) == "on":
            sh(*self.podman, "kill", "--signal", "KILL", name)
        self.drop_network(name)

    def remove(self, name: str) -> None:
        self.stop(name)
        sh(*self.podman, "rm", "--force", "--ignore", name)
        for pair in self.cuts():
            if name in pair:
                self.join(*pair)
        self.cable_file(name).unlink(missing_ok=True)
        self.drop_files(name)

    def wait(self, *names: str) -> None:
        """Until these hosts have booted and answer over SSH; a service may wait for another host before it starts."""
        cuts = self.cuts()
        cut_off = [name for name in names if self.unplugged(name) or tuple(sorted([CONTROLLER, name])) in cuts]
        left = [name for name in names if name not in cut_off and not self.unplugged(CONTROLLER)]

        waiting = "systemctl list-units --plain --no-legend --state=start-pre"
        asked = f"timeout 2 systemctl is-system-running --wait || {waiting}"

        def all_answer() -> bool:
            logins = {
                name: subprocess.Popen(
                    self.ssh(name, asked),
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                )
                for name in left
            }  # fmt: skip
            said = {name: login.communicate()[0].strip() for name, login in logins.items()}
            left[:] = [name for name in left if said[name] in (b"", b"offline", b"unknown")]
            return not left

        if not until(all_answer, BOOT_LIMIT):
            raise LabError(f"no answer over SSH within {BOOT_LIMIT:.0f} s from {', '.join(left)}")
        if cut_off:
            print(f"lab: not waited for, as the controller cannot reach it: {', '.join(cut_off)}", file=sys.stderr)

    def ssh(self, name: str, *command: str) -> list[str]:
        return self.inside("ssh", "-F", str(self.ssh_config), name, *command)

    # Cables and pairs

    def cable_file(self, name: str) -> Path:
        """The file that says that a host's cable is out."""
        return self.state / f"unplugged.{name}"

    def unplugged(self, name: str) -> bool:
        return self.cable_file(name).exists()

    def pull(self, name: str) -> None:
        self.cable_file(name).touch()
        succeeds("ip", "link", "set", name, "down")

    def put_back(self, name: str) -> None:
        self.cable_file(name).unlink(missing_ok=True)
        succeeds("ip", "link", "set", name, "up")

    def cuts(self) -> list[tuple[str, str]]:
        found = re.findall(r'"([^"]+)" \. "([^"]+)"', sh("nft", "list", "set", "bridge", "lab", "cut"))
        return sorted((one, other) for one, other in found if one < other)

    def pair(self, one: str, other: str) -> str:
        return f'bridge lab cut {{ "{one}" . "{other}", "{other}" . "{one}" }}'

    def cut(self, one: str, other: str) -> None:
        sh("nft", f"add element {self.pair(one, other)}")

    def join(self, one: str, other: str) -> None:
        # nft deletes only what is there.
        sh("nft", f"add element {self.pair(one, other)}; delete element {self.pair(one, other)}")
