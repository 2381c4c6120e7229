"""Epochs and listeners: the latest state wins, nothing is lost, nothing is kept for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_local_cluster.sc.model.objects import Kind, StoredObject
from fluvio_local_cluster.sc.model.stores import Store

Thing = StoredObject[int, int, None]


def thing(key: str, spec: int = 0, status: int = 0) -> Thing:
    return StoredObject(key, spec, status, None)


def new_store() -> Store[Thing]:
    return Store(Kind.TOPIC)


def keys(things: list[Thing] | None) -> list[str]:
    return [each.key for each in things or ()]


def test_a_listener_gets_everything_first_then_only_changes() -> None:
    store = new_store()
    store.apply([thing("a"), thing("b")])
    listener = store.listen(lambda: None)
    assert keys(listener.take().all) == ["a", "b"]
    assert listener.take().is_empty
    store.apply([thing("b", 1)], remove=["a"])
    changes = listener.take()
    assert (changes.all, keys(changes.updated), keys(changes.deleted)) == (None, ["b"], ["a"])
    assert changes.epoch == store.epoch


def test_putting_what_is_there_wakes_nobody() -> None:
    store = new_store()
    store.apply([thing("a", 1, 2)])
    woken: list[int] = []
    store.listen(lambda: woken.append(1))
    epoch = store.epoch
    assert not store.apply([thing("a", 1, 2)], remove=["nothing"])
    assert (store.epoch, woken) == (epoch, [])
    assert store.apply([thing("a", 1, 3)])
    assert woken == [1]


def test_several_changes_at_once_are_one_epoch() -> None:
    store = new_store()
    epoch = store.epoch
    store.apply([thing("a"), thing("b")])
    assert store.epoch == epoch + 1


def test_a_listener_for_specs_does_not_hear_of_statuses() -> None:
    store = new_store()
    store.apply([thing("a")])
    listener = store.listen(lambda: None, spec_only=True)
    listener.take()
    store.apply([thing("a", 0, 9)])
    assert listener.take().is_empty
    store.apply([thing("a", 1, 9)])
    assert keys(listener.take().updated) == ["a"]


def test_what_was_deleted_and_made_anew_is_told_as_both() -> None:
    store = new_store()
    store.apply([thing("a")])
    listener = store.listen(lambda: None)
    listener.take()
    store.apply(remove=["a"])
    store.apply([thing("a", 5)])
    changes = listener.take()
    assert (keys(changes.replaced), keys(changes.updated), keys(changes.deleted)) == (["a"], ["a"], [])


def test_the_last_deletion_is_told_as_a_change_not_as_an_empty_list() -> None:
    store = new_store()
    store.apply([thing("a")])
    listener = store.listen(lambda: None)
    listener.take()
    store.apply(remove=["a"])
    changes = listener.take()
    assert (changes.all, keys(changes.deleted)) == (None, ["a"])


def test_deleted_objects_are_forgotten_when_all_have_been_told() -> None:
    store = new_store()
    store.apply([thing("a")])
    slow, fast = store.listen(lambda: None), store.listen(lambda: None)
    slow.take()
    fast.take()
    store.apply(remove=["a"])
    fast.take()
    assert store._graves
    slow.close()
    assert not store._graves


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "remove", "take"]), st.integers(0, 2)))
)
def test_whoever_follows_the_changes_ends_with_the_stores_content(
    steps: list[tuple[str, str, int]],
) -> None:
    store, mirror = new_store(), {}
    listener = store.listen(lambda: None)

    def follow() -> None:
        changes = listener.take()
        if changes.all is not None:
            mirror.clear()
        for gone in (*changes.replaced, *changes.deleted):
            mirror.pop(gone.key, None)
        for each in (*(changes.all or ()), *changes.updated):
            mirror[each.key] = each.spec

    for key, step, value in steps:
        if step == "put":
            store.apply([thing(key, value)])
        elif step == "remove":
            store.apply(remove=[key])
        else:
            follow()
    follow()
    assert mirror == {each.key: each.spec for each in store}


@pytest.mark.parametrize("key", ["a", "b"])
def test_membership_and_lookup_agree(key: str) -> None:
    store = new_store()
    store.apply([thing("a")])
    assert (key in store) == (store.get(key) is not None)
