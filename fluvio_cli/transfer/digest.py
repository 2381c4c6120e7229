"""A digest of the records of a partition that does not depend on how they lie in batches. Pure.

Each field has a hash of its own, fed column by column: by that the price of a record is that of its bytes.
Lengths are hashed beside the bytes, so that no two lists of records look the same.
"""

from array import array
from hashlib import blake2b

from fluvio_cli.transfer.pieces import Columns

_NO_KEY = -1  # in place of the length of a key that is not there


class ContentDigest:
    """Feed records in order with `update`."""

    def __init__(self, *, with_times: bool = False) -> None:
        """`with_times`: records count as different when their timestamps are."""
        self.count = 0
        self._values, self._keys, self._lengths = blake2b(), blake2b(), blake2b()
        self._times = blake2b() if with_times else None

    def update(self, columns: Columns) -> None:
        """The next records."""
        timestamps, keys, values = columns
        self.count += len(values)
        self._values.update(b"".join(values))
        lengths = array("q", bytes(16 * len(values)))
        lengths[0::2] = array("q", map(len, values))
        if keys.count(None) == len(keys):
            lengths[1::2] = array("q", [_NO_KEY]) * len(keys)
        else:
            lengths[1::2] = array("q", [_NO_KEY if key is None else len(key) for key in keys])
            self._keys.update(b"".join([key for key in keys if key is not None]))
        self._lengths.update(lengths)
        if self._times is not None:
            self._times.update(array("q", timestamps))

    def hexdigest(self) -> str:
        """32 characters."""
        whole = blake2b(digest_size=16)
        for each in (self._values, self._keys, self._lengths, self._times):
            if each is not None:
                whole.update(each.digest())
        return whole.hexdigest()
