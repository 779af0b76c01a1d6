// kafkajs: administration.

import assert from 'node:assert/strict'
import kafkajs from 'kafkajs'
import { News } from '../news.mjs'
import { Suite, equal } from '../harness.mjs'
import { range, record } from '../records.mjs'
import { NAME, VERSION, connect, createTopic } from './client.mjs'
import { Member } from './groups.mjs'
import { Client } from './records.mjs'

const { TOPIC, BROKER } = kafkajs.ConfigResourceTypes
const SIZE = 'max.message.bytes'

const address = process.argv[2]
const kafka = connect(address)
const client = new Client(address)
const admin = kafka.admin()
const suite = new Suite(NAME, VERSION, 'admin')

async function makeTopic(name, { partitions = 2, records = 0 } = {}) {
  const topic = `kafkajs-admin-${name}`
  await createTopic(kafka, topic, partitions)
  if (records)
    await client.produce(
      topic,
      0,
      range(records).map(n => record(null, `${n}`))
    )
  return topic
}

/** A group with an offset and without members. */
async function makeGroup(name) {
  const topic = await makeTopic(name, { records: 10 })
  const news = new News()
  const member = await Member.join(address, topic, topic, { news })
  await news.until(() => member.partitions.length === 2, 'an assignment')
  await member.commit([[0, 5]])
  await member.close()
  return topic
}

async function partitionsOf(topic) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0].partitions.map(at => at.partitionId).toSorted()
}

async function configsOf(type, name) {
  const asked = { resources: [{ type, name }], includeSynonyms: false }
  const { resources } = await admin.describeConfigs(asked)
  const entries = resources[0].configEntries
  return Object.fromEntries(entries.map(entry => [entry.configName, entry.configValue]))
}

async function offsetsOf(groupId) {
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [groupId] })
  const committed = partitions.filter(at => at.offset !== '-1')
  return committed.map(at => [at.partition, Number(at.offset)]).toSorted()
}

/** Fails unless the promise is refused with this error of the client. */
async function refused(promise, type) {
  await assert.rejects(promise, error => {
    // Of one topic or group, or what was found when the retries were used up.
    const [first] = error.errors ?? error.groups ?? [error.cause ?? error]
    equal(first.error?.type ?? first.type, type, 'error')
    return true
  })
}

suite.check('create-topics', async () => {
  const configEntries = [{ name: SIZE, value: '2000000' }]
  const topics = [{ topic: 'kafkajs-new', numPartitions: 3, configEntries }]
  await admin.createTopics({ topics, validateOnly: true, waitForLeaders: false })
  assert(!(await admin.listTopics()).includes('kafkajs-new'), 'made by a look')
  await admin.createTopics({ topics })
  equal(await partitionsOf('kafkajs-new'), [0, 1, 2], 'partitions')
  equal((await configsOf(TOPIC, 'kafkajs-new'))[SIZE], '2000000', 'configuration')
})

suite.check('delete-topics', async () => {
  const topic = await makeTopic('gone')
  await admin.deleteTopics({ topics: [topic] })
  assert(!(await admin.listTopics()).includes(topic), 'still listed')
})

suite.check('describe-topics', async () => {
  const topic = await makeTopic('described')
  assert((await admin.listTopics()).includes(topic), 'not listed')
  equal(await partitionsOf(topic), [0, 1], 'partitions')
})

suite.check('create-partitions', async () => {
  const topic = await makeTopic('more-partitions')
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  equal(await partitionsOf(topic), [0, 1, 2, 3, 4], 'partitions')
  const fewer = admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
  await refused(fewer, 'INVALID_PARTITIONS')
})

suite.check('describe-configs', async () => {
  const found = await configsOf(TOPIC, await makeTopic('configured'))
  equal(found['cleanup.policy'], 'delete', 'cleanup.policy')
  const { brokers } = await admin.describeCluster()
  const ofBroker = await configsOf(BROKER, String(brokers[0].nodeId))
  assert(Object.keys(ofBroker).length, 'a broker without configurations')
})

suite.check('alter-configs', async () => {
  const name = await makeTopic('altered')
  const configEntries = [{ name: SIZE, value: '3000000' }]
  const resources = [{ type: TOPIC, name, configEntries }]
  await admin.alterConfigs({ validateOnly: false, resources })
  equal((await configsOf(TOPIC, name))[SIZE], '3000000', 'configuration')
})

suite.check('describe-cluster', async () => {
  const { brokers, controller, clusterId } = await admin.describeCluster()
  assert(clusterId, 'a cluster without a name')
  equal(
    brokers.map(broker => broker.nodeId),
    [controller],
    'nodes'
  )
})

suite.check('list-offsets', async () => {
  const found = await admin.fetchTopicOffsets(await makeTopic('offsets', { records: 7 }))
  const first = found.find(at => at.partition === 0)
  equal([first.low, first.high], ['0', '7'], 'offsets')
})

suite.check('delete-records', async () => {
  const topic = await makeTopic('shortened', { records: 10 })
  // Looks for leaders among the topics it knows already: it is told of this one.
  await admin.fetchTopicOffsets(topic)
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] })
  equal(await client.watermarks(topic, 0), [4, 10], 'watermarks')
  equal((await client.read(topic, 0, 4, 1))[0].offset, 4, 'first record')
})

suite.check('list-groups', async () => {
  const group = await makeGroup('listed')
  const { groups } = await admin.listGroups()
  assert(
    groups.some(one => one.groupId === group),
    'not listed'
  )
})

suite.check('describe-groups', async () => {
  const topic = await makeTopic('described-group')
  const news = new News()
  const member = await Member.join(address, topic, topic, { news })
  await news.until(() => member.partitions.length === 2, 'an assignment')
  const { groups } = await admin.describeGroups([topic])
  equal([groups[0].state, groups[0].members.length], ['Stable', 1], 'group')
  await refused(admin.deleteGroups([topic]), 'NON_EMPTY_GROUP')
  await member.close()
})

suite.check('delete-groups', async () => {
  const group = await makeGroup('deleted-group')
  await admin.deleteGroups([group])
  await refused(admin.deleteGroups([group]), 'GROUP_ID_NOT_FOUND')
})

suite.check('list-group-offsets', async () => {
  equal(await offsetsOf(await makeGroup('group-offsets')), [[0, 5]], 'offsets')
})

suite.check('alter-group-offsets', async () => {
  const topic = await makeGroup('altered-offsets')
  const partitions = [
    { partition: 0, offset: '2' },
    { partition: 1, offset: '0' }
  ]
  await admin.setOffsets({ groupId: topic, topic, partitions })
  const expected = [
    [0, 2],
    [1, 0]
  ]
  equal(await offsetsOf(topic), expected, 'offsets')
})

suite.check('error-topic-exists', async () => {
  const topic = await makeTopic('twice')
  // kafkajs tells it by its answer; every other error is thrown.
  equal(await admin.createTopics({ topics: [{ topic }] }), false, 'answer')
})

suite.check('error-unknown-topic', async () => {
  await refused(admin.deleteTopics({ topics: ['nowhere'] }), 'UNKNOWN_TOPIC_OR_PARTITION')
})

suite.check('error-bad-config', async () => {
  for (const [name, value] of [
    ['no.such.config', '1'],
    [SIZE, 'many']
  ]) {
    const topics = [{ topic: 'kafkajs-bad', configEntries: [{ name, value }] }]
    await refused(admin.createTopics({ topics }), 'INVALID_CONFIG')
  }
})

suite.notOffered('incremental-alter-configs')
suite.notOffered('describe-log-dirs')
suite.notOffered('delete-group-offsets')

await admin.connect()
await suite.run()
