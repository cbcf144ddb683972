// Coins spent by right and by wrong claims, judged by the SDK's Spend.

import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { P2PKH, PrivateKey, SatoshisPerKilobyte, Transaction } from '@bsv/sdk'
import { ContractError } from '../onnx-classifier.js'
import { hash160, toHex } from '../lib/bytes.js'
import { compile, hashOf, model, pay, person, replay, samples, snatch, spend, verdict } from '../playground.mjs'

const [funder, payee, thief] = ['funder', 'payee', 'thief'].map(person)
const SATOSHIS = 20_000
const VERIFY = /OP_VERIFY requires/
const FALSE = /top stack element must be truthy/
const fund = classifier => pay(funder, classifier.lock(), SATOSHIS)
const refused = words => error => error instanceof ContractError && words.test(error.message)

/** The verdict on a spend of a fresh coin. */
async function judged(classifier, template, memoryLimit = undefined) {
  return verdict(await spend(await fund(classifier), template, payee), 0, memoryLimit)
}

for (const [name, data, ...options] of [
  ['toy_2-2-2', 'toy'],
  ['iris_4-8-3', 'iris'],
  ['digits_64_32_10', 'digits', '--input', 'u8:1/16', '--weights', 'int8'],
  ['mnist_784_64_10', 'mnist', '--input', 'u8:1/255', '--weights', 'int8']
]) {
  test(`${name}: right classes are accepted, all others refused`, async () => {
    const { classifier } = compile(name, ...options)
    const { classes } = JSON.parse(readFileSync(model(name).replace('.onnx', '.json'), 'utf8'))
    const input = samples(data)[1]
    const right = classifier.answer(input)
    assert.equal(right, classes[1])
    // What the artifact says of memory is enough.
    const { stackBytes } = classifier.artifact.limits
    assert.equal(await judged(classifier, classifier.unlock(input, right), stackBytes), 'OK')
    const wrong = Array.from({ length: classifier.artifact.abi.answer.classes }, (_, index) => index)
    for (const claim of wrong.filter(claim => claim !== right)) {
      assert.match(await judged(classifier, classifier.unlock(input, claim)), FALSE, `${claim}`)
    }
    const other = samples(data).find(sample => classifier.answer(sample) !== right)
    assert.match(await judged(classifier, classifier.unlock(other, right)), FALSE)
  })
}

test('a number is accepted to the last step', async () => {
  const { classifier } = compile('diabetes_10-16-1')
  const input = samples('diabetes')[0]
  const right = classifier.answer(input)
  assert.equal(typeof right, 'bigint')
  assert.equal(await judged(classifier, classifier.unlock(input, right)), 'OK')
  for (const claim of [right + 1n, right - 1n, -right, 0n]) {
    assert.match(await judged(classifier, classifier.unlock(input, claim)), FALSE)
  }
})

test('an expected class is paid for, and no other', async () => {
  const inputs = samples('iris')
  for (const expected of [0, 1, 2]) {
    const { classifier } = compile('iris_4-8-3', '--contract', `expect:${expected}`)
    for (const input of [inputs[0], inputs[15], inputs[30]]) {
      const said = await judged(classifier, classifier.unlock(input))
      if (classifier.answer(input) === expected) assert.equal(said, 'OK')
      else assert.match(said, FALSE)
    }
  }
})

test('a contract that leaves the class pays for every class but 0, which is false', async () => {
  const { classifier } = compile('toy_2-2-2', '--contract', 'class')
  const inputs = samples('toy')
  const of = wanted => inputs.find(input => classifier.answer(input) === wanted)
  assert.equal(await judged(classifier, classifier.unlock(of(1))), 'OK')
  assert.match(await judged(classifier, classifier.unlock(of(0))), FALSE)
})

test('other items than the contract asks for are refused', async () => {
  const { classifier } = compile('toy_2-2-2')
  const input = samples('toy')[0]
  const coin = await fund(classifier)
  const right = await spend(coin, classifier.unlock(input, classifier.answer(input)), payee)
  const changed = async change => verdict(await spend(coin, replay(right, change), payee))
  assert.equal(await changed(chunks => chunks), 'OK')
  assert.notEqual(await changed(chunks => chunks.slice(1)), 'OK')
  assert.notEqual(await changed(chunks => [chunks[0], ...chunks]), 'OK')
  assert.notEqual(await changed(chunks => chunks.reverse()), 'OK')
  assert.notEqual(await changed(([claim, { data }]) => [claim, { op: data.length - 1, data: data.slice(1) }]), 'OK')
})

for (const kind of ['claim', 'expect:1']) {
  const { classifier } = compile('toy_2-2-2', '--contract', kind, '--pay-to', payee.toAddress())
  const input = samples('toy').find(sample => classifier.answer(sample) === 1)
  const unlock = (claim = 1, options = {}) =>
    classifier.unlock(input, kind === 'claim' ? claim : undefined, { privateKey: payee, ...options })

  test(`the payee alone is paid for ${kind}`, async () => {
    const coin = await fund(classifier)
    const right = await spend(coin, unlock(), payee)
    assert.equal(verdict(right), 'OK')
    assert.ok(await right.verify('scripts only', new SatoshisPerKilobyte(1)))
    if (kind === 'claim') assert.match(verdict(await spend(coin, unlock(0), payee)), VERIFY)
    assert.match(verdict(await spend(coin, snatch(right, thief), thief)), /OP_EQUALVERIFY/)
    assert.match(verdict(await spend(coin, replay(right), thief)), FALSE)
    const forged = replay(right, ([{ op, data }, ...rest]) => [
      { op, data: [...data.slice(0, -2), data.at(-2) ^ 1, data.at(-1)] },
      ...rest
    ])
    assert.notEqual(verdict(await spend(coin, forged, payee)), 'OK')
    assert.notEqual(
      verdict(
        await spend(
          coin,
          replay(right, chunks => [{ op: 0 }, ...chunks.slice(1)]),
          payee
        )
      ),
      'OK'
    )
  })

  test(`signatures for ${kind} hold for what they say they do`, async () => {
    const coin = await fund(classifier)
    for (const signOutputs of ['all', 'none', 'single']) {
      for (const anyoneCanPay of [false, true]) {
        const signed = await spend(coin, unlock(1, { signOutputs, anyoneCanPay }), payee)
        assert.equal(verdict(signed), 'OK')
        signed.addOutput({ lockingScript: new P2PKH().lock(thief.toAddress()), satoshis: 1 })
        assert.equal(verdict(signed) === 'OK', signOutputs !== 'all', signOutputs)
        signed.outputs.pop()
        signed.outputs[0].satoshis--
        assert.equal(verdict(signed) === 'OK', signOutputs === 'none', signOutputs)
        signed.outputs[0].satoshis++
        signed.addInput({ sourceTXID: 'ab'.repeat(32), sourceOutputIndex: 0 })
        assert.equal(verdict(signed) === 'OK', anyoneCanPay)
      }
    }
  })
}

test('a key that was hashed uncompressed is shown uncompressed', async () => {
  const hash = toHex(hash160(payee.toPublicKey().encode(false)))
  const { classifier } = compile('toy_2-2-2', '--pay-to', hash)
  const input = samples('toy')[0]
  const tx = await spend(
    await fund(classifier),
    classifier.unlock(input, classifier.answer(input), { privateKey: payee }),
    payee
  )
  assert.equal(verdict(tx), 'OK')
  assert.equal(tx.inputs[0].unlockingScript.chunks[1].data.length, 65)
})

test('what cannot be signed is refused in words', async () => {
  const bare = compile('toy_2-2-2').classifier
  const guarded = compile('toy_2-2-2', '--pay-to', hashOf(payee)).classifier
  const input = samples('toy')[0]
  assert.throws(() => bare.unlock(input, 1, { privateKey: payee }), refused(/asks for no signature/))
  assert.throws(() => bare.unlock(input, 1, { commitment: {}, proof: {} }), refused(/asks for no commitment/))
  assert.throws(() => bare.refund(payee), refused(/gives nothing back/))
  assert.throws(() => bare.commit(input, hashOf(payee)), refused(/asks for no commitment/))
  assert.throws(() => guarded.unlock(input, 1), refused(/no PrivateKey is given for the payee/))
  assert.throws(() => guarded.unlock(input, 1, { privateKey: thief }), refused(/not that of the payee/))
  assert.throws(
    () => guarded.unlock(input, 1, { privateKey: payee, signOutputs: 'some' }),
    refused(/all, none or single/)
  )
  const template = guarded.unlock(input, 1, { privateKey: payee })
  await assert.rejects(spend(await fund(bare), template, payee), refused(/another locking script/))
  // An unlocking script without a signature shows its input to everyone: not for another coin.
  await assert.rejects(spend(await fund(guarded), bare.unlock(input, 1), payee), refused(/another locking script/))
  const tx = new Transaction()
  tx.addInput({ sourceTXID: 'ab'.repeat(32), sourceOutputIndex: 0, unlockingScriptTemplate: template })
  await assert.rejects(tx.sign(), refused(/sourceSatoshis/))
  await assert.rejects(template.sign(tx, 1), refused(/no input 1/))
})

test('a coin without its transaction is spent by its id and satoshis', async () => {
  const { classifier } = compile('toy_2-2-2', '--pay-to', hashOf(payee))
  const input = samples('toy')[0]
  const coin = await fund(classifier)
  const tx = new Transaction()
  const options = { privateKey: payee, sourceSatoshis: SATOSHIS, lockingScript: classifier.lock() }
  const template = classifier.unlock(input, classifier.answer(input), options)
  tx.addInput({ sourceTXID: coin.id('hex'), sourceOutputIndex: 0, unlockingScriptTemplate: template })
  tx.addOutput({ lockingScript: new P2PKH().lock(payee.toAddress()), satoshis: 1000 })
  await tx.sign()
  tx.inputs[0].sourceTransaction = coin
  assert.equal(verdict(tx), 'OK')
})

test('lengths are estimated from above, and closely', async () => {
  const { classifier } = compile('toy_2-2-2', '--pay-to', hashOf(payee))
  const input = samples('toy')[0]
  const coin = await fund(classifier)
  for (let index = 0; index < 20; index++) {
    const template = classifier.unlock(input, classifier.answer(input), { privateKey: payee })
    const tx = await spend(coin, template, PrivateKey.fromRandom())
    const excess = (await template.estimateLength(tx, 0)) - tx.inputs[0].unlockingScript.toBinary().length
    assert.ok(excess >= 0 && excess < 6, `${excess}`)
  }
})
