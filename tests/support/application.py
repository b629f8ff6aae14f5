"""Create the least-privilege user of docker/server/users.acl on servers of tests, which work as this user."""

from __future__ import annotations

import subprocess
from typing import Literal, TypeAlias, cast

from slotbook.topology.embedded import Deployment

from .package import ROOT
from .raw import Raw, Reply

SERVER_FOLDER = ROOT / "docker" / "server"
NAME = "slotbook"
PASSWORDS = ("SLOTBOOK_PASSWORD", "SLOTBOOK_SENTINEL_PASSWORD", "REDIS_OPERATOR_PASSWORD")

ALWAYS = {"auth", "hello", "quit", "reset"}
"""Commands that nobody needs permission for."""

File: TypeAlias = Literal["users.acl", "sentinel.acl"]


def rules(file: File, version: str, password: str, *, search: bool = False) -> list[str]:
    """Return the rules of the application's user, as ACL SETUSER takes them."""
    made = subprocess.run(
        ["sh", SERVER_FOLDER / "users.sh", SERVER_FOLDER / file, version, *(["search"] if search else [])],
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", **dict.fromkeys(PASSWORDS, password)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    (line,) = [line for line in made.stdout.splitlines() if line.startswith(f"user {NAME} ")]
    return line.split()[2:]


def commands(file: File = "users.acl", version: str = "999.0", *, search: bool = True) -> set[str]:
    """Return the commands that the application may call; a subcommand as ``client|tracking``."""
    return {word[1:] for word in rules(file, version, "any", search=search) if word.startswith("+")}


def words_of_all(raw: Raw) -> dict[str, list[str]]:
    """Return every command and subcommand of a server, each with as many words as it takes."""
    found: dict[str, list[str]] = {}
    for command in cast("list[list[Reply]]", raw.ask("COMMAND")):
        parts = cast("list[list[Reply]]", command[9])
        for part in parts or [command]:
            name = str(part[0]).lower()  # modules write theirs in capitals
            words = name.split("|")
            found[name] = words + ["1"] * (abs(cast(int, part[1])) - len(words))
    return found


def admit(deployment: Deployment) -> None:
    """Create the user on every server of a deployment, with the deployment's own passwords."""
    for server in deployment.servers:
        version = _version(str(server.ask("INFO", "server")))
        if server.kind == "data":
            search = "name=search" in str(server.ask("INFO", "modules"))
            words = rules("users.acl", version, deployment.password, search=search)
        else:
            words = rules("sentinel.acl", version, deployment.sentinel_password or "")
        server.ask("ACL", "SETUSER", NAME, *words)


def _version(info: str) -> str:
    (line,) = [line for line in info.splitlines() if line.startswith("redis_version:")]
    return line.partition(":")[2]
