"""`fluvio benchmark`: load tests of the target cluster."""
