"""The file ``.env``, read as the front end's tools read it (the npm package dotenv, Node's
``--env-file``): one file may serve both, and its secret must come out the same.
"""

from __future__ import annotations

import re
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

# NAME=value, with or without `export`. A value is quoted by ', " or `, or ends at a #.
ENTRY = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[\w.-]+)[ \t]*=[ \t]*
    (?P<value>'[^']*' | "(?:\\"|[^"])*" | `[^`]*` | [^#\r\n]*?)
    [ \t]*(?:\#[^\r\n]*)?(?:\r?\n|\Z)""",
    re.VERBOSE,
)
NOTHING = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|\Z)")


def read_dotenv(path: Path) -> dict[str, str]:
    """What the file sets; nothing where there is none.

    Raises ``ImproperlyConfigured`` with the number of a line that sets nothing, and without
    its text: there may be a secret in it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{path} is not in UTF-8.") from None
    values: dict[str, str] = {}
    position = 0
    while position < len(text):
        if not (match := NOTHING.match(text, position)):
            if not (match := ENTRY.match(text, position)):
                number = text.count("\n", 0, position) + 1
                raise ImproperlyConfigured(f"Line {number} of {path} is not NAME=value.")
            values[match["name"]] = _unquoted(match["value"])
        position = match.end()
    return values


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != value[-1] or value[0] not in "'\"`":
        return value
    text = value[1:-1]
    return text.replace("\\n", "\n").replace("\\r", "\r") if value[0] == '"' else text
