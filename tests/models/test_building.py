"""Validators are built where no signal handler raises: pydantic-core would swallow it, and compile another pattern."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, cast

import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic._internal import _model_construction as construction
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import SchemaValidator, ValidationError, core_schema
from slotbook import Cancel, Entity, Key, Order, Settings
from slotbook.models import building
from slotbook.models.building import built, whole
from slotbook.models.types import Name
from slotbook.models.wire import codec

from ..support.interrupts import TRIGGER, Interrupted, raising_handler
from ..support.package import ROOT


def test_a_signal_amid_the_building_of_each_validator_leaves_every_model_as_it_should_be() -> None:
    """Some are built when they are first used, others when all models are built, one after the other."""
    program = ROOT / "tests" / "support" / "interrupted_builds.py"
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    signals, builds = map(int, done.stdout.split())
    assert signals == builds  # none was swallowed
    assert builds > 15


class OwnOrder(Order):
    strategy: Name = "S1"


class Allocation(Entity, kind="allocation"):
    trader: Name
    allocation_id: Annotated[Name, Key]


class Later(OwnOrder):
    with_what: Missing | None = None


class Missing(OwnOrder):
    pass


@pytest.mark.parametrize("model", [Order, OwnOrder, Allocation, Settings, Later])
def test_what_is_made_of_a_model_is_built_at_once(model: type[BaseModel]) -> None:
    """FastAPI hides a warning of Pydantic's while it makes what checks a body; built later, it was seen."""
    assert "defer_build" not in model.model_config
    body = Annotated[(model, "a body")]
    made: TypeAdapter[object] = TypeAdapter(cast("Any", body))
    assert isinstance(made.validator, SchemaValidator)


def _pattern() -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern="^[a-z]+$"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the exception that is swallowed
def test_what_an_exception_has_left_half_built_is_seen_and_built_again() -> None:
    schema = core_schema.str_schema(pattern="^[a-z]+$")
    with raising_handler() as signals:
        broken = (-TRIGGER, SchemaValidator(schema))[1]
    with pytest.raises(ValidationError):
        broken.validate_python("abc")  # so it is without all this
    assert len(signals) == 1
    assert whole(broken, _pattern, lambda made: made).validate_python("abc") == "abc"


def test_what_a_handler_raises_meanwhile_reaches_the_caller() -> None:
    with raising_handler(), pytest.raises(Interrupted):
        built(lambda: -TRIGGER, lambda made: made)


def test_an_error_of_the_work_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        built(lambda: 1 // 0, lambda made: made)


def test_what_the_thread_does_not_get_done_is_built_by_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted import may have left a lock taken that only the caller's thread may take again."""
    monkeypatch.setattr(building, "LONGEST_BUILD", 0.05)
    held = threading.RLock()

    def build() -> str:
        with held:
            return "built"

    with held:
        assert built(build, lambda made: made) == "built"


def _of_slotbook() -> type[Cancel]:
    """Return a new model that passes for one of Slotbook's own."""

    class Fresh(Cancel):
        __module__ = "slotbook.models.fresh"

    assert not Fresh.__pydantic_complete__
    return Fresh


VALUES: dict[str, Any] = {"trader": "T1", "order_id": "A1", "request_id": "R1", "ts_ns": 1}


USES: dict[str, Callable[[type[Cancel]], object]] = {
    "made": lambda model: model(**VALUES),
    "validated": lambda model: model.model_validate(VALUES),
    "written": lambda model: model.model_construct(**VALUES).model_dump_json(),
    "schema": lambda model: model.model_json_schema(),
    "codec": codec,
    "signature": inspect.signature,
    "rebuilt": lambda model: model.model_rebuild(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_model_of_slotbook_is_built_once_at_its_first_use(use: Callable[[type[Cancel]], object]) -> None:
    model = _of_slotbook()
    use(model)
    first = model.__pydantic_validator__
    assert model.__pydantic_complete__
    assert isinstance(first, SchemaValidator)
    use(model)
    assert model.model_rebuild() is None
    assert model.__pydantic_validator__ is first


def test_a_model_of_slotbook_is_built_anew_where_that_is_asked_for() -> None:
    model = _of_slotbook()
    assert model.model_rebuild() is True
    first = model.__pydantic_validator__
    assert model.model_rebuild(force=True) is True
    assert model.__pydantic_validator__ is not first
    assert model(**VALUES).order_id == "A1"


def test_the_signature_of_a_model_names_its_fields_before_and_after_it_is_built() -> None:
    model = _of_slotbook()
    for _ in range(2):
        assert list(inspect.signature(model).parameters) == list(Cancel.model_fields)
        assert not hasattr(model.model_validate(VALUES), "__signature__")


def test_threads_that_use_a_model_first_at_once_all_get_it_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built_now, original = list[object](), cast("Callable[..., bool]", construction.complete_model_class)

    def slowly(model: object, *arguments: object, **options: object) -> bool:
        built_now.append(model)
        time.sleep(0.05)  # the others come meanwhile
        return original(model, *arguments, **options)

    monkeypatch.setattr(construction, "complete_model_class", slowly)
    model, meeting = _of_slotbook(), threading.Barrier(6)

    def use(number: int) -> tuple[Cancel, int]:
        meeting.wait(10)
        return model.model_validate({**VALUES, "ts_ns": number}), number

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(use, range(6)))
    assert [record.ts_ns for record, _ in made] == [number for _, number in made]
    assert built_now == [model]


def test_a_model_of_the_caller_is_built_when_it_is_made() -> None:
    assert OwnOrder.__pydantic_complete__
    assert Allocation.__pydantic_complete__
    with pytest.raises(PydanticSchemaGenerationError, match="threading"):
        type("Wrong", (Order,), {"__module__": __name__, "__annotations__": {"what": threading.Thread}})


def test_a_model_of_the_caller_finds_what_it_refers_to_where_it_is_rebuilt() -> None:
    class Own(Order):
        with_what: Local | None = None

    class Local(Order):
        pass

    assert Own.model_rebuild() is True
    assert Own.model_rebuild() is None
    assert Own.model_fields["with_what"].annotation == Local | None


def test_a_child_that_is_forked_while_a_thread_builds_a_model_can_build_it_too() -> None:
    """Pydantic's own lock would be held in the child for ever by a thread that it does not have."""
    program = (
        "import os, threading, time\n"
        "from pydantic._internal import _model_construction as construction\n"
        "from slotbook import Cancel, Expire\n"
        "begun, original = threading.Event(), construction.complete_model_class\n"
        "def slowly(*args, **options):\n"
        "    begun.set()\n"
        "    time.sleep(0.3)\n"
        "    return original(*args, **options)\n"
        "construction.complete_model_class = slowly\n"
        "builder = threading.Thread(target=Cancel, kwargs={'trader': 'T1', 'order_id': 'A1'})\n"
        "builder.start()\nbegun.wait(10)\nchild = os.fork()\n"
        # Another thread of the child gets the name of the thread that it does not have, and would be let in by a lock.
        "if child == 0:\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "assert Expire(trader='T1', order_id='A1').order_id == 'A1'\n"
        "if child == 0:\n    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\nbuilder.join()\n"
        "print(Cancel(trader='T1', order_id='A2').order_id)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["A2"]), done.stderr
