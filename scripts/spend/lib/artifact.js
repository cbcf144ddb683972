// Reading artifacts: what `onnx2script MODEL --artifact FILE` wrote, or a reason why it is of no use here.

import { ContractError, fromHex, parsed, sha256, toHex } from './bytes.js'
import { exact } from './numbers.js'

/** @import { Artifact } from '../onnx-classifier.d.ts' */

/** What unlocking scripts may push; another name is a newer compiler's. */
const ITEMS = new Set([
  'signature',
  'publicKey',
  'claim',
  'input',
  'salt',
  'transactionBefore',
  'transactionBehind',
  'merkleBranch',
  'headers',
  'preimage'
])

/**
 * Reads an artifact and checks that it holds together.
 *
 * @param {string | object} json
 * @returns {Artifact}
 */
export function readArtifact(json) {
  const artifact = structuredClone(parsed(json, 'the artifact'))
  if (artifact?.format !== 'onnx2script-contract') {
    throw new ContractError('this is no contract artifact: make one with `onnx2script MODEL.onnx --artifact FILE`')
  }
  if (artifact.version !== 1) {
    throw new ContractError(`this is an artifact of version ${artifact.version}, this template reads version 1`)
  }
  try {
    check(artifact)
  } catch (error) {
    const reason = error instanceof ContractError ? error.message : 'a part of it is missing'
    throw new ContractError(`the artifact does not hold together: ${reason}`, { cause: error })
  }
  return artifact
}

/** @param {any} artifact */
function check({ contract, lockingScript, abi }) {
  const script = fromHex(lockingScript.hex, 'lockingScript.hex')
  if (script.length !== lockingScript.bytes || toHex(sha256(script)) !== lockingScript.sha256) {
    throw new ContractError('the locking script is not the one whose SHA-256 and length are told')
  }
  const { networkStart: start, networkEnd: end } = lockingScript
  if (!(start >= 0 && start < end && end <= script.length)) {
    throw new ContractError('the network does not lie in the locking script')
  }
  if (!['claim', 'expect', 'class'].includes(contract.kind))
    throw new ContractError(`contract kind \`${contract.kind}\``)
  const separated = (/** @type {number} */ start) => start === 0 || script[start - 1] === 0xab
  if (!abi.methods.every((/** @type {any} */ { scriptCodeStart }) => separated(scriptCodeStart))) {
    throw new ContractError('a scriptCodeStart of abi.methods is neither 0 nor behind a CODESEPARATOR')
  }
  checkInput(abi.input)
  abi.methods.forEach(checkMethod)
}

/** @param {any} input */
function checkInput(input) {
  const bits = input.encoding === 'unsigned' ? input.bitsPerElement : 8 * input.bytesPerElement
  const known =
    input.encoding === 'unsigned' ? [1, 2, 4, 8].includes(bits) : input.encoding === 'signMagnitude' && bits > 0
  if (!known || input.byteOrder !== 'little-endian') throw new ContractError('abi.input is of a kind unknown here')
  const elements = input.shape.reduce((/** @type {number} */ product, /** @type {number} */ side) => product * side, 1)
  if (elements !== input.elements || Math.ceil((elements * bits) / 8) !== input.bytes) {
    throw new ContractError('abi.input: shape, elements and bytes do not fit together')
  }
  exact(input.offset)
  if (exact(input.scale).over <= 0n) throw new ContractError('abi.input: the scale is not positive')
}

/** @param {any} method */
function checkMethod(method) {
  const unknown = method.pushes.find((/** @type {any} */ push) => push.value === undefined && !ITEMS.has(push.name))
  if (unknown !== undefined) {
    throw new ContractError(`method ${method.name} asks for ${unknown.name}, which this template does not know`)
  }
}
