"""`consume -F` with helpers: `{{hex value}}` and its kind."""

import pytest

from fluvio_cli.output.records import RecordOptions, RecordRenderer
from fluvio_cli.output.template import Template, TemplateError
from fluvio_client.consumer.positions import ConsumerRecord


def filled(
    template: str, value: bytes = b"v", key: bytes | None = b"k", time: int = 1_700_000_000_123
) -> str:
    renderer = RecordRenderer(RecordOptions(template=Template(template)))
    return renderer.render([ConsumerRecord(3, 7, time, key, value)], "orders").decode().removesuffix("\n")


ORDER = '{"user": {"name": "Ädä"}, "tags": ["new", {"a": 1}], "total": 1.5}'.encode()


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{hex value}}", ORDER.hex()),
        ("{{ size  value }} {{size key}}", f"{len(ORDER)} 1"),
        ("{{base64 key}}", "aw=="),
        ('{{json value "user.name"}}', "Ädä"),
        ("{{json value 'tags[1]'}}", '{"a":1}'),
        ('{{{json value "tags[0]"}}}', "new"),
        ('{{json value "\\"user\\".name"}}', "Ädä"),
        ('{{json value "{n: total}"}}', '{"n":1.5}'),
        ('{{json value "nope"}}|{{json key}}', "null|null"),
        ('{{strftime time "%d.%m.%Y %H:%M:%S.%f"}}', "14.11.2023 22:13:20.123000"),
        ("a {{~ topic ~}} b 100% {{partition}}", "aordersb 100% 3"),
        ("{{#if key}}{{topic}}:{{hex key}}{{else}}none{{/if}}", "orders:6b"),
    ],
)
def test_helpers_are_called_in_handlebars_form(template: str, expected: str) -> None:
    assert filled(template, ORDER) == expected


def test_a_missing_key_or_time_is_named_as_without_helpers() -> None:
    assert filled("{{key}} {{hex key}} {{base64 key}} {{size key}}", key=None) == "null null null null"
    assert filled('{{time}} {{strftime time "%Y"}}', time=-1) == "NA NA"


def test_one_renderer_fills_in_the_topic_of_each_run() -> None:
    renderer = RecordRenderer(RecordOptions(template=Template("{{topic}}")))
    record = ConsumerRecord(0, 0, 0, None, b"")
    assert [renderer.render([record], topic) for topic in ("a", "b%s", "a")] == [b"a\n", b"b%s\n", b"a\n"]


@pytest.mark.parametrize(
    ("template", "reason", "column"),
    [
        ("x {{hax value}}", "there is no helper `hax`", 5),
        ("{{hex offset}}", "`key` or `value` is expected", 7),
        ('{{hex "value"}}', "`key` or `value` is expected", 7),
        ("{{hex value key}}", "no more than 1 arguments", 13),
        ('{{json value "a["}}', "the expression ends too early", 17),
        ('{{json value "a # b"}}', "cannot be read", 17),
        ("{{json value a}}", "an expression in quotation marks is expected", 14),
        ('{{json value "a}}', "a quotation mark is not closed", 14),
        ("{{strftime value '%Y'}}", "`time` is expected", 12),
        ("{{strftime time}}", "a format in quotation marks is expected", 16),
    ],
)
def test_a_bad_call_is_refused_with_its_place(template: str, reason: str, column: int) -> None:
    with pytest.raises(TemplateError, match=reason) as caught:
        Template(template)
    assert str(caught.value).endswith(f" at column {column}")
    assert caught.value.position == column - 1
