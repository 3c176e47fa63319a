"""Failures, their answers, and the order in which they are answered."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from api.models import IdempotencyKey
from api.views import MeView
from authn.testing import Bearer, Issuer, Mint
from authn.verifier import TokenVerifier
from tests.settings import UNLIMITED
from tests.support.problems import problem, without_instance
from tests.support.routes import CHANGES, ROUTES, ask, every_case, path_of
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

# A change of a todo: its route, its method and its mistakes.
Change = Callable[[str, str, Collection[str]], Any]

JSON = "application/json"
ME, TODOS, BATCH = "/api/me/", "/api/todos/", "/api/todos/batch/"
CHALLENGE = 'Bearer realm="todos"'
EXHAUSTED = (0, 60)
TODO = "/api/todos/<str:pk>/"
ON_A_TODO = [(TODO, "GET"), *CHANGES]


class TestAuthentication:
    def test_no_token_is_401_with_a_challenge(self, anonymous: Client) -> None:
        response = anonymous.get(TODOS)
        problem(response, 401, "not_authenticated")
        assert response["WWW-Authenticate"] == CHALLENGE

    def test_another_scheme_is_401_with_a_challenge(self, anonymous: Client) -> None:
        response = anonymous.get(TODOS, headers={"authorization": "Basic YWxpY2U6eA=="})
        problem(response, 401, "not_authenticated")
        assert response["WWW-Authenticate"] == CHALLENGE

    def test_a_refused_token_is_401_invalid_token(self, mint: Mint, bearer: Bearer) -> None:
        token = mint(sub="somebody-secret", exp=1)
        response = bearer(token).get(TODOS)
        problem(response, 401, "token_expired")
        challenge = response["WWW-Authenticate"]
        assert challenge.startswith(f'{CHALLENGE}, error="invalid_token", error_description="')
        for part in (*token.split("."), "somebody-secret"):
            assert part not in response.content.decode() + challenge

    def test_missing_signing_keys_are_503_with_retry_after(
        self, issuer: Issuer, bearer: Bearer
    ) -> None:
        issuer.broken = True
        response = bearer(issuer.mint()).get(TODOS)
        problem(response, 503, "keys_unavailable")
        assert response["Retry-After"] == "10"
        assert "WWW-Authenticate" not in response

    def test_too_many_requests_are_429_with_retry_after(
        self, alice: Client, settings: Settings
    ) -> None:
        settings.THROTTLE_USER = EXHAUSTED
        response = alice.get(TODOS)
        problem(response, 429, "throttled")
        assert 1 <= int(response["Retry-After"]) <= 60


class TestATarget:
    @every_case(ON_A_TODO)
    def test_another_users_todo_is_403(self, bob: Client, route: str, method: str) -> None:
        bodies = []
        for todo in (make_todo(title="Private"), make_todo(description="Private")):
            response = ask(bob, method, route, todo.pk)
            bodies.append(without_instance(problem(response, 403, "permission_denied")))
            assert "ETag" not in response
            assert b"Private" not in response.content
        assert bodies[0] == bodies[1]

    @every_case(ON_A_TODO)
    def test_a_missing_todo_is_404(self, alice: Client, route: str, method: str) -> None:
        problem(ask(alice, method, route, uuid.uuid4()), 404, "not_found")

    def test_an_unknown_path_is_404(self, alice: Client) -> None:
        problem(alice.get("/api/nope/"), 404, "not_found")

    def test_a_method_unknown_to_the_path_is_405_with_allow(self, alice: Client) -> None:
        response = alice.put(TODOS)
        problem(response, 405, "method_not_allowed")
        assert response["Allow"] == "GET, POST, HEAD, OPTIONS"

    def test_an_accept_without_json_is_406(self, alice: Client) -> None:
        problem(alice.get(TODOS, headers={"accept": "image/png"}), 406, "not_acceptable")

    def test_a_crash_is_500_and_tells_no_internals(
        self, mint: Mint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(self: MeView, request: Any) -> None:
            raise LookupError("internal detail")

        monkeypatch.setattr(MeView, "get", crash)
        client = Client(raise_request_exception=False)
        response = client.get(ME, headers={"authorization": f"Bearer {mint()}"})
        problem(response, 500, "internal_error")
        assert b"internal detail" not in response.content


class TestABody:
    def test_an_unknown_field_is_400_with_a_pointer_to_it(self, alice: Client) -> None:
        response = alice.post(TODOS, {"title": "x", "a/b": 1}, content_type=JSON)
        (error,) = problem(response, 400, "validation_failed")["errors"]
        assert (error["pointer"], error["code"]) == ("/a~1b", "unknown_field")
        assert error["detail"]

    def test_a_body_that_is_not_json_is_400(self, alice: Client) -> None:
        problem(alice.post(TODOS, "{", content_type=JSON), 400, "parse_error")

    def test_a_body_of_another_media_type_is_415(self, alice: Client) -> None:
        response = alice.post(TODOS, "title=x", content_type="text/plain")
        problem(response, 415, "unsupported_media_type")

    def test_a_body_of_more_than_256_kib_is_413(self, alice: Client) -> None:
        response = alice.post(TODOS, {"title": "x" * 256 * 1024}, content_type=JSON)
        problem(response, 413, "content_too_large")


class TestAQuery:
    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("colour=red", "unknown"),
            ("limit=0", "out_of_range"),
            ("limit=201", "out_of_range"),
            ("limit=ten", "out_of_range"),
            ("cursor=broken", "invalid"),
            ("ordering=colour", "invalid_choice"),
        ],
    )
    def test_a_wrong_query_parameter_is_400(self, alice: Client, query: str, code: str) -> None:
        (error,) = problem(alice.get(f"{TODOS}?{query}"), 400, "invalid_parameter")["errors"]
        assert (error["parameter"], error["code"]) == (query.partition("=")[0], code)


class TestAPrecondition:
    @every_case(ON_A_TODO)
    def test_a_stale_if_match_is_412(self, alice: Client, route: str, method: str) -> None:
        response = ask(alice, method, route, make_todo().pk, **{"if-match": '"stale"'})
        problem(response, 412, "precondition_failed")

    @every_case(CHANGES)
    def test_a_change_without_the_required_if_match_is_428(
        self, alice: Client, route: str, method: str, settings: Settings
    ) -> None:
        settings.REQUIRE_IF_MATCH = True
        problem(ask(alice, method, route, make_todo().pk), 428, "precondition_required")


class TestAnIdempotencyKey:
    @pytest.fixture(autouse=True)
    def _sent_before(self, alice: Client) -> None:
        assert self.create(alice, title="Buy milk").status_code == 201

    def create(self, client: Client, **fields: str) -> Any:
        headers = {"idempotency-key": "k"}
        return client.post(TODOS, fields, content_type=JSON, headers=headers)

    def test_a_key_sent_again_with_another_body_is_422(self, alice: Client) -> None:
        problem(self.create(alice, title="Buy bread"), 422, "idempotency_key_reused")

    def test_a_key_whose_request_is_in_flight_is_409_with_retry_after(self, alice: Client) -> None:
        IdempotencyKey.objects.update(status=None, headers={}, body="")
        response = self.create(alice, title="Buy milk")
        problem(response, 409, "idempotency_key_in_flight")
        assert response["Retry-After"] == "1"


class TestTheOrder:
    """A request with several mistakes: 401, 429, 404, 403, 412 or 428, 400."""

    MISTAKES = {
        "a refused token": 401,
        "no allowance left": 429,
        "a missing todo": 404,
        "a foreign todo": 403,
        "a stale If-Match": 412,
        "no If-Match": 428,
        "a bad query and body": 400,
    }

    @pytest.fixture
    def change(self, mint: Mint, bearer: Bearer, settings: Settings) -> Change:
        def change(route: str, method: str, mistakes: Collection[str]) -> Any:
            settings.REQUIRE_IF_MATCH = True
            settings.THROTTLE_USER = EXHAUSTED if "no allowance left" in mistakes else UNLIMITED
            expired = {"exp": 1} if "a refused token" in mistakes else {}
            todo = make_todo(owner_id="bob" if "a foreign todo" in mistakes else "alice")
            path = path_of(route, uuid.uuid4() if "a missing todo" in mistakes else todo.pk)
            body = ROUTES[route].body
            headers = {"if-match": todo.etag}
            if "a stale If-Match" in mistakes:
                headers = {"if-match": '"stale"'}
            elif "no If-Match" in mistakes:
                headers = {}
            if "a bad query and body" in mistakes:
                path, body = f"{path}?colour=red", "{"
            client = bearer(mint(sub="alice", **expired))
            return client.generic(method, path, body, JSON, headers=headers)

        return change

    @every_case(CHANGES)
    @pytest.mark.parametrize("first", MISTAKES)
    def test_the_first_mistake_is_answered(
        self, change: Change, route: str, method: str, first: str
    ) -> None:
        mistakes = [*self.MISTAKES]
        response = change(route, method, mistakes[mistakes.index(first) :])
        assert response.status_code == self.MISTAKES[first]

    @every_case(CHANGES)
    def test_a_change_without_mistakes_is_made(
        self, change: Change, route: str, method: str
    ) -> None:
        assert change(route, method, []).status_code == ROUTES[route].answers[method]

    def test_a_refused_token_is_401_whatever_the_allowance_of_its_user(
        self, mint: Mint, bearer: Bearer, settings: Settings
    ) -> None:
        settings.THROTTLE_USER = EXHAUSTED
        problem(bearer(mint(sub="alice", exp=1)).get(TODOS), 401, "token_expired")

    def test_an_address_without_refusals_left_is_429_before_its_token_is_verified(
        self, alice: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.THROTTLE_REFUSED = EXHAUSTED
        monkeypatch.setattr(TokenVerifier, "_verify_anew", pytest.fail)
        problem(alice.get(TODOS), 429, "too_many_refusals")


class TestForeignIds:
    def test_a_foreign_id_in_a_body_is_the_same_400_as_a_missing_one(self, bob: Client) -> None:
        bodies = []
        for todo_id in (make_todo(owner_id="alice").pk, uuid.uuid4()):
            operations = {"operations": [{"op": "complete", "id": str(todo_id)}]}
            response = bob.post(BATCH, operations, content_type=JSON)
            bodies.append(without_instance(problem(response, 400, "validation_failed")))
        assert bodies[0] == bodies[1]

    def test_a_foreign_cursor_is_the_same_400_as_a_broken_one(
        self, alice: Client, bob: Client
    ) -> None:
        make_todo()
        make_todo()
        foreign = alice.get(f"{TODOS}?limit=1").json()["next"]
        bodies = [
            without_instance(problem(bob.get(url), 400, "invalid_parameter"))
            for url in (foreign, f"{TODOS}?limit=1&cursor=broken")
        ]
        assert bodies[0] == bodies[1]

    @pytest.mark.parametrize("name", ["user_id", "owner", "owner_id"])
    def test_bodies_queries_and_headers_choose_no_owner(self, bob: Client, name: str) -> None:
        todo = make_todo(owner_id="alice")
        problem(bob.get(f"{TODOS}?{name}=alice"), 400, "invalid_parameter")
        body = {"title": "x", name: "alice"}
        problem(bob.post(TODOS, body, content_type=JSON), 400, "validation_failed")
        headers = {name.replace("_", "-"): "alice"}
        assert bob.get(TODOS, headers=headers).json()["results"] == []
        assert bob.get(path_of(TODO, todo.pk), headers=headers).status_code == 403
