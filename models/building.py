"""Build Pydantic's validators where no signal handler can raise.

pydantic-core writes the patterns of a validator with ``str``, which runs the handlers of signals that have come. What a
handler raises there is swallowed, and in place of the pattern something else is compiled, for the life of the process:
every later value of that type is refused. Python runs handlers in the main thread only, so validators are built in
another one, and looked at before they are kept. Slotbook's own are built when they are first used: building all of them
takes longer than importing the rest.
"""

from __future__ import annotations

import _thread
import os
import threading
from collections.abc import Callable
from contextvars import copy_context
from decimal import Decimal
from inspect import Signature
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter

if TYPE_CHECKING:
    from pydantic._internal._namespace_utils import MappingNamespace

T = TypeVar("T")

_TRIES = 5
LONGEST_BUILD = 3.0
"""Seconds after which the thread does not count any more: an interrupted import may have left a lock that it needs."""
_NOT_WRITTEN = "<unprintable "
"""The beginning of what pydantic-core has in place of a text that it could not write."""


def built(build: Callable[[], T], validator: Callable[[T], object]) -> T:
    """Return what a function builds, in a thread that no signal handler interrupts.

    What a handler raises meanwhile reaches the caller, and the thread ends by itself. Where threads are not the
    system's, as gevent's are not, ``validator`` returns what is looked at, and all is built again if it is not whole.

    >>> built(lambda: threading.current_thread() is threading.main_thread(), lambda made: made)
    False
    """
    if threading.current_thread() is not threading.main_thread():
        return build()
    results: list[T] = []
    errors: list[BaseException] = []
    context, caller = copy_context(), threading.get_native_id()

    def work() -> None:
        try:
            made = context.run(build)
            results.append(made if threading.get_native_id() != caller else whole(made, build, validator))
        except BaseException as error:  # raised below
            errors.append(error)
        finally:
            done.release()

    # Not a threading.Thread: it waits with Python's own code, which fails in another way where a handler raises.
    done = _thread.allocate_lock()
    done.acquire()
    _thread.start_new_thread(work, ())
    done.acquire(timeout=LONGEST_BUILD)
    if errors:
        raise errors.pop()
    return results.pop() if results else whole(build(), build, validator)


def whole(made: T, build: Callable[[], T], validator: Callable[[T], object]) -> T:
    """Return what was built, or what is built in its place if its validator has a text that could not be written."""
    for _ in range(_TRIES):
        if _NOT_WRITTEN not in repr(validator(made)):
            break
        made = build()
    return made


def adapter(model: Any) -> TypeAdapter[Any]:
    """Return the adapter of a type. Raises what Pydantic raises for a type that it does not know."""

    def build() -> TypeAdapter[Any]:
        made: TypeAdapter[Any] = TypeAdapter(model)
        made.rebuild()  # resolves forward references, so that an unknown one is found here
        return made

    return built(build, lambda made: made.validator)


def _is_decimal(annotation: object) -> bool:
    """Return True for the type of a field that holds decimals and no other numbers."""
    kinds = {annotation, *get_args(annotation)}
    kinds |= {argument for kind in list(kinds) for argument in get_args(kind)}
    return Decimal in kinds and int not in kinds


_OURS = __name__.partition(".")[0] + "."
_building = threading.RLock()
"""Held while a validator is built at its first use. A process is forked when none is: Pydantic has a lock of its own
for it, which a child would find taken by a thread that it does not have."""
os.register_at_fork(before=_building.acquire, after_in_parent=_building.release, after_in_child=_building.release)


class _Signature:
    """The signature of a model that is not built yet, which Pydantic replaces when it is."""

    def __get__(self, instance: object, owner: type[BaseModel]) -> Signature:
        if instance is not None:
            raise AttributeError("a record has no signature")
        owner.model_rebuild()
        return owner.__signature__


class BuiltModel(BaseModel):
    """A base class of models whose validators are built undisturbed by signals.

    Those of Slotbook's own classes are built at their first use, those of any other class when it is made.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Keep Pydantic from building the validator, in whichever thread the class is made."""
        super().__init_subclass__(**kwargs)
        cls.model_config["defer_build"] = True

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Build the validator of a subclass; one that refers to what is not there yet is built at its first use."""
        super().__pydantic_init_subclass__(**kwargs)
        cls.model_config.pop("defer_build")  # what is made of the class, as FastAPI does, waits for nothing
        for info in cls.__pydantic_fields__.values():
            if type(info.default) is int and _is_decimal(info.annotation):
                info.default = Decimal(info.default)  # no validator sees a default
        if cls.__module__.startswith(_OURS):
            cls.__signature__ = _Signature()  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
        else:
            cls._build(force=True, raise_errors=False)

    @classmethod
    def _build(cls, *, force: bool, raise_errors: bool) -> bool | None:
        results: list[bool | None] = []

        def build() -> type[BaseModel]:
            with _building:
                again = force or len(results) > 0
                results.append(
                    super(BuiltModel, cls).model_rebuild(
                        force=again, raise_errors=raise_errors, _parent_namespace_depth=0
                    )
                )
            return cls

        built(build, lambda made: made.__pydantic_validator__)
        return results[0]

    @classmethod
    def model_rebuild(
        cls,
        *,
        force: bool = False,
        raise_errors: bool = True,
        _parent_namespace_depth: int = 2,
        _types_namespace: MappingNamespace | None = None,
    ) -> bool | None:
        """Build the validator of a class that is not built yet, as Pydantic does at the first use of one.

        Takes and returns what Pydantic's own does.
        """
        if cls.__pydantic_complete__ and not force:
            return None
        if _types_namespace is None and cls.__module__.startswith(_OURS):  # it refers to nothing of the caller's
            return cls._build(force=force, raise_errors=raise_errors)
        depth = _parent_namespace_depth + 1 if _parent_namespace_depth else 0
        return super().model_rebuild(
            force=force, raise_errors=raise_errors, _parent_namespace_depth=depth, _types_namespace=_types_namespace
        )
