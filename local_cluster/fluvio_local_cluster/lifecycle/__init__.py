"""Starts, watches and stops the server processes of clusters on this machine.

    start.py       `start` and `resume`: preflight, spawn, probe, register, wait, record, profile
    stop.py        `shutdown` and `delete`
    status.py      `status`: what the controller says about itself, its SPUs and topics
    settings.py    what is wished: directories, addresses, number of SPUs; `plan` turns it into servers
    state.py       `<data>/cluster.json`: what was started, with pid, start time and boot id
    places.py      where the program's own files are, and which cluster of this machine an address means
    preflight.py   the checks before a start, each with cause and remedy; `port_owner.py` finds who listens
    inspect.py     the same checks without a start, for `check`
    launch.py      spawns one server, `output.py` rotates and reads what it printed
    processes.py   recognises and signals only what was started here
    lock.py        one operation on a data directory at a time
    signals.py     lets Ctrl-C and a server's death break into waits, and into nothing else

Everything is synchronous and nothing imports asyncio: a start waits for pipes, sockets and signals. Servers
are run as `python -m fluvio_local_cluster.sc` and `.spu` and talked to over the wire, never imported.
Layout of the files: docs/local-cluster.md. Import from the modules: this package imports nothing.
"""
