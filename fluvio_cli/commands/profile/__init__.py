"""`fluvio profile`: the clusters this user knows, and which of them is the current one."""
