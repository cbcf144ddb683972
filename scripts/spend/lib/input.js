// Inputs, written as a contract takes them: element `v` is worth `v * scale + offset` to the model.

import { ContractError, scriptNumber } from './bytes.js'
import { exact, round } from './numbers.js'

/** @import { ArtifactInput } from '../onnx-classifier.d.ts' */

/**
 * The bytes of an input.
 *
 * @param {unknown} input numbers in the model's units (nested as its shape or flat), or a Uint8Array of the very bytes
 * @param {ArtifactInput} format
 * @returns {Uint8Array}
 */
export function encode(input, format) {
  if (input instanceof Uint8Array) return ownBytes(input, format)
  const isList = Array.isArray(input) || (ArrayBuffer.isView(input) && !(input instanceof DataView))
  if (!isList) {
    throw new ContractError("the input is no list: give numbers in the model's units, or a Uint8Array of its bytes")
  }
  const numbers = Array.from(/** @type {any} */ (input)).flat(Infinity)
  if (numbers.length !== format.elements) {
    throw new ContractError(
      `the input has ${numbers.length} numbers, the model takes ${format.elements} (shape ` +
        `${format.shape.join(' x ')})`
    )
  }
  return pack(quantise(numbers, format), format)
}

/**
 * @param {Uint8Array} bytes
 * @param {ArtifactInput} format
 */
function ownBytes(bytes, format) {
  if (bytes.length === format.bytes) return Uint8Array.from(bytes)
  throw new ContractError(
    `a Uint8Array is taken for the contract's own bytes, of which there are ${format.bytes}, not ` +
      `${bytes.length}; for numbers in the model's units give an Array or a Float32Array`
  )
}

/**
 * @param {any[]} numbers
 * @param {ArtifactInput} format
 * @returns {bigint[]}
 */
function quantise(numbers, format) {
  const [scale, offset] = [exact(format.scale), exact(format.offset)]
  const { low, high } = interval(format)
  return numbers.map((number, index) => {
    const value = exact(number)
    const steps = round({
      over: (value.over * offset.under - offset.over * value.under) * scale.under,
      under: value.under * offset.under * scale.over
    })
    if (steps >= low && steps <= high) return steps
    throw new ContractError(
      `element ${index} is ${String(number)}, outside what ${describe(format)} can hold` + hint(format)
    )
  })
}

/** @param {ArtifactInput} format */
function interval(format) {
  if (format.encoding === 'unsigned') return { low: 0n, high: (1n << BigInt(format.bitsPerElement)) - 1n }
  const high = (1n << BigInt(8 * format.bytesPerElement - 1)) - 1n
  return { low: -high, high }
}

/** @param {ArtifactInput} format */
const hint = format =>
  format.encoding === 'unsigned' && format.bitsPerElement === 8 && format.scale !== '1'
    ? "; numbers are in the model's units: give bytes as they are as a Uint8Array"
    : ''

/**
 * @param {bigint[]} integers inside the interval
 * @param {ArtifactInput} format
 */
function pack(integers, format) {
  const bytes = new Uint8Array(format.bytes)
  integers.forEach((integer, index) => {
    if (format.encoding === 'unsigned') {
      const bits = format.bitsPerElement
      bytes[(index * bits) >> 3] |= Number(integer) << ((index * bits) & 7)
    } else {
      bytes.set(fixedWidth(integer, format.bytesPerElement), index * format.bytesPerElement)
    }
  })
  return bytes
}

/**
 * A script number of exactly so many bytes: the sign moves to the last one.
 *
 * @param {bigint} integer
 * @param {number} width
 */
function fixedWidth(integer, width) {
  const bytes = new Uint8Array(width)
  bytes.set(scriptNumber(integer < 0n ? -integer : integer))
  if (integer < 0n) bytes[width - 1] |= 0x80
  return bytes
}

/**
 * A format in words.
 *
 * @param {ArtifactInput} format
 */
export function describe(format) {
  const element =
    format.encoding === 'unsigned'
      ? format.bitsPerElement === 8
        ? 'a byte'
        : `an integer of ${format.bitsPerElement} bits`
      : `a signed integer of ${format.bytesPerElement} bytes`
  return `${element} in steps of ${format.scale}` + (format.offset === '0' ? '' : ` from ${format.offset} on`)
}
