"""Sort the keys of a trader by the own records that they belong to. Nothing here does I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...models.keys import TraderKeys
from .own_registry import Registry, is_kind

_PARTS = ("by", "unique", "deleted", "migrating", "sorted")
_PART = re.compile(rf"([a-z][a-z0-9_]*?)_(keys|{'|'.join(_PARTS)})(?:_([^:]*))?", re.ASCII | re.DOTALL).fullmatch


class OwnKeys:
    """The keys of a trader's own records, by the kind that each belongs to. Names are without the trader's tag."""

    def __init__(self, keys: TraderKeys, registry: Registry, found: Iterable[str]) -> None:
        self.records: dict[str, set[str]] = {}
        """By kind, the keys of records of which there is a hash, or which are remembered as deleted."""
        self.indexes: dict[str, list[str]] = {}
        """By kind, the indexes, also that of all records."""
        self.uniques: dict[str, list[str]] = {}
        """By kind, the unique values."""
        self.sorted: dict[str, list[str]] = {}
        """By kind, the sorted indexes."""
        self.beside: dict[str, list[str]] = {}
        """By kind, the sets beside indexes."""
        self.deleted: dict[str, list[str]] = {}
        """By kind, the keys of the records that are remembered as deleted."""
        self.unregistered: dict[str, int] = {}
        """Kinds that the header does not know, each with the number of its keys."""
        self.unknown: list[str] = []
        """Keys of no known kind."""
        names = sorted(key.removeprefix(keys.base) for key in found)
        parts = {name: _parts(name) for name in names}
        unknown_kinds = {
            kind for kind, part, _ in parts.values() if part in ("all", "deleted") and kind not in registry.kinds
        }
        for name, (kind, part, field) in parts.items():
            if self._is_beside(registry, name):
                continue
            if kind in registry.kinds and self._is_taken(registry, name, kind, part, field):
                continue
            if kind in unknown_kinds:
                self.unregistered[kind] = self.unregistered.get(kind, 0) + 1
            else:
                self.unknown.append(keys.base + name)

    def _is_beside(self, registry: Registry, name: str) -> bool:
        """Note a set beside an index of a kind that is known, and return True; return False for any other key."""
        head, colon, value = name.partition(":")
        kind, part, _ = _parts(head.removesuffix("@expiry") + colon + value)
        is_beside = head.endswith("@expiry") and kind in registry.kinds and part in ("all", "by", "sorted")
        if is_beside:
            self.beside.setdefault(kind, []).append(name)
        return is_beside

    def _is_taken(self, registry: Registry, name: str, kind: str, part: str, field: str) -> bool:
        """Sort a key of a kind that is known, and return True; return False for one that no schema of it has."""
        fields = registry.of_kind(kind)
        match part:
            case "record":
                self.records.setdefault(kind, set()).add(name.partition(":")[2])
            case "deleted":
                self.deleted.setdefault(kind, []).append(name.partition(":")[2])
                self.records.setdefault(kind, set()).add(name.partition(":")[2])
            case "all":
                self.indexes.setdefault(kind, []).append(name)
            case "migrating":
                pass
            case "by" if any(field in one.indexes for one in fields):
                self.indexes.setdefault(kind, []).append(name)
            case "unique" if any(field in one.uniques for one in fields):
                self.uniques.setdefault(kind, []).append(name)
            case "sorted" if any(field in one.sorted for one in fields):
                self.sorted.setdefault(kind, []).append(name)
            case _:
                return False
        return True


def _parts(name: str) -> tuple[str, str, str]:
    """Return the kind that a key belongs to, the part of it that the key is, and the field; '' for another key.

    >>> _parts("lot:L1"), _parts("lot_by_account:ACC1"), _parts("lot_keys"), _parts("lot_deleted:L1")
    (('lot', 'record', ''), ('lot', 'by', 'account'), ('lot', 'all', ''), ('lot', 'deleted', ''))
    """
    head, colon, _ = name.partition(":")
    found = _PART(head)
    if found is None:
        return (head, "record", "") if colon and is_kind(head) else ("", "", "")
    kind, part, field = found[1], found[2] if found[2] in _PARTS else "all", found[3] or ""
    if bool(field) is not (part in ("by", "unique", "sorted")) or bool(colon) is (part in ("all", "sorted")):
        return "", "", ""
    return kind, part, field
