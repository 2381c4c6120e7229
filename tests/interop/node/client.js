// One task of the official Node client: `node client.js HOST PORT TASK JSON`, run where it is installed.
// Prints the task's result as one JSON line; any error ends it with exit code 1.
'use strict'
const { createRequire } = require('module')
const path = require('path')

const { default: Fluvio, Offset } = createRequire(path.join(process.cwd(), 'package.json'))('@fluvio/client')
const [host, port, task, parameters] = process.argv.slice(2)

async function read(client, topic, partition, offset, count) {
  const consumer = await client.partitionConsumer(topic, partition)
  const rows = []
  for await (const record of await consumer.createStream(offset)) {
    rows.push([record.hasKey() ? record.keyString() : null, record.valueString()])
    if (rows.length === count) break
  }
  return rows
}

async function failure(call) {
  const begin = Date.now()
  try {
    await call()
    return ['no error', Date.now() - begin]
  } catch (error) {
    return [String(error.message ?? error), Date.now() - begin]
  }
}

const tasks = {
  async admin(client, { topic, partitions }) {
    const admin = await client.admin()
    await admin.createTopic(topic, { partitions, replicationFactor: 1, ignoreRackAssignment: false })
    const found = {
      created: await admin.findTopic(topic),
      topics: await admin.listTopic(),
      spus: await admin.listSpu(),
      partitions: await admin.listPartitions(),
      partition: await admin.findPartition(topic), // the first one
    }
    await admin.deleteTopic(topic)
    return { ...found, afterwards: await admin.listTopic() }
  },

  async produce(client, { topic }) {
    const producer = await client.topicProducer(topic)
    await producer.sendRecord('without a key', 0)
    await producer.send('key', 'with a key')
    await producer.sendAll([['a', 'first of many'], ['b', 'second of many']])
    await producer.flush()
    return null
  },

  async consume(client, { topic, partition, count }) {
    return read(client, topic, partition, Offset.FromBeginning(), count)
  },

  // Records of one key, sent one by one and in lists, read by the same process.
  async exchange(client, { topic, count }) {
    const producer = await client.topicProducer(topic)
    const half = count / 2
    for (let number = 0; number < half; number++) await producer.send(`k${number % 7}`, `${number}`)
    const rest = Array.from({ length: half }, (_, index) => [`k${(half + index) % 7}`, `${half + index}`])
    await producer.sendAll(rest)
    await producer.flush()
    return read(client, topic, 0, Offset.FromBeginning(), count)
  },

  async refused(client, { topic }) {
    const admin = await client.admin()
    return {
      create: await failure(() => admin.createTopic(topic, { partitions: 1, replicationFactor: 1 })),
      delete: await failure(() => admin.deleteTopic('nowhere')),
      produce: await failure(async () => {
        const producer = await client.topicProducer('nowhere')
        await producer.send('k', 'v')
      }),
    }
  },
}

async function main() {
  const client = await Fluvio.connect({ host, port: Number(port) })
  return tasks[task](client, JSON.parse(parameters))
}

main().then(
  (result) => {
    // The native addon keeps the event loop alive: there is no way to close the client.
    process.stdout.write(JSON.stringify(result ?? null) + '\n', () => process.exit(0))
  },
  (error) => {
    process.stderr.write(`${error.stack ?? error}\n`, () => process.exit(1))
  },
)
