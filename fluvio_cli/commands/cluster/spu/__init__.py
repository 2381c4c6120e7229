"""`fluvio cluster spu`."""
