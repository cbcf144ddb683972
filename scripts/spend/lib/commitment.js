// Commitments to an input and a payee, and the proof that one is in the chain.

import { Random, Transaction } from '@bsv/sdk'
import { ContractError, concat, equal, fromHex, hash256, parsed, readScriptNumber, sha256, toHex } from './bytes.js'
import { keyHash } from './keys.js'

/** @import { Commitment, Proof } from '../onnx-classifier.d.ts' */

const HEADER = 80
const SALT = 32
/** The deepest Merkle tree that contracts know. */
const DEEPEST_BRANCH = 28
/** 0 RETURN, and the push of a hash. */
const UNSPENDABLE = [0x00, 0x6a, 0x20]

/**
 * A commitment, as `onnx2script commit` writes it.
 *
 * @param {string} lockingScriptSha256
 * @param {Uint8Array} input
 * @param {string | ArrayLike<number>} publicKeyHash
 * @param {ArrayLike<number> | string} [salt] random bytes unless given
 * @returns {Commitment}
 */
export function makeCommitment(lockingScriptSha256, input, publicKeyHash, salt = Random(SALT)) {
  const payee = keyHash(publicKeyHash)
  const random = typeof salt === 'string' ? fromHex(salt, 'the salt') : Uint8Array.from(salt)
  if (random.length !== SALT) {
    throw new ContractError(
      `a salt has ${SALT} random bytes, not ${random.length}: with fewer, others could try inputs`
    )
  }
  const commitment = sha256(concat(input, payee, random))
  return {
    lockingScriptSha256,
    input: toHex(input),
    publicKeyHash: toHex(payee),
    salt: toHex(random),
    commitment: toHex(commitment),
    outputScript: toHex(concat(UNSPENDABLE, commitment))
  }
}

/**
 * Reads a commitment to a contract's input, and checks that it opens.
 *
 * @param {string | object} json
 * @param {string} lockingScriptSha256
 * @param {Uint8Array} input
 * @returns {Commitment}
 */
export function readCommitment(json, lockingScriptSha256, input) {
  const told = parsed(json, 'the commitment')
  if (told.lockingScriptSha256 !== lockingScriptSha256) {
    throw new ContractError(`the commitment is to another contract, of SHA-256 ${told.lockingScriptSha256}`)
  }
  if (told.input !== toHex(input)) throw new ContractError('the commitment is to another input')
  const opened = makeCommitment(lockingScriptSha256, input, told.publicKeyHash, told.salt)
  if (opened.commitment === told.commitment) return opened
  throw new ContractError('the commitment does not open: it is not the hash of its other fields')
}

/**
 * The proof that a transaction is in a block under others, as `onnx2script unlock --proof` reads it.
 *
 * @param {Transaction | string} transaction itself or in hex
 * @param {string[]} headers in hex: that of its block, then those that follow
 * @param {import('@bsv/sdk').MerklePath} [merklePath]
 * @returns {Proof}
 */
export function makeProof(transaction, headers, merklePath) {
  const tx = typeof transaction === 'string' ? Transaction.fromHex(transaction) : transaction
  const path = merklePath ?? tx.merklePath
  if (path === undefined) throw new ContractError("give the transaction's Merkle path: it does not hold one itself")
  const leaf = path.path[0].find(({ hash }) => hash === tx.id('hex'))
  if (leaf === undefined) throw new ContractError(`the Merkle path is not that of transaction ${tx.id('hex')}`)
  const alone = path.path.length === 1 && path.path[0].length === 1
  const levels = alone
    ? 0
    : Math.max(path.path.length, 32 - Math.clz32(Math.max(...path.path[0].map(({ offset }) => offset))))
  const nodes = Array.from({ length: levels }, (_, level) => sibling(path, leaf.offset, level))
  return { txOrId: tx.toHex(), index: leaf.offset, nodes, headers }
}

/**
 * @param {import('@bsv/sdk').MerklePath} path
 * @param {number} index
 * @param {number} level
 */
function sibling(path, index, level) {
  const found = path.findOrComputeLeaf(level, (index >> level) ^ 1)
  // A path of all transactions leaves out what an odd one out stands beside: itself.
  if (found === undefined && path.path.length > 1)
    throw new ContractError(`the Merkle path lacks a node at level ${level}`)
  return found?.duplicate === true ? '*' : (found?.hash ?? '*')
}

/**
 * What an unlocking script pushes of a proof; all that the contract will check is checked here first, in words.
 *
 * @param {string | object | undefined} json
 * @param {Uint8Array} commitment
 * @param {{ blocks: number, bits: string }} terms
 */
export function piecesOf(json, commitment, { blocks, bits }) {
  const proof = parsed(json, 'the proof')
  const transaction = fromHex(proof.txOrId, "the proof's txOrId, which is the whole transaction,")
  if (transaction.length === 32)
    throw new ContractError("the proof's txOrId is an id: give the whole transaction there")
  const at = find(transaction, commitment)
  if (at < 0) throw new ContractError('the transaction of the proof does not hold the commitment')
  const { branch, root } = branchOf(proof, transaction)
  return {
    transactionBefore: transaction.slice(0, at),
    transactionBehind: transaction.slice(at + commitment.length),
    merkleBranch: branch,
    headers: headersOf(proof.headers ?? [], root, blocks, bits)
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {Uint8Array} wanted
 */
function find(bytes, wanted) {
  const starts = Array.from(bytes.subarray(0, Math.max(bytes.length - wanted.length + 1, 0)).keys())
  return starts.find(start => equal(bytes.subarray(start, start + wanted.length), wanted)) ?? -1
}

/**
 * From the transaction up: on which side a sibling stands (1: on the right), and its hash.
 *
 * @param {{ index: number, nodes: string[] }} proof
 * @param {Uint8Array} transaction
 */
function branchOf({ index, nodes = [] }, transaction) {
  if (nodes.length > DEEPEST_BRANCH) {
    throw new ContractError(`the proof's branch has ${nodes.length} nodes, the contract takes ${DEEPEST_BRANCH}`)
  }
  let hash = hash256(transaction)
  const branch = nodes.map((node, level) => {
    const other = node === '*' ? hash : fromHex(node, `the proof's node ${level}`).reverse()
    if (other.length !== 32) throw new ContractError(`the proof's node ${level} has ${other.length} bytes, not 32`)
    const onTheRight = ((index >> level) & 1) === 0
    hash = hash256(onTheRight ? concat(hash, other) : concat(other, hash))
    return concat([onTheRight ? 1 : 0], other)
  })
  return { branch: concat(...branch), root: hash }
}

/**
 * @param {string[]} told
 * @param {Uint8Array} root
 * @param {number} blocks
 * @param {string} bits
 */
function headersOf(told, root, blocks, bits) {
  if (told.length !== blocks) {
    throw new ContractError(
      `the proof holds ${told.length} headers, the contract takes ${blocks}: that of the ` +
        "commitment's block, and those that follow it"
    )
  }
  const headers = told.map((header, index) => fromHex(header, `header ${index}`))
  headers.forEach((header, index) => {
    if (header.length !== HEADER) throw new ContractError(`header ${index} has ${header.length} bytes, not ${HEADER}`)
    if (index === 0 && !equal(header.subarray(36, 68), root)) {
      throw new ContractError("the proof's branch does not lead to the Merkle root of the first header")
    }
    if (index > 0 && !equal(header.subarray(4, 36), hash256(headers[index - 1]))) {
      throw new ContractError(`header ${index} does not follow header ${index - 1}`)
    }
    if (unsigned(hash256(header)) > targetOf(bits)) {
      throw new ContractError(`header ${index} was easier to find than bits ${bits} say`)
    }
  })
  return concat(...headers)
}

const unsigned = (/** @type {Uint8Array} */ bytes) => readScriptNumber(concat(bytes, [0]))

/**
 * The number that compact bits stand for.
 *
 * @param {string} bits
 */
function targetOf(bits) {
  const [exponent, mantissa] = [parseInt(bits.slice(0, 2), 16), BigInt(`0x${bits.slice(2)}`)]
  return exponent > 3 ? mantissa << BigInt(8 * (exponent - 3)) : mantissa >> BigInt(8 * (3 - exponent))
}
