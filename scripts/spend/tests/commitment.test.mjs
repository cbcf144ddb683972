// Commit and reveal: paid is who committed to the input, in a block deep enough.

import { strict as assert } from 'node:assert'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { Hash, LockingScript, MerklePath, OP, Transaction, Utils } from '@bsv/sdk'
import { ContractError, OnnxClassifier } from '../onnx-classifier.js'
import {
  compile,
  findHeader,
  hashOf,
  mine,
  onnx2script,
  pay,
  person,
  replay,
  samples,
  samplesFile,
  scratchFile,
  snatch,
  spend,
  verdict
} from '../playground.mjs'

const [funder, solver, thief] = ['funder', 'solver', 'thief'].map(person)
const BLOCKS = 3
const { classifier, file } = compile('toy_2-2-2', '--commit-reveal', `${BLOCKS}:207fffff`)
const input = samples('toy')[0]
const claim = classifier.answer(input)
const coin = await pay(funder, classifier.lock(), 20_000)
const commitment = classifier.commit(input, solver.toAddress())
const refused = words => error => error instanceof ContractError && words.test(error.message)

/** A transaction that publishes a commitment. */
const publish = ({ outputScript }) => pay(solver, LockingScript.fromHex(outputScript), 0)
const committing = await publish(commitment)

/** The hash of a header, as it is shown. */
const idOf = header => Utils.toHex(Hash.hash256(Utils.toArray(header, 'hex')).reverse())

/** The proof that it lies in a block, among others. */
function proven(tx, place = 2, others = 4, blocks = BLOCKS) {
  const { headers, merklePath } = mine(tx, { place, others, blocks })
  return OnnxClassifier.proof(tx, headers, merklePath)
}

const proof = proven(committing)
const unlock = (changes = {}) => classifier.unlock(input, claim, { privateKey: solver, commitment, proof, ...changes })

test('who committed is paid, and nobody else', async () => {
  const right = await spend(coin, unlock(), solver)
  assert.equal(verdict(right), 'OK')
  assert.match(verdict(await spend(coin, snatch(right, thief), thief)), /OP_EQUALVERIFY/)
  assert.match(verdict(await spend(coin, replay(right), thief)), /truthy/)
  const wrong = classifier.unlock(input, 1 - claim, { privateKey: solver, commitment, proof })
  assert.match(verdict(await spend(coin, wrong, solver)), /OP_VERIFY requires/)
})

test('an expected class, and a refund beside it', async () => {
  const options = ['--commit-reveal', '1:207fffff', '--lock-until', '900000', '--refund', hashOf(funder)]
  const { classifier } = compile('toy_2-2-2', '--contract', `expect:${claim}`, ...options)
  const coin = await pay(funder, classifier.lock(), 20_000)
  const commitment = classifier.commit(input, hashOf(solver))
  const proof = proven(await publish(commitment), 0, 1, 1)
  const template = classifier.unlock(input, undefined, { privateKey: solver, commitment, proof })
  assert.equal(verdict(await spend(coin, template, solver)), 'OK')
  const due = { lockTime: 900_000, sequence: 0 }
  assert.equal(verdict(await spend(coin, classifier.refund(funder), funder, due)), 'OK')
})

test('every item of the proof counts', async () => {
  const right = await spend(coin, unlock(), solver)
  const names = classifier.artifact.abi.methods[0].pushes.map(({ name }) => name)
  const changed = async (name, change) => {
    const at = names.indexOf(name)
    const spoil = chunks =>
      chunks.map((chunk, index) => {
        if (index !== at) return chunk
        const data = change(chunk.data.slice())
        return { op: data.length < 76 ? data.length : data.length < 256 ? 0x4c : 0x4d, data }
      })
    return verdict(await spend(coin, replay(right, spoil), solver))
  }
  for (const name of ['salt', 'transactionBefore', 'transactionBehind', 'merkleBranch', 'headers']) {
    assert.notEqual(await changed(name, data => data.slice(0, -1)), 'OK', `${name} truncated`)
    assert.notEqual(await changed(name, data => [...data, 7]), 'OK', `${name} longer`)
    for (const at of [0, 1, 5]) {
      assert.notEqual(
        await changed(name, data => data.map((byte, index) => (index === at ? byte ^ 1 : byte))),
        'OK',
        `${name} ${at}`
      )
    }
  }
  assert.notEqual(await changed('headers', data => data.slice(0, -80)), 'OK')
  assert.notEqual(await changed('merkleBranch', data => data.slice(0, -33)), 'OK')
})

test('proofs that would fail are refused in words', async () => {
  const wrong = (changes, words) => assert.throws(() => unlock({ proof: { ...proof, ...changes } }), refused(words))
  const { headers, nodes } = proof
  wrong({ txOrId: '00' }, /does not hold the commitment/)
  wrong({ txOrId: committing.id('hex') }, /is an id/)
  wrong({ txOrId: 'xy' }, /not in hex/)
  wrong({ index: 3 }, /Merkle root/)
  wrong({ nodes: nodes.slice(1) }, /Merkle root/)
  wrong({ nodes: ['ab', ...nodes.slice(1)] }, /1 bytes, not 32/)
  wrong({ nodes: Array(29).fill('*') }, /takes 28/)
  wrong({ headers: headers.slice(1) }, /2 headers, the contract takes 3/)
  wrong({ headers: [headers[0], headers[2], headers[1]] }, /header 1 does not follow/)
  wrong({ headers: [headers[0], headers[1], headers[2].slice(2)] }, /79 bytes/)
  const { hex: easy } = findHeader(idOf(headers[1]), '33'.repeat(32), false)
  wrong({ headers: [headers[0], headers[1], easy] }, /header 2 was easier/)
  assert.throws(
    () => classifier.unlock(input, claim, { privateKey: solver }),
    refused(/committed to the input beforehand/)
  )
  assert.throws(() => unlock({ proof: 'proof.json' }), refused(/its content, not its file/))
  assert.throws(() => unlock({ privateKey: thief }), refused(/not that of the payee/))
  assert.throws(() => unlock({ commitment: { ...commitment, salt: '00'.repeat(32) } }), refused(/does not open/))
  assert.throws(() => unlock({ commitment: { ...commitment, lockingScriptSha256: '' } }), refused(/another contract/))
  assert.throws(
    () => classifier.unlock([0.25, 0.75], 0, { privateKey: solver, commitment, proof }),
    refused(/another input/)
  )
  assert.throws(() => classifier.commit(input, 'abc'), refused(/neither 40 hex digits nor an address/))
  assert.throws(() => classifier.commit(input, '00'), refused(/20 bytes, not 1/))
  assert.throws(() => classifier.commit(input, hashOf(solver), '00'), refused(/32 random bytes/))
})

test('wherever the commitment stands in its block', async () => {
  for (const [place, others] of [
    [0, 0],
    [0, 1],
    [1, 1],
    [2, 2],
    [0, 6],
    [6, 6],
    [4, 4],
    [8, 8],
    [3, 20]
  ]) {
    const template = unlock({
      proof: JSON.stringify(proven(committing, place, others)),
      commitment: JSON.stringify(commitment)
    })
    assert.equal(verdict(await spend(coin, template, solver)), 'OK', `${place} of ${others}`)
  }
})

test('a Merkle path of one branch is taken as one of a whole block', () => {
  const { headers, merklePath } = mine(committing, { place: 2, others: 4, blocks: BLOCKS })
  const branch = MerklePath.fromHex(merklePath.extract([committing.id('hex')]).toHex())
  assert.deepEqual(
    OnnxClassifier.proof(committing.toHex(), headers, branch),
    OnnxClassifier.proof(committing, headers, merklePath)
  )
  const tx = Transaction.fromHex(committing.toHex())
  assert.throws(() => OnnxClassifier.proof(tx, headers), refused(/Merkle path/))
  tx.merklePath = branch
  assert.deepEqual(OnnxClassifier.proof(tx, headers), OnnxClassifier.proof(committing, headers, merklePath))
  assert.throws(() => OnnxClassifier.proof(coin, headers, branch), refused(/not that of transaction/))
})

test('a Merkle path says where an odd one out stands beside itself', async () => {
  const txid = committing.id('hex')
  const left = '44'.repeat(32)
  // The third transaction of three: beside itself below, on the right of the first two above.
  const leaves = [
    { offset: 2, hash: txid, txid: true },
    { offset: 3, duplicate: true }
  ]
  const merklePath = new MerklePath(1, [leaves, [{ offset: 0, hash: left }]])
  const headers = [findHeader('11'.repeat(32), merklePath.computeRoot(txid))]
  while (headers.length < BLOCKS) headers.push(findHeader(headers.at(-1).hash, left))
  const odd = OnnxClassifier.proof(
    committing,
    headers.map(({ hex }) => hex),
    MerklePath.fromHex(merklePath.toHex())
  )
  assert.deepEqual([odd.index, odd.nodes], [2, ['*', left]])
  assert.equal(verdict(await spend(coin, unlock({ proof: odd }), solver)), 'OK')
  const torn = {
    path: [leaves, []],
    findOrComputeLeaf: (level, offset) => (level === 0 ? leaves[offset - 2] : undefined)
  }
  assert.throws(() => OnnxClassifier.proof(committing, odd.headers, torn), refused(/lacks a node at level 1/))
})

test('a commitment anywhere in a transaction will do', async () => {
  const data = [1, 2, 3, ...Utils.toArray(commitment.commitment, 'hex'), 4, 5, 6]
  const lockingScript = new LockingScript([{ op: data.length, data }, { op: OP.OP_DROP }, { op: OP.OP_1 }])
  const template = unlock({ proof: proven(await pay(solver, lockingScript, 1)) })
  assert.equal(verdict(await spend(coin, template, solver)), 'OK')
})

test("commitments are the compiler's, both ways, and so are unlocking scripts", async () => {
  const theirs = JSON.parse(
    onnx2script('commit', file, '--data', samplesFile('toy'), '--payee', solver.toAddress(), '-q')
  )
  assert.deepEqual(classifier.commit(input, solver.toAddress(), theirs.salt), theirs)
  assert.deepEqual(Object.keys(commitment), Object.keys(theirs))
  assert.notEqual(classifier.commit(input, solver.toAddress()).salt, commitment.salt)
  const right = await spend(coin, unlock(), solver)
  const [commitmentFile, proofFile] = ['commitment.json', 'proof.json'].map(scratchFile)
  writeFileSync(commitmentFile, JSON.stringify(commitment))
  writeFileSync(proofFile, JSON.stringify(proof))
  const [signature, key] = right.inputs[0].unlockingScript.chunks.map(({ data }) => Utils.toHex(data ?? []))
  const signed = ['--data', samplesFile('toy'), '--signature', signature, '--public-key', key]
  const script = onnx2script('unlock', file, '--commitment', commitmentFile, '--proof', proofFile, ...signed, '-q')
  assert.equal(right.inputs[0].unlockingScript.toHex(), script.trim())
})
