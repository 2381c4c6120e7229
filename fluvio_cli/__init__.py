"""The command line: turns arguments into one call on a room below, and the result into text.

`app` parses root options and walks the table in `command_table` to one command; `commands/` holds one
module per command (its docstring shows how one is written); `grammar` and `usage` are the official
command line's rules for arguments and its texts; `command` joins a Typer declaration to them;
`context` carries what one invocation uses; `failures` turns exceptions into messages and exit codes.
"""
