// Running a contract's network alone in the SDK's interpreter: what it answers, before a coin is at stake.

import { LockingScript, OP, Spend, UnlockingScript } from '@bsv/sdk'
import { ContractError, fromHex, push, readScriptNumber, scriptNumber } from './bytes.js'

/** @import { Artifact } from '../onnx-classifier.d.ts' */

/** A claim that is no answer: no number is written so. */
const PROBE = [0]

/**
 * What a network answers for an input: a class, or the integer that stands for a number.
 *
 * Guards need a transaction; the network's code does not. It runs up to its last instruction, which compares, on top of
 * two items where a guard would find its own.
 *
 * @param {Artifact} artifact
 * @param {Uint8Array} input
 * @param {number | undefined} memoryLimit
 * @returns {bigint}
 */
export function answerOf({ contract, lockingScript }, input, memoryLimit) {
  const { networkStart: start, networkEnd: end } = lockingScript
  const code = fromHex(lockingScript.hex, 'lockingScript.hex').slice(start, end)
  const compares = contract.kind !== 'class'
  if (compares && ![OP.OP_EQUAL, OP.OP_NUMEQUAL].includes(code[code.length - 1])) {
    throw new ContractError('the network does not end with a comparison: this is no contract that this template knows')
  }
  const beneath = contract.payTo !== undefined || contract.commitReveal !== undefined ? [[], []] : []
  const items = contract.kind === 'claim' ? [...beneath, PROBE, input] : [...beneath, input]
  const stack = run(items, compares ? code.slice(0, -1) : code, memoryLimit).slice(beneath.length)
  return readScriptNumber(contract.kind === 'claim' ? other(stack, PROBE) : other(stack, expected(contract)))
}

/** @param {Artifact['contract']} contract */
const expected = contract => scriptNumber(BigInt(contract.expected ?? -1))

/**
 * The item that is not the known one; if all are, that one.
 *
 * @param {number[][]} stack
 * @param {ArrayLike<number>} known
 */
function other(stack, known) {
  const same = (/** @type {number[]} */ item) =>
    item.length === known.length && item.every((byte, at) => byte === known[at])
  return stack.find(item => !same(item)) ?? known
}

/**
 * The stack behind a script.
 *
 * @param {ArrayLike<number>[]} items
 * @param {Uint8Array} code
 * @param {number | undefined} memoryLimit
 */
function run(items, code, memoryLimit) {
  const spend = new Spend({
    sourceTXID: '00'.repeat(32),
    sourceOutputIndex: 0,
    sourceSatoshis: 0,
    lockingScript: new LockingScript([], code, undefined, false),
    transactionVersion: 1,
    otherInputs: [],
    outputs: [],
    inputIndex: 0,
    unlockingScript: new UnlockingScript(items.map(push)),
    inputSequence: 0xffffffff,
    lockTime: 0,
    memoryLimit
  })
  while (spend.step());
  return spend.stack
}
