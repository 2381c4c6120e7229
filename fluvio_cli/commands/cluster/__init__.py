"""`fluvio cluster`: start, stop and look after clusters; what the commands share is in `local.py`."""
