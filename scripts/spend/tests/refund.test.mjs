// Refunds: by the funder, in time, and in no other way.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { P2PKH, Transaction, UnlockingScript } from '@bsv/sdk'
import { ContractError, OnnxClassifier, RefundNotSignable } from '../onnx-classifier.js'
import { push } from '../lib/bytes.js'
import { signable } from '../lib/refund.js'
import { SCOPES, preimageOf, sign, sourceOf } from '../lib/signing.js'
import { compile, hashOf, lenient, pay, person, replay, samples, spend, verdict } from '../playground.mjs'

const [funder, solver, thief] = ['funder', 'solver', 'thief'].map(person)
const SATOSHIS = 20_000
const [HEIGHT, TIME, OPEN, FINAL] = [900_000, 1_800_000_000, 0xfffffffe, 0xffffffff]
const contract = lockUntil =>
  compile('toy_2-2-2', '--lock-until', `${lockUntil}`, '--refund', hashOf(funder)).classifier
const [byHeight, byTime] = [contract(HEIGHT), contract(TIME)]
const fund = classifier => pay(funder, classifier.lock(), SATOSHIS)
const due = { lockTime: HEIGHT, sequence: OPEN }
const VERIFY = /OP_VERIFY requires/
const refused = words => error => error instanceof ContractError && words.test(error.message)

/** The verdict on a refund that the template's own check lets pass. */
async function unchecked(classifier, lockTime, sequence) {
  const { artifact } = classifier
  const lockUntil = lockTime < 500_000_000 ? 0 : 500_000_000
  const terms = { ...artifact.contract, refund: { ...artifact.contract.refund, lockUntil } }
  const template = OnnxClassifier.fromArtifact({ ...artifact, contract: terms }).refund(funder)
  return verdict(await spend(await fund(classifier), template, funder, { lockTime, sequence }))
}

test('the funder has to wait, for a block', async () => {
  for (const lockTime of [HEIGHT, HEIGHT + 1, 499_999_999])
    assert.equal(await unchecked(byHeight, lockTime, OPEN), 'OK')
  for (const lockTime of [0, HEIGHT - 1, 500_000_000, TIME])
    assert.match(await unchecked(byHeight, lockTime, OPEN), VERIFY)
})

test('the funder has to wait, for a time', async () => {
  for (const lockTime of [TIME, TIME + 1, 0xffffffff]) assert.equal(await unchecked(byTime, lockTime, 0), 'OK')
  for (const lockTime of [0, HEIGHT, TIME - 1]) assert.match(await unchecked(byTime, lockTime, 0), VERIFY)
})

test('what is not due is refused in words before it is signed', async () => {
  const coin = await fund(byHeight)
  const attempt = terms => spend(coin, byHeight.refund(funder), funder, { ...due, ...terms })
  assert.equal(verdict(await attempt({})), 'OK')
  await assert.rejects(attempt({ lockTime: HEIGHT - 1 }), refused(/from block 900000 on: set tx.lockTime to 900000/))
  await assert.rejects(attempt({ lockTime: TIME }), refused(/below 500000000/))
  await assert.rejects(attempt({ sequence: FINAL }), refused(/sequence to 4294967294/))
  await assert.rejects(spend(await fund(byTime), byTime.refund(funder), funder, due), refused(/2027-01-15T08:00:00/))
  assert.throws(() => byHeight.refund(thief), refused(/not that of the funder/))
})

test('nobody else is refunded, and no other transaction', async () => {
  const coin = await fund(byHeight)
  const right = await spend(coin, byHeight.refund(funder), funder, due)
  assert.equal(verdict(right), 'OK')
  assert.notEqual(verdict(await spend(coin, replay(right), thief, due)), 'OK')
  assert.notEqual(verdict(await spend(coin, replay(right), funder, { ...due, lockTime: HEIGHT + 1 })), 'OK')
  assert.notEqual(verdict(await spend(coin, replay(right), funder, { ...due, sequence: FINAL })), 'OK')
  assert.notEqual(
    verdict(
      await spend(
        coin,
        replay(right, chunks => [...chunks.slice(0, 3), { op: 0 }]),
        funder,
        due
      )
    ),
    'OK'
  )
  const stolen = OnnxClassifier.fromArtifact({
    ...byHeight.artifact,
    contract: {
      ...byHeight.artifact.contract,
      refund: { ...byHeight.artifact.contract.refund, keyHash: hashOf(thief) }
    }
  })
  assert.match(verdict(await spend(coin, stolen.refund(thief), thief, due)), /OP_EQUALVERIFY/)
})

test("a refund's signature says of outputs what it is asked to", async () => {
  const coin = await fund(byHeight)
  const accepted = []
  for (const signOutputs of ['all', 'none', 'single']) {
    for (const anyoneCanPay of [false, true]) {
      const tx = await spend(coin, byHeight.refund(funder, { signOutputs, anyoneCanPay }), funder, due)
      assert.equal(
        tx.inputs[0].unlockingScript.chunks[0].data.at(-1),
        { all: 0x41, none: 0x42, single: 0x43 }[signOutputs] | (anyoneCanPay ? 0x80 : 0)
      )
      accepted.push(verdict(tx))
    }
  }
  assert.deepEqual(accepted, Array(6).fill('OK'))
})

test('a right claim is paid before and behind that time', async () => {
  const input = samples('toy')[0]
  const coin = await fund(byHeight)
  for (const lockTime of [0, HEIGHT]) {
    const claimed = claim => spend(coin, byHeight.unlock(input, claim), solver, { lockTime, sequence: OPEN })
    const right = byHeight.answer(input)
    assert.equal(verdict(await claimed(right)), 'OK')
    assert.notEqual(verdict(await claimed(1 - right)), 'OK')
  }
})

/** A refund of a coin, one of many, not signed. */
function unsigned(coin, index) {
  const tx = new Transaction()
  tx.lockTime = HEIGHT
  tx.addInput({
    sourceTransaction: coin,
    sourceOutputIndex: 0,
    sequence: OPEN - index,
    unlockingScriptTemplate: byHeight.refund(funder)
  })
  tx.addOutput({ lockingScript: new P2PKH().lock(funder.toAddress()), satoshis: 1000 })
  return tx
}

test('whatever the transaction, its refund is accepted, or says which sequence will do', async () => {
  const coin = await fund(byHeight)
  let again = 0
  for (let index = 0; index < 400; index++) {
    const tx = unsigned(coin, index)
    try {
      await tx.sign()
      if (index % 8 > 0) continue
    } catch (error) {
      assert.ok(error instanceof RefundNotSignable, error)
      assert.match(error.message, new RegExp(`sequence to ${error.sequence} `))
      again++
      tx.inputs[0].sequence = error.sequence
      await tx.sign()
    }
    assert.equal(verdict(tx), 'OK', `${index}`)
  }
  // One in 64 is expected; the keys, and so these transactions, are the same on every run.
  assert.ok(again >= 1 && again <= 20, `${again}`)
})

test('the contract refuses exactly the preimages that are not signable', async () => {
  const coin = await fund(byHeight)
  const scriptCode = byHeight.lock().toUint8Array().slice(byHeight.artifact.abi.methods[1].scriptCodeStart)
  const seen = { true: 0, false: 0 }
  for (let index = 0; index < 20; index++) {
    const tx = unsigned(coin, index)
    const source = sourceOf(tx, 0, {})
    for (const scope of SCOPES) {
      const preimage = preimageOf(tx, 0, source, scriptCode, scope, tx.inputs[0].sequence)
      const items = [sign(tx, 0, source, scriptCode, 0x41, funder), funder.toPublicKey().encode(true), preimage, [1]]
      tx.inputs[0].unlockingScript = new UnlockingScript(items.map(push))
      assert.equal(verdict(tx) === 'OK', signable(preimage))
      seen[signable(preimage)]++
    }
  }
  assert.ok(seen.true > 30 && seen.false > 30, JSON.stringify(seen))
})

test('a payee and a refund go together', async () => {
  const options = ['--pay-to', hashOf(solver), '--lock-until', `${HEIGHT}`, '--refund', hashOf(funder)]
  const { classifier } = compile('toy_2-2-2', ...options)
  const [coin, input] = [await fund(classifier), samples('toy')[0]]
  const claim = classifier.unlock(input, classifier.answer(input), { privateKey: solver })
  assert.equal(verdict(await spend(coin, claim, solver)), 'OK')
  assert.equal(verdict(await spend(coin, classifier.refund(funder), funder, due)), 'OK')
  const early = { ...due, lockTime: HEIGHT - 1 }
  assert.match(verdict(await spend(coin, lenient(classifier).refund(funder), funder, early)), VERIFY)
})
