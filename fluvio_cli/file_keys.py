"""The keys of a mapping in a file that people write, taken one after another, with errors that say where."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fluvio_types.errors import FluvioError

_T = TypeVar("_T")


class FileKeys:
    """The keys of one mapping of a document; `place` is the way to it, such as `topics.orders`."""

    def __init__(self, place: str, content: Any, failure: type[FluvioError], hint: str) -> None:
        """Raises `failure` where `content` is no mapping; `hint` goes with unknown keys."""
        if not isinstance(content, Mapping):
            raise failure(f"{place or 'the file'}: keys and their values are expected")
        self._place, self._left = place, dict(content)
        self._failure, self._hint = failure, hint

    def at(self, key: str) -> str:
        """The way to a key."""
        return f"{self._place}.{key}" if self._place else key

    def take(self, key: str, read: Callable[[Any], _T], *, required: bool = False) -> Any:
        """The value of `key` as `read` makes it; None when it is absent or null."""
        value = self._left.pop(key, None)
        if value is None:
            if required:
                raise self._failure(f"{self._place}: missing field `{key}`".removeprefix(": "))
            return None
        try:
            return read(value)
        except (ValueError, TypeError, KeyError) as exc:
            reason = f"missing field {exc}" if isinstance(exc, KeyError) else str(exc)
            raise self._failure(f"{self.at(key)}: {reason}") from exc

    def below(self, key: str, *, required: bool = False) -> Any:
        """The mapping at `key`; None when it is absent."""
        return self.take(
            key, lambda content: FileKeys(self.at(key), content, self._failure, self._hint), required=required
        )

    def end(self) -> None:
        """Refuse what nobody has taken."""
        if self._left:
            unknown = ", ".join(f"`{self.at(str(key))}`" for key in self._left)
            raise self._failure(f"unknown key {unknown}", hint=self._hint)
