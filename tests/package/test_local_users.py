"""A row of Django's own for each user of Better Auth."""

from __future__ import annotations

import re

import pytest

from tests.faults.stub_issuer import StubIssuer
from tests.package.projects import URLS, Project
from tests.support.pages import section, texts

pytestmark = pytest.mark.package

README = "authn/README.md"
MODELS = """
from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    {field}
"""
ADMIN = """
from django.contrib.auth import get_user_model

get_user_model().objects.create_superuser("root", email="root@example.com")
"""


def test_the_documented_resolver_gives_each_subject_its_own_row(
    project: Project, live_issuer: StubIssuer
) -> None:
    [field] = re.findall(r"`(better_auth_id = .*?)`", section(README, "Users"))
    [resolver] = texts(README, "python", "Users")
    project.run("manage.py", "startapp", "people")
    project.write("people/models.py", MODELS.format(field=field))
    project.write("people/tokens.py", resolver)
    project.configure(
        "people",
        AUTH_USER_MODEL="people.User",
        BETTER_AUTH_URL=live_issuer.url,
        BETTER_AUTH_USER_RESOLVER="people.tokens.user_of",
    )
    project.write("mysite/urls.py", URLS)
    project.run("manage.py", "makemigrations", "people", "--verbosity=0")
    project.run("manage.py", "migrate", "--verbosity=0")
    project.run("manage.py", "shell", "-c", ADMIN)
    mint = live_issuer.issuer.mint
    with project.serve() as site:
        ada = site.get(token=mint(sub="ada")).data
        assert ada["user"] == "User"
        assert site.get(token=mint(sub="ada", iat=1)).data == ada
        # An address proves nothing: whoever signs up with it would take the account over.
        stranger = site.get(token=mint(sub="eve", email="root@example.com")).data
        assert stranger["id"] not in {ada["id"], 1}
