"""Recorded runs of the official tool against a cluster, replayed in their order against one of ours."""

from dataclasses import replace

from tests.support.local_cluster import FREE_PORTS, LocalCluster
from tests.support.transcript_deviations import DEVIATIONS, NOT_REPLAYED
from tests.support.transcripts import Place, Run, differences, recorded_runs, replay

FILES = {
    "in.txt": b"f1\nf2\n",
    "json.txt": b'{"b":2,"a":"x"}\n{"a":1}\n[1,2]\nnot json\n',
    "bin.dat": bytes(range(48)) + b"\x00\xff\xfe",
    "ra.json": b'[{"id":0,"replicas":[5001,5002]},{"id":1,"replicas":[5002]}]',
    "ra-bad.json": b'[{"id":1,"replicas":[5001]}]',
    "ra-bad2.json": b"nope",
    "ra-unknown.json": b'[{"id":0,"replicas":[7777]}]',
    # As far as the recorded runs tell what was in them; one copy where the recording had two.
    "topic.yaml": b"version: 0.1.0\nmeta: {name: cfgd}\npartition: {count: 3, max-size: 1.0 GB}\n"
    b"retention: {time: 2m, segment-size: 2.0 KB}\ncompression: {type: Lz4}\n",
    "topic-bad.yaml": b"version: 0.1.0\nmeta:\n  nam: x\n",
    "topic-unk.yaml": b"version: 0.1.0\nmeta: {name: unk}\nretentoin: {time: 2m}\n",
    "topic-ver.yaml": b"version: nonsense\nmeta: {name: vv}\n",
    "topic-comp.yaml": b"version: 0.1.0\nmeta: {name: lower}\ncompression: {type: lz4}\n",
    "tf.yaml": b"name: tf1\ncolumns:\n- {headerLabel: Name, keyPath: a, primaryKey: true}\n"
    b"- {headerLabel: Bee, keyPath: b}\n",
    "tf-bad.yaml": b"columns: []\n",
}
TIMEOUT_S = 20.0

# What the recording did between two runs and cannot be replayed as text: input that is no UTF-8, and what was
# typed at a terminal. Sent before the run that is named, so that later runs see the same records.
SENT_BEFORE: dict[str, tuple[tuple[str, bytes, tuple[str, ...]], ...]] = {
    "produce-file-key": (("t1", b"", ("--raw",)),),  # it sent an empty record for the file that was missing
    "produce-comp": (("t1", b"ok1\n", ()),),
    "consume-js-dynamic": (("bin", b"caf\xe9 latin\n", ()),),
    "consumer-badname": (
        ("t1", b"hi there\nsecond\n\n", ()),
        ("t1", b"k:v\n", ("--key-separator", ":")),
        ("t1", b"line1\nline2\n", ("--raw",)),
        ("t1", b"partial\nx\nf1\nf2\n", ()),
    ),
}


def prepared(cluster: LocalCluster) -> Place:
    folder = cluster.home / "work"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return Place(cluster.home, folder, cluster.executable)


def has_an_end(run: Run) -> bool:
    """The recorder waited for it to end, and it does not want a terminal."""
    return run.exit_code is not None and not run.on_terminal


def test_topics_records_and_partitions_do_what_the_official_tool_does(throwaway_home: LocalCluster) -> None:
    place = prepared(throwaway_home.start("--spu", "2"))
    problems: dict[str, list[str]] = {}
    for run in recorded_runs("cluster"):
        if run.scenario != "cluster" or not has_an_end(run) or run.id in NOT_REPLAYED:
            continue
        for topic, records, options in SENT_BEFORE.get(run.id, ()):
            throwaway_home.run("produce", topic, *options, stdin=records)
        found = differences(run, replay(run, place, TIMEOUT_S), place)
        if run.id in DEVIATIONS:
            found = [] if found else ["is listed as a deviation, but agrees"]
        if found:
            problems[run.id] = found
        if run.id == "topic-config-unknown-key":  # refused here; later runs use the topic
            throwaway_home.run("topic", "create", "unk")
        if run.id == "topic-config-case":  # taken here; later runs do not know the topic
            throwaway_home.run("topic", "delete", "lower")
        if run.id == "topic-p2r2":  # refused here, where one copy is all there is; later runs use the topic
            throwaway_home.run("topic", "create", "p2", "-p", "2")
    assert problems == {}


def test_a_cluster_starts_stops_and_comes_back_as_with_the_official_tool(
    throwaway_home: LocalCluster,
) -> None:
    place = prepared(throwaway_home)
    (place.working_directory / "ra.json").write_bytes(
        b'[{"id":0,"replicas":[5001]},{"id":1,"replicas":[5001]}]'
    )
    problems: dict[str, list[str]] = {}
    for run in recorded_runs("cluster"):
        if run.scenario != "lifecycle" or not has_an_end(run) or run.id in NOT_REPLAYED:
            continue
        if run.argv == ("cluster", "start"):
            run = replace(run, argv=(*run.argv, *FREE_PORTS))
        found = differences(run, replay(run, place, TIMEOUT_S), place)
        if run.id in DEVIATIONS:
            found = [] if found else ["is listed as a deviation, but agrees"]
        if found:
            problems[run.id] = found
    assert problems == {}


def test_every_run_that_is_not_replayed_is_one_of_the_recording() -> None:
    known = {run.id for run in recorded_runs("cluster")}
    assert set(NOT_REPLAYED) <= known
