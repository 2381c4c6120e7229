"""Reading the YAML files that people hand to commands: bounded, and with errors that name the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_BYTES = 1 << 20  # of a file; what people write has some hundred


def load_yaml(path: Path, what: str, failure: Callable[[str], Exception]) -> Any:
    """The document of a file that is to be `what`.

    Raises `OSError`, and what `failure` makes of a text where it is too large or no YAML.
    """
    import yaml

    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise failure(f"{path} is larger than {MOST_BYTES} bytes: it is no {what}")
    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise failure(f"{path} is not YAML: {exc}") from exc
