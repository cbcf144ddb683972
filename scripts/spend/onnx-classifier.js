// OnnxClassifier: contracts of onnx2script, locked and spent with @bsv/sdk. README.md shows how.

import { LockingScript, UnlockingScript } from '@bsv/sdk'
import { readArtifact } from './lib/artifact.js'
import { ContractError, fromHex, push, scriptNumber } from './lib/bytes.js'
import { makeCommitment, makeProof, piecesOf, readCommitment } from './lib/commitment.js'
import { describe, encode } from './lib/input.js'
import { publicKeyOf } from './lib/keys.js'
import { answerOf } from './lib/network.js'
import { RefundNotSignable, checkDue, preimageLength, refundPreimage } from './lib/refund.js'
import { MOST_SIGNATURE, checkCoin, scopeOf, sign, sourceOf } from './lib/signing.js'

export { ContractError, RefundNotSignable }

/** @import { Artifact, Commitment, ModelInput, SignOptions, UnlockOptions } from './onnx-classifier.d.ts' */

/** A contract's script template: locks coins to an artifact's script, and spends them. */
export class OnnxClassifier {
  /** @type {Artifact} */
  artifact
  #locking

  /** @param {string | object} json what `onnx2script MODEL.onnx --artifact FILE` wrote */
  static fromArtifact(json) {
    return new OnnxClassifier(json)
  }

  /** @param {string | object} json */
  constructor(json) {
    this.artifact = readArtifact(json)
    this.#locking = fromHex(this.artifact.lockingScript.hex, 'lockingScript.hex')
  }

  /** The locking script. */
  lock() {
    return new LockingScript([], this.#locking.slice(), undefined, false)
  }

  /**
   * Spends a coin by an input and a claim.
   *
   * @param {ModelInput} input
   * @param {number | bigint | string} [claim] a class or its label; of a model that gives a number, that as a bigint
   * @param {UnlockOptions} [options]
   */
  unlock(input, claim, options = {}) {
    const bytes = this.encode(input)
    const commitment = this.#commitment(bytes, options)
    const items = { input: bytes, ...this.#claim(claim), ...this.#proof(commitment, options) }
    const payee = this.#payee(options.privateKey, commitment)
    return this.#template('claim', items, payee, options)
  }

  /**
   * Spends a coin by its refund: `tx.lockTime` late enough, and an input sequence that is not the last.
   *
   * @param {import('@bsv/sdk').PrivateKey} privateKey the funder's
   * @param {SignOptions} [options]
   */
  refund(privateKey, options = {}) {
    const terms = this.artifact.contract.refund
    if (terms === undefined) {
      throw new ContractError('this contract gives nothing back: compile it with --lock-until and --refund')
    }
    const payee = { privateKey, publicKey: publicKeyOf(privateKey, terms.keyHash, 'the funder') }
    return this.#template('refund', {}, payee, options)
  }

  /**
   * Commits to an input: publish `outputScript` (or `commitment` anywhere in a transaction), and keep the rest.
   *
   * @param {ModelInput} input
   * @param {string | ArrayLike<number>} publicKeyHash whose key will sign the claim: an address, hex, or bytes
   * @param {string | ArrayLike<number>} [salt] 32 random bytes unless given
   */
  commit(input, publicKeyHash, salt) {
    if (this.artifact.contract.commitReveal === undefined) {
      throw new ContractError('this contract asks for no commitment: compile it with --commit-reveal BLOCKS:BITS')
    }
    return makeCommitment(this.artifact.lockingScript.sha256, this.encode(input), publicKeyHash, salt)
  }

  /**
   * The proof that a commitment's transaction is in the chain.
   *
   * @param {import('@bsv/sdk').Transaction | string} transaction itself or in hex
   * @param {string[]} headers in hex: that of its block, then those that follow
   * @param {import('@bsv/sdk').MerklePath} [merklePath] unless the transaction holds it
   */
  static proof(transaction, headers, merklePath) {
    return makeProof(transaction, headers, merklePath)
  }

  /**
   * The bytes of an input, as the contract takes them.
   *
   * @param {ModelInput} input
   */
  encode(input) {
    return encode(input, this.artifact.abi.input)
  }

  /**
   * What the network answers: the class, or the integer for a number. Runs the script in the SDK's interpreter.
   *
   * @param {ModelInput} input
   * @param {{ memoryLimit?: number }} [options]
   * @returns {number | bigint}
   */
  answer(input, { memoryLimit } = {}) {
    const answer = answerOf(this.artifact, this.encode(input), memoryLimit)
    return this.artifact.abi.answer.kind === 'class' ? Number(answer) : answer
  }

  /** The contract in a few lines. */
  describe() {
    const { contract, model, lockingScript, abi } = this.artifact
    const asks = { claim: 'a right claim', expect: `an input of ${this.#name(contract.expected)}`, class: 'any input' }
    const pays =
      contract.payTo !== undefined
        ? `the key of hash ${contract.payTo}`
        : contract.commitReveal !== undefined
          ? `who committed to the input ${contract.commitReveal.blocks} blocks before`
          : 'anyone'
    const lines = [
      `${model.file}: pays ${pays} for ${asks[contract.kind]}`,
      `input: ${abi.input.elements} elements, each ${describe(abi.input)}`,
      `script: ${lockingScript.bytes} bytes, SHA-256 ${lockingScript.sha256}`
    ]
    const { refund } = contract
    if (refund !== undefined) lines.push(`from ${refund.lockUntil} on also back to the key of hash ${refund.keyHash}`)
    return lines.join('\n')
  }

  /** @param {number | undefined} answer */
  #name(answer) {
    const { answer: kind } = this.artifact.abi
    const label = kind.kind === 'class' && kind.labels?.[answer ?? -1]
    return kind.kind === 'class' ? `class ${answer}${label ? ` (${label})` : ''}` : `the number ${answer}`
  }

  /**
   * @param {number | bigint | string | undefined} claim
   * @returns {{ claim?: Uint8Array }}
   */
  #claim(claim) {
    const { contract, abi } = this.artifact
    if (claim === undefined) {
      if (contract.kind !== 'claim') return {}
      throw new ContractError('what is claimed? give the class (`answer(input)` tells it)')
    }
    if (contract.kind === 'class')
      throw new ContractError('this contract leaves the class on the stack: it takes no claim')
    const value = abi.answer.kind === 'class' ? classOf(claim, abi.answer) : numberOf(claim, abi.answer)
    if (contract.kind === 'expect' && value !== BigInt(contract.expected ?? -1)) {
      throw new ContractError(`the contract pays for ${this.#name(contract.expected)} alone, not for ${claim}`)
    }
    return { claim: scriptNumber(value) }
  }

  /**
   * The commitment to an input, where the contract asks for one.
   *
   * @param {Uint8Array} input
   * @param {UnlockOptions} options
   */
  #commitment(input, { commitment, proof }) {
    const terms = this.artifact.contract.commitReveal
    if (terms === undefined) {
      if (commitment === undefined && proof === undefined) return undefined
      throw new ContractError('this contract asks for no commitment: leave commitment and proof out')
    }
    if (commitment === undefined || proof === undefined) {
      throw new ContractError(
        'this contract pays who committed to the input beforehand: make a commitment with `commit`, ' +
          `publish it, and give commitment and proof once it lies under ${terms.blocks} blocks`
      )
    }
    return readCommitment(commitment, this.artifact.lockingScript.sha256, input)
  }

  /**
   * What shows that a commitment is in the chain.
   *
   * @param {Commitment | undefined} commitment
   * @param {UnlockOptions} options
   */
  #proof(commitment, { proof }) {
    const terms = this.artifact.contract.commitReveal
    if (commitment === undefined || terms === undefined) return {}
    const pieces = piecesOf(proof, fromHex(commitment.commitment, 'the commitment'), terms)
    return { salt: fromHex(commitment.salt, 'the salt'), ...pieces }
  }

  /**
   * Who signs a claim, where the contract asks for it.
   *
   * @param {import('@bsv/sdk').PrivateKey | undefined} privateKey
   * @param {Commitment | undefined} commitment
   */
  #payee(privateKey, commitment) {
    const hash = this.artifact.contract.payTo ?? commitment?.publicKeyHash
    if (hash !== undefined) return { privateKey, publicKey: publicKeyOf(privateKey, hash, 'the payee') }
    if (privateKey === undefined) return undefined
    throw new ContractError(
      'this contract pays whoever shows a right input, and asks for no signature: leave privateKey ' +
        'out; a contract made with --pay-to asks for one'
    )
  }

  /**
   * A template for one method: the items known, and those that depend on the transaction.
   *
   * @param {'claim' | 'refund'} name
   * @param {Record<string, ArrayLike<number>>} items
   * @param {{ privateKey: any, publicKey: number[] } | undefined} payee
   * @param {SignOptions} options
   */
  #template(name, items, payee, options) {
    const scope = scopeOf(options)
    const method = this.#method(name)
    const scriptCode = this.#locking.slice(method.scriptCodeStart)
    const known = payee === undefined ? items : { ...items, publicKey: payee.publicKey }
    return {
      /** @type {import('@bsv/sdk').ScriptTemplateUnlock['sign']} */
      sign: async (tx, inputIndex) => {
        checkCoin(tx, inputIndex, this.#locking, options)
        const all = { ...known }
        if (payee !== undefined) {
          const source = sourceOf(tx, inputIndex, options)
          if (name === 'refund') {
            checkDue(tx, inputIndex, /** @type {any} */ (this.artifact.contract.refund).lockUntil)
            all.preimage = refundPreimage(tx, inputIndex, source, scriptCode)
          }
          all.signature = sign(tx, inputIndex, source, scriptCode, scope, payee.privateKey)
        }
        return this.#unlocking(method, all)
      },
      /** @type {import('@bsv/sdk').ScriptTemplateUnlock['estimateLength']} */
      estimateLength: async () => {
        const [signature, preimage] = [new Uint8Array(MOST_SIGNATURE), new Uint8Array(preimageLength(scriptCode))]
        return this.#unlocking(method, { ...known, signature, preimage }).toUint8Array().length
      }
    }
  }

  /** @param {'claim' | 'refund'} name */
  #method(name) {
    const method = this.artifact.abi.methods.find(method => method.name === name)
    if (method === undefined) throw new ContractError(`the contract has no way of spending called ${name}`)
    return method
  }

  /**
   * An unlocking script, as the artifact's ABI says.
   *
   * @param {import('./onnx-classifier.js').Method} method
   * @param {Record<string, ArrayLike<number>>} items
   */
  #unlocking(method, items) {
    return new UnlockingScript(
      method.pushes.map(({ name, value, bytes }) => {
        const item = value === undefined ? items[name] : scriptNumber(BigInt(value))
        if (item === undefined) throw new ContractError(`the contract asks for ${name}, which is not given`)
        if (bytes !== undefined && item.length !== bytes) {
          throw new ContractError(`the contract asks for ${bytes} bytes of ${name}, not ${item.length}`)
        }
        return push(item)
      })
    )
  }
}

/**
 * @param {number | bigint | string} claim a class or its label
 * @param {{ classes: number, labels?: string[] }} answer
 * @returns {bigint}
 */
function classOf(claim, { classes, labels }) {
  const byLabel = typeof claim === 'string' ? (labels?.indexOf(claim) ?? -1) : -1
  if (byLabel >= 0) return BigInt(byLabel)
  const isClass = typeof claim === 'bigint' || Number.isInteger(claim)
  if (isClass && BigInt(claim) >= 0n && BigInt(claim) < BigInt(classes)) return BigInt(claim)
  const known = labels === undefined ? '' : `, or a label: ${labels.join(', ')}`
  throw new ContractError(`${String(claim)} is no class: give a number from 0 to ${classes - 1}${known}`)
}

/**
 * @param {number | bigint | string} claim
 * @param {{ scale: string }} answer
 * @returns {bigint}
 */
function numberOf(claim, { scale }) {
  if (typeof claim === 'bigint') return claim
  throw new ContractError(
    `the contract compares integers, in steps of ${scale}: give a bigint, as \`answer(input)\` does`
  )
}
