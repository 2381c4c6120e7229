"""`fluvio benchmark`: how fast the target cluster and this machine are together.

Only what was acknowledged, or has arrived, counts. `jobs` says what to measure, `running` does it with the
ordinary client, `histogram` keeps latencies in bounded memory, `result` and `compare` say what came out. With
`--rate` records are due at fixed times and a latency runs from the time at which its record was due, so a
stall is not hidden by a client that waits (open loop). All of one run happens in one process and one event
loop: the client shares a core with its own measuring, which docs/benchmark-command.md says as well.
"""
