"""Our engine beside those that a user would pick instead: NATS JetStream and Apache Kafka.

`engine` says what an engine is: a `Server` that the benchmark starts and a `Client` that does one task at a
time in a process of its own (`load`, asked by `client_process`). `ours`, `jetstream` and `kafka` are the
three. `provisioning` gets the peers' servers from their registries, `server_process` runs them, `experiment`
takes the samples in turn, `comparison` is a row of them, `comparison_table` and `plot` show them.

What is equal and what cannot be, with the settings: docs/benchmarks.md, "Against peers".
"""
