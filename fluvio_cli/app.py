"""The root command: reads the root options, finds the command in the table, runs it, ends well.

Root options choose the cluster and stand before the command word; those of `manners` may stand after it as
well. Groups answer help and errors from the table alone. A word that nobody knows is looked for as a plugin.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fluvio_cli import failures, grammar, manners
from fluvio_cli.command_table import ROOT, Group, Leaf
from fluvio_cli.grammar import HelpRequested, Parameter, Rules, UsageProblem
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext

PROGRAM = "fluvio"

_TARGET = "Which cluster"
ROOT_OPTIONS = (
    Parameter("cluster", ("-c", "--cluster"), "host:port", help="Address of the cluster", panel=_TARGET),
    Parameter("tls", ("--tls",), takes_value=False, help="Enable TLS", panel=_TARGET),
    Parameter(
        "enable_client_cert",
        ("--enable-client-cert",),
        takes_value=False,
        help="TLS: use a client certificate",
        panel=_TARGET,
    ),
    Parameter("domain", ("--domain",), "DOMAIN", help="TLS: server name to verify", panel=_TARGET),
    Parameter("ca_cert", ("--ca-cert",), "CA_CERT", help="TLS: path to the CA certificate", panel=_TARGET),
    Parameter(
        "client_cert",
        ("--client-cert",),
        "CLIENT_CERT",
        help="TLS: path to the client certificate",
        panel=_TARGET,
    ),
    Parameter(
        "client_key",
        ("--client-key",),
        "CLIENT_KEY",
        help="TLS: path to the client's private key",
        panel=_TARGET,
    ),
    Parameter(
        "profile", ("-P", "--profile"), "profile", help="Use this profile for this call only", panel=_TARGET
    ),
    Parameter(
        "yes_i_mean",
        ("--yes-i-mean",),
        "CLUSTER",
        help="Let the command destroy what is on this protected cluster",
        panel=_TARGET,
    ),
    *manners.OPTIONS,
    Parameter("version", ("-V", "--version"), takes_value=False, help="Print the version"),
)
_JSON_WORDS = ("json", "ndjson")


@dataclass(slots=True)
class _Place:
    """Where in the table the words so far have led."""

    path: str
    group: Group
    options: Sequence[Parameter] = field(default_factory=tuple)

    def usage_error(self, problem: UsageProblem, cli: "CliContext") -> failures.UsageError:
        from fluvio_cli import usage

        _suggest(problem, [*self.group.members, *_flags(self.options or manners.OPTIONS)], cli)
        return failures.UsageError(
            usage.blocks(problem, usage.group_usage(self.path, self.group, self.options))
        )


def run(arguments: Sequence[str], make_context: Callable[[dict[str, Any]], "CliContext"]) -> int:
    """Run one command line and return its exit code; exceptions pass through.

    `make_context` gets the root options given and returns the context of this invocation.
    """
    root = _Place(PROGRAM, ROOT, ROOT_OPTIONS)
    try:
        parsed = grammar.parse(ROOT_OPTIONS, arguments, Rules(), stop_at_word=True)
    except HelpRequested:
        return _print_help(root, make_context({}))
    except UsageProblem as problem:
        cli = make_context({})
        cli.printer.errors_as_json = _asks_for_json(arguments)
        raise root.usage_error(problem, cli) from None
    if parsed.given.pop("version", False):
        from fluvio_cli.__main__ import version_line

        make_context({}).printer.message(version_line())
        return failures.DONE
    manner = manners.take(parsed.given, manners.OPTIONS)
    cli = make_context(parsed.given)
    manners.settle(manners.from_environment(cli.environment) | manner, cli.printer)
    words = parsed.rest
    cli.printer.errors_as_json = _asks_for_json(words)
    if not words or words[0] == "help":
        return _print_help(root, cli)
    if words[0] not in ROOT.members:
        from fluvio_cli.plugins import run_plugin

        return run_plugin(words[0], words[1:], cli, _similar(words[0], list(ROOT.members)))
    try:
        return _enter(root, words, cli)
    except Exception as exc:
        if cli.printer.stderr_is_terminal or cli.printer.errors_as_json:
            _advise(exc, cli)
        raise


def _advise(error: Exception, cli: "CliContext") -> None:
    """Give an expected error its next step, where somebody reads it."""
    found = failures.innermost(error)
    if isinstance(found, FluvioError) and not isinstance(found, failures.UsageError):
        from fluvio_cli.advice import advise

        advise(found, cli)


def _enter(place: _Place, words: Sequence[str], cli: "CliContext") -> int:
    """Follow `words` from a group to the command, and run it."""
    member = place.group.members.get(words[0])
    if member is None:
        problem = UsageProblem(f"unrecognized subcommand '{words[0]}'", unknown=words[0])
        raise place.usage_error(problem, cli)
    below = f"{place.path} {words[0]}"
    if isinstance(member, Leaf):
        return _run_leaf(below, member, words[1:], cli)
    here = _Place(below, member)
    try:
        parsed = grammar.parse(manners.OPTIONS, words[1:], Rules(), stop_at_word=True)
    except HelpRequested:
        return _print_help(here, cli)
    except UsageProblem as problem:
        raise here.usage_error(problem, cli) from None
    manners.settle(parsed.given, cli.printer)
    if parsed.rest:
        return _enter(here, parsed.rest, cli)
    if member.default is None:
        from fluvio_cli import usage

        cli.printer.error(usage.group_help(below, member, (), {}))
        return failures.USAGE
    return _enter(here, [member.default], cli)


def _run_leaf(path: str, leaf: Leaf, tokens: Sequence[str], cli: "CliContext") -> int:
    function = imported(leaf.target)
    if leaf.parameterless:
        return _run_parameterless(path, leaf, function, tokens, cli)
    from fluvio_cli.command import Command

    command = Command(path, function)
    extra = manners.beside(command.parameters)
    try:
        values = command.parse(tokens, extra)
    except HelpRequested as request:
        from fluvio_cli import usage

        text = usage.command_help(
            path, command.about, command.parameters, command.rules, long=request.long, everywhere=extra
        )
        cli.printer.message(text)
        return failures.DONE
    except UsageProblem as problem:
        raise _leaf_error(problem, path, command.parameters, cli) from None
    manners.settle(manners.take(values, extra), cli.printer)
    cli.printer.errors_as_json = values.get("output") in _JSON_WORDS or values.get("json") is True
    if command.rules.effect is not None:
        from fluvio_cli import guard

        guard.check(path, command.rules.effect, values, cli)
    return command.run(values, cli)


def _run_parameterless(
    path: str, leaf: Leaf, function: Callable[["CliContext"], None], tokens: Sequence[str], cli: "CliContext"
) -> int:
    try:
        manners.settle(grammar.parse(manners.OPTIONS, tokens, Rules()).given, cli.printer)
    except HelpRequested as request:
        from fluvio_cli import usage

        cli.printer.message(usage.command_help(path, leaf.help, (), Rules(), long=request.long))
        return failures.DONE
    except UsageProblem as problem:
        raise _leaf_error(problem, path, (), cli) from None
    function(cli)
    return failures.DONE


def _asks_for_json(words: Sequence[str]) -> bool:
    """Whether a line that may break the grammar wants JSON all the same."""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        flag, _, value = word.partition("=")
        if flag in ("-O", "--output") and (value or following).lower() in _JSON_WORDS:
            return True
        if word.startswith("-O") and word[2:].lower() in _JSON_WORDS:
            return True
    return False


def _leaf_error(
    problem: UsageProblem, path: str, parameters: Sequence[Parameter], cli: "CliContext"
) -> failures.UsageError:
    from fluvio_cli import usage

    _suggest(problem, _flags([*parameters, *manners.beside(parameters)]), cli)
    return failures.UsageError(usage.error_blocks(problem, path, parameters))


def _print_help(place: _Place, cli: "CliContext") -> int:
    from fluvio_cli import usage

    extra = {}
    if place.group is ROOT:
        from fluvio_cli.plugins import installed_plugins

        extra = installed_plugins(cli)
    cli.printer.message(usage.group_help(place.path, place.group, place.options, extra))
    return failures.DONE


def _flags(parameters: Sequence[Parameter]) -> list[str]:
    return [flag for parameter in parameters for flag in parameter.flags]


def _suggest(problem: UsageProblem, known: Sequence[str], cli: "CliContext") -> None:
    """Tell a person what an unknown word may have been meant for; scripts compare the official text."""
    if problem.unknown is None or not cli.printer.stderr_is_terminal:
        return
    tip = _similar(problem.unknown, problem.known or known)
    if tip is None and problem.unknown in _flags(ROOT_OPTIONS):
        tip = f"'{problem.unknown}' stands before the command: `{PROGRAM} {problem.unknown} ...`"
    problem.tip = tip or problem.tip


def _similar(word: str, known: Sequence[str]) -> str | None:
    from fluvio_cli import usage

    similar = usage.suggestion(word, known)
    return f"a similar one exists: '{similar}'" if similar is not None else None


def imported(target: str) -> Callable[..., Any]:
    """The function that a table entry names."""
    from importlib import import_module

    module, _, attribute = target.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), attribute)
    return function
