"""Shell completion for bash, zsh, fish and PowerShell: words of the command tree, and names of real things.

A script (`scripts`) hands the line to `fluvio __complete SHELL` (`entry`), which answers from `tree`, a table
written by `python docs/generate_completion_tree.py`, so that no command module and no Typer is loaded while
somebody waits for a key. Names come from the profile file and from a cache of what commands have seen of each
cluster (`names`). Neither is asked of the network: a stale cache is renewed by a process in the background.
`installing` puts the scripts where shells look for them.
"""
