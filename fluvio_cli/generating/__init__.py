"""`fluvio generate`: records that look like real ones, made from a schema, as many and as fast as wanted.

* `schema`: a file or a built-in name becomes one function that makes values; every mistake has its place;
* `fields`: what each type of field makes; `builtin`: the schemas that need no file;
* `keys`: which key a record gets; `records`: keys and values, one record after the other;
* `pacing`: how many records are due; `running`: a run, to a topic or to standard output.

The same seed makes the same bytes: all is drawn from one generator, and only by its `random`, which Python
promises not to change. Times are those of the clock, unless a run has a start time: then the schedule tells
them. Nothing is kept of records that were made, so a run can go on for ever.
"""
