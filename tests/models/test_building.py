"""Validators are built where no signal handler raises: pydantic-core would swallow it, and compile another pattern."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Annotated, Any, cast

import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic_core import SchemaValidator, ValidationError, core_schema
from slotbook import Entity, Key, Order, Settings
from slotbook.models import building
from slotbook.models.building import built, whole
from slotbook.models.types import Name

from ..support.interrupts import TRIGGER, Interrupted, raising_handler
from ..support.package import ROOT


def test_a_signal_amid_the_building_of_each_validator_leaves_every_model_as_it_should_be() -> None:
    program = ROOT / "tests" / "support" / "interrupted_builds.py"
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=False)
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
