// What the example and the tests share: contracts compiled, coins made up, blocks found, and the SDK's verdicts.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  Hash,
  MerklePath,
  P2PKH,
  PrivateKey,
  SatoshisPerKilobyte,
  Spend,
  Transaction,
  UnlockingScript,
  Utils
} from '@bsv/sdk'
import { OnnxClassifier, RefundNotSignable } from './onnx-classifier.js'
import { readNpy } from './npy.mjs'

const path = (/** @type {string} */ relative) => fileURLToPath(new URL(relative, import.meta.url))
export const COMPILER = process.env.ONNX2SCRIPT ?? path('../../target/release/onnx2script')
/** Satoshis per 1000 bytes. */
export const FEE_RATE = 100
/** The bits of a test network: every second header will do. */
const EASY = 0x207fffff
const TARGET = 0x7fffffn << 232n

export const model = (/** @type {string} */ name) => path(`../../models/${name}.onnx`)
export const samplesFile = (/** @type {string} */ name) => path(`../../models/${name}_samples.npy`)
export const samples = (/** @type {string} */ name) => readNpy(samplesFile(name))

/** Someone's key: the same on every run. */
export const person = (/** @type {string} */ name) => new PrivateKey(Hash.sha256(Utils.toArray(name, 'utf8')))
export const hashOf = (/** @type {PrivateKey} */ key) => Utils.toHex(key.toPublicKey().toHash())

const scratch = mkdtempSync(join(tmpdir(), 'onnx2script-spend-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
export const scratchFile = (/** @type {string} */ name) => join(scratch, name)

/** Runs the compiler; its standard output. */
export function onnx2script(...args) {
  try {
    return execFileSync(COMPILER, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const hint =
      error.code === 'ENOENT' ? ': build it with `cargo build --release`, or set ONNX2SCRIPT' : `:\n${error.stderr}`
    throw new Error(`${COMPILER} ${args.join(' ')}${hint}`, { cause: error })
  }
}

let compiled = 0

/** Compiles a model; the artifact's file and content. */
export function compile(name, ...options) {
  const file = scratchFile(`${++compiled}.json`)
  onnx2script(model(name), '--artifact', file, '-q', ...options)
  const json = readFileSync(file, 'utf8')
  return { file, json, classifier: OnnxClassifier.fromArtifact(json) }
}

/** A transaction that gives someone coins out of thin air: as mined, so the SDK asks no further. */
export function madeUpCoin(owner, satoshis) {
  const coinbase = {
    sourceTXID: '00'.repeat(32),
    sourceOutputIndex: 0xffffffff,
    unlockingScript: UnlockingScript.fromHex('51')
  }
  const output = { lockingScript: new P2PKH().lock(owner.toPublicKey().toHash()), satoshis }
  const tx = new Transaction(1, [{ ...coinbase, sequence: 0xffffffff }], [output], 0)
  tx.merklePath = MerklePath.fromCoinbaseTxidAndHeight(tx.id('hex'), 1)
  return tx
}

/** Pays someone's made-up coin to a script; what is left goes back. */
export async function pay(owner, lockingScript, satoshis) {
  const tx = new Transaction()
  tx.addInput({
    sourceTransaction: madeUpCoin(owner, satoshis + 100_000),
    sourceOutputIndex: 0,
    unlockingScriptTemplate: new P2PKH().unlock(owner)
  })
  tx.addOutput({ lockingScript, satoshis })
  tx.addOutput({ lockingScript: new P2PKH().lock(owner.toPublicKey().toHash()), change: true })
  await tx.fee(new SatoshisPerKilobyte(FEE_RATE))
  await tx.sign()
  return tx
}

/** Spends output 0 of a transaction to someone. */
export async function spend(coin, template, receiver, { lockTime = 0, sequence = 0xffffffff } = {}) {
  const tx = new Transaction()
  tx.lockTime = lockTime
  tx.addInput({ sourceTransaction: coin, sourceOutputIndex: 0, sequence, unlockingScriptTemplate: template })
  tx.addOutput({ lockingScript: new P2PKH().lock(receiver.toPublicKey().toHash()), change: true })
  await tx.fee(new SatoshisPerKilobyte(FEE_RATE))
  await signed(tx)
  return tx
}

/** Signs a transaction; one refund in 64 needs another sequence number. */
async function signed(tx) {
  try {
    await tx.sign()
  } catch (error) {
    if (!(error instanceof RefundNotSignable)) throw error
    tx.inputs[0].sequence = error.sequence
    await tx.sign()
  }
}

/** A template that shows the very unlocking script of another transaction. */
export const replay = (tx, change = (/** @type {any[]} */ chunks) => chunks) => {
  const script = tx.inputs[0].unlockingScript
  const unlocking = new UnlockingScript(change(script.chunks.slice()))
  return { sign: async () => unlocking, estimateLength: async () => script.toBinary().length }
}

/** A template that shows what another transaction did, signed by one's own key. */
export const snatch = (tx, thief) => ({
  ...replay(tx),
  sign: async (own, index) => {
    const [signature, key] = (await new P2PKH().unlock(thief).sign(own, index)).chunks
    return replay(tx, chunks => [signature, key, ...chunks.slice(2)]).sign()
  }
})

/** The same contract, but with a template that takes its refund to be due at once. */
export const lenient = ({ artifact }) => {
  const { contract } = artifact
  return OnnxClassifier.fromArtifact({
    ...artifact,
    contract: { ...contract, refund: { ...contract.refund, lockUntil: 1 } }
  })
}

/**
 * What the SDK's interpreter says of an input: 'OK', or why not.
 *
 * Policy's rules for scripts of version 1 hold: minimal pushes, low S, a clean stack.
 */
export function verdict(tx, inputIndex = 0, memoryLimit = undefined) {
  const input = tx.inputs[inputIndex]
  const coin = input.sourceTransaction.outputs[input.sourceOutputIndex]
  const validation = new Spend({
    sourceTXID: input.sourceTransaction.id('hex'),
    sourceOutputIndex: input.sourceOutputIndex,
    sourceSatoshis: coin.satoshis,
    lockingScript: coin.lockingScript,
    transactionVersion: tx.version,
    otherInputs: tx.inputs.filter((_, index) => index !== inputIndex),
    outputs: tx.outputs,
    inputIndex,
    unlockingScript: input.unlockingScript,
    inputSequence: input.sequence,
    lockTime: tx.lockTime,
    memoryLimit
  })
  try {
    return validation.validate() ? 'OK' : 'false'
  } catch (error) {
    return error.message.split('\n')[0]
  }
}

/** A header on another, found by trying: one of enough work, or one of too little. */
export function findHeader(previous, root, enough = true) {
  const number = (/** @type {number} */ value) =>
    Utils.toHex(Array.from(new Uint8Array(new Uint32Array([value]).buffer)))
  const reversed = (/** @type {string} */ hash) => Utils.toHex(Utils.toArray(hash, 'hex').reverse())
  for (let nonce = 0; ; nonce++) {
    const hex =
      number(0x20000000) + reversed(previous) + reversed(root) + number(1_800_000_000) + number(EASY) + number(nonce)
    const hash = Utils.toHex(Hash.hash256(Utils.toArray(hex, 'hex')).reverse())
    if (BigInt('0x' + hash) <= TARGET === enough) return { hex, hash }
  }
}

/** Puts a transaction into a block among others, and further blocks upon it: its Merkle path and their headers. */
export function mine(tx, { place = 0, others = 0, blocks = 1 } = {}) {
  const txids = Array.from({ length: others }, (_, index) => Utils.toHex(Hash.sha256([index])))
  txids.splice(place, 0, tx.id('hex'))
  const merklePath = new MerklePath(1, [txids.map((hash, offset) => ({ offset, hash, txid: offset === place }))])
  const headers = [findHeader('11'.repeat(32), merklePath.computeRoot(tx.id('hex')))]
  while (headers.length < blocks) headers.push(findHeader(headers[headers.length - 1].hash, '22'.repeat(32)))
  return { merklePath, headers: headers.map(({ hex }) => hex) }
}
