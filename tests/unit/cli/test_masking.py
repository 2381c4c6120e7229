"""What is taken out of texts before others see them."""

import pytest

from fluvio_cli.diagnostics.masking import MASK, Masking, variable_lines

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEsecret\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"key = '''{PEM}'''", f"key = '''{MASK}'''"),
        ("-----BEGIN CERTIFICATE-----\nMIIEcut off", MASK),
        ("token=abc123, more", f"token={MASK}, more"),
        ('{"api_key": "abc", "b": 1}', f'{{"api_key": "{MASK}", "b": 1}}'),
        ("db_password: hunter2\nnext: 1", f"db_password: {MASK}\nnext: 1"),
        ("Authorization: Bearer abcdefgh.12345678", f"Authorization: Bearer {MASK}"),
        ("at https://me:pass@host/path", f"at https://{MASK}@host/path"),
        ("found ghp_0123456789abcdefghijABCDEFGHIJ!", f"found {MASK}!"),
        ("jwt eyJhbGciOiJI.eyJzdWIiOiIx.sig rest", f"jwt {MASK} rest"),
    ],
)
def test_what_looks_like_a_secret_is_left_out(text: str, masked: str) -> None:
    assert Masking({}).text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "INFO controller ready public=127.0.0.1:9003",
        'private_key: "/etc/fluvio/server.key"',
        "access_key = ~/.keys/a",
        "topic orders-0 leo=12 hw=12",
        "mailto me@example.com, fluvio://host:9003/path",
        "token: null",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert Masking({}).text(text) == text


def test_values_of_secret_variables_are_left_out_wherever_they_stand() -> None:
    environment = {
        "DEPLOY_TOKEN": "long-value-1",
        "API_KEY": "long-value",
        "HOME": "/root",
        "MY_KEY": "short",
    }
    masking = Masking(environment)
    assert masking.text("a long-value-1 b long-value c /root short") == f"a {MASK} b {MASK} c /root short"


def test_of_variables_only_the_names_are_told() -> None:
    environment = {"FLUVIO_CLOUD": "x", "FLV_PROFILE_PATH": "y", "HOME": "z"}
    assert variable_lines(environment, ("FLUVIO_", "FLV_")) == [
        f"FLUVIO_CLOUD: {MASK}",
        f"FLV_PROFILE_PATH: {MASK}",
    ]
