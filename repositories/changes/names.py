"""Keep apart what has untagged keys ``<name>:…``: caches, and a desk's own records that belong to no trader."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from ...models.errors import InvalidArgument

_users: WeakKeyDictionary[object, dict[str, str]] = WeakKeyDictionary()
"""By the connections of a book, and by name, what uses the name there."""


def take_name(backend: object, name: str, what: str) -> None:
    """Note that keys that begin with a name are those of ``what``, such as a cache; several of one sort may share it.

    Another process may do otherwise: scripts refuse what the other sort has stored.

    Raises InvalidArgument when another sort has the name.
    """
    user = _users.setdefault(backend, {}).setdefault(name, what)
    if user != what:
        raise InvalidArgument(f"{name!r} cannot be the name of a {what}: this book has a {user} of that name")
