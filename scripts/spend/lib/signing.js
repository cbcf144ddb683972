// What signatures hash, and signatures.

import { Script, TransactionSignature } from '@bsv/sdk'
import { ContractError, equal, sha256 } from './bytes.js'

const { SIGHASH_ALL: ALL, SIGHASH_NONE: NONE, SIGHASH_SINGLE: SINGLE, SIGHASH_FORKID: FORKID } = TransactionSignature
const ANYONE = TransactionSignature.SIGHASH_ANYONECANPAY
/** Every hash type that a contract takes. */
export const SCOPES = [ALL, NONE, SINGLE, ALL | ANYONE, NONE | ANYONE, SINGLE | ANYONE].map(type => type | FORKID)
const OUTPUTS = { all: ALL, none: NONE, single: SINGLE }
/** The sequence number of an input that says nothing against its transaction being final. */
export const FINAL = 0xffffffff

/** Most bytes of a signature, its hash type included. */
export const MOST_SIGNATURE = 73

/**
 * The hash type of a signature.
 *
 * @param {{ signOutputs?: 'all' | 'none' | 'single', anyoneCanPay?: boolean }} options
 */
export function scopeOf({ signOutputs = 'all', anyoneCanPay = false }) {
  const outputs = OUTPUTS[signOutputs]
  if (outputs === undefined) throw new ContractError(`signOutputs is all, none or single, not ${String(signOutputs)}`)
  return FORKID | outputs | (anyoneCanPay ? ANYONE : 0)
}

/**
 * Refuses an input that is known to spend another coin than one of the contract's.
 *
 * @param {import('@bsv/sdk').Transaction} tx
 * @param {number} inputIndex
 * @param {Uint8Array} locking
 * @param {{ lockingScript?: import('@bsv/sdk').Script }} options
 */
export function checkCoin(tx, inputIndex, locking, { lockingScript }) {
  const input = tx.inputs[inputIndex]
  if (input === undefined) throw new ContractError(`the transaction has no input ${inputIndex}`)
  const script = lockingScript ?? input.sourceTransaction?.outputs[input.sourceOutputIndex]?.lockingScript
  if (script !== undefined && !equal(script.toUint8Array(), locking)) {
    throw new ContractError(`input ${inputIndex} does not spend this contract: its coin has another locking script`)
  }
}

/**
 * What a signature says of the coin that an input spends.
 *
 * @param {import('@bsv/sdk').Transaction} tx
 * @param {number} inputIndex
 * @param {{ sourceSatoshis?: number }} options
 */
export function sourceOf(tx, inputIndex, options) {
  const input = tx.inputs[inputIndex]
  const output = input.sourceTransaction?.outputs[input.sourceOutputIndex]
  const sourceTXID = input.sourceTXID || input.sourceTransaction?.id('hex')
  const sourceSatoshis = options.sourceSatoshis ?? output?.satoshis
  if (sourceTXID === undefined || sourceSatoshis === undefined) {
    throw new ContractError(
      `input ${inputIndex}: give its sourceTransaction, or its sourceTXID and the option sourceSatoshis`
    )
  }
  return { sourceTXID, sourceSatoshis }
}

/**
 * What a signature of an input hashes (BIP 143).
 *
 * @param {import('@bsv/sdk').Transaction} tx
 * @param {number} inputIndex
 * @param {{ sourceTXID: string, sourceSatoshis: number }} source
 * @param {Uint8Array} scriptCode
 * @param {number} scope
 * @param {number} sequence
 * @returns {number[]}
 */
export function preimageOf(tx, inputIndex, source, scriptCode, scope, sequence) {
  return TransactionSignature.format({
    ...source,
    sourceOutputIndex: tx.inputs[inputIndex].sourceOutputIndex,
    transactionVersion: tx.version,
    otherInputs: tx.inputs.filter((_, index) => index !== inputIndex),
    inputIndex,
    outputs: tx.outputs,
    inputSequence: sequence,
    subscript: Script.fromBinary(Array.from(scriptCode)),
    lockTime: tx.lockTime,
    scope
  })
}

/**
 * A signature of an input, its hash type behind it.
 *
 * @param {import('@bsv/sdk').Transaction} tx
 * @param {number} inputIndex
 * @param {{ sourceTXID: string, sourceSatoshis: number }} source
 * @param {Uint8Array} scriptCode
 * @param {number} scope
 * @param {import('@bsv/sdk').PrivateKey} privateKey
 * @returns {number[]}
 */
export function sign(tx, inputIndex, source, scriptCode, scope, privateKey) {
  const preimage = preimageOf(tx, inputIndex, source, scriptCode, scope, tx.inputs[inputIndex].sequence ?? FINAL)
  // The key's `sign` hashes once more.
  const { r, s } = privateKey.sign(Array.from(sha256(preimage)))
  return new TransactionSignature(r, s, scope).toChecksigFormat()
}
