"""Plans and outcomes as text and as JSON. Layout of the JSON: docs/cli-json-output.md."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from fluvio_cli.declared.applying import Result
from fluvio_cli.declared.model import Action, Kind, Plan, Step

_SIGNS = {
    Action.CREATE: ("+", "green"),
    Action.CHANGE: ("~", "yellow"),
    Action.DELETE: ("-", "red"),
    Action.WAIT: ("…", "yellow"),
    Action.BLOCKED: ("!", "red"),
}
_COUNTED = (
    (Action.CREATE, "{} to create"),
    (Action.CHANGE, "{} to change"),
    (Action.DELETE, "{} to delete"),
    (Action.WAIT, "{} to wait for"),
    (Action.BLOCKED, "{} cannot be as declared"),
    (Action.NONE, "{} as declared"),
)
_PROBLEMS = {
    Action.CREATE: "is not there",
    Action.CHANGE: "is not as declared",
    Action.DELETE: "is there and not declared",
    Action.WAIT: "is not provisioned",
    Action.BLOCKED: "cannot be as declared",
}
_MOST_UNDECLARED = 5  # names in a line
_DONE = {
    Action.CREATE: "created",
    Action.CHANGE: "changed",
    Action.DELETE: "deleted",
    Action.WAIT: "is provisioned",
}


class Place(NamedTuple):
    """The cluster that a plan is for; None where none is concerned."""

    profile: str | None
    endpoint: str | None


def title(step: Step) -> str:
    """`topic "orders"`."""
    return f'{step.kind} "{step.name}"'


def plan_text(plan: Plan, place: Place, styled: Callable[[str, str], str]) -> str:
    """What differs, object by object, and the sums; with its line ends."""
    lines = []
    if place.endpoint is not None:
        lines.append(f"cluster {place.profile or ''} at {place.endpoint}".replace("  ", " "))
    for step in plan.steps:
        if step.action is not Action.NONE:
            lines += _step_lines(step, styled)
    for kind, name, reason in plan.kept:
        lines.append(f'  {kind} "{name}" is not declared and stays: {reason}')
    if plan.undeclared:
        names = [f'{kind} "{name}"' for kind, name in plan.undeclared]
        more = f" and {len(names) - _MOST_UNDECLARED} more" if len(names) > _MOST_UNDECLARED else ""
        lines.append(f"  not declared: {', '.join(names[:_MOST_UNDECLARED])}{more}; `--prune` deletes them")
    lines.append(sums(plan))
    return "".join(f"{line}\n" for line in lines)


def _step_lines(step: Step, styled: Callable[[str, str], str]) -> list[str]:
    sign, style = _SIGNS[step.action]
    lines = [styled(f"{sign} {title(step)}", style)]
    if step.reason is not None:
        lines.append(f"    {step.reason}")
    for each in step.differences:
        before = "" if step.now is None else f"{_value(each.now)} -> "
        obstacle = "" if each.obstacle is None else f", {styled('cannot be changed', 'red')}: {each.obstacle}"
        lines.append(f"    {each.setting}: {before}{_value(each.declared)}{obstacle}")
    return lines


def step_problem(step: Step) -> str | None:
    """What differs, for a report; None when the object is as declared."""
    if step.action is Action.NONE:
        return None
    lines = _step_lines(step, lambda text, _style: text)[1:]
    return "\n".join([f"{title(step)} {_PROBLEMS[step.action]}", *(line.strip() for line in lines)])


def _value(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text if text.isprintable() and len(text) <= 60 else f"({len(text)} characters)"


def sums(plan: Plan) -> str:
    """`1 to create, 3 as declared`."""
    parts = [text.format(count) for action, text in _COUNTED if (count := len(plan.of(action)))]
    return ", ".join(parts) or "nothing is declared"


def done_text(plan: Plan) -> str:
    """`3 as declared: 2 created, 1 deleted`, of a plan that was carried out."""
    counts = [(word, len(plan.of(action))) for action, word in _DONE.items() if action is not Action.WAIT]
    done = ", ".join(f"{count} {word}" for word, count in counts if count)
    declared = len(plan.steps) - len(plan.of(Action.DELETE))
    return f"{declared} as declared" + (f": {done}" if done else ", nothing was to be done")


def result_text(step: Step, result: Result, problem: str | None) -> str:
    """One line about a step that has ended."""
    if result is Result.DONE:
        return f"{title(step)} {_DONE[step.action]}"
    if result is Result.PENDING:
        verb = f"{_DONE[step.action]}, but" if step.action is not Action.WAIT else "is"
        return f"{title(step)} {verb} not provisioned: {problem}"
    return f"{title(step)} not {_DONE[step.action]}: {problem}"


def plan_view(plan: Plan, place: Place) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "target": None if place.endpoint is None else {"profile": place.profile, "endpoint": place.endpoint},
        "drift": plan.has_drift,
        "objects": [_step_view(step) for step in plan.steps],
        "undeclared": [{"kind": kind.value, "name": name} for kind, name in plan.undeclared],
        "kept": [{"kind": kind.value, "name": name, "reason": reason} for kind, name, reason in plan.kept],
    }


def outcome_view(
    plan: Plan, place: Place, results: Mapping[tuple[Kind, str], Result], problems: Mapping[Any, str]
) -> dict[str, Any]:
    """As `plan_view`; what was to be done has its `result` and `problem`, and `drift` is what is left."""
    view = plan_view(plan, place)
    for step, shown in zip(plan.steps, view["objects"], strict=True):
        key = step.kind, step.name
        shown["result"] = results[key].value if key in results else None
        shown["problem"] = problems.get(key)
    view["drift"] = bool(plan.unreachable) or any(result is not Result.DONE for result in results.values())
    return view


def _step_view(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind.value,
        "name": step.name,
        "action": step.action.value,
        "reason": step.reason,
        "differences": [
            {
                "setting": each.setting,
                "now": each.now,
                "declared": each.declared,
                "obstacle": each.obstacle,
            }
            for each in step.differences
        ],
    }


def declaration_view(documents: Mapping[Kind, Mapping[str, Any]], kinds: Iterable[Kind]) -> dict[str, Any]:
    """The document that `export` writes."""
    from fluvio_cli.declared.reading import VERSION

    return {"version": VERSION, **{kind.section: dict(sorted(documents[kind].items())) for kind in kinds}}
