# ruff: noqa: E501
# fmt: off
"""The command tree, for completions.

Written by `python docs/generate_completion_tree.py`: do not edit.
"""

from collections.abc import Mapping

from fluvio_completions.engine import Node, Option

COMMON = (
    Option(('--quiet',), None, 'Print results and errors, nothing else'),
    Option(('--verbose',), None, 'Print what the client does, and what led to an error'),
    Option(('--timeout',), '', 'End the command with exit code 5 when it takes longer, such as 10s'),
)
_NODES: dict[str, Node] = {
    '': Node(
        options=(
            Option(('-c', '--cluster'), '', 'Address of the cluster'),
            Option(('--tls',), None, 'Enable TLS'),
            Option(('--enable-client-cert',), None, 'TLS: use a client certificate'),
            Option(('--domain',), '', 'TLS: server name to verify'),
            Option(('--ca-cert',), 'file', 'TLS: path to the CA certificate'),
            Option(('--client-cert',), 'file', 'TLS: path to the client certificate'),
            Option(('--client-key',), 'file', "TLS: path to the client's private key"),
            Option(('-P', '--profile'), 'profile', 'Use this profile for this call only'),
            Option(('--yes-i-mean',), '', 'Let the command destroy what is on this protected cluster'),
            Option(('--quiet',), None, 'Print results and errors, nothing else'),
            Option(('--verbose',), None, 'Print what the client does, and what led to an error'),
            Option(('--timeout',), '', 'End the command with exit code 5 when it takes longer, such as 10s'),
            Option(('-V', '--version'), None, 'Print the version'),
        ),
        commands={
            'consume': 'Read messages from a topic/partition',
            'produce': 'Write messages to a topic/partition',
            'topic': 'Manage and view topics',
            'partition': 'Manage and view partitions',
            'table-format': 'Manage stored layouts of tables',
            'consumer': 'Manage and view consumers',
            'profile': 'Manage profiles, which describe known clusters',
            'cluster': 'Start, stop and look after clusters',
            'plan': 'Show how things differ from what files declare',
            'apply': 'Make things as files declare them',
            'export': 'Print what is there as a declaration',
            'benchmark': 'Measure how fast a cluster is',
            'generate': 'Write records that look like real ones',
            'tap': 'Show what clients and servers say to each other',
            'top': "Watch a cluster: topics, rates, consumers' lag",
            'explain': 'Explain why a command failed, and what to do',
            'doctor': 'Look for known failures on this machine',
            'version': 'Print version information',
            'completions': 'Complete commands, options and names in a shell',
        },
    ),
    'consume': Node(
        options=(
            Option(('-p', '--partition'), '', 'Read this partition only (repeatable)'),
            Option(('-A', '--all-partitions'), None, 'Read every partition, which is the default'),
            Option(('-d', '--disable-continuous'), None, 'End when what is there now has been read'),
            Option(('--disable-progressbar',), None, 'Show no spinner while waiting'),
            Option(('-k', '--key-value'), None, 'Print `[key] value`, with [null] for a missing key'),
            Option(('-F', '--format'), '', "Template of each record, such as '{{key}}={{value}}'"),
            Option(('--table-format',), '', 'Name of a stored table format, which gives `-O full-table` its columns, labels and primary keys, and `-O table` its columns and labels'),
            Option(('-B', '--beginning'), None, 'Start at the oldest record that is kept'),
            Option(('-H', '--head'), '', 'Start so many records after the oldest'),
            Option(('-T', '--tail'), '', 'Start so many records before the end'),
            Option(('--start',), '', 'Start at this offset'),
            Option(('--end',), '', 'Stop after the record with this offset'),
            Option(('-b', '--maxbytes'), '', 'Bytes of one fetch, at most'),
            Option(('--isolation',), ('read_committed', 'read_uncommitted'), 'Read everything that leaders have (read_uncommitted, the default) or what is committed (read_committed)'),
            Option(('--regex',), None, 'Take the names for regular expressions of whole topic names; topics that are created later are not followed'),
            Option(('-n', '--count'), '', 'End after so many printed records'),
            Option(('--since',), '', 'Start at this time: 10m (ago), RFC 3339 or a date (UTC), seconds or ms since 1970'),
            Option(('--until',), '', 'Print what is before this time, then end; without a start flag a time that has passed starts at the beginning'),
            Option(('--where',), '', 'Print the records whose JSON value this JMESPath expression is true for'),
            Option(('--suppress-unknown',), None, 'Leave out what is no JSON; print binary values as text'),
            Option(('-O', '--output'), ('dynamic', 'text', 'binary', 'json', 'raw', 'table', 'full-table', 'ndjson'), 'How to print values'),
            Option(('--truncate',), None, 'Cut each record to the width of the terminal'),
            Option(('-c', '--consumer'), 'consumer', 'Id of the consumer whose offset is kept in the cluster'),
            Option(('--on-evicted',), ('earliest', 'fail'), 'When retention has removed the next record: say so and go on at the oldest one there is, or fail'),
            *COMMON,
        ),
        words=('topic',),
        repeats=True,
    ),
    'produce': Node(
        options=(
            Option(('-v', '--verbose'), None, 'Echo each key and value that was split'),
            Option(('--key',), '', 'Key of every record of this call'),
            Option(('--key-separator',), '', 'Split each line into key and value, where this text stands first'),
            Option(('--raw',), None, 'Send the whole input as one record'),
            Option(('--ndjson',), None, 'Each line is a JSON object with `value`, maybe `key`, as `consume -O ndjson` prints it'),
            Option(('--compression',), ('none', 'gzip', 'snappy', 'zstd', 'lz4'), 'Compress batches with none, gzip, snappy, lz4 or zstd (default: what the topic demands)'),
            Option(('-f', '--file'), 'file', 'Read records from this file, not from standard input'),
            Option(('--linger',), '', 'How long a batch that is not full waits for more records, such as `100ms` (default: 0)'),
            Option(('--batch-size',), '', 'Bytes at which a batch is sent (default: 16384)'),
            Option(('--max-request-size',), '', 'Largest request in bytes (default: 1048576)'),
            Option(('--isolation',), ('read_committed', 'read_uncommitted'), 'Wait until the leader has stored a record (read_uncommitted, the default) or it is committed (read_committed)'),
            Option(('--delivery-semantic',), ('at-least-once', 'at-most-once'), 'Send and forget (at_most_once), or wait and repeat what failed (at_least_once)'),
            Option(('-p', '--partition'), '', 'Send everything to this partition'),
            Option(('--quiet',), None, 'Print results and errors, nothing else'),
            Option(('--timeout',), '', 'End the command with exit code 5 when it takes longer, such as 10s'),
        ),
        words=('topic',),
    ),
    'topic': Node(
        options=(
            *COMMON,
        ),
        commands={
            'create': 'Create a topic with the given name',
            'delete': 'Delete one or more topics with the given names',
            'describe': 'Print detailed information about a topic',
            'list': 'List all topics of the cluster',
            'add-partition': 'Add partitions to a topic',
            'export': 'Write a topic to a file',
            'import': 'Read a file into a topic',
            'replay': "Send a file's records at their pace",
            'copy': "Copy a topic's records to another topic or cluster",
            'diff': 'Compare two topics, of one cluster or two',
        },
    ),
    'topic create': Node(
        options=(
            Option(('-p', '--partitions'), '', 'Number of partitions'),
            Option(('-r', '--replication'), '', 'Number of copies of each partition'),
            Option(('-i', '--ignore-rack-assignment'), None, 'Do not spread copies over racks'),
            Option(('-f', '--replica-assignment'), 'file', 'File that says which SPUs hold each partition, the leader first'),
            Option(('-d', '--dry-run'), None, 'Only check the settings, create nothing'),
            Option(('--retention-time',), '', "How long records stay, such as `1h` or `2d 10s` (server's default: 7 days)"),
            Option(('--segment-size',), '', 'Size at which a log segment is closed, such as `2Ki` or `10Gb`'),
            Option(('--compression-type',), ('any', 'none', 'gzip', 'snappy', 'lz4', 'zstd'), 'Compression that producers must use: none, gzip, snappy, lz4, zstd or any (default)'),
            Option(('--max-partition-size',), '', "Size above which a partition's oldest segments are deleted"),
            Option(('-c', '--config'), 'file', 'YAML file that holds the whole definition'),
            *COMMON,
        ),
        words=('',),
    ),
    'topic delete': Node(
        options=(
            Option(('-c', '--continue-on-error'), None, 'Go on with the next topic after a failure'),
            Option(('-s', '--system'), None, 'Allow internal topics to be deleted'),
            Option(('-f', '--force'), None, 'Do not ask before an internal topic'),
            *COMMON,
        ),
        words=('topic',),
        repeats=True,
    ),
    'topic describe': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            *COMMON,
        ),
        words=('topic',),
    ),
    'topic list': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            Option(('-s', '--system'), None, 'List internal topics only'),
            *COMMON,
        ),
    ),
    'topic add-partition': Node(
        options=(
            Option(('-c', '--count'), '', 'Partitions to add'),
            *COMMON,
        ),
        words=('topic',),
    ),
    'topic export': Node(
        options=(
            Option(('--format',), ('jsonl', 'binary'), "JSON lines or the compact form, whatever the file's name says"),
            Option(('-p', '--partition'), '', 'Take this partition only (repeatable)'),
            Option(('--since',), '', 'Start at this time: 10m (ago), RFC 3339 or a date (UTC), seconds or ms since 1970'),
            Option(('--until',), '', 'Take what is before this time'),
            Option(('-n', '--count'), '', 'End after so many records, the first ones'),
            Option(('--where',), '', 'Take the records whose JSON value this JMESPath expression is true for'),
            Option(('--resume',), None, 'Go on where the file ends: after an interruption, or for what is new'),
            Option(('--force',), None, 'Replace the file if it exists'),
            Option(('-O', '--output'), ('table', 'json'), 'Output format'),
            *COMMON,
        ),
        words=('topic', 'file'),
    ),
    'topic import': Node(
        options=(
            Option(('--create',), None, 'Create the topic if there is none, as the file describes it'),
            Option(('--keep-time',), None, 'Keep the times of records; else they are from now'),
            Option(('--resume',), None, 'Go on with an import that was interrupted'),
            Option(('-O', '--output'), ('table', 'json'), 'Output format'),
            *COMMON,
        ),
        words=('file', 'topic'),
    ),
    'topic replay': Node(
        options=(
            Option(('--speed',), '', 'How many times as fast: 10x, 0.5x, or max for as fast as it goes'),
            Option(('-n', '--count'), '', 'End after so many records, the first ones'),
            Option(('--create',), None, 'Create the topic if there is none, as the file describes it'),
            Option(('--keep-time',), None, 'Keep the times of records; else they are from now'),
            Option(('-O', '--output'), ('table', 'json'), 'Output format'),
            *COMMON,
        ),
        words=('file', 'topic'),
    ),
    'topic copy': Node(
        options=(
            Option(('-p', '--partition'), '', 'Take this partition only (repeatable)'),
            Option(('--since',), '', 'Start at this time: 10m (ago), RFC 3339 or a date (UTC), seconds or ms since 1970'),
            Option(('--until',), '', 'Take what is before this time'),
            Option(('-n', '--count'), '', 'End after so many records, the first ones'),
            Option(('--where',), '', 'Take the records whose JSON value this JMESPath expression is true for'),
            Option(('--mask',), '', 'Put a digest in place of what is there in each JSON value: `user.email`, `items[*].card` (repeatable)'),
            Option(('--mask-keys',), None, "Put digests in place of the records' keys, too"),
            Option(('--mask-secret',), 'file', 'File with a secret for the digests, so that nobody can check a guess without it'),
            Option(('--create',), None, 'Create the topic if there is none, with the same settings'),
            Option(('--resume',), None, 'Go on with a copy that was interrupted, or add what is new'),
            Option(('-O', '--output'), ('table', 'json'), 'Output format'),
            *COMMON,
        ),
        words=('topic', 'topic'),
    ),
    'topic diff': Node(
        options=(
            Option(('--times',), None, 'Records with other times are other records'),
            Option(('--ignore',), ('settings', 'offsets', 'content'), 'Do not compare the settings, the offsets or the records (repeatable)'),
            Option(('-O', '--output'), ('table', 'json'), 'Output format'),
            Option(('--junit',), '', 'Write what was found to this file as JUnit XML, for CI'),
            *COMMON,
        ),
        words=('topic', 'topic'),
    ),
    'partition': Node(
        options=(
            *COMMON,
        ),
        commands={
            'list': 'List all partitions of the cluster',
        },
    ),
    'partition list': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            Option(('-s', '--system'), None, 'Partitions of internal topics only'),
            Option(('-t', '--topic'), 'topic', 'Partitions of this topic only'),
            *COMMON,
        ),
    ),
    'table-format': Node(
        options=(
            *COMMON,
        ),
        commands={
            'create': 'Store a layout from a file',
            'delete': 'Delete a table format',
            'list': 'List all table formats of the cluster',
        },
    ),
    'table-format create': Node(
        options=(
            Option(('-c', '--config'), 'file', 'YAML file with the definition'),
            *COMMON,
        ),
    ),
    'table-format delete': Node(
        options=(
            *COMMON,
        ),
        words=('',),
    ),
    'table-format list': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            *COMMON,
        ),
    ),
    'consumer': Node(
        options=(
            *COMMON,
        ),
        commands={
            'list': 'List all consumers whose offsets the cluster keeps',
            'describe': 'Show how far a consumer is',
            'reset': 'Let a consumer go on somewhere else',
            'delete': 'Delete the offsets that the cluster keeps for a consumer',
        },
    ),
    'consumer list': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            *COMMON,
        ),
    ),
    'consumer describe': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            Option(('-t', '--topic'), 'topic', 'Only for this topic'),
            Option(('-p', '--partition'), '', 'Only for this partition'),
            *COMMON,
        ),
        words=('consumer',),
    ),
    'consumer reset': Node(
        options=(
            Option(('--to',), '', 'Where it goes on: with the oldest record kept, behind the last one, or with this one'),
            Option(('-t', '--topic'), 'topic', 'Only for this topic'),
            Option(('-p', '--partition'), '', 'Only for this partition'),
            *COMMON,
        ),
        words=('consumer',),
    ),
    'consumer delete': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format; accepted as officially, a line tells what was deleted in any of them'),
            Option(('-t', '--topic'), 'topic', 'Only for this topic'),
            Option(('-p', '--partition'), '', 'Only for this partition'),
            *COMMON,
        ),
        words=('consumer',),
    ),
    'profile': Node(
        options=(
            *COMMON,
        ),
        commands={
            'current': 'Print the name of the current profile',
            'list': 'List all profiles',
            'switch': 'Make another profile the current one',
            'add': 'Add a profile for a cluster and switch to it',
            'rename': 'Rename a profile',
            'delete': 'Delete a profile, and keep its cluster',
            'delete-cluster': 'Delete a cluster',
            'export': 'Print a profile for use elsewhere',
            'sync': 'Derive a profile from a running cluster',
            'copy': 'Copy a profile together with its cluster',
            'set': 'Protect the cluster of a profile, or describe it',
            'edit': 'Change the profile file in an editor',
            'validate': 'Check that profiles lead to clusters',
            'prompt': "Print the chosen profile for the shell's prompt",
        },
    ),
    'profile current': Node(
        options=(
            *COMMON,
        ),
    ),
    'profile list': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            Option(('--show-secrets',), None, 'Print private keys that stand in the file as they are'),
            *COMMON,
        ),
    ),
    'profile switch': Node(
        options=(
            *COMMON,
        ),
        words=('profile',),
    ),
    'profile add': Node(
        options=(
            Option(('--tls',), None, 'Talk TLS; alone it means encrypted but unverified'),
            Option(('--enable-client-cert',), None, 'Mutual TLS; then domain, CA, cert and key are all needed'),
            Option(('--domain',), '', 'Server name to verify'),
            Option(('--ca-cert',), 'file', 'CA certificate (PEM file)'),
            Option(('--client-cert',), 'file', 'Client certificate (PEM file)'),
            Option(('--client-key',), 'file', 'Client private key (PEM file)'),
            *COMMON,
        ),
        words=('', '', ('local', 'k8', 'local-k8', 'docker', 'cloud', 'read-only')),
    ),
    'profile rename': Node(
        options=(
            *COMMON,
        ),
        words=('profile', ''),
    ),
    'profile delete': Node(
        options=(
            *COMMON,
        ),
        words=('profile',),
    ),
    'profile delete-profile': Node(
        options=(
            *COMMON,
        ),
        words=('profile',),
    ),
    'profile delete-cluster': Node(
        options=(
            Option(('-f', '--force'), None, 'Delete it even if profiles point at it'),
            *COMMON,
        ),
        words=('cluster',),
    ),
    'profile export': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            *COMMON,
        ),
        words=('profile',),
    ),
    'profile sync': Node(
        options=(
            *COMMON,
        ),
        commands={
            'local': 'Point profile local at an address',
        },
    ),
    'profile sync local': Node(
        options=(
            Option(('--tls',), None, 'Talk TLS; alone it means encrypted but unverified'),
            Option(('--enable-client-cert',), None, 'Mutual TLS; then domain, CA, cert and key are all needed'),
            Option(('--domain',), '', 'Server name to verify'),
            Option(('--ca-cert',), 'file', 'CA certificate (PEM file)'),
            Option(('--client-cert',), 'file', 'Client certificate (PEM file)'),
            Option(('--client-key',), 'file', 'Client private key (PEM file)'),
            *COMMON,
        ),
        words=('',),
    ),
    'profile copy': Node(
        options=(
            *COMMON,
        ),
        words=('profile', ''),
    ),
    'profile set': Node(
        options=(
            Option(('--protected',), None, "Commands that destroy want the cluster's name, whatever `--force` says"),
            Option(('--read-only',), None, 'Refuse commands that change the cluster'),
            Option(('--normal',), None, 'Lift protection'),
            Option(('--description',), '', 'What the cluster is; an empty text removes it'),
            *COMMON,
        ),
        words=('profile',),
    ),
    'profile edit': Node(
        options=(
            *COMMON,
        ),
    ),
    'profile validate': Node(
        options=(
            Option(('--all',), None, 'Check all profiles at once'),
            Option(('--timeout',), '', 'How long each cluster may take to answer; 5s if not given'),
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            Option(('--quiet',), None, 'Print results and errors, nothing else'),
            Option(('--verbose',), None, 'Print what the client does, and what led to an error'),
        ),
        words=('profile',),
    ),
    'profile prompt': Node(
        options=(
            Option(('--format',), '', 'Text with `{profile}`, `{cluster}` and `{protection}` in it'),
            Option(('--shell',), ('plain', 'bash', 'zsh'), 'How colours are marked as having no width'),
            *COMMON,
        ),
    ),
    'cluster': Node(
        options=(
            *COMMON,
        ),
        commands={
            'start': 'Start a cluster on this machine',
            'resume': 'Start a cluster that was shut down, with its data',
            'run': 'Run a command on a cluster of its own',
            'upgrade': "Bring a cluster to this program's version, or change its settings",
            'delete': 'Delete a cluster and its data',
            'list': 'List the clusters of this machine',
            'snapshot': "Keep a cluster's data as they are now",
            'restore': 'Put the data of a snapshot back',
            'fork': 'Start a new cluster with the data of another one',
            'spu': 'Manage and view streaming processing units (SPUs)',
            'diagnostics': 'Collect server output, metadata and state in one archive',
            'status': 'Check the status of a cluster',
            'check': 'Run the checks that come before a start',
            'health': 'Try a cluster: a record to each SPU and back',
            'shutdown': 'Stop a cluster and keep its data',
        },
    ),
    'cluster start': Node(
        options=(
            Option(('--name',), '', 'A cluster beside others: at free ports, in ~/.fluvio/clusters/NAME, with profile NAME'),
            Option(('--local',), None, 'Run the servers as processes on this machine (the default)'),
            Option(('--read-only',), '', 'Like --local, with topics that this JSON file fixes: nobody can change them'),
            Option(('--spu',), '', 'Number of SPUs'),
            Option(('--data-dir',), 'directory', 'Where records and metadata live (~/.fluvio/data)'),
            Option(('--log-dir',), 'directory', "Where the servers' output goes (~/.fluvio/log)"),
            Option(('--sc-pub-addr',), '', 'Address at which clients find the SC (127.0.0.1:9003)'),
            Option(('--sc-priv-addr',), '', 'Address at which SPUs find the SC (127.0.0.1:9004)'),
            Option(('--spu-port-base',), '', 'Port of the first SPU; each further one is 10 above, its private port 1 above (9010). 0 takes free ports'),
            Option(('--advertise',), '', 'Lead clients of other machines or containers to this host; servers then listen at all addresses (0.0.0.0), unless `--sc-pub-addr` says where'),
            Option(('--rust-log',), '', 'Log filter of the servers (info)'),
            Option(('--fsync',), '', 'When SPUs sync records to the disk: never (left to the system; default), interval:MS, or always (before a producer gets its answer)'),
            Option(('--consumer-offset-ttl',), '', "How long after its last commit a consumer's offset is kept (30days; 0: for ever)"),
            Option(('--metrics',), '', 'Answer Prometheus: the SC at this port, the SPUs at the following ones. 0 takes free ports'),
            Option(('--tls',), None, 'Serve TLS with the six files below'),
            Option(('--domain',), '', 'TLS: server name; SPUs are custom-spu-5001.DOMAIN and so on'),
            Option(('--ca-cert',), 'file', 'TLS: path to the CA certificate'),
            Option(('--client-cert',), 'file', 'TLS: path to the client certificate for the profile'),
            Option(('--client-key',), 'file', 'TLS: path to the key of that certificate'),
            Option(('--server-cert',), 'file', 'TLS: path to the server certificate'),
            Option(('--server-key',), 'file', 'TLS: path to the server key'),
            Option(('--skip-profile-creation',), None, 'Leave the profile file alone'),
            Option(('--skip-checks',), None, 'Skip the pre-flight checks, except those that guard the data of a cluster'),
            Option(('--foreground',), None, 'Stay, show what the servers print, and stop them on SIGTERM or Ctrl-C; a cluster that was shut down goes on with its data'),
            Option(('--bundle',), '', "After a failure write the cluster's diagnostics to this archive, or into this directory"),
            Option(('--setup',), None, 'Run the pre-flight checks and stop'),
            *COMMON,
        ),
    ),
    'cluster resume': Node(
        options=(
            Option(('--data-dir',), 'directory', 'Act on the cluster in this directory, whatever the profile says'),
            Option(('--name',), '', 'Act on the cluster that was started with this name, whatever the profile says'),
            *COMMON,
        ),
    ),
    'cluster run': Node(
        options=(
            Option(('--ephemeral',), None, 'On a cluster that is there for this command only'),
            Option(('--spu',), '', 'Number of SPUs'),
            Option(('--topic',), 'topic', 'Create this topic before the command starts (repeatable)'),
            Option(('--topics',), 'topic', 'Create what this file declares before the command starts (docs/declared-state.md)'),
            Option(('--keep-on-failure',), None, 'Keep data and server output when the command fails, and say where'),
            Option(('--bundle',), '', "After a failure write the cluster's diagnostics to this archive, or into this directory"),
            Option(('--junit',), '', 'Write what was found to this file as JUnit XML, for CI'),
            *COMMON,
        ),
        words=('',),
        repeats=True,
    ),
    'cluster upgrade': Node(
        options=(
            Option(('-f', '--force'), None, 'Do not ask'),
            Option(('--local',), None, 'It runs as processes on this machine (what it must be already)'),
            Option(('--read-only',), '', 'Its topics are fixed by this JSON file (which they must be already)'),
            Option(('--spu',), '', 'Number of SPUs: as many, or more'),
            Option(('--data-dir',), 'directory', 'Act on the cluster in this directory, whatever the profile says'),
            Option(('--name',), '', 'Act on the cluster that was started with this name, whatever the profile says'),
            Option(('--log-dir',), 'directory', "Where the servers' output shall go from now on"),
            Option(('--sc-pub-addr',), '', 'Address at which clients shall find the SC; profiles follow'),
            Option(('--sc-priv-addr',), '', 'Address at which SPUs shall find the SC'),
            Option(('--rust-log',), '', 'Log filter of the servers'),
            Option(('--fsync',), '', 'When SPUs sync records to the disk: never, interval:MS or always'),
            Option(('--consumer-offset-ttl',), '', "How long after its last commit a consumer's offset is kept (0: for ever)"),
            Option(('--tls',), None, 'Serve TLS with the six files below'),
            Option(('--domain',), '', 'TLS: server name; SPUs are custom-spu-5001.DOMAIN and so on'),
            Option(('--ca-cert',), 'file', 'TLS: path to the CA certificate'),
            Option(('--client-cert',), 'file', 'TLS: path to the client certificate for the profile'),
            Option(('--client-key',), 'file', 'TLS: path to the key of that certificate'),
            Option(('--server-cert',), 'file', 'TLS: path to the server certificate'),
            Option(('--server-key',), 'file', 'TLS: path to the server key'),
            Option(('--skip-profile-creation',), None, 'Leave the profile file alone'),
            Option(('--skip-checks',), None, 'Do not look whether all metadata can be read'),
            Option(('--setup',), None, 'Only see whether it would work, and stop'),
            *COMMON,
        ),
    ),
    'cluster delete': Node(
        options=(
            Option(('--force',), None, 'Do not ask'),
            Option(('--data-dir',), 'directory', 'Act on the cluster in this directory, whatever the profile says'),
            Option(('--name',), '', 'Act on the cluster that was started with this name, whatever the profile says'),
            *COMMON,
        ),
    ),
    'cluster list': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            *COMMON,
        ),
    ),
    'cluster snapshot': Node(
        options=(
            Option(('--name',), '', 'Act on the cluster that was started with this name, whatever the profile says'),
            Option(('--data-dir',), 'directory', 'Act on the cluster in this directory, whatever the profile says'),
            Option(('--to',), '', 'Directory that the snapshot is put in (~/.fluvio/snapshots)'),
            Option(('--list',), None, 'List the snapshots that are there'),
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format of `--list`'),
            *COMMON,
        ),
        words=('',),
    ),
    'cluster restore': Node(
        options=(
            Option(('--from',), 'profile', 'Directory that has the snapshot (~/.fluvio/snapshots)'),
            Option(('--force',), None, 'Do not ask'),
            *COMMON,
        ),
        words=('',),
    ),
    'cluster fork': Node(
        options=(
            Option(('--snapshot',), None, 'NAME is that of a snapshot, not of a cluster'),
            Option(('--from',), '', 'Directory that has the snapshot (~/.fluvio/snapshots)'),
            Option(('--skip-profile-creation',), None, 'Leave the profile file alone'),
            *COMMON,
        ),
        words=('profile', ''),
    ),
    'cluster spu': Node(
        options=(
            *COMMON,
        ),
        commands={
            'register': 'Register a custom SPU with the cluster',
            'unregister': 'Unregister a custom SPU from the cluster',
            'list': 'List all SPUs known by the cluster',
        },
    ),
    'cluster spu register': Node(
        options=(
            Option(('-i', '--id'), '', 'SPU id'),
            Option(('-p', '--public-server'), '', 'Address for clients'),
            Option(('-v', '--private-server'), '', 'Address for other SPUs'),
            Option(('-n', '--name'), '', 'Name of the SPU (default: custom-spu-<id>)'),
            Option(('-r', '--rack'), '', 'Rack in which the SPU stands'),
            Option(('-l', '--public-server-local'), '', 'Second address for clients, for those inside the network'),
            *COMMON,
        ),
    ),
    'cluster spu unregister': Node(
        options=(
            Option(('-i', '--id'), 'spu', 'Unregister by id; needed unless `--name` is given'),
            Option(('-n', '--name'), '', 'Unregister by name'),
            Option(('--force',), None, 'Even if it has the only copy of partitions, whose records are out of reach then'),
            *COMMON,
        ),
    ),
    'cluster spu list': Node(
        options=(
            Option(('--custom',), None, 'List only SPUs that somebody registered'),
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            *COMMON,
        ),
    ),
    'cluster diagnostics': Node(
        options=(
            Option(('--quiet',), None, 'Do not print what is collected'),
            Option(('--output',), '', 'The archive, or a directory for it (by default the working directory)'),
            Option(('--data-dir',), 'directory', 'Act on the cluster in this directory, whatever the profile says'),
            Option(('--name',), '', 'Act on the cluster that was started with this name, whatever the profile says'),
            Option(('--verbose',), None, 'Print what the client does, and what led to an error'),
            Option(('--timeout',), '', 'End the command with exit code 5 when it takes longer, such as 10s'),
        ),
    ),
    'cluster status': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json', 'toml'), 'Output format'),
            Option(('--name',), '', 'Act on the cluster that was started with this name, whatever the profile says'),
            *COMMON,
        ),
    ),
    'cluster check': Node(
        options=(
            Option(('--fix',), None, 'Repair what can be repaired without risk'),
            Option(('--junit',), '', 'Write what was found to this file as JUnit XML, for CI'),
            Option(('--name',), '', 'Act on the cluster that was started with this name, whatever the profile says'),
            *COMMON,
        ),
    ),
    'cluster health': Node(
        options=(
            Option(('--wait',), None, 'Try again until the cluster is healthy'),
            Option(('--timeout',), '', 'How long it may take in all (10, with `--wait` 60)'),
            Option(('-O', '--output'), ('table', 'json', 'yaml'), 'Output format'),
            Option(('--junit',), '', 'Write what was found to this file as JUnit XML, for CI'),
            Option(('--name',), '', 'Act on the cluster that was started with this name, whatever the profile says'),
            Option(('--quiet',), None, 'Print results and errors, nothing else'),
            Option(('--verbose',), None, 'Print what the client does, and what led to an error'),
        ),
    ),
    'cluster shutdown': Node(
        options=(
            Option(('--data-dir',), 'directory', 'Act on the cluster in this directory, whatever the profile says'),
            Option(('--name',), '', 'Act on the cluster that was started with this name, whatever the profile says'),
            *COMMON,
        ),
    ),
    'cluster stop': Node(
        options=(
            Option(('--data-dir',), 'directory', 'Act on the cluster in this directory, whatever the profile says'),
            Option(('--name',), '', 'Act on the cluster that was started with this name, whatever the profile says'),
            *COMMON,
        ),
    ),
    'plan': Node(
        options=(
            Option(('-f', '--file'), 'file', 'YAML, TOML or JSON file, directory of such files, or `-`; may be repeated'),
            Option(('--prune',), None, 'Count what is there and not declared as to be deleted'),
            Option(('-O', '--output'), ('table', 'json', 'yaml'), 'Output format'),
            Option(('--junit',), '', 'Write what was found to this file as JUnit XML, for CI'),
            *COMMON,
        ),
    ),
    'apply': Node(
        options=(
            Option(('-f', '--file'), 'file', 'YAML, TOML or JSON file, directory of such files, or `-`; may be repeated'),
            Option(('--prune',), None, 'Delete what is there and not declared'),
            Option(('-y', '--yes'), None, 'Do not ask'),
            Option(('-O', '--output'), ('table', 'json', 'yaml'), 'Output format'),
            *COMMON,
        ),
    ),
    'export': Node(
        options=(
            Option(('-O', '--output'), ('yaml', 'toml', 'json'), 'Output format'),
            Option(('--only',), ('topics', 'table-formats', 'profiles'), 'Print this section only; may be repeated'),
            Option(('--schema',), None, 'Print the JSON schema of declarations instead'),
            *COMMON,
        ),
    ),
    'benchmark': Node(
        options=(
            *COMMON,
        ),
        commands={
            'matrix': 'Run a series of benchmarks',
            'producer': 'Measure how fast records are stored',
            'consumer': 'Measure how fast records are read',
            'end-to-end': 'Measure how long records take from a producer to a consumer',
        },
    ),
    'benchmark matrix': Node(
        options=(
            Option(('-c', '--config'), 'file', 'YAML file: settings, each with a value or a list of values'),
            Option(('-O', '--output'), ('table', 'yaml', 'json'), 'Output format'),
            Option(('--compare',), 'file', 'Compare with what `-O json` printed earlier'),
            Option(('--fail-above',), '', 'With --compare: end with exit code 8 when a figure is worse by more'),
            *COMMON,
        ),
    ),
    'benchmark producer': Node(
        options=(
            Option(('-b', '--batch-size'), '', 'Bytes of a batch'),
            Option(('-q', '--queue-size'), '', 'Batches that may wait'),
            Option(('--max-request-size',), '', 'Bytes of a request, at most'),
            Option(('-l', '--linger'), '', 'Delay of a batch that waits for more records'),
            Option(('--server-timeout',), '', 'Time-out on the server'),
            Option(('-c', '--compression'), ('none', 'gzip', 'snappy', 'zstd', 'lz4'), 'Compression of batches'),
            Option(('--num-samples',), '', 'Number of samples'),
            Option(('--time-between-samples',), '', 'Pause between samples'),
            Option(('--worker-timeout',), '', 'Limit of the time of a worker'),
            Option(('--record-key-allocation-strategy',), ('no-key', 'all-share-same-key', 'producer-worker-unique-key', 'random-key'), 'How keys are chosen'),
            Option(('--num-producers',), '', 'Producers side by side'),
            Option(('--num-records',), '', 'Records per run, that is per sample'),
            Option(('--record-size',), '', "Bytes of each record's value"),
            Option(('-p', '--partitions'), '', 'Partitions of a new topic'),
            Option(('-r', '--replicas'), '', 'Replicas of a new topic'),
            Option(('-t', '--topic-name'), '', 'Topic to use; one that is there already is never deleted'),
            Option(('-k', '--keep-topic'), None, 'Do not delete the topic afterwards'),
            Option(('--ignore-rack',), None, 'Ignore racks when placing replicas'),
            Option(('--rate',), '', 'Records a second in all, latency counting from when one was due; at full speed when absent'),
            Option(('--warm-up',), '', 'Records before each sample that do not count'),
            Option(('-O', '--output'), ('table', 'yaml', 'json'), 'Output format'),
            Option(('--compare',), 'file', 'Compare with what `-O json` printed earlier'),
            Option(('--fail-above',), '', 'With --compare: end with exit code 8 when a figure is worse by more'),
            *COMMON,
        ),
    ),
    'benchmark consumer': Node(
        options=(
            Option(('--num-records',), '', 'Records per run, that is per sample'),
            Option(('--record-size',), '', "Bytes of each record's value"),
            Option(('--num-samples',), '', 'Number of samples'),
            Option(('-p', '--partitions'), '', 'Partitions of a new topic'),
            Option(('-t', '--topic-name'), '', 'Topic to use; one that is there already is never deleted'),
            Option(('-k', '--keep-topic'), None, 'Do not delete the topic afterwards'),
            Option(('--warm-up',), '', 'Records before each sample that do not count'),
            Option(('-O', '--output'), ('table', 'yaml', 'json'), 'Output format'),
            Option(('--compare',), 'file', 'Compare with what `-O json` printed earlier'),
            Option(('--fail-above',), '', 'With --compare: end with exit code 8 when a figure is worse by more'),
            *COMMON,
        ),
    ),
    'benchmark end-to-end': Node(
        options=(
            Option(('--rate',), '', 'Records a second in all, latency counting from when one was due; at full speed when absent'),
            Option(('--num-records',), '', 'Records per run, that is per sample'),
            Option(('--record-size',), '', "Bytes of each record's value"),
            Option(('--warm-up',), '', 'Records before each sample that do not count'),
            Option(('--num-samples',), '', 'Number of samples'),
            Option(('-b', '--batch-size'), '', 'Bytes of a batch'),
            Option(('-l', '--linger'), '', 'Delay of a batch that waits for more records'),
            Option(('-c', '--compression'), ('none', 'gzip', 'snappy', 'zstd', 'lz4'), 'Compression of batches'),
            Option(('-p', '--partitions'), '', 'Partitions of a new topic'),
            Option(('-t', '--topic-name'), '', 'Topic to use; one that is there already is never deleted'),
            Option(('-k', '--keep-topic'), None, 'Do not delete the topic afterwards'),
            Option(('-O', '--output'), ('table', 'yaml', 'json'), 'Output format'),
            Option(('--compare',), 'file', 'Compare with what `-O json` printed earlier'),
            Option(('--fail-above',), '', 'With --compare: end with exit code 8 when a figure is worse by more'),
            *COMMON,
        ),
    ),
    'generate': Node(
        options=(
            Option(('--schema',), '', 'What records look like: a file, or orders, clicks or sensors'),
            Option(('-n', '--count'), '', 'So many records (default: no end)'),
            Option(('--keys',), '', 'Keys by zipf:N, uniform:N or round-robin:N, not by the schema'),
            Option(('--seed',), '', 'The same seed makes the same records'),
            Option(('--start-time',), '', 'Time of the first record; others follow at the rate (default: by the clock)'),
            Option(('--skip',), '', 'Leave out the first, to go on after them'),
            Option(('--rate',), '', 'Records a second (default: at full speed)'),
            Option(('--partitions',), '', 'Create the topic with so many partitions if it does not exist'),
            Option(('--compression',), ('none', 'gzip', 'snappy', 'zstd', 'lz4'), 'Compress batches with none, gzip, snappy, lz4 or zstd (default: what the topic demands)'),
            Option(('--print',), None, 'Print the records to standard output; no cluster is needed'),
            Option(('--key-separator',), '', 'Print each key and this text before its value'),
            *COMMON,
        ),
        words=('topic',),
    ),
    'tap': Node(
        options=(
            Option(('--listen',), '', 'Where clients shall connect to'),
            Option(('--to',), '', "The cluster's controller, without TLS (default: that of the profile, with its TLS)"),
            Option(('--record',), '', 'Keep all frames in this file'),
            Option(('--read',), '', 'Show a recording; no proxy'),
            Option(('-O', '--output', '--format'), ('text', 'json'), 'A line of text, or an object of JSON, for each request and answer'),
            Option(('--records',), None, 'Show the records, not only how many there are'),
            Option(('--filter',), '', 'Show these APIs only, such as `produce,watch`'),
            Option(('--only-sc',), None, 'Change no addresses: clients go to the SPUs past this proxy'),
            *COMMON,
        ),
    ),
    'top': Node(
        options=(
            Option(('--interval',), '', 'Time between two samples, such as 500ms; 1s if not given'),
            Option(('-O', '--output'), ('screen', 'json', 'yaml'), 'Live view, or one sample for programs'),
            *COMMON,
        ),
    ),
    'explain': Node(
        options=(
            Option(('-O', '--output'), ('table', 'yaml', 'json'), 'Output format'),
            *COMMON,
        ),
        words=('',),
    ),
    'doctor': Node(
        options=(
            Option(('--fix',), None, 'Repair what can be repaired without risk'),
            Option(('-O', '--output'), ('table', 'json', 'yaml'), 'Output format'),
            Option(('--junit',), '', 'Write what was found to this file as JUnit XML, for CI'),
            *COMMON,
        ),
    ),
    'version': Node(
        options=(
            Option(('-j', '--json'), None, 'Print as JSON'),
            *COMMON,
        ),
    ),
    'completions': Node(
        options=(
            *COMMON,
        ),
        commands={
            'bash': 'Print the completion script for bash',
            'zsh': 'Print the completion script for zsh',
            'fish': 'Print the completion script for fish',
            'powershell': 'Print the completion script for PowerShell',
            'install': 'Install the completion script for a shell',
            'uninstall': 'Remove the completion script of a shell',
        },
    ),
    'completions bash': Node(
        options=(
            Option(('--name',), '', 'Name of the command to complete'),
            *COMMON,
        ),
    ),
    'completions zsh': Node(
        options=(
            Option(('--name',), '', 'Name of the command to complete'),
            *COMMON,
        ),
    ),
    'completions fish': Node(
        options=(
            Option(('--name',), '', 'Name of the command to complete'),
            *COMMON,
        ),
    ),
    'completions powershell': Node(
        options=(
            Option(('--name',), '', 'Name of the command to complete'),
            *COMMON,
        ),
    ),
    'completions install': Node(
        options=(
            Option(('--shell',), ('bash', 'zsh', 'fish', 'powershell'), 'The shell; when absent the one that SHELL names'),
            *COMMON,
        ),
    ),
    'completions uninstall': Node(
        options=(
            Option(('--shell',), ('bash', 'zsh', 'fish', 'powershell'), 'The shell; when absent the one that SHELL names'),
            *COMMON,
        ),
    ),
    'metadata': Node(
        options=(
            *COMMON,
        ),
    ),
    '__refresh': Node(
        options=(
            *COMMON,
        ),
    ),
}
_ALIASES = {'tf': 'table-format', 'bench': 'benchmark'}
TREE: Mapping[str, Node] = _NODES | {
    alias + path.removeprefix(name): node
    for alias, name in _ALIASES.items()
    for path, node in _NODES.items()
    if f"{path} ".startswith(f"{name} ")
}
