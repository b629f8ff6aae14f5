"""Test how a script is assembled of the shared declarations that it uses, and that the server runs what comes of it."""

from __future__ import annotations

import re

from slotbook.topology.script_assembly import assembled

from ..support.desk import Desk


def run(desk: Desk, source: str) -> object:
    """Return what a script returns that takes nothing."""
    return desk.fleet.ask("any", "EVAL", source, 0)


def test_a_script_gets_only_what_it_uses() -> None:
    shared = "local function one() return 1 end\nlocal two = 2\nlocal function three() return two end\n"
    assert assembled("return three()", shared) == shared.partition("\n")[2] + "return three()"


def test_a_number_or_a_text_stands_where_it_is_used() -> None:
    """A field, a longer name and what a text says stay as they are; a table is declared."""
    shared = (
        "local MOST, KIND = 15, 'it''s'\nlocal LAST = -2.5\nlocal ALL = { MOST, KIND }\n"
        "local function is_above(one) return one > MOST or one.MOST == 'MOST' or MOSTLY end\n"
    ).replace("'it''s'", "'its'")
    assert assembled("return is_above(LAST, ALL, KIND)", shared) == (
        "local ALL = { 15, 'its' }\n"
        "local function is_above(one) return one > 15 or one.MOST == 'MOST' or MOSTLY end\n"
        "return is_above(-2.5, ALL, 'its')"
    )


def test_what_is_rarely_used_is_built_when_it_is_first_called() -> None:
    """It may use what is used often, and what is rare itself; what is used both ways is built at once."""
    shared = (
        "local often = 1\n"
        "local function last() return often end\n"
        "local function middle() return RARE.last() end\n"
        "local function first() return RARE.both() + middle() end\n"
        "local function both() return 2 end\n"
    )
    source = assembled("return both() + RARE.first() + often", shared)
    assert source.startswith("local rare, load_rare = {}\nlocal often = 1\nlocal function both()")
    assert [found[1] for found in re.finditer(r"\nlocal function (\w+)(?=.*\nrare\.\1 = \1)", source)] == [
        "last",
        "middle",
        "first",
    ]
    assert "return both() + (rare.middle or load_rare(2).middle)()" in source
    assert "return (rare.last or load_rare(1).last)()" in source
    assert source.endswith("return both() + (rare.first or load_rare(3).first)() + often")
    assert "RARE" not in assembled("return both() + RARE.both()", shared)


def test_what_rare_functions_have_in_common_is_built_once(lone_desk: Desk) -> None:
    """A cell that two of them change is one, and one that is also called by its name is the same function."""
    shared = (
        "local seen\n"
        "local function see(what)\n  seen = (seen or '') .. what\n  return seen\nend\n"
        "local function forget() seen = 'forgotten ' end\n"
        "local function twice(what)\n"
        "  local all = see(what)\n"
        "  see(what)\n"
        "  return { see(what), all,\n    see('.') }\n"
        "end\n"
    )
    body = (
        "RARE.see('a')\nlocal all = RARE.twice('b')\n\nRARE.forget()\nreturn { all[1], all[2], all[3], RARE.see('c') }"
    )
    source = assembled(body, shared)
    assert source.count("if part ") == 1
    assert run(lone_desk, source) == ["abbb", "ab", "abbb.", "forgotten c"]


def test_a_rare_function_that_is_not_called_but_named_is_built_with_who_names_it(lone_desk: Desk) -> None:
    shared = (
        "local function one(number) return number + 1 end\n"
        "local function both(list) return { pcall(one, list[1]) } end\n"
        "local function other(one) return 'one(' .. one .. ')' end\n"
    )
    source = assembled("return { RARE.both({ 1 })[2], RARE.other(5), RARE.one(1) }", shared)
    assert run(lone_desk, source) == [2, "one(5)", 2]


def test_what_is_rarely_used_is_in_several_functions_when_it_uses_many_names(lone_desk: Desk) -> None:
    """A function of Lua 5.1 may use 60 names of the text around it."""
    names = [f"name_{number}" for number in range(100)]
    shared = "".join(f"local {name} = {number}\n" for number, name in enumerate(names))
    shared += "".join(f"local function of_{name}() return {name} end\n" for name in names)
    shared += "local function all() return of_name_0() + RARE.of_name_99() end\n"
    body = "".join(f"{name} = {name} + RARE.of_{name}()\n" for name in names) + "return { RARE.all(), name_50 }"
    source = assembled(body, shared)
    blocks = re.findall(r"^load_rare\w* = function\(part\)\n(.*?)^return rare$", source, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    assert all(len(set(re.findall(r"return (name_\d+)", block))) <= 45 for block in blocks)
    assert "RARE" not in source
    assert run(lone_desk, source) == [198, 100]


def test_a_constant_that_is_declared_twice_stays_a_name() -> None:
    shared = "local MOST = 1\nlocal function first() return MOST end\nlocal MOST, LEAST = 2, 0\nlocal ONE = 1\n"
    body = "local ONE = 3\nreturn first() + MOST + ONE + LEAST"
    assert assembled(body, shared) == shared + body


def test_what_a_long_script_declares_after_its_last_variables_is_in_a_function(lone_desk: Desk) -> None:
    """Both share the variables; what the function uses of those before it are cells, of which there may be 60."""
    functions = "".join(f"local function one_{number}(to) return to + {number} end\n" for number in range(30))
    shared = f"local seen\n{functions}local count, all\n"
    shared += "local function step(name)\n  count = (count or 0) + one_1(one_29(0))\n"
    shared += "  all = (all or '') .. name\nend\nlocal function seldom(name) all = all .. name end\n"
    used = "".join(f"one_{number}(1) + " for number in range(30))
    body = f"step('a')\nRARE.seldom('b')\nseen = {used}0\nstep('c')\nreturn {{ count, all, seen }}"
    source = assembled(body, shared)
    assert source.count("return (function()\nlocal function step(") == 1
    assert run(lone_desk, source) == [60, "abc", sum(range(30)) + 30]

    many = "".join(f"local name_{number}\n" for number in range(60))
    every = "".join(f"name_{number} = {number}\n" for number in range(60)) + "return name_59 + name_1\n"
    source = assembled(f"RARE.seldom('b')\nstep('a')\n{every}", many + shared.replace("all = all ..", "all = '' .."))
    assert "return (function()" not in source
    assert run(lone_desk, source) == 60


def test_a_constant_stands_only_for_the_whole_of_a_name() -> None:
    shared = "local T = 2\nlocal function Two(T_2) return T_2 + T end\n"
    assert assembled("return Two(T)", shared) == "local function Two(T_2) return T_2 + 2 end\nreturn Two(2)"
