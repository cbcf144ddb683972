// Samples of a .npy file, one a row: numbers as they are there.

import { readFileSync } from 'node:fs'

const KINDS = { '|u1': Uint8Array, '<f4': Float32Array, '<f8': Float64Array }

/**
 * @param {string | URL} file
 * @returns {(Uint8Array | Float32Array | Float64Array)[]}
 */
export function readNpy(file) {
  const bytes = readFileSync(file)
  const begin = 10 + bytes.readUInt16LE(8)
  const header = bytes.toString('latin1', 10, begin)
  const kind = KINDS[/'descr': '([^']+)'/.exec(header)?.[1]]
  const shape = /'shape': \(([^)]*)\)/
    .exec(header)?.[1]
    .split(',')
    .filter(side => side.trim() !== '')
    .map(Number)
  if (bytes[6] !== 1 || kind === undefined || shape === undefined || header.includes('True')) {
    throw new Error(`${file} is no .npy file of bytes or floats`)
  }
  const all = new kind(Uint8Array.from(bytes.subarray(begin)).buffer)
  const row = all.length / shape[0]
  return Array.from({ length: shape[0] }, (_, index) => all.slice(index * row, (index + 1) * row))
}
