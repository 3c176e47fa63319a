from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from api.bodies.fields import TextField
from api.bodies.serializers import StrictSerializer


class Example(StrictSerializer):
    needed = TextField()
    optional = TextField(required=False)
    with_default = serializers.IntegerField(default=7)
    made = serializers.ListField(child=TextField(), default=list)
    nullable = TextField(default=None, allow_null=True)
    known = TextField(read_only=True)


values: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "text", 3, "3", True, [], ["a"], [None], {}]
)
objects = st.dictionaries(st.sampled_from([*Example().fields]), values)


def outcome(read: Callable[[Any], Any], data: Any) -> Any:
    try:
        return read(data)
    except serializers.ValidationError as error:
        return error.get_full_details()


def by_framework(serializer: StrictSerializer) -> Callable[[Any], Any]:
    """What the framework's own makes of the same fields."""
    return partial(serializers.Serializer.to_internal_value, serializer)


@given(data=objects | values)
def test_its_values_and_errors_are_those_of_the_framework(data: Any) -> None:
    serializer = Example()
    assert outcome(serializer.to_internal_value, data) == outcome(by_framework(serializer), data)


@given(data=objects)
def test_so_are_those_of_an_update_but_for_null(data: dict[str, Any]) -> None:
    changes = {name: value for name, value in data.items() if value is not None}
    serializer = Example(partial=True)
    assert outcome(serializer.to_internal_value, changes) == outcome(
        by_framework(serializer), changes
    )


def test_null_takes_what_is_optional_back_to_its_default() -> None:
    taken_away = dict.fromkeys(("with_default", "made", "nullable"))
    updated = Example(partial=True).to_internal_value(taken_away)
    assert updated == {"with_default": 7, "made": [], "nullable": None}
    with pytest.raises(serializers.ValidationError) as raised:
        Example(partial=True).to_internal_value({"needed": None, "optional": None})
    assert raised.value.get_codes() == {"needed": ["null"], "optional": ["null"]}


def test_each_has_a_default_of_its_own() -> None:
    first, second = (Example.read({"needed": "x"})["made"] for _ in range(2))
    first.append("a")
    assert second == []


@given(data=objects | values)
def test_reading_says_what_a_serializer_of_its_own_does(data: Any) -> None:
    def validated(data: Any) -> Any:
        serializer = Example(data=data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    read, expected = outcome(Example.read, data), outcome(validated, data)
    assert read == (expected["non_field_errors"] if data is None else expected)


def test_a_name_that_nobody_knows_is_an_error_beside_the_others() -> None:
    with pytest.raises(serializers.ValidationError) as raised:
        Example.read({"needed": 7, "typo": 1})
    assert raised.value.get_codes() == {"typo": ["unknown_field"], "needed": ["invalid"]}


@pytest.mark.parametrize(
    "more",
    [
        {"validate_needed": lambda self, value: value},
        {"other": TextField(source="needed")},
        {"hidden": serializers.HiddenField(default=1)},
    ],
)
def test_what_it_would_pass_over_is_an_error(more: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        type("More", (Example,), more)().fields  # noqa: B018 - made when they are asked for
