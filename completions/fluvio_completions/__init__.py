"""Shell completion: will offer profile and topic names, and the words of the command table, to the shell.

Empty so far: this release has no completions, and no command claims to have them. The room is here so
that its place among the layers is fixed: below the command line, above the client and the profiles.
Shell scripts will lie beside this package.
"""
