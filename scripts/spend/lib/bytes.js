// Byte strings, script numbers and pushes, and how they are read.

import { Hash, OP, Utils } from '@bsv/sdk'

/** What an artifact, an input or a transaction has wrong, in words. */
export class ContractError extends Error {
  name = 'ContractError'
}

/**
 * JSON, or what was read from it before.
 *
 * @param {unknown} json
 * @param {string} what
 * @returns {any}
 */
export function parsed(json, what) {
  if (typeof json !== 'string') return json
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new ContractError(`${what} is no JSON (give its content, not its file's name): ${String(error)}`, {
      cause: error
    })
  }
}

/** @param {ArrayLike<number>} bytes */
export const toHex = bytes => Utils.toHex(Array.from(bytes))

/**
 * @param {unknown} text
 * @param {string} what
 * @returns {Uint8Array}
 */
export function fromHex(text, what) {
  if (typeof text !== 'string' || !/^([0-9a-f]{2})*$/i.test(text)) throw new ContractError(`${what} is not in hex`)
  return Uint8Array.from(Utils.toArray(text, 'hex'))
}

/** @param {ArrayLike<number>} bytes */
export const sha256 = bytes => Uint8Array.from(Hash.sha256(Array.from(bytes)))
/** @param {ArrayLike<number>} bytes */
export const hash160 = bytes => Uint8Array.from(Hash.hash160(Array.from(bytes)))
/** @param {ArrayLike<number>} bytes */
export const hash256 = bytes => sha256(sha256(bytes))

/** @param {...ArrayLike<number>} parts */
export const concat = (...parts) => Uint8Array.from(parts.flatMap(part => Array.from(part)))

/**
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
export const equal = (a, b) => a.length === b.length && Array.prototype.every.call(a, (byte, at) => byte === b[at])

/**
 * The shortest script number: little-endian, the sign in the top bit of the last byte, zero empty.
 *
 * @param {bigint} value
 * @returns {Uint8Array}
 */
export function scriptNumber(value) {
  const bytes = []
  for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 8n) bytes.push(Number(rest & 0xffn))
  if (bytes.length > 0 && bytes[bytes.length - 1] & 0x80) bytes.push(0)
  if (value < 0n) bytes[bytes.length - 1] |= 0x80
  return Uint8Array.from(bytes)
}

/**
 * The number that a byte string stands for.
 *
 * @param {ArrayLike<number>} bytes
 * @returns {bigint}
 */
export function readScriptNumber(bytes) {
  const last = bytes.length - 1
  if (last < 0) return 0n
  let magnitude = BigInt(bytes[last] & 0x7f)
  for (let at = last - 1; at >= 0; at--) magnitude = (magnitude << 8n) | BigInt(bytes[at])
  return bytes[last] & 0x80 ? -magnitude : magnitude
}

/**
 * The shortest push of a byte string, as a chunk of the SDK's scripts.
 *
 * @param {ArrayLike<number>} bytes
 * @returns {{ op: number, data?: number[] }}
 */
export function push(bytes) {
  const data = Array.from(bytes)
  const [length, first] = [data.length, data[0]]
  if (length === 0) return { op: OP.OP_0 }
  if (length === 1 && first >= 1 && first <= 16) return { op: OP.OP_1 + first - 1 }
  if (length === 1 && first === 0x81) return { op: OP.OP_1NEGATE }
  if (length < OP.OP_PUSHDATA1) return { op: length, data }
  const op = length < 0x100 ? OP.OP_PUSHDATA1 : length < 0x10000 ? OP.OP_PUSHDATA2 : OP.OP_PUSHDATA4
  return { op, data }
}

/**
 * How many bytes a count takes in front of a list or a script.
 *
 * @param {number} count
 */
export const varIntLength = count => (count < 0xfd ? 1 : count < 0x10000 ? 3 : 5)
