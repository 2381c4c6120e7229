"""What is wrong in a profile file that parses: names that lead nowhere, words that nobody knows. Pure."""

from fluvio_profiles.model import Config
from fluvio_profiles.protection import LEVELS, TABLE


def problems(config: Config) -> list[str]:
    """One line for each, in the file's order; official clients take such a file, so it is no parse error."""
    found = []
    if config.current_profile is not None and config.current_profile not in config.profiles:
        found.append(f"`current_profile` is `{config.current_profile}`, and there is no such profile")
    for name, profile in config.profiles.items():
        if profile.cluster not in config.clusters:
            found.append(f"profile `{name}` names cluster `{profile.cluster}`, which is not there")
    for name, cluster in config.clusters.items():
        place = f"`cluster.{name}.metadata.{TABLE}`"
        own = cluster.metadata.get(TABLE, {})
        if not isinstance(own, dict):
            found.append(f"{place} must be a table")
        elif own.get("protection", LEVELS[0]) not in LEVELS:
            found.append(f"`protection` of {place} is none of {', '.join(LEVELS)}")
        elif not isinstance(own.get("description", ""), str):
            found.append(f"`description` of {place} must be a string")
        if ":" not in cluster.endpoint:
            found.append(f"the endpoint of cluster `{name}` is not host:port")
    return found
