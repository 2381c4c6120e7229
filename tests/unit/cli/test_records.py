"""What `consume` prints for records, byte for byte as the official tool does."""

import pytest

from fluvio_cli.output.records import RecordOptions, RecordRenderer, format_timestamp, hex_dump, looks_binary
from fluvio_cli.output.template import Template, TemplateError
from fluvio_client.consumer.positions import ConsumerRecord


def shown(*values: bytes, key: bytes | None = None, **options: object) -> str:
    renderer = RecordRenderer(RecordOptions(**options))  # type: ignore[arg-type]
    if renderer.wants_values_only:
        return renderer.render_values(values).decode()
    records = [
        ConsumerRecord(3, offset, 1_700_000_000_123, key, value) for offset, value in enumerate(values)
    ]
    return renderer.render(records).decode()


BINARY = bytes(range(48)) + b"\x00\xff\xfe"
BINARY_DUMP = (
    "00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |          .     |\n"
    "00000010  10 11 12 13 14 15 16 17  18 19 1a 1b 1c 1d 1e 1f  |                |\n"
    "00000020  20 21 22 23 24 25 26 27  28 29 2a 2b 2c 2d 2e 2f  | !\"#$%&'()*+,-./|\n"
    "00000030  00 ff fe                                          |                |\n" + "-" * 78 + "\n\n"
)


def test_text_is_printed_a_line_a_record_and_empty_records_are_empty_lines() -> None:
    assert shown(b"one", b"", "zwölf".encode()) == "one\n\nzwölf\n"


def test_a_binary_value_is_dumped_in_hex_and_its_neighbours_stay_text() -> None:
    assert shown(BINARY, b"text in bin", b"caf\xe9 latin") == BINARY_DUMP + "text in bin\ncaf\ufffd latin\n"


def test_text_form_names_the_size_of_binary_values_or_prints_them_lossily() -> None:
    assert shown(BINARY, b"x", form="text") == "binary: (51 bytes)\nx\n"
    assert shown(b"\x00\xff", form="text", suppress_unknown=True) == "\x00\ufffd\n"


def test_binary_form_dumps_everything() -> None:
    expected = '00000000  7b 22 62 22 3a 32 2c 22  61 22 3a 22 78 22 7d     |{"b":2,"a":"x"} |\n'
    assert shown(b'{"b":2,"a":"x"}', form="binary") == expected + "-" * 78 + "\n\n"
    assert hex_dump(b"") == b""


def test_json_form_sorts_keys_and_tells_what_is_no_json() -> None:
    assert shown(b'{"b":2,"a":"x"}', form="json") == '{\n  "a": "x",\n  "b": 2\n}\n'
    assert shown(b"not json", form="json") == '{\n  "error": "expected ident at line 1 column 2"\n}\n'
    assert shown(b"\x00\x01", form="json") == '{\n  "error": "expected value at line 1 column 1"\n}\n'
    assert shown(b"not json", form="json", suppress_unknown=True) == ""


def test_table_form_is_a_block_a_record() -> None:
    block = "+---+---+\n| a | b |\n+=======+\n| x | 2 |\n+---+---+\n"
    assert shown(b'{"b":2,"a":"x"}', form="table") == block
    assert shown(b'{"b":2,"a":"x"}', b'{"a":1}', form="table") == block + "| a |\n+===+\n| 1 |\n+---+\n"
    assert shown(b"[1,2]", form="table") == "error: Unable to parse json as object map\n"
    assert (
        shown(b"not json", form="table")
        == "error parsing record as json: expected ident at line 1 column 2\n"
    )
    assert shown(b'{"a":1}', form="table", with_key=True).startswith("[null] +---+\n")
    assert shown(b"[1,2]", form="table", with_key=True).startswith("error:")


def test_a_value_that_can_just_be_read_is_no_crash_as_a_table() -> None:
    blocks = [shown(b'{"a":%b%b}' % (b"[" * depth, b"]" * depth), form="table") for depth in range(700, 1010)]
    # from which depth on JSON cannot be read is another in each Python
    assert {block[:1] for block in blocks} <= {"+", "e"}
    assert blocks[0].startswith("+")


def test_keys_stand_in_front_and_a_missing_one_is_null_but_an_empty_one_is_empty() -> None:
    assert shown(b"v", with_key=True) == "[null] v\n"
    assert shown(b"v", key=b"k1", with_key=True) == "[k1] v\n"
    assert shown(b"v", key=b"", with_key=True) == "[] v\n"


def test_truncated_lines_count_characters() -> None:
    assert shown("äöüxyz".encode(), truncate_to=4) == "äöüx\n"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{offset}}:{{partition}} {{key}}={{value}}", "0:3 k=v"),
        ("{{nope}}|", "|"),
        ("", ""),
        ("plain", "plain"),
        ("a\\tb\\n{{value}}", "a\\tb\\nv"),
        ("{{{value}}}{{! said }}{{!-- {{x}} --}}.", "v."),
        ("{{#if key}}K{{else}}N{{/if}} {{value}}", "K v"),
        ("{{#unless nope}}U{{/unless}}{{#if nope}}I{{/if}}", "U"),
        ("{{time}}", "2023-11-14T22:13:20.123Z"),
        ("a {{~value~}} b", "avb"),
    ],
)
def test_templates_follow_handlebars(template: str, expected: str) -> None:
    assert shown(b"v", key=b"k", template=Template(template)) == expected + "\n"


def test_a_template_sees_a_missing_key_as_the_text_null() -> None:
    assert shown(b"v", template=Template("v={{value}}"), with_key=True) == "[null] v=v\n"
    assert shown(b"v", template=Template("{{#if key}}{{key}}{{/if}}"), with_key=True) == "[null] null\n"


@pytest.mark.parametrize(
    "bad", ["{{value", "{{#if key}}x", "{{/if}}", "{{else}}", "{{#each x}}{{/each}}", "{{a b}}", "{{}}"]
)
def test_a_template_that_cannot_be_read_is_refused_before_any_record(bad: str) -> None:
    with pytest.raises(TemplateError, match="invalid handlebars syntax"):
        Template(bad)


def test_byte_order_marks_make_text_and_signatures_make_binary() -> None:
    assert not looks_binary(b"\xff\xfea\x00")
    assert looks_binary(b"%PDF-1.4")
    assert looks_binary(b"a" * 1000 + b"\0")
    assert not looks_binary(b"a" * 1024 + b"\0")


def test_a_record_without_a_time_has_none() -> None:
    assert format_timestamp(-1) == "NA"
    assert format_timestamp(1 << 62) == "NA"
