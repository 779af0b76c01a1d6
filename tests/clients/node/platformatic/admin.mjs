// @platformatic/kafka: administration.

import { NAME, VERSION, createTopic, settings } from './client.mjs'
import assert from 'node:assert/strict'
import {
  Admin,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes
} from '@platformatic/kafka'
import { Suite, equal } from '../harness.mjs'
import { News } from '../news.mjs'
import { range, record } from '../records.mjs'
import { Member } from './groups.mjs'
import { Client } from './records.mjs'

const { TOPIC, BROKER } = ConfigResourceTypes
const SIZE = 'max.message.bytes'

const address = process.argv[2]
const client = new Client(address)
const admin = new Admin(settings(address))
const suite = new Suite(NAME, VERSION, 'admin')

async function makeTopic(name, { partitions = 2, records = 0 } = {}) {
  const topic = `platformatic-admin-${name}`
  await createTopic(address, topic, partitions)
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
  await alterOffsets(topic, [{ partition: 0, offset: 5n }])
  return topic
}

async function alterOffsets(name, partitionOffsets) {
  await admin.alterConsumerGroupOffsets({ groupId: name, topics: [{ name, partitionOffsets }] })
}

async function partitionsOf(topic) {
  const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true })
  return topics.get(topic).partitionsCount
}

async function configsOf(resourceType, resourceName) {
  const [found] = await admin.describeConfigs({ resources: [{ resourceType, resourceName }] })
  return Object.fromEntries(found.configs.map(({ name, value }) => [name, value]))
}

async function offsetsOf(groupId) {
  const [{ topics }] = await admin.listConsumerGroupOffsets({ groups: [groupId] })
  const partitions = topics.flatMap(topic => topic.partitions)
  return partitions.map(at => [at.partitionIndex, Number(at.committedOffset)]).toSorted()
}

/** Fails unless the promise is refused with this error of the client. */
async function refused(promise, apiId) {
  await assert.rejects(promise, error => {
    assert(error.findBy('apiId', apiId), `${error} is not ${apiId}`)
    return true
  })
}

suite.check('create-topics', async () => {
  const topics = ['platformatic-new']
  const configs = [{ name: SIZE, value: '2000000' }]
  const [made] = await admin.createTopics({ topics, partitions: 3, replicas: 1, configs })
  equal([made.name, made.partitions], ['platformatic-new', 3], 'answer')
  equal(await partitionsOf('platformatic-new'), 3, 'partitions')
  equal((await configsOf(TOPIC, 'platformatic-new'))[SIZE], '2000000', 'configuration')
})

suite.check('delete-topics', async () => {
  const topic = await makeTopic('gone')
  await admin.deleteTopics({ topics: [topic] })
  assert(!(await admin.listTopics()).includes(topic), 'still listed')
})

suite.check('describe-topics', async () => {
  const topic = await makeTopic('described')
  assert((await admin.listTopics()).includes(topic), 'not listed')
  equal(await partitionsOf(topic), 2, 'partitions')
})

suite.check('create-partitions', async () => {
  const name = await makeTopic('more-partitions')
  await admin.createPartitions({ topics: [{ name, count: 5, assignments: null }] })
  equal(await partitionsOf(name), 5, 'partitions')
  const fewer = { topics: [{ name, count: 3, assignments: null }] }
  await refused(admin.createPartitions(fewer), 'INVALID_PARTITIONS')
})

suite.check('describe-configs', async () => {
  const found = await configsOf(TOPIC, await makeTopic('configured'))
  equal(found['cleanup.policy'], 'delete', 'cleanup.policy')
  const { brokers } = await admin.metadata({ topics: [] })
  const ofBroker = await configsOf(BROKER, String([...brokers.keys()][0]))
  assert(Object.keys(ofBroker).length, 'a broker without configurations')
})

suite.check('incremental-alter-configs', async () => {
  const resourceName = await makeTopic('incremental')
  const before = (await configsOf(TOPIC, resourceName))[SIZE]
  const { SET, DELETE } = IncrementalAlterConfigOperationTypes
  for (const [configOperation, value, expected] of [
    [SET, '2000000', '2000000'],
    [DELETE, null, before]
  ]) {
    const configs = [{ name: SIZE, configOperation, value }]
    const resources = [{ resourceType: TOPIC, resourceName, configs }]
    await admin.incrementalAlterConfigs({ resources })
    equal((await configsOf(TOPIC, resourceName))[SIZE], expected, 'configuration')
  }
})

suite.check('alter-configs', async () => {
  const resourceName = await makeTopic('altered')
  const configs = [{ name: SIZE, value: '3000000' }]
  await admin.alterConfigs({ resources: [{ resourceType: TOPIC, resourceName, configs }] })
  equal((await configsOf(TOPIC, resourceName))[SIZE], '3000000', 'configuration')
})

suite.check('describe-cluster', async () => {
  const { id, brokers, controllerId } = await admin.metadata({ topics: [] })
  assert(id, 'a cluster without a name')
  equal([...brokers.keys()], [controllerId], 'nodes')
})

suite.check('describe-log-dirs', async () => {
  const name = await makeTopic('on-disk', { records: 10 })
  const [{ results }] = await admin.describeLogDirs({ topics: [{ name, partitions: [0, 1] }] })
  const partitions = results.flatMap(one => one.topics).flatMap(topic => topic.partitions)
  equal(partitions.map(at => at.partitionIndex).toSorted(), [0, 1], 'partitions')
  const first = partitions.find(at => at.partitionIndex === 0)
  assert(first.partitionSize > 0n, 'ten records without a byte')
})

suite.check('list-offsets', async () => {
  equal(await client.watermarks(await makeTopic('offsets', { records: 7 }), 0), [0, 7], 'offsets')
})

suite.check('delete-records', async () => {
  const name = await makeTopic('shortened', { records: 10 })
  const partitions = [{ partition: 0, offset: 4n }]
  const [found] = await admin.deleteRecords({ topics: [{ name, partitions }] })
  equal(found.partitions[0].lowWatermark, 4n, 'first offset')
  equal(await client.watermarks(name, 0), [4, 10], 'watermarks')
  equal((await client.read(name, 0, 4, 1))[0].offset, 4, 'first record')
})

suite.check('list-groups', async () => {
  const group = await makeGroup('listed')
  equal((await admin.listGroups()).get(group)?.state, 'Empty', 'state')
})

suite.check('describe-groups', async () => {
  const topic = await makeTopic('described-group')
  const news = new News()
  const member = await Member.join(address, topic, topic, { assignor: 'roundrobin', news })
  await news.until(() => member.partitions.length === 2, 'an assignment')
  const group = (await admin.describeGroups({ groups: [topic] })).get(topic)
  equal([group.state, group.protocol, group.members.size], ['Stable', 'roundrobin', 1], 'group')
  await refused(admin.deleteGroups({ groups: [topic] }), 'NON_EMPTY_GROUP')
  await member.close()
})

suite.check('delete-groups', async () => {
  const group = await makeGroup('deleted-group')
  await admin.deleteGroups({ groups: [group] })
  await refused(admin.deleteGroups({ groups: [group] }), 'GROUP_ID_NOT_FOUND')
})

suite.check('list-group-offsets', async () => {
  equal(await offsetsOf(await makeGroup('group-offsets')), [[0, 5]], 'offsets')
})

suite.check('alter-group-offsets', async () => {
  const group = await makeGroup('altered-offsets')
  await alterOffsets(group, [
    { partition: 0, offset: 2n },
    { partition: 1, offset: 0n }
  ])
  equal(
    await offsetsOf(group),
    [
      [0, 2],
      [1, 0]
    ],
    'offsets'
  )
})

suite.check('delete-group-offsets', async () => {
  const group = await makeGroup('deleted-offsets')
  const topics = [{ name: group, partitionIndexes: [0] }]
  await admin.deleteConsumerGroupOffsets({ groupId: group, topics })
  equal(await offsetsOf(group), [], 'offsets')
})

suite.check('error-topic-exists', async () => {
  const topic = await makeTopic('twice')
  const again = admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 })
  await refused(again, 'TOPIC_ALREADY_EXISTS')
})

suite.check('error-unknown-topic', async () => {
  await refused(admin.deleteTopics({ topics: ['nowhere'] }), 'UNKNOWN_TOPIC_OR_PARTITION')
})

suite.check('error-bad-config', async () => {
  for (const [name, value] of [
    ['no.such.config', '1'],
    [SIZE, 'many']
  ]) {
    const wanted = { topics: ['platformatic-bad'], partitions: 1, replicas: 1 }
    const made = admin.createTopics({ ...wanted, configs: [{ name, value }] })
    await refused(made, 'INVALID_CONFIG')
  }
})

await suite.run()
