'''One module per command: parse, call once, print once.

How to add one
--------------
1. Add a line to `fluvio_cli/command_table.py`: name, help line, `module:attribute`. That is all a group
   knows; `fluvio topic --help` imports no command.
2. Write the module, a Typer function whose context is in `ctx.obj`:

    """`fluvio topic delete`."""

    from typing import Annotated

    import typer

    from fluvio_cli.command import rules
    from fluvio_cli.context import CliContext


    @rules(examples=(("Delete two topics", "fluvio topic delete one two"),))
    def command(
        ctx: typer.Context,
        names: Annotated[list[str], typer.Argument(metavar="name", help="Names of the topics")],
        system: Annotated[bool, typer.Option("-s", "--system", help="Delete system topics")] = False,
    ) -> None:
        """Delete one or more topics with the given names."""
        from fluvio_client... import ...  # heavy: imported only when the command runs

        cli: CliContext = ctx.obj
        ...
        cli.printer.message(f'topic "{name}" deleted')

- Name each option in full: `typer.Option("-p", "--partitions", metavar="partitions", parser=values.u32)`.
  `metavar` is what stands in `<...>`; the default is the name in upper case for options (`<KEY_SEPARATOR>`)
  and as it is for positionals. A parameter without default is required; `bool` is a flag; `list[...]` is
  repeatable (a positional then takes all words).
- `parser=` takes any function from text that raises ValueError with the reason; `fluvio_cli.values` has
  integers, sizes, durations, isolation, delivery, `Choice(...)`, `output_format` (`-O`). Typer's own
  `min`, `max` and enum types are not needed.
- `rules(conflicts=(("head", "tail"),), stands_alone={"config": (...)}, requires={"dedup_count": ("dedup",)},
  one_of=(("id", "name"),), long_help_only=("...",), examples=...)` says what ties parameters together.
- The docstring is the help text: first paragraph for `-h`, all of it for `--help`.
- Output: `cli.printer.message(line)` confirmations, `.data(text)` tables and structured data (they bring
  their line ends), `.note(line)` standard error, `.progress(line)` only for watchers, `.hint(line)` only
  on a terminal; `with cli.printer.busy(text)` around what may take long. `output.table.render_table`,
  `output.structured.render_structured` and `Tagged` lay out.
- Failures: raise a `FluvioError`; never print one. Another exit code: `raise typer.Exit(code)`.
- `cli.target()` is the cluster to talk to; `cli.client_id`, `cli.environment`, `cli.home`, `cli.stdin`.
- A command without any parameter is a plain function `command(cli)`, marked `parameterless` in the table;
  it runs without Typer (`profile/current.py`, which shell prompts call).
'''
