"""Profiles: which clusters this user knows, and which of them a call means.

`model` holds the profile file as values, `store` reads and safely rewrites it, `resolve` decides which
cluster a call talks to. The file is the official clients' own; keys unknown to us survive a rewrite.
Import from the modules: this package imports nothing, so that a one-shot command pays for what it uses.
"""
