"""A series of jobs from a YAML file: each setting is a value, or a list of which every combination is run.

```yaml
record_size: [512, 5kib]
batch_size: [16kib, 1mib]
num_records: 20000
```

Names are the options of `fluvio benchmark producer`, with `_` or `-`; `kind` chooses `producer`, `consumer`
or `end-to-end`. What is left out has the option's default; a name that is unknown is an error.
"""

from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

from fluvio_cli.benchmark.jobs import BUILT_IN_MATRIX, BenchmarkSettingsError, Job
from fluvio_cli.values import parse_byte_size, parse_duration_ns
from fluvio_cli.yaml_files import load_yaml

_SIZES = {"batch_size", "max_request_size", "record_size"}
_DURATIONS = {"linger", "server_timeout", "time_between_samples", "worker_timeout"}
_MOST_JOBS = 1000


def built_in() -> list[Job]:
    """The six jobs that run when no file is named."""
    return [Job(**settings) for settings in BUILT_IN_MATRIX]


def read_matrix(path: Path) -> list[Job]:
    """The jobs that a file describes. Raises `BenchmarkSettingsError`, `OSError`."""
    content = load_yaml(path, "list of settings", BenchmarkSettingsError)
    if not isinstance(content, dict):
        raise BenchmarkSettingsError(
            f"{path}: settings and their values are expected, such as `num_records: 1000`"
        )
    known = {field.name for field in fields(Job)}
    axes: dict[str, list[Any]] = {}
    for name, given in content.items():
        setting = str(name).replace("-", "_")
        if setting not in known:
            raise BenchmarkSettingsError(
                f"{path}: `{name}` is no setting", hint=f"known are {', '.join(sorted(known))}"
            )
        values = given if isinstance(given, list) else [given]
        if not values:
            raise BenchmarkSettingsError(f"{path}: `{name}` has no value")
        axes[setting] = [_value(path, setting, value) for value in values]
    combinations = list(product(*axes.values()))
    if len(combinations) > _MOST_JOBS:
        raise BenchmarkSettingsError(f"{path} describes {len(combinations)} runs, more than {_MOST_JOBS}")
    return [Job(**dict(zip(axes, values, strict=True))) for values in combinations]


def _value(path: Path, setting: str, value: Any) -> Any:
    default = getattr(Job(), setting)
    try:
        if setting in _SIZES:
            return parse_byte_size(str(value))
        if setting in _DURATIONS:
            return parse_duration_ns(str(value)) / 1e9
        if setting == "rate":
            return float(value)
        if isinstance(value, bool) or isinstance(default, bool):
            if not (isinstance(value, bool) and isinstance(default, bool)):
                raise ValueError(
                    "true or false is expected" if isinstance(default, bool) else "a number is expected"
                )
            return value
        return int(value) if isinstance(default, int) else str(value)
    except (TypeError, ValueError) as exc:
        raise BenchmarkSettingsError(f"{path}: `{setting}: {value}`: {exc}") from exc
