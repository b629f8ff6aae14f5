"""Check what the user of a book may do (ACL): all that is needed, and little more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .examined import DATA, Check, Deployment, Examined, NotTold
from .findings import Opinion, bad, good, risk
from .needs import ESSENTIAL, SINCE_7_2, Need, channels_needed, commands_needed, keys_needed, not_needed
from .queries import WHOAMI, Query, dry_run, user_of
from .versions import release

_REMEDY = "ACL SETUSER {user} {rules}, on every server and in its file of users"

_OF_KEYS = " to access the "
"""A part of the text of a refusal, if not the command is refused but a key or a channel."""


def user_examined(server: Examined, deployment: Deployment) -> str | None:
    """Return the user whose permissions are examined; None if the server does not tell who asks."""
    return deployment.user or server.user


def queries_of(server: Examined, deployment: Deployment) -> list[Query]:
    """Return what has to be asked about the permissions of a user."""
    user = user_examined(server, deployment)
    if user is None:
        return []
    lacking = lacks(server)
    needs = [
        *commands_needed(deployment.settings, lacking),
        *keys_needed(deployment.settings),
        *channels_needed(deployment.settings),
        *not_needed(deployment.settings),
    ]
    return [user_of(user), *dict.fromkeys(dry_run(user, need.words) for need in needs)]


def lacks(server: Examined) -> frozenset[str]:
    """Return the needed commands that a server does not have, as far as it tells."""
    try:
        is_newer = release(server).has((7, 2), (7, 2))
        found = frozenset[str]() if is_newer else SINCE_7_2
        return found if server.has_module("search") else found | _SEARCH
    except NotTold:
        return _SEARCH


_SEARCH = frozenset({"ft.aggregate", "ft.aliasupdate", "ft.create", "ft.cursor", "ft.dropindex", "ft.info", "ft._list"})


def _refusals(server: Examined, deployment: Deployment, needs: Sequence[Need]) -> list[tuple[Need, str]]:
    """Return the needs that are refused, each with the text of the refusal. Raises NotTold."""
    user = _user(server, deployment)
    found: list[tuple[Need, str]] = []
    for need in needs:
        query = dry_run(user, need.words)
        answer = server.answers.get(query)
        if answer is None or answer.denied or answer.unreached:
            raise NotTold(query.name, query)
        if answer.reply != "OK":
            found.append((need, str(answer.reply or answer.failure)))
    return found


def _user(server: Examined, deployment: Deployment) -> str:
    user = user_examined(server, deployment)
    if user is None:
        raise NotTold(WHOAMI.name, WHOAMI)
    return user


def _needed_commands(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    user = _user(server, deployment)
    refused = [
        need
        for need, text in _refusals(server, deployment, commands_needed(deployment.settings, lacks(server)))
        if _OF_KEYS not in text  # then it is a key or channel that is refused, which is a check of its own
    ]
    purposes = dict.fromkeys(need.purpose for need in refused)
    for purpose in purposes:
        names = [need.name for need in refused if need.purpose == purpose]
        remedy = _REMEDY.format(user=user, rules=" ".join(f"+{name}" for name in names))
        value = f"{user} may not: {', '.join(names)}"
        if purpose in ESSENTIAL:
            yield bad(value, f"needed for {purpose}: it fails, or stops midway and its outcome is unknown", remedy)
        else:
            yield risk(value, f"needed for {purpose}; nothing else fails", remedy)
    if not refused:
        yield good(f"{user} may run all that are needed")


def _needed_keys(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    user, prefix = _user(server, deployment), deployment.settings.prefix
    refused = [
        need.name
        for need, text in _refusals(server, deployment, keys_needed(deployment.settings))
        if " to access the " in text
    ]
    if refused:
        shown = ", ".join(refused[:4]) + (f" and {len(refused) - 4} more" if len(refused) > 4 else "")
        yield bad(
            f"{user} may not read and write keys such as {shown}",
            "a change that touches one of them is refused, or stops midway and its outcome is unknown",
            _REMEDY.format(user=user, rules=f"~{prefix}* ~{{{prefix}*" if prefix else "~*"),
        )
    else:
        yield good(f"{user} may use all keys of the book")


def _needed_channels(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    user = _user(server, deployment)
    refused = [
        need
        for need, text in _refusals(server, deployment, channels_needed(deployment.settings))
        if " to access the " in text
    ]
    if refused:
        yield risk(
            f"{user} may not use channels such as {', '.join(need.name for need in refused)}",
            "changes are not announced there, and who subscribes hears nothing; the stream has them all the same",
            _REMEDY.format(user=user, rules=f"&{deployment.settings.prefix}*"),
        )
    else:
        yield good(f"{user} may use the channels that are published on")


def _unneeded(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    user, needs = _user(server, deployment), not_needed(deployment.settings)
    refused = {need for need, _ in _refusals(server, deployment, needs)}
    allowed = [need.name for need in needs if need not in refused]
    if allowed:
        yield risk(
            f"{user} may: {', '.join(allowed)}",
            "no book needs these, and one slip or one stolen password can empty, stop or change the server",
            "a user of the book's own, as docker/server/users.acl has it; --user NAME examines another user",
        )
    else:
        yield good(f"{user} may do nothing harmful that is not needed")


def _password(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    user = _user(server, deployment)
    match server.reply(user_of(user)):
        case ["flags", [*flags], *_]:
            pass
        case None:
            yield bad(f"there is no user {user}", "who has this name cannot log in", "ACL SETUSER, or another name")
            return
        case _:
            raise NotTold("ACL GETUSER")
    if "nopass" in flags:
        yield bad(
            f"{user} needs no password",
            "whoever reaches the server's port can read and change every book",
            "ACL SETUSER, with a password, or requirepass for the user default",
        )
    elif "off" in flags:
        yield bad(f"{user} is off", "who has this name cannot log in", f"ACL SETUSER {user} on")
    else:
        yield good(f"{user} has one")


CHECKS = (
    Check("password", DATA, (), _password),
    Check("permissions needed", DATA, (), _needed_commands),
    Check("keys needed", DATA, (), _needed_keys),
    Check("channels needed", DATA, (), _needed_channels),
    Check("permissions not needed", DATA, (), _unneeded),
)
