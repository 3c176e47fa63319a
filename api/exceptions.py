"""Errors that the framework has no exception for."""

from __future__ import annotations

from rest_framework import status
from rest_framework.exceptions import APIException

# Code and detail of the errors that have no exception of their own to say them.
STATUS_PROBLEMS = {
    400: ("bad_request", "The request is not acceptable."),
    403: ("permission_denied", "You may not do this."),
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "This method is not allowed here."),
    413: ("content_too_large", "The body is too large."),
    500: ("internal_error", "Something went wrong here. It has been logged."),
}


class InvalidParameter(APIException):
    """400: a query parameter that is unknown, or whose value is not allowed."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = "A query parameter is not acceptable."
    default_code = "invalid_parameter"

    def __init__(self, parameter: str, code: str, detail: str) -> None:
        super().__init__()
        self.errors = [{"parameter": encodable(parameter), "code": code, "detail": detail}]


class BadRequest(APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_code, default_detail = STATUS_PROBLEMS[400]


class ContentTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code, default_detail = STATUS_PROBLEMS[413]


class DatabaseUnavailable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "database_unavailable"
    default_detail = "The database cannot be reached at the moment."
    wait = 5


def encodable(text: str) -> str:
    """JSON may name half a surrogate pair; UTF-8 cannot say it back."""
    return text.encode(errors="replace").decode()
