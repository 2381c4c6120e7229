"""Text out: `printer` knows the streams, `table` and `structured` lay data out."""
