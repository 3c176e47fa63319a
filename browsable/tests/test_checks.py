from __future__ import annotations

import pytest
from django.core.checks import Tags, run_checks
from pytest_django import Settings


@pytest.mark.parametrize(
    ("debug", "browsable", "deployment", "ids"),
    [
        (False, True, True, ["browsable.W001"]),
        (False, True, False, []),
        (False, False, True, []),
        (True, True, True, []),  # security.W018 warns about DEBUG
    ],
)
def test_a_deployment_check_warns_about_pages_without_debug(
    settings: Settings, debug: bool, browsable: bool, deployment: bool, ids: list[str]
) -> None:
    settings.DEBUG, settings.BROWSABLE_API = debug, browsable
    found = run_checks(tags=[Tags.security], include_deployment_checks=deployment)
    messages = [message for message in found if str(message.id).startswith("browsable.")]
    assert [message.id for message in messages] == ids
    assert all(message.hint for message in messages)
