// Keys and their hashes.

import { Utils } from '@bsv/sdk'
import { ContractError, fromHex, hash160, toHex } from './bytes.js'

/** In front of a hash in an address, on the main network and on test networks. */
const PUBLIC_KEY_VERSIONS = [0x00, 0x6f]

/**
 * The public key of a private key, written as it was where a contract's hash of it was made: compressed or not.
 *
 * @param {import('@bsv/sdk').PrivateKey | undefined} privateKey
 * @param {string} hash in hex
 * @param {string} whom
 * @returns {number[]}
 */
export function publicKeyOf(privateKey, hash, whom) {
  if (privateKey === undefined) throw new ContractError(`no PrivateKey is given for ${whom}`)
  const keys = [true, false].map(compressed => /** @type {number[]} */ (privateKey.toPublicKey().encode(compressed)))
  const key = keys.find(key => toHex(hash160(key)) === hash)
  if (key !== undefined) return key
  throw new ContractError(
    `the private key is not that of ${whom}: its hash is ${toHex(hash160(keys[0]))}, the contract's ${hash}`
  )
}

/**
 * HASH160 of a key, given as an address, in hex or in bytes.
 *
 * @param {string | ArrayLike<number>} hash
 * @returns {Uint8Array}
 */
export function keyHash(hash) {
  if (typeof hash !== 'string') return twentyBytes(Uint8Array.from(hash))
  if (/^([0-9a-f]{2})*$/i.test(hash)) return twentyBytes(fromHex(hash, 'a hash'))
  const bytes = ofAddress(hash)
  if (bytes !== undefined) return twentyBytes(bytes)
  throw new ContractError(`"${hash.slice(0, 60)}" is neither 40 hex digits nor an address of a public key`)
}

/** @param {Uint8Array} bytes */
function twentyBytes(bytes) {
  if (bytes.length === 20) return bytes
  throw new ContractError(`a public key's hash has 20 bytes, not ${bytes.length}`)
}

/** @param {string} address */
function ofAddress(address) {
  try {
    const { prefix, data } = Utils.fromBase58Check(address)
    if (PUBLIC_KEY_VERSIONS.includes(Number(prefix[0]))) return Uint8Array.from(/** @type {number[]} */ (data))
  } catch {
    // Its checksum is wrong, or it is no Base58 at all.
  }
}
