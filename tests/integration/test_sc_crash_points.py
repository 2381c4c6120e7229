"""F-11: the controller is killed at each single change of its metadata directory, and started again.

What it had accepted is there and whole, what it had deleted stays away, what it was doing is there wholly or
not at all, and what was there before is untouched: no incarnation changes, so no SPU puts records away.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fluvio_protocol.api.topic import TopicResolution
from tests.support.controllers import Client, Peer, SpuDouble, topic_spec
from tests.support.crashing_sc import Controller, Nursery

_SWEEPS = 4

Step = Callable[["Scenario"], Awaitable[None]]


class RefusedError(AssertionError):
    """The controller answered with an error."""


def accepted(status: object) -> None:
    if not status.error_code.is_ok:
        raise RefusedError(status)


@dataclass
class Known:
    """What was accepted, and what was asked for last without an answer."""

    topics: dict[str, int] = field(default_factory=dict)  # partitions of those that are there
    pending: set[str] = field(default_factory=set)  # wait for an SPU
    gone: set[str] = field(default_factory=set)
    spus: set[int] = field(default_factory=set)
    gone_spus: set[int] = field(default_factory=set)


@dataclass
class Scenario:
    """A client, and the SPUs 5001 to 5003, of one controller."""

    client: Client
    public: int
    private: int
    known: Known
    serving: asyncio.TaskGroup
    doubles: dict[int, SpuDouble] = field(default_factory=dict)
    open: list[Peer] = field(default_factory=list)  # connections to be closed in the end

    async def join(self, spu_id: int) -> None:
        """An SPU connects and reports what it leads."""
        double = await SpuDouble.register(self.private, spu_id)
        self.doubles[spu_id] = double
        self.open.append(double)
        self.serving.create_task(_serve(double), name=f"spu {spu_id}")


async def _serve(double: SpuDouble) -> None:
    async with double:
        with contextlib.suppress(OSError):
            await double.serve()


def creates(name: str, partitions: int, replication: int = 1) -> tuple[str, Step]:
    async def step(now: Scenario) -> None:
        accepted(await now.client.create_topic(name, topic_spec(partitions, replication)))
        now.known.topics[name] = partitions

    return f"create {name}", step


def waits(name: str) -> tuple[str, Step]:
    """A topic while there is no SPU: it is seen, and its answer comes when there is one."""

    async def step(now: Scenario) -> None:
        asking = await Client.connect(now.public)
        now.open.append(asking)
        asking.send_create("Topic", name, topic_spec())
        async with await Client.connect(now.public) as other:
            while name not in [topic.name for topic in await other.list("Topic")]:
                pass
        now.known.pending.add(name)

    return f"wait {name}", step


def settles(name: str) -> tuple[str, Step]:
    """The pending topic gets its place without anybody asking again."""

    async def step(now: Scenario) -> None:
        async with await Client.connect(now.public) as other:
            while True:
                (topic,) = await other.list("Topic", name)
                if topic.status.resolution is TopicResolution.PROVISIONED:
                    break
        now.known.pending.discard(name)
        now.known.topics[name] = 1

    return f"settle {name}", step


def deletes(name: str) -> tuple[str, Step]:
    async def step(now: Scenario) -> None:
        accepted(await now.client.delete("Topic", name))
        del now.known.topics[name]
        now.known.gone.add(name)

    return f"delete {name}", step


def grows(name: str, count: int) -> tuple[str, Step]:
    async def step(now: Scenario) -> None:
        accepted(await now.client.add_partitions(name, count))
        now.known.topics[name] += count

    return f"grow {name}", step


def registers(spu_id: int) -> tuple[str, Step]:
    async def step(now: Scenario) -> None:
        accepted(await now.client.register(spu_id))
        now.known.spus.add(spu_id)

    return f"register {spu_id}", step


def unregisters(spu_id: int) -> tuple[str, Step]:
    async def step(now: Scenario) -> None:
        accepted(await now.client.unregister(spu_id))
        now.known.spus.remove(spu_id)
        now.known.gone_spus.add(spu_id)

    return f"unregister {spu_id}", step


def joins(spu_id: int) -> tuple[str, Step]:
    async def step(now: Scenario) -> None:
        await now.join(spu_id)

    return f"join {spu_id}", step


def reports(topic: str, leo: int) -> tuple[str, Step]:
    """Offsets of a partition are written by a flush, at the orderly stop at the latest."""

    async def step(now: Scenario) -> None:
        double, key = now.doubles[5001], f"{topic}-0"
        is_reported = False
        while True:  # each listing is a round trip: the controller, and the SPU here, had their turns
            if key in double.told.replicas and not is_reported:
                double.report(key, leo=leo)
                is_reported = True
            listed = {p.name: p.status.leader.leo for p in await now.client.list("Partition", topic)}
            if listed[key] == leo:
                return

    return f"report {topic}", step


STEPS = [
    joins(5001),
    registers(5002),
    joins(5002),
    creates("made", 2),
    grows("made", 1),
    reports("base", 7),
    registers(5003),
    unregisters(5003),
    deletes("old"),
    creates("old", 1),
]
FIRST_STEPS = [waits("early"), registers(5001), joins(5001), settles("early"), creates("made", 1)]


@contextlib.asynccontextmanager
async def connected(controller: Controller, known: Known) -> AsyncIterator[Scenario]:
    async with asyncio.TaskGroup() as group, await Client.connect(controller.public) as client:
        scenario = Scenario(client, controller.public, controller.private, known, group)
        try:
            yield scenario
        finally:
            for peer in scenario.open:
                peer.writer.close()


async def run_steps(controller: Controller, known: Known, steps: list[tuple[str, Step]]) -> int:
    """Do what can be done; returns how many steps were answered."""
    done = 0
    try:
        async with asyncio.timeout(15), connected(controller, known) as scenario:
            for _, step in steps:
                await step(scenario)
                done += 1
    except* (OSError, AssertionError) as group:
        if group.subgroup((RefusedError, TimeoutError)) is not None:
            raise
    return done


@dataclass
class Seen:
    """What a controller tells clients and an SPU."""

    topics: dict[str, int]  # those that are provisioned
    pending: set[str]
    partitions: dict[str, set[str]]  # by topic
    spus: set[int]
    incarnations: dict[str, str]


async def look(controller: Controller) -> Seen:
    async with connected(controller, Known()) as scenario:
        spus = {spu.spec.id for spu in await scenario.client.list("SPU")}
        incarnations: dict[str, str] = {}
        if 5001 in spus:
            await scenario.join(5001)
            incarnations = scenario.doubles[5001].told.incarnations
        topics = await scenario.client.list("Topic")
        partitions: dict[str, set[str]] = {topic.name: set() for topic in topics}
        while True:
            listed = await scenario.client.list("Partition")
            if {p.name for p in listed if p.spec.leader == 5001} <= set(incarnations):
                break
        for partition in listed:
            partitions[partition.name.rpartition("-")[0]].add(partition.name)
        counts = {
            topic.name: len(topic.status.replica_map)
            for topic in topics
            if topic.status.resolution is TopicResolution.PROVISIONED
        }
        pending = {topic.name for topic in topics} - set(counts)
        return Seen(counts, pending, partitions, spus, dict(incarnations))


def check(seen: Seen, known: Known, in_flight: str | None, before: Seen) -> None:
    """`in_flight`: what was asked for without an answer."""
    words = (in_flight or "").split()
    may_differ = words[-1] if words else ""
    for name, count in known.topics.items():
        if name != may_differ:
            assert seen.topics.get(name) == count
    assert not (known.gone - set(known.topics) - {may_differ}) & (set(seen.topics) | seen.pending)
    assert set(seen.topics) | seen.pending <= set(known.topics) | known.pending | {may_differ}
    assert known.pending <= set(seen.topics) | seen.pending
    assert seen.pending <= known.pending | {"early"}
    for name, count in seen.topics.items():  # nothing is there by halves
        assert seen.partitions[name] == {f"{name}-{index}" for index in range(count)}
    expected = known.spus - ({int(may_differ)} if words[:1] == ["unregister"] else set())
    assert expected <= seen.spus
    assert seen.spus <= known.spus | ({int(may_differ)} if may_differ.isdigit() else set())
    for key, incarnation in before.incarnations.items():
        if not key.startswith("old-") or ("old" not in known.gone and may_differ != "old"):
            assert seen.incarnations.get(key) == incarnation, f"{key} is another topic now"


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory in memory, where there is such a one: no byte here needs a real disk."""
    memory = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="fluvio-crash-", dir=memory if memory.is_dir() else None))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery") / "controllers.log") as nursery:
        yield nursery


@pytest.fixture(scope="module")
def template(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Known, Seen]:
    """A directory with an SPU and two topics."""
    directory = tmp_path_factory.mktemp("template") / "metadata"
    known = Known()
    controller = nursery.start(directory)
    steps = [registers(5001), joins(5001), creates("base", 2), creates("old", 2)]
    assert asyncio.run(run_steps(controller, known, steps)) == len(steps)
    before = asyncio.run(look(controller))
    assert controller.stop() == 0
    return directory, known, before


def one_case(
    nursery: Nursery,
    directory: Path,
    die_at: int,
    all_steps: list[tuple[str, Step]],
    known: Known,
    before: Seen,
) -> tuple[bool, str | None]:
    """Die at a call, start again, look, and do the rest. Whether it came so far, and the step it died in."""
    controller = nursery.start(directory, die_at)
    done = 0
    if controller.public:
        done = asyncio.run(run_steps(controller, known, all_steps))
        if done == len(all_steps):
            controller.stop()  # and the last statuses are written
        else:
            nursery.await_end(controller)
    if not controller.has_crashed:
        assert (controller.code, done) == (0, len(all_steps)), nursery.said()[-3000:]
        return False, None
    in_flight = all_steps[done][0] if done < len(all_steps) else None

    again = nursery.start(directory)
    assert again.public, nursery.said()[-3000:]
    seen = asyncio.run(look(again))
    check(seen, known, in_flight, before)
    assert not list(directory.rglob(".quarantine"))
    if in_flight is not None:
        if is_done(in_flight, seen, known):
            note(in_flight, seen, known)
        else:
            rejoin = [joins(spu) for spu in sorted(seen.spus & {5001, 5002}) if in_flight != f"join {spu}"]
            steps = [*rejoin, all_steps[done]]
            assert asyncio.run(run_steps(again, known, steps)) == len(steps)
        check(asyncio.run(look(again)), known, None, before)
    assert again.stop() == 0
    assert list(directory.rglob("*.tmp")) == []
    return True, in_flight


def is_done(in_flight: str, seen: Seen, known: Known) -> bool:
    """Whether a step without an answer had come to its end."""
    verb, name = in_flight.split()
    if verb == "create":
        return name in seen.topics
    if verb == "wait":
        return name in seen.pending
    if verb == "delete":
        return name not in seen.topics
    if verb == "grow":
        return seen.topics[name] > known.topics[name]
    if verb == "register":
        return int(name) in seen.spus
    if verb == "unregister":
        return int(name) not in seen.spus
    return False


def note(in_flight: str, seen: Seen, known: Known) -> None:
    """It was accepted, as it turned out."""
    verb, name = in_flight.split()
    if verb in ("create", "grow"):
        known.topics[name] = seen.topics[name]
    elif verb == "wait":
        known.pending.add(name)
    elif verb == "delete":
        known.topics.pop(name, None)
        known.gone.add(name)
    elif verb == "register":
        known.spus.add(int(name))
    elif verb == "unregister":
        known.spus.discard(int(name))


def all_cases(
    nursery: Nursery,
    place: Path,
    template: Path | None,
    steps: list[tuple[str, Step]],
    start: Known,
    before: Seen,
) -> set[str | None]:
    """Die at the first call, the second, ... until there is none left; returns the steps it died in."""
    die_at, died_in = 0, set()
    while True:
        print(f"dies at call {die_at}")
        directory = place / f"metadata-{die_at}"
        if template is not None:
            shutil.copytree(template, directory)
        known = Known(dict(start.topics), spus=set(start.spus))
        has_died, step = one_case(nursery, directory, die_at, steps, known, before)
        shutil.rmtree(directory)
        if not has_died:
            return died_in
        died_in.add(step)
        die_at += 1


def test_wherever_a_controller_dies_nothing_accepted_is_lost_and_nothing_is_there_by_halves(
    nursery: Nursery, template: tuple[Path, Known, Seen], place: Path
) -> None:
    directory, start, before = template
    died_in = all_cases(nursery, place, directory, STEPS, start, before)
    missed = {name for name, _ in STEPS if not name.startswith(("report", "join"))} - died_in
    assert len(missed) <= 2, (
        missed
    )  # reports are stored beside the steps, so numbers of calls may shift by some


def test_wherever_it_dies_with_a_topic_that_waits_the_topic_gets_its_place(
    nursery: Nursery, place: Path
) -> None:
    died_in = all_cases(nursery, place, None, FIRST_STEPS, Known(), Seen({}, set(), {}, set(), {}))
    assert {"wait early", "register 5001", "create made"} <= died_in


def test_wherever_its_first_life_ends_the_second_one_has_a_cluster_of_the_same_id(
    nursery: Nursery, place: Path
) -> None:
    die_at = 0
    while True:
        directory = place / f"{die_at}"
        controller = nursery.start(directory, die_at)
        if controller.public:
            assert controller.stop() in (0, 137)
        stored = directory / ".cluster-id"
        told = stored.read_text() if stored.exists() else None
        again = nursery.start(directory)
        assert again.public, nursery.said()[-3000:]
        assert again.stop() == 0
        assert told in (None, stored.read_text())
        assert (directory / "Topic" / "consumer-offset.yaml").exists()
        if not controller.has_crashed:
            break
        die_at += 1
    assert die_at > 5
