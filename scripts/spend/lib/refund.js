// Refunds: when they are due, and the preimage that proves it to the contract.

import { ContractError, hash256, varIntLength } from './bytes.js'
import { FINAL, SCOPES, preimageOf } from './signing.js'

/** From here on nLockTime counts seconds, below it blocks. */
const LOCKTIME_THRESHOLD = 500_000_000

/** None of the hash types gives a refund a preimage that the contract can sign: another `sequence` will. */
export class RefundNotSignable extends ContractError {
  name = 'RefundNotSignable'

  /**
   * @param {number} inputIndex
   * @param {number} sequence
   */
  constructor(inputIndex, sequence) {
    super(
      `the contract cannot sign this very transaction (one in 64 is so): set tx.inputs[${inputIndex}].sequence to ` +
        `${sequence} and sign all inputs again`
    )
    /** A sequence number that will do, as long as nothing else changes. */
    this.sequence = sequence
  }
}

/** How many bytes a preimage has. */
export const preimageLength = (/** @type {Uint8Array} */ scriptCode) =>
  156 + varIntLength(scriptCode.length) + scriptCode.length

/**
 * Whether the contract's own signature of a preimage can be encoded: its `s` is the preimage's hash, inverted, which
 * must have 32 bytes in DER and be the smaller of the two that serve (src/guard/refund.rs tells why).
 *
 * @param {number[]} preimage
 */
export function signable(preimage) {
  const [first, second] = hash256(preimage)
  return first >= 0x80 && (first < 0xff || second < 0x80)
}

/**
 * The preimage of a refund, of whichever hash type the contract can sign; undefined where it can sign none.
 *
 * @param {import('@bsv/sdk').Transaction} tx
 * @param {number} inputIndex
 * @param {{ sourceTXID: string, sourceSatoshis: number }} source
 * @param {Uint8Array} scriptCode
 * @param {number} sequence
 */
function signablePreimage(tx, inputIndex, source, scriptCode, sequence) {
  for (const scope of SCOPES) {
    const preimage = preimageOf(tx, inputIndex, source, scriptCode, scope, sequence)
    if (signable(preimage)) return preimage
  }
}

/**
 * The preimage that a refund shows. It proves lock time and sequence to the contract; what the funder's signature
 * hashes is another matter.
 *
 * @param {import('@bsv/sdk').Transaction} tx
 * @param {number} inputIndex
 * @param {{ sourceTXID: string, sourceSatoshis: number }} source
 * @param {Uint8Array} scriptCode
 */
export function refundPreimage(tx, inputIndex, source, scriptCode) {
  const preimage = signablePreimage(tx, inputIndex, source, scriptCode, tx.inputs[inputIndex].sequence ?? FINAL)
  if (preimage !== undefined) return preimage
  let sequence = FINAL - 1
  while (signablePreimage(tx, inputIndex, source, scriptCode, sequence) === undefined) sequence--
  throw new RefundNotSignable(inputIndex, sequence)
}

/**
 * Refuses a refund that is not due, as the contract would.
 *
 * @param {import('@bsv/sdk').Transaction} tx
 * @param {number} inputIndex
 * @param {number} lockUntil
 */
export function checkDue(tx, inputIndex, lockUntil) {
  const height = lockUntil < LOCKTIME_THRESHOLD
  const told = height ? `block ${lockUntil}` : new Date(lockUntil * 1000).toISOString()
  if (tx.lockTime < lockUntil || tx.lockTime < LOCKTIME_THRESHOLD !== height) {
    throw new ContractError(
      `the refund is due from ${told} on: set tx.lockTime to ${lockUntil} or more${
        height ? ` (below ${LOCKTIME_THRESHOLD}: a block)` : ''
      }, not ${tx.lockTime}`
    )
  }
  if ((tx.inputs[inputIndex].sequence ?? FINAL) === FINAL) {
    throw new ContractError(
      `an input of the last sequence number makes nothing of tx.lockTime: set tx.inputs[${
        inputIndex
      }].sequence to ${FINAL - 1} (give it to addInput)`
    )
  }
}
