// Inputs and claims in bytes: the very bytes that the compiler's `unlock` writes.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Transaction } from '@bsv/sdk'
import { ContractError } from '../onnx-classifier.js'
import { push, readScriptNumber, scriptNumber, toHex } from '../lib/bytes.js'
import { exact, round } from '../lib/numbers.js'
import { compile, onnx2script, samples, samplesFile } from '../playground.mjs'

/** A transaction that spends some coin. */
function spending() {
  const tx = new Transaction()
  tx.addInput({ sourceTXID: 'ab'.repeat(32), sourceOutputIndex: 0 })
  return tx
}

/** The unlocking script that the template makes for a bare contract. */
async function unlocking(classifier, input, claim) {
  const script = await classifier.unlock(input, claim).sign(spending(), 0)
  assert.equal(await classifier.unlock(input, claim).estimateLength(spending(), 0), script.toBinary().length)
  return script.toHex()
}

const CONTRACTS = [
  ['toy', 'toy_2-2-2'],
  ['toy', 'toy_2-2-2', '--input', 'fixed:7'],
  ['toy', 'toy_2-2-2', '--contract', 'class'],
  ['iris', 'iris_4-8-3'],
  ['iris', 'iris_4-8-3', '--input', 'u8:1/50:-2.5'],
  ['digits', 'digits_64_32_10', '--input', 'u8:1/16', '--weights', 'int8'],
  ['digits', 'digits_64_32_10', '--input', 'u4:1/8:-1/16', '--weights', 'int8'],
  ['digits', 'digits_64_32_10', '--input', 'u2:2/3:-1/2', '--weights', 'int8'],
  ['digits', 'digits_64_32_10', '--input', 'u1:1', '--weights', 'int8'],
  ['diabetes', 'diabetes_10-16-1']
]

for (const [data, model, ...options] of CONTRACTS) {
  test(`${model} ${options.join(' ')} is unlocked as the compiler does`, async () => {
    const { classifier, file } = compile(model, ...options)
    for (const [index, sample] of samples(data).slice(0, 4).entries()) {
      const theirs = onnx2script('unlock', file, '--data', samplesFile(data), '--index', `${index}`, '-q').trim()
      assert.equal(
        await unlocking(classifier, sample, options.includes('class') ? undefined : classifier.answer(sample)),
        theirs,
        `sample ${index}`
      )
    }
  })
}

test('bytes, fractions and nested lists are the same input', async () => {
  const { classifier, file } = compile('mnist_784_64_10', '--input', 'u8:1/255', '--weights', 'int8')
  const [pixels] = samples('mnist')
  const theirs = onnx2script('unlock', file, '--data', samplesFile('mnist'), '-q').trim()
  const rows = Array.from({ length: 28 }, (_, row) =>
    Array.from(pixels.slice(28 * row, 28 * row + 28), pixel => pixel / 255)
  )
  assert.equal(await unlocking(classifier, pixels, 7), theirs)
  assert.equal(await unlocking(classifier, [rows], 7), theirs)
  assert.equal(
    await unlocking(
      classifier,
      Array.from(pixels, pixel => `${pixel}/255`),
      7n
    ),
    theirs
  )
})

test('what does not fit is refused in words', () => {
  const { classifier } = compile('digits_64_32_10', '--input', 'u8:1/255', '--weights', 'int8')
  const toy = compile('toy_2-2-2').classifier
  const refused = (contract, input, words) =>
    assert.throws(
      () => contract.encode(input),
      error => error instanceof ContractError && words.test(error.message)
    )
  refused(classifier, Array(64).fill(16), /element 0 is 16, outside.*Uint8Array/)
  refused(classifier, Array(64).fill(-0.1), /outside/)
  refused(classifier, Array(63).fill(0), /63 numbers, the model takes 64/)
  refused(classifier, new Uint8Array(63), /64, not 63.*Float32Array/)
  refused(toy, [0.5, 5498], /element 1 is 5498/)
  refused(toy, [0.5, NaN], /NaN is no finite/)
  refused(toy, [0.5, '1/0'], /no number/)
  refused(toy, [0.5, 'half'], /no number/)
  refused(toy, [0.5, null], /no number/)
  refused(toy, [0.5, `1e${'9'.repeat(9)}`], /no number/)
  refused(toy, 'abc', /no list/)
  refused(toy, undefined, /no list/)
})

test('claims are classes, labels, or bigints for numbers', async () => {
  const labels = ['--labels', 'setosa,versicolor,virginica']
  const iris = compile('iris_4-8-3', ...labels).classifier
  const expect = compile('iris_4-8-3', '--contract', 'expect:2', ...labels).classifier
  const number = compile('diabetes_10-16-1').classifier
  const input = samples('iris')[0]
  const refused = (unlock, words) =>
    assert.throws(unlock, error => error instanceof ContractError && words.test(error.message))
  const items = async template => (await template.sign(spending(), 0)).toASM().split(' ').length
  assert.equal(await unlocking(iris, input, 'versicolor'), await unlocking(iris, input, 1))
  assert.equal(await items(expect.unlock(input)), 1)
  assert.equal(await items(expect.unlock(input, 'virginica')), 1)
  refused(() => iris.unlock(input), /what is claimed/)
  refused(() => iris.unlock(input, 3), /0 to 2, or a label: setosa/)
  refused(() => iris.unlock(input, 1.5), /no class/)
  refused(() => iris.unlock(input, 'rose'), /rose is no class/)
  refused(() => expect.unlock(input, 'setosa'), /class 2 \(virginica\) alone/)
  refused(() => compile('iris_4-8-3', '--contract', 'class').classifier.unlock(input, 1), /takes no claim/)
  refused(() => number.unlock(samples('diabetes')[0], 152), /give a bigint/)
})

test('numbers are rounded half to even, exactly', () => {
  const rounded = value => round(exact(value))
  for (const [value, integer] of [
    [0.5, 0n],
    [1.5, 2n],
    [2.5, 2n],
    [-0.5, 0n],
    [-1.5, -2n],
    [-2.5, -2n],
    [0.49999999999999994, 0n],
    [2.5000000000000004, 3n],
    ['5/2', 2n],
    ['7/2', 4n],
    ['-7/2', -4n],
    ['1e3', 1000n],
    ['-.5e1', -5n],
    ['0.1e1', 1n],
    ['1/3', 0n],
    [-7n, -7n],
    [1e300, BigInt(1e300)]
  ])
    assert.equal(rounded(value), integer, String(value))
  assert.deepEqual(exact(Number.MIN_VALUE), { over: 1n, under: 1n << 1074n })
  assert.notDeepEqual(exact(0.1), exact('0.1'))
})

test('script numbers and pushes are as short as they can be', () => {
  for (const [value, hex] of [
    [0n, ''],
    [1n, '01'],
    [-1n, '81'],
    [127n, '7f'],
    [128n, '8000'],
    [-128n, '8080'],
    [-255n, 'ff80'],
    [256n, '0001']
  ]) {
    assert.equal(toHex(scriptNumber(value)), hex)
    assert.equal(readScriptNumber(scriptNumber(value)), value)
  }
  const op = bytes => push(bytes).op
  assert.deepEqual([[], [1], [16], [17], [0x81], [0]].map(op), [0x00, 0x51, 0x60, 1, 0x4f, 1])
  assert.deepEqual(
    [75, 76, 255, 256, 65535, 65536].map(length => op(new Uint8Array(length))),
    [75, 0x4c, 0x4c, 0x4d, 0x4d, 0x4e]
  )
})
