"""What has to be done so that what is there becomes what is declared. Pure."""

from collections.abc import Iterator
from typing import Any

from fluvio_cli.declared.documents import KEPT_SETTINGS, KEY_SETTING, document_of, flattened, settings_of
from fluvio_cli.declared.model import (
    Action,
    Declaration,
    DeclaredProfile,
    Difference,
    Kind,
    Observed,
    Plan,
    Step,
)
from fluvio_profiles.model import TlsSource

COUNT = "partition.count"
HIDDEN = "(hidden)"  # stands for a private key
_FEWER = "partitions cannot be taken away"
_FIXED = "the protocol has no update of it"


def plan(declaration: Declaration, observed: Observed, *, prune: bool) -> Plan:
    """Compare; with `prune` what is there and not declared is to be deleted."""
    steps: list[Step] = []
    deletions: list[Step] = []
    undeclared: list[tuple[Kind, str]] = []
    kept: list[tuple[Kind, str, str]] = []
    for kind in Kind:
        if kind not in declaration.objects:
            continue
        wanted, there = declaration.objects[kind], observed.objects.get(kind, {})
        left_out = observed.left_out.get(kind, {})
        for name in sorted(wanted):
            if name in left_out:
                steps.append(Step(kind, name, Action.BLOCKED, reason=left_out[name], declared=wanted[name]))
            elif name in there:
                steps.append(_existing(kind, name, wanted[name], there[name], observed))
            else:
                steps.append(_missing(kind, name, wanted[name], observed))
        for name in sorted({*there, *left_out} - set(wanted)):
            reason = _reason_to_keep(kind, name, observed)
            if not prune:
                undeclared.append((kind, name))
            elif reason is not None:
                kept.append((kind, name, reason))
            else:
                deletions.append(Step(kind, name, Action.DELETE, now=there[name]))
    return Plan((*steps, *deletions), tuple(undeclared), tuple(kept))


def _missing(kind: Kind, name: str, declared: Any, observed: Observed) -> Step:
    differences = tuple(
        Difference(setting, None, _shown(kind, setting, value, declared))
        for setting, value in flattened(document_of(kind, declared)).items()
    )
    reason = observed.refused.get(name) if kind is Kind.TOPIC else None
    if kind is Kind.PROFILE and _lacks_key(declared, observed):
        reason = _no_key(declared)
    action = Action.CREATE if reason is None else Action.BLOCKED
    return Step(kind, name, action, differences, reason, declared)


def _existing(kind: Kind, name: str, declared: Any, now: Any, observed: Observed) -> Step:
    if kind is Kind.PROFILE and _lacks_key(declared, observed):
        return Step(kind, name, Action.BLOCKED, (), _no_key(declared), declared, now)
    differences = tuple(_differences(kind, declared, now))
    if not differences:
        unready = observed.unready.get(name) if kind is Kind.TOPIC else None
        action = Action.NONE if unready is None else Action.WAIT
        return Step(kind, name, action, (), unready, declared, now)
    can_change = any(each.obstacle is None for each in differences)
    action = Action.CHANGE if can_change else Action.BLOCKED
    return Step(kind, name, action, differences, None, declared, now)


def _differences(kind: Kind, declared: Any, now: Any) -> Iterator[Difference]:
    wanted, there = settings_of(kind, declared), settings_of(kind, now)
    if kind is Kind.PROFILE:
        stays = {setting for setting in KEPT_SETTINGS if setting not in wanted}
        if declared.tls.certs is None:
            stays.discard(KEY_SETTING)
        there = {setting: value for setting, value in there.items() if setting not in stays}
    for setting in (*wanted, *(setting for setting in there if setting not in wanted)):
        before, after = there.get(setting), wanted.get(setting)
        if before != after:
            yield Difference(
                setting,
                _shown(kind, setting, before, now),
                _shown(kind, setting, after, declared),
                _obstacle(setting, before, after) if kind is Kind.TOPIC else None,
            )


def _obstacle(setting: str, before: Any, after: Any) -> str | None:
    if setting != COUNT or before is None or after is None:
        return _FIXED
    return None if after > before else _FEWER


def _shown(kind: Kind, setting: str, value: Any, spec: Any) -> Any:
    is_key = kind is Kind.PROFILE and setting == KEY_SETTING
    return HIDDEN if is_key and value is not None and spec.tls.source is TlsSource.INLINE else value


def _lacks_key(declared: DeclaredProfile, observed: Observed) -> bool:
    """Whether a private key is neither declared nor there to stay."""
    certs = declared.tls.certs
    return certs is not None and not certs.key and declared.cluster not in observed.clusters_with_key


def _no_key(declared: DeclaredProfile) -> str:
    return (
        f"`{KEY_SETTING}` is not declared, and cluster `{declared.cluster}` of the profile file has none "
        "that could stay; exports leave private keys out"
    )


def _reason_to_keep(kind: Kind, name: str, observed: Observed) -> str | None:
    if kind is Kind.PROFILE and name in observed.profiles_in_use:
        return "it is in use"
    return observed.left_out.get(kind, {}).get(name)
