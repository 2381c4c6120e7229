"""`fluvio completions`: scripts for shells, and where they go."""
