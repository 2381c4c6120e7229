"""Writes docs/exit-codes.md from `fluvio_cli.explanations` and the classes of failures.

    python docs/generate_exit_codes.py [--check]

`--check` changes nothing and exits with 1 when the document is out of date.
"""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
DOCUMENT = Path(__file__).with_name("exit-codes.md")

if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))

from fluvio_cli.explanations import BY_NAME, EXIT_CODES  # noqa: E402
from tests.support.failure_classes import kinds_by_name  # noqa: E402

_INTRODUCTION = """\
# Exit codes and errors

Written by `python docs/generate_exit_codes.py`. `fluvio explain` says the same, and more, at the shell.

The official command line has 0, 1 and 2: whoever asks whether a code is 0 is served as before. What follows
is stable: a code or a name keeps its meaning, new names may come.

| code | kind | what it means |
|---|---|---|
"""

_JSON = """
## Errors for programs

With `-O json` (or `version --json`) an error is one line of JSON on standard error; standard output is empty,
or ends where the error came:

<!-- first: fluvio cluster start -->
<!-- output of: fluvio topic describe no-such-topic -O json 2>&1 || test $? = 3 -->
```json
{"error": {"code": "topic-not-found", "kind": "not-found", "message": "topic \\"no-such-topic\\" not found",
           "hint": "`fluvio topic list` shows the topics there are", "exit_code": 3}}
```

| field | type | what it is |
|---|---|---|
| `code` | text | name of the failure, see below; `fluvio explain CODE` says what to do |
| `kind` | text | see the exit codes |
| `message` | text | for people; its words may change |
| `hint` | text or null | the next step, where one is known |
| `exit_code` | number | as above |

Without it an error is its message, then, where standard error is a terminal, the hint and the name to
explain. With `--verbose` (or FLUVIO_VERBOSE=1) what led to it follows: `caused by: ...`.

## Names of failures

| name | kind | what it means |
|---|---|---|
"""

_END = """
Names that begin with `smartmodule-`, `mirror-`, `table-format-` and the like are codes of Fluvio's protocol
without an entry of their own; their kind is `not-found` where the name ends so, else `failed`.
"""


def document() -> str:
    """The whole text."""
    kinds = kinds_by_name()
    codes = "".join(f"| {code} | `{kind}` | {text} |\n" for code, (kind, text) in EXIT_CODES.items())
    names = "".join(f"| `{name}` | `{kinds[name]}` | {BY_NAME[name].meaning} |\n" for name in sorted(BY_NAME))
    return _INTRODUCTION + codes + _JSON + names + _END


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(DOCUMENT.read_text(encoding="utf-8") != document())
    DOCUMENT.write_text(document(), encoding="utf-8")
