from __future__ import annotations

from typing import Any

import pytest
from rest_framework import serializers

from api.bodies.serializers import StrictSerializer
from api.bodies.text import TextField


class Example(StrictSerializer):
    needed = TextField()
    optional = TextField(required=False)
    with_default = serializers.IntegerField(default=7)
    made = serializers.ListField(child=TextField(), default=list)
    nullable = TextField(default=None, allow_null=True)
    known = TextField(read_only=True)


def test_null_in_a_partial_update_gives_the_default() -> None:
    taken_away = dict.fromkeys(("with_default", "made", "nullable"))
    updated = Example(partial=True).to_internal_value(taken_away)
    assert updated == {"with_default": 7, "made": [], "nullable": None}
    with pytest.raises(serializers.ValidationError) as raised:
        Example(partial=True).to_internal_value({"needed": None, "optional": None})
    assert raised.value.get_codes() == {"needed": ["null"], "optional": ["null"]}


def test_each_body_gets_a_new_default() -> None:
    first, second = (Example.read({"needed": "x"})["made"] for _ in range(2))
    first.append("a")
    assert second == []


def test_an_unknown_field_is_an_error_beside_others() -> None:
    with pytest.raises(serializers.ValidationError) as raised:
        Example.read({"needed": 7, "typo": 1})
    assert raised.value.get_codes() == {"typo": ["unknown_field"], "needed": ["invalid"]}


@pytest.mark.parametrize("body", [None, "", "text", 3, True, [], ["a"]], ids=repr)
@pytest.mark.parametrize("partial", [False, True])
def test_a_body_other_than_an_object_is_one_error(body: Any, *, partial: bool) -> None:
    with pytest.raises(serializers.ValidationError) as raised:
        Example.read(body, partial=partial)
    code = "null" if body is None else "invalid"
    assert raised.value.get_codes() == {"non_field_errors": [code]}
