// Exact numbers: fractions of big integers.

import { ContractError } from './bytes.js'

/** @typedef {{ over: bigint, under: bigint }} Fraction  `over / under`; `under` is positive. */

const MOST_DIGITS = 400

/**
 * A number as the fraction that it is: floats to their last bit, strings ("0.1", "-2.5e-3", "1/255") as they are read.
 *
 * @param {number | bigint | string} value
 * @returns {Fraction}
 */
export function exact(value) {
  if (typeof value === 'bigint') return { over: value, under: 1n }
  if (typeof value === 'number') return ofFloat(value)
  if (typeof value === 'string') return ofText(value)
  throw new ContractError(`${String(value)} is no number: give numbers, bigints, or strings such as "0.1" or "1/255"`)
}

/** @param {number} value */
function ofFloat(value) {
  if (!Number.isFinite(value)) throw new ContractError(`${value} is no finite number`)
  let halvings = 0
  // Doubling is exact below 2^53, and every float is an integer after 1074 of them.
  for (; !Number.isInteger(value); value *= 2) halvings++
  return { over: BigInt(value), under: 1n << BigInt(halvings) }
}

/** @param {string} text */
function ofText(text) {
  const quotient = /^([+-]?\d+)(?:\/(\d+))?$/.exec(text.trim())
  if (quotient !== null && BigInt(quotient[2] ?? 1) !== 0n)
    return { over: BigInt(quotient[1]), under: BigInt(quotient[2] ?? 1) }
  const decimal = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,3}))?$/i.exec(text.trim())
  const digits = decimal === null ? '' : decimal[2] + decimal[3]
  if (decimal === null || digits === '' || digits.length > MOST_DIGITS) {
    throw new ContractError(`"${text.slice(0, 40)}" is no number: give a decimal or a fraction, as in "0.1" or "1/255"`)
  }
  const power = Number(decimal[4] ?? 0) - decimal[3].length
  const over = BigInt(decimal[1] + digits) * 10n ** BigInt(Math.max(power, 0))
  return { over, under: 10n ** BigInt(Math.max(-power, 0)) }
}

/**
 * The integer nearest to a fraction; of two, the even one, as ONNX rounds.
 *
 * @param {Fraction} fraction
 * @returns {bigint}
 */
export function round({ over, under }) {
  let floor = over / under
  if (over % under < 0n) floor -= 1n
  const twice = 2n * (over - floor * under)
  return twice > under || (twice === under && floor % 2n !== 0n) ? floor + 1n : floor
}
