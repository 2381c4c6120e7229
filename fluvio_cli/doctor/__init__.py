"""`fluvio doctor`: looks for what is known to keep clusters and commands from working, on this machine.

    model.py      a check, and the problems that it finds: what was seen, cause, remedy, perhaps a repair
    facts.py      what checks judge, as plain values
    look.py       gathers the facts; touches nothing
    servers.py    checks of clusters, ports and versions
    machine.py    checks of files, disk, clock, names, limits and plugins
    catalogue.py  all checks in the order shown; docs/doctor.md lists the same
    repair.py     what `--fix` does

A check is a function from facts to problems, so that it can be tried without the failure it is about.
"""
