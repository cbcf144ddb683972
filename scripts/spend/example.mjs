// Funds, spends and validates the MNIST contract, with @bsv/sdk alone: rightly, and in ways that must fail.
//
//     npm ci && node example.mjs            (compiles models/mnist_784_64_10.onnx; ONNX2SCRIPT names the compiler)
//
// No network and no real coins: the first coin is made up, and blocks are as easy to find as on a test network.

import { strict as assert } from 'node:assert'
import { LockingScript } from '@bsv/sdk'
import { OnnxClassifier } from './onnx-classifier.js'
import {
  FEE_RATE,
  compile,
  hashOf,
  lenient,
  mine,
  pay,
  person,
  replay,
  samples,
  snatch,
  spend,
  verdict
} from './playground.mjs'

const MNIST = ['mnist_784_64_10', '--input', 'u8:1/255', '--weights', 'int8']
const LOCK_UNTIL = 950_000
const OPEN = 0xfffffffe
const SATOSHIS = 50_000
const [funder, solver, thief] = ['funder', 'solver', 'thief'].map(person)
const digits = samples('mnist')
const say = (/** @type {string} */ line) => process.stdout.write(line + '\n')

/** Prints the SDK's verdict, which has to be the one expected. */
function judge(what, tx, expected) {
  const start = performance.now()
  const said = verdict(tx)
  const took = `${Math.round(performance.now() - start)} ms`
  say(`  ${said === 'OK' ? 'accepted' : 'refused '}  ${what} (${took})${said === 'OK' ? '' : `: ${said.slice(0, 60)}`}`)
  assert.equal(said === 'OK', expected === 'accepted', what)
}

/** Funds a contract, and says what that took. */
async function fund(title, classifier) {
  say(`\n${title}\n${classifier.describe().replace(/^/gm, '  ')}`)
  const coin = await pay(funder, classifier.lock(), SATOSHIS)
  assert.ok(await coin.verify('scripts only'))
  say(`  funded: ${coin.toBinary().length} bytes, ${coin.getFee()} satoshis of fee at ${FEE_RATE} per 1000 bytes`)
  return coin
}

/** Says what a spend took. */
function report(tx) {
  const [unlocking, { satoshis }] = [tx.inputs[0].unlockingScript.toBinary().length, tx.outputs[0]]
  say(
    `  spent: ${tx.toBinary().length} bytes, ${unlocking} of them the unlocking script; ${tx.getFee()} satoshis of fee`
  )
  say(`  of ${SATOSHIS} satoshis ${satoshis} are paid out`)
}

async function anyone() {
  const { classifier } = compile(...MNIST)
  const coin = await fund('Whoever shows a right input', classifier)
  const digit = classifier.answer(digits[0])
  const right = await spend(coin, classifier.unlock(digits[0], digit), solver)
  report(right)
  judge(`a picture of a ${digit}, claimed to be a ${digit}`, right, 'accepted')
  assert.ok(await right.verify('scripts only'))
  const wrong = (digit + 1) % 10
  judge(`the same, claimed to be a ${wrong}`, await spend(coin, classifier.unlock(digits[0], wrong), solver), 'refused')
  const other = digits.find(picture => classifier.answer(picture) !== digit)
  judge(
    `another picture, claimed to be a ${digit}`,
    await spend(coin, classifier.unlock(other, digit), solver),
    'refused'
  )
}

async function payee() {
  const { classifier } = compile(...MNIST, '--pay-to', solver.toAddress())
  const coin = await fund('One payee (--pay-to)', classifier)
  const options = { privateKey: solver }
  const digit = classifier.answer(digits[1])
  const right = await spend(coin, classifier.unlock(digits[1], digit, options), solver)
  report(right)
  judge("the payee's claim", right, 'accepted')
  judge("the same unlocking script in a thief's transaction", await spend(coin, replay(right), thief), 'refused')
  judge('the same input, signed by a thief', await spend(coin, snatch(right, thief), thief), 'refused')
  judge(
    'a wrong claim by the payee',
    await spend(coin, classifier.unlock(digits[1], (digit + 1) % 10, options), solver),
    'refused'
  )
}

async function refund() {
  const { classifier } = compile(...MNIST, '--lock-until', `${LOCK_UNTIL}`, '--refund', hashOf(funder))
  const coin = await fund('Coins back (--lock-until, --refund)', classifier)
  const due = { lockTime: LOCK_UNTIL, sequence: OPEN }
  const right = await spend(coin, classifier.refund(funder), funder, due)
  report(right)
  judge(`the funder, from block ${LOCK_UNTIL} on`, right, 'accepted')
  const early = { ...due, lockTime: LOCK_UNTIL - 1 }
  judge('a block earlier', await spend(coin, lenient(classifier).refund(funder), funder, early), 'refused')
  await assert.rejects(spend(coin, classifier.refund(funder), funder, early), error => {
    say(`  not made  a refund too early: ${error.message}`)
    return true
  })
  const claim = classifier.unlock(digits[2], classifier.answer(digits[2]))
  judge('a right claim all the same', await spend(coin, claim, solver), 'accepted')
}

async function commitReveal() {
  const { classifier } = compile(...MNIST, '--commit-reveal', '3:207fffff')
  const coin = await fund('Who committed first (--commit-reveal)', classifier)
  const commitment = classifier.commit(digits[3], solver.toAddress())
  const committing = await pay(solver, LockingScript.fromHex(commitment.outputScript), 0)
  const { headers, merklePath } = mine(committing, { place: 2, others: 6, blocks: 3 })
  say(`  committed: ${committing.toBinary().length} bytes, in a block under ${headers.length - 1} more`)
  const proof = OnnxClassifier.proof(committing, headers, merklePath)
  const digit = classifier.answer(digits[3])
  const right = await spend(
    coin,
    classifier.unlock(digits[3], digit, { privateKey: solver, commitment, proof }),
    solver
  )
  report(right)
  judge('a claim that was committed to', right, 'accepted')
  judge('a thief who saw it, signing by their own key', await spend(coin, snatch(right, thief), thief), 'refused')
  const late = classifier.commit(digits[3], thief.toAddress())
  assert.throws(
    () => classifier.unlock(digits[3], digit, { privateKey: thief, commitment: late, proof }),
    error => {
      say(`  not made  a claim committed to too late: ${error.message}`)
      return true
    }
  )
}

for (const part of [anyone, payee, refund, commitReveal]) await part()
say('\nEvery verdict as it must be.')
