"""Joins a command written as a Typer function to the grammar of the official command line.

Typer reads the function's signature and calls it; the tokens are read by `grammar`, since Typer's own
parser accepts other forms and words its errors differently. Only a module of a command that has
parameters imports Typer, and only when it runs.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from fluvio_cli import grammar
from fluvio_cli.grammar import Parameter, Rules

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_cli.effect import Effect

_RULES = "fluvio_rules"
_Function = TypeVar("_Function", bound=Callable[..., Any])


def rules(
    *,
    conflicts: tuple[tuple[str, ...], ...] = (),
    stands_alone: dict[str, tuple[str, ...]] | None = None,
    requires: dict[str, tuple[str, ...]] | None = None,
    one_of: tuple[tuple[str, ...], ...] = (),
    examples: tuple[tuple[str, str], ...] = (),
    long_help_only: Sequence[str] = (),
    panels: dict[str, tuple[str, ...]] | None = None,
    effect: "Effect | None" = None,
) -> Callable[[_Function], _Function]:
    """Say what a signature cannot; names are the function's parameters.

    `conflicts`: of each tuple at most one may be given. `stands_alone`: the key excludes each of its
    names and lifts the demand for required ones. `requires`: the key needs each of its names.
    `one_of`: of each tuple at least one must be given, and the error asks for the first.
    `examples`: pairs of what it does and the command line, for `--help`. `long_help_only`: options
    that `-h` leaves out. `panels`: titles under which help shows options, those that are named nowhere come
    last. `effect`: what it does to the cluster, for `guard`; None: it changes nothing there.
    """
    declared = Rules(
        conflicts,
        stands_alone or {},
        requires or {},
        one_of,
        examples,
        frozenset(long_help_only),
        panels or {},
        effect,
    )

    def attach(function: _Function) -> _Function:
        setattr(function, _RULES, declared)
        return function

    return attach


class Command:
    """One command, ready to parse and run."""

    def __init__(self, path: str, function: Callable[..., Any]) -> None:
        """`path` is the whole command, as usage lines show it; `function` is a Typer function."""
        import inspect

        import typer

        self.path = path
        self.about = inspect.cleandoc(function.__doc__ or "")
        self.rules: Rules = getattr(function, _RULES, Rules())
        app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        app.command()(function)
        self._typer_command = typer.main.get_command(app)
        signature = inspect.signature(function)
        panel_of = {name: title for title, names in self.rules.panels.items() for name in names}
        self.parameters = tuple(
            _parameter(param, signature.parameters[param.name].default, panel_of.get(param.name, ""))
            for param in self._typer_command.params
            if param.name is not None
        )
        self._exit = typer.Exit

    def parse(self, tokens: Sequence[str], extra: Sequence[Parameter] = ()) -> dict[str, Any]:
        """Values of all parameters, and of those of `extra` that were given.

        Raises `UsageProblem` or `HelpRequested`.
        """
        given = grammar.parse((*self.parameters, *extra), tokens, self.rules).given
        values = {p.name: given.get(p.name, p.default) for p in self.parameters}
        return values | {p.name: given[p.name] for p in extra if p.name in given}

    def run(self, values: dict[str, Any], cli: "CliContext") -> int:
        """Call the function with `cli` as `ctx.obj`; returns the exit code it chose, else 0."""
        context = self._typer_command.context_class(self._typer_command, info_name=self.path, obj=cli)
        context.params = values
        with context:
            try:
                result = self._typer_command.invoke(context)
            except self._exit as exc:
                return exc.exit_code
        return result if isinstance(result, int) else 0


def _parameter(param: Any, default: Any, panel: str) -> Parameter:
    """Read one of Typer's parameters; `Any`, since their classes moved between its releases."""
    import inspect

    positional = param.param_type_name == "argument"
    flag = bool(getattr(param, "is_flag", False))
    function = getattr(param.type, "func", None)
    if default is inspect.Parameter.empty:
        default = None
    value_name = param.metavar or (param.name.upper() if not positional else param.name)
    return Parameter(
        name=param.name,
        flags=() if positional else tuple(param.opts),
        value_name=value_name,
        takes_value=not flag,
        repeatable=bool(getattr(param, "multiple", False)) or param.nargs == -1,
        required=bool(param.required),
        parse=function or _plain_parser(param.type),
        default=default,
        help=getattr(param, "help", None) or "",
        hidden=bool(getattr(param, "hidden", False)),
        choices=tuple(getattr(function, "listed", ())),
        panel=panel,
    )


def _plain_parser(kind: Any) -> Callable[[str], Any]:
    """A parser for a parameter declared without one: integers, with the range given, and text.

    Typer calls an integer `integer` or, from 0.28 on, `int`.
    """
    if kind.name.startswith("int"):
        from fluvio_cli.values import integer

        minimum, maximum = getattr(kind, "min", None), getattr(kind, "max", None)
        return integer(
            -(2**63) if minimum is None else int(minimum), 2**63 - 1 if maximum is None else int(maximum)
        )
    if kind.name == "float":
        return float
    return str
