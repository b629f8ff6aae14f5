"""Import Slotbook and use it while a signal comes amid the building of each validator; run as a program by a test.

pydantic-core looks for signals while it builds, and swallows what their handlers raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, cast

import pydantic
import pydantic.plugin._schema_validator as building
import pydantic.type_adapter  # pyright: ignore[reportUnusedImport]
import pydantic_core
import pydantic_settings  # it builds models of its own  # noqa: F401  # pyright: ignore[reportUnusedImport]
from interrupts import TRIGGER, Interrupted, raising_handler  # it lies beside this program

_original = cast("Callable[..., object]", pydantic_core.SchemaValidator)
_seen: set[str] = set()
ORDER = {"trader": "T1", "order_id": "A1", "side": "BUY", "quantity": 100, "price": "187.23"}


def _interrupted(*schema: object, **options: object) -> object:
    """Build a validator; the first time that it is built, a signal comes meanwhile."""
    name = re.sub(r"0x[0-9a-f]+|[0-9]{6,}", "", repr(schema))
    if name in _seen:
        return _original(*schema, **options)
    _seen.add(name)
    return (-TRIGGER, _original(*schema, **options))[1]


def _use() -> None:
    from slotbook import models
    from slotbook.models.wire import decode, encode
    from slotbook.repositories.caching.codec import JsonCodec
    from slotbook.topology.settings import Settings

    order = models.Order.model_validate({**ORDER, "symbol": "AAPL"})
    assert decode(models.Order, "key", encode(order)) == order
    codec = JsonCodec(dict[str, Annotated[str, pydantic.StringConstraints(pattern="^[a-z]+$")]])
    assert codec.decode("entry", "key", codec.encode("key", {"a": "b"})) == {"a": "b"}
    assert Settings(deadline=5).deadline == 5
    kinds: list[Any] = [Settings, *(getattr(models, name) for name in models.__all__)]
    for kind in kinds:
        if hasattr(kind, "__pydantic_validator__"):
            kind.model_rebuild()
            assert kind.__pydantic_complete__
            assert "<unprintable" not in repr(kind.__pydantic_validator__), kind
            assert "<unprintable" not in repr(kind.__pydantic_serializer__), kind


if __name__ == "__main__":
    pydantic_core.SchemaValidator = building.SchemaValidator = _interrupted  # type: ignore[misc, assignment]
    with raising_handler() as signals:
        while True:
            try:
                _use()
                break
            except Interrupted:
                pass
    print(len(signals), len(_seen))
