"""Ports, sizes and times that more than one room needs. Source: docs/protocol.md, "Defaults"."""

# The release of the protocol and of the metadata format that this program speaks; servers report it,
# clients refuse less than MIN_PLATFORM_VERSION.
PLATFORM_VERSION = "0.18.2"
MIN_PLATFORM_VERSION = (0, 9, 0)

SC_PUBLIC_PORT = 9003
SC_PRIVATE_PORT = 9004
SPU_PUBLIC_PORT = 9005
SPU_PRIVATE_PORT = 9006
LOCAL_SPU_ID_BASE = 5001
LOCAL_SPU_PUBLIC_PORT_BASE = 9010  # SPU number i listens at base + 10 * i, and one above for its peers
LOCAL_SPU_PORT_STEP = 10

MAX_FRAME_BYTES = 64 * 1024 * 1024
MAX_REQUEST_BYTES = 33_554_432  # one produce batch
FETCH_MAX_BYTES = 1_048_890  # one stream fetch response, as official clients ask
SLICE_MAX_BYTES = 4 * 1024 * 1024  # the same, as our client asks, and at most in our SPU

SEGMENT_BYTES = 1_073_741_824
PARTITION_BYTES = 107_374_182_400
RETENTION_S = 604_800
INDEX_INTERVAL_BYTES = 4096

BATCH_BYTES = 16_384
PRODUCE_REQUEST_BYTES = 1_048_576
PRODUCE_TIMEOUT_MS = 1_500
SOCKET_WAIT_S = 60.0
METADATA_TIMEOUT_MS = 60_000

CONSUMER_OFFSET_TOPIC = "consumer-offset"
CONSUMER_OFFSET_TTL_S = 2_592_000  # after the last commit; ours, the official engine has none
