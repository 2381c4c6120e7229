"""What a schema makes, that the same seed makes it again, and where mistakes in schemas are."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from random import Random
from statistics import mean, pstdev
from typing import Any

import pytest

from fluvio_cli.generating.builtin import BUILT_IN
from fluvio_cli.generating.fields import Place
from fluvio_cli.generating.keys import MOST_KEYS, key_maker, parse_keys
from fluvio_cli.generating.pacing import MOST_AT_ONCE, Schedule
from fluvio_cli.generating.records import Records
from fluvio_cli.generating.schema import GenerateSchemaError, read_schema, schema_of

START_MS = 1_769_846_400_000  # 2026-01-31T08:00:00Z


def values_of(field: Any, count: int = 2000, seed: int = 1) -> list[Any]:
    """What a field makes for so many records, a second apart."""
    make = schema_of({"fields": {"f": field}}, Random(seed)).make
    return [make(Place(number, START_MS + number * 1000))["f"] for number in range(count)]


def records(schema: str, seed: int, *, keys: str | None = None, rate: float | None = None) -> Records:
    rng = Random(seed)
    return Records(
        read_schema(schema, rng, Path()),
        None if keys is None else parse_keys(keys),
        rng,
        rate=rate,
        start_ms=START_MS,
        now_ms=lambda: 0,
    )


# --- types --------------------------------------------------------------------------------------------------


def test_whole_numbers_reach_both_bounds_and_no_more() -> None:
    assert Counter(values_of({"type": "int", "min": 3, "max": 5})).keys() == {3, 4, 5}
    wide = values_of({"type": "int", "min": -(2**62), "max": 2**62}, 200)
    assert min(wide) < -(2**60) < 2**60 < max(wide)
    assert len(set(wide)) == 200


def test_numbers_follow_their_distribution() -> None:
    normal = values_of({"type": "float", "distribution": "normal", "mean": 50, "deviation": 10, "digits": 3})
    assert mean(normal) == pytest.approx(50, abs=1)
    assert pstdev(normal) == pytest.approx(10, rel=0.1)
    exponential = values_of({"type": "int", "distribution": "exponential", "mean": 100})
    assert mean(exponential) == pytest.approx(100, rel=0.1)
    assert sum(value < 70 for value in exponential) / 2000 == pytest.approx(0.5, abs=0.05)
    bounded = values_of(
        {"type": "float", "distribution": "normal", "mean": 0, "deviation": 9, "min": -1, "max": 1}
    )
    assert (min(bounded), max(bounded)) == (-1, 1)
    uniform = values_of({"type": "float", "min": 2, "max": 4, "digits": 1})
    assert all(2 <= value <= 4 and round(value, 1) == value for value in uniform)
    assert mean(uniform) == pytest.approx(3, abs=0.1)


def test_choices_come_as_often_as_they_weigh() -> None:
    found = Counter(values_of({"type": "choice", "values": ["a", 2, None], "weights": [6, 0, 4]}))
    assert found.keys() == {"a", None}
    assert found["a"] / 2000 == pytest.approx(0.6, abs=0.05)
    assert Counter(values_of({"type": "choice", "values": [1, 2]})).keys() == {1, 2}
    assert sum(values_of({"type": "bool", "probability": 0.9})) / 2000 == pytest.approx(0.9, abs=0.03)


def test_texts_look_like_words_and_are_as_long_as_wanted() -> None:
    texts = values_of({"type": "text", "min": 0, "max": 30})
    assert {len(text) for text in texts} == set(range(31))
    assert all(re.fullmatch(r"([a-z]+ )*[a-z]+|", text) for text in texts)
    assert all(re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", text) for text in values_of("name", 100))
    assert all(re.fullmatch(r"[a-z]+", text) for text in values_of("word", 100))
    uuids = values_of("uuid")
    assert len(set(uuids)) == 2000
    pattern = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert all(re.fullmatch(pattern, text) for text in uuids)


def test_times_are_those_of_the_record() -> None:
    assert values_of("timestamp", 2) == ["2026-01-31T08:00:00.000Z", "2026-01-31T08:00:01.000Z"]
    assert values_of({"type": "timestamp", "format": "ms"}, 1) == [START_MS]
    assert values_of({"type": "timestamp", "format": "s"}, 1) == [START_MS // 1000]
    late = values_of({"type": "timestamp", "format": "ms", "jitter": "500ms"}, 100)
    assert all(0 <= START_MS + number * 1000 - at <= 500 for number, at in enumerate(late))
    assert len({at % 1000 for at in late}) > 50


def test_the_rest() -> None:
    assert values_of({"type": "sequence", "start": 10, "step": -2}, 3) == [10, 8, 6]
    assert values_of({"type": "constant", "value": {"a": [1]}}, 1) == [{"a": [1]}]
    lists = values_of({"type": "list", "of": "uuid", "min": 1, "max": 3})
    assert {len(each) for each in lists} == {1, 2, 3}
    nested = {"type": "object", "fields": {"x": {"type": "object", "fields": {"y": "sequence"}}}}
    assert values_of(nested, 1) == [{"x": {"y": 1}}]
    nulls = values_of({"type": "int", "null": 0.25})
    assert nulls.count(None) / 2000 == pytest.approx(0.25, abs=0.03)


# --- mistakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ({}, "fields.f.type: it is missing"),
        (3, "fields.f: keys and their values are expected"),
        ("integer", "fields.f.type: `integer` is none of bool, choice, constant"),
        ({"type": "int", "min": 5, "max": 4}, "fields.f.min: 5 is above the maximum, 4"),
        ({"type": "int", "min": 0.5}, "fields.f.min: a whole number is expected, not `0.5`"),
        ({"type": "int", "mean": 5}, "unknown key `fields.f.mean`"),
        ({"type": "float", "distribution": "normal", "mean": 5}, "fields.f.deviation: it is missing"),
        ({"type": "float", "distribution": "pareto"}, "`pareto` is none of uniform, normal, exponential"),
        ({"type": "float", "digits": 16}, "0 to 15 digits"),
        ({"type": "float", "max": float("inf")}, "a number is expected"),
        ({"type": "choice", "values": []}, "a list with at least one value"),
        ({"type": "choice", "values": [1], "weights": [1, 2]}, "1 weights are expected"),
        ({"type": "choice", "values": [1], "weights": [0]}, "not all of them 0"),
        ({"type": "choice", "values": [1], "weights": [-1]}, "0 or more"),
        ({"type": "choice", "values": [float("nan")]}, "JSON has no `nan`"),
        ({"type": "constant", "value": object()}, "JSON has no such value"),
        ({"type": "bool", "probability": 1.5}, "a probability from 0 to 1"),
        ({"type": "int", "null": True}, "a number is expected, not `True`"),
        ({"type": "text", "max": 10**7}, "10000000 is not in 0 to 1000000"),
        ({"type": "list", "of": {"type": "int", "min": "x"}}, "fields.f.of.min: a whole number"),
        ({"type": "object", "fields": {}}, "fields.f.fields: fields and their types are expected"),
        ({"type": "object", "fields": {"g": "what"}}, "fields.f.fields.g.type: `what`"),
        ({"type": "timestamp", "jitter": "soon"}, "fields.f.jitter: expected number"),
    ],
)
def test_a_mistake_in_a_field_is_told_with_its_place(field: Any, told: str) -> None:
    with pytest.raises(GenerateSchemaError, match=re.escape(told)):
        schema_of({"fields": {"f": field}}, Random(1))


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (None, "the schema: keys and their values"),
        ({}, "fields: it is missing"),
        ({"fields": {"a": "int"}, "key": "b"}, "key: there is no field `b`"),
        ({"fields": {"a": "int"}, "rate": 5}, "unknown key `rate`"),
    ],
)
def test_a_mistake_in_a_schema_is_told(document: Any, told: str) -> None:
    with pytest.raises(GenerateSchemaError, match=re.escape(told)):
        schema_of(document, Random(1))


def test_fields_can_be_nested_deep_but_not_without_end() -> None:
    field: Any = "int"
    for _ in range(21):
        field = {"type": "list", "of": field}
    with pytest.raises(GenerateSchemaError, match="more than 20 levels"):
        schema_of({"fields": {"f": field}}, Random(1))


def test_schemas_come_from_yaml_and_json_files_and_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("key: n\nfields:\n  n: {type: sequence}\n")
    (tmp_path / "a.json").write_text('{"key": "n", "fields": {"n": {"type": "sequence"}}}')
    for name in ("a.yaml", "a.json"):
        schema = read_schema(name, Random(1), tmp_path)
        assert (schema.key, schema.make(Place(0, 0))) == ("n", {"n": 1})
    assert read_schema("sensors", Random(1), tmp_path).key == "sensor"
    with pytest.raises(GenerateSchemaError, match="neither a file nor a schema that is built in: `orders`"):
        read_schema("order", Random(1), tmp_path)
    with pytest.raises(FileNotFoundError):
        read_schema("b.yaml", Random(1), tmp_path)
    (tmp_path / "nulls.yaml").write_text("fields: {n: {type: int, null: 1}}")
    assert read_schema("nulls.yaml", Random(1), tmp_path).make(Place(0, 0)) == {"n": None}
    (tmp_path / "c.yaml").write_text("fields: [")
    with pytest.raises(GenerateSchemaError, match=r"c\.yaml is not YAML"):
        read_schema("c.yaml", Random(1), tmp_path)


# --- keys ---------------------------------------------------------------------------------------------------


def keys_of(text: str, count: int = 10_000) -> list[bytes]:
    make = key_maker(parse_keys(text), Random(1))
    return [make(Place(number, 0)) for number in range(count)]


def test_round_robin_gives_keys_in_turn() -> None:
    assert keys_of("round-robin:3", 7) == [b"key-%d" % (number % 3) for number in range(7)]


def test_uniform_keys_are_alike() -> None:
    counts = Counter(keys_of("uniform:10"))
    assert len(counts) == 10
    assert min(counts.values()) > 850


def test_zipf_gives_few_hot_keys() -> None:
    counts = Counter(keys_of("zipf:1000"))
    assert counts[b"key-0"] / 10_000 == pytest.approx(1 / 7.485, abs=0.015)  # the sum of 1/n up to 1000
    assert counts[b"key-0"] / counts[b"key-1"] == pytest.approx(2, rel=0.15)
    assert Counter(keys_of("zipf:1000:2"))[b"key-0"] / 10_000 == pytest.approx(0.608, abs=0.02)
    assert max(int(key[4:]) for key in keys_of("zipf:5")) == 4


@pytest.mark.parametrize(
    "text",
    ["", "zipf", "zipf:", "zipf:0", "zipf:x", "uniform:5:1", "zipf:5:-1", "zipf:5:nan", "pareto:5",
     f"uniform:{MOST_KEYS + 1}", "uniform:99999999999999999999", "zipf:5:1:1"],
)  # fmt: skip
def test_what_is_no_distribution_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="zipf:1000"):
        parse_keys(text)


# --- runs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "digest"),
    [
        ("orders", "db63ed109be64b29"),
        ("clicks", "046ce54870a41d7e"),
        ("sensors", "cfb3c4b7a8fb6481"),
    ],
)
def test_the_same_seed_makes_the_same_bytes_now_and_in_years(schema: str, digest: str) -> None:
    found = hashlib.sha256()
    for key, value in records(schema, 7).take(500):
        found.update(b"%b %b\n" % (key, value))
    assert found.hexdigest()[:16] == digest
    assert records(schema, 8).take(5) != records(schema, 7).take(5)


def test_it_does_not_matter_how_many_are_taken_at_a_time() -> None:
    whole = records("orders", 7, keys="zipf:50").take(100)
    pieces = records("orders", 7, keys="zipf:50")
    assert pieces.take(1) + pieces.take(60) + pieces.take(39) == whole
    rest = records("orders", 7, keys="zipf:50")
    rest.skip(40)
    assert rest.take(60) == whole[40:]


def test_built_in_schemas_make_objects_and_keys() -> None:
    for name, document in BUILT_IN.items():
        for key, value in records(name, 1).take(200):
            made = json.loads(value)
            assert list(made) == list(document["fields"])
            assert key == str(made[document["key"]]).encode()


def test_times_follow_the_rate_from_the_start_time() -> None:
    at = [json.loads(value)["at"] for _, value in records("sensors", 1, rate=4).take(3)]
    assert at == [START_MS, START_MS + 250, START_MS + 500]
    assert [json.loads(value)["at"] for _, value in records("sensors", 1).take(2)] == [START_MS, START_MS + 1]


def test_without_a_start_time_the_clock_tells() -> None:
    rng = Random(1)
    made = Records(
        read_schema("sensors", rng, Path()), None, rng, rate=1, start_ms=None, now_ms=lambda: 12_345
    )
    assert json.loads(made.take(1)[0][1])["at"] == 12_345


def test_a_key_that_is_null_is_none_and_a_text_is_itself() -> None:
    def key_of(field: Any) -> bytes | None:
        rng = Random(1)
        schema = schema_of({"key": "f", "fields": {"f": field}}, rng)
        return Records(schema, None, rng, rate=1, start_ms=0, now_ms=lambda: 0).take(1)[0][0]

    assert key_of({"type": "constant", "value": None}) is None
    assert key_of({"type": "constant", "value": "a b"}) == b"a b"
    assert key_of({"type": "constant", "value": {"a": [1, "ü"]}}) == '{"a":[1,"ü"]}'.encode()


# --- pace ---------------------------------------------------------------------------------------------------


def test_the_first_record_is_due_at_once_and_the_others_at_the_rate() -> None:
    schedule = Schedule(None, 10)
    assert schedule.due(0.0) == 1
    assert schedule.pause_s(0.0) == pytest.approx(0.1)
    assert schedule.due(0.05) == 0
    assert schedule.due(0.1) == 1


def test_late_wake_ups_do_not_add_up() -> None:
    schedule, now, given = Schedule(None, 300), 0.0, 0
    while now < 10:
        given += schedule.due(now)
        now += schedule.pause_s(now) + 0.007  # the timer is late each time
    assert given == pytest.approx(3000, abs=6)


def test_what_was_missed_is_made_up_for_in_bounded_portions() -> None:
    schedule = Schedule(None, 1000)
    assert schedule.due(10.0) == MOST_AT_ONCE
    assert schedule.pause_s(10.0) == 0.0
    while schedule.due(10.0):
        pass
    assert schedule.given == 10_001
    assert schedule.pause_s(10.0) > 0


def test_a_count_ends_it_exactly() -> None:
    schedule = Schedule(MOST_AT_ONCE + 1, None)
    assert [schedule.due(0.0), schedule.due(0.0)] == [MOST_AT_ONCE, 1]
    assert schedule.is_over
    assert schedule.pause_s(0.0) == 0.0
    assert Schedule(0, 5).is_over
    assert Schedule(3, 5).due(100.0) == 3
