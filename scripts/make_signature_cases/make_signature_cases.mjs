// Make tests/data/signature_cases.json: spends that check signatures, with the verdict of @bsv/sdk's interpreter.
//
// Usage (node 20 or newer):
//
//     npm ci --prefix scripts/make_signature_cases
//     node scripts/make_signature_cases/make_signature_cases.mjs [--check]
//
// With --check nothing is written: the cases are made again and compared with the file. Keys are fixed and nonces
// are RFC 6979's, so the same SDK gives the same bytes. Of each case the file says:
//
//     name      what it is about
//     tx        the transaction, in hex
//     input     which of its inputs spends the coin
//     locking   the coin's locking script, in hex
//     satoshis  what the coin is worth
//     sdk       whether the SDK's Spend accepts, in its default mode (policy; relaxed for version 2)

import { readFileSync, writeFileSync } from 'node:fs'
import {
  BigNumber, Curve, ECDSA, Hash, LockingScript, PrivateKey, Script, Spend, Transaction, TransactionSignature,
  UnlockingScript, Utils
} from '@bsv/sdk'

const FILE = new URL('../../tests/data/signature_cases.json', import.meta.url)
const COIN = 5000
const [ALL, NONE, SINGLE, CHRONICLE, FORKID, ACP] = [1, 2, 3, 0x20, 0x40, 0x80]
const NAMES = { [ALL]: 'ALL', [NONE]: 'NONE', [SINGLE]: 'SINGLE' }
const TYPES = [ALL, NONE, SINGLE, ALL | ACP, NONE | ACP, SINGLE | ACP]
const [NOT, DROP, RETURN, VER, CODESEPARATOR, CHECKSIG, CHECKSIGVERIFY, CHECKMULTISIG] =
  ['91', '75', '6a', '62', 'ab', 'ac', 'ad', 'ae']

const keys = [1, 2, 3, 4].map(n => new PrivateKey(Hash.sha256(Utils.toArray(`key ${n}`))))
const [alice, bob, carol, mallory] = keys

// Scripts.

const push = hex => {
  const length = hex.length / 2
  return (length < 0x4c ? byte(length) : '4c' + byte(length)) + hex
}
const byte = value => value.toString(16).padStart(2, '0')
const publicKey = key => key.toPublicKey().encode(true, 'hex')
const uncompressed = key => key.toPublicKey().encode(false, 'hex')
const p2pk = key => push(publicKey(key)) + CHECKSIG
const p2pkh = key => '76a9' + push(Utils.toHex(Hash.hash160(Utils.toArray(publicKey(key), 'hex')))) + '88' + CHECKSIG
const multisig = (needed, of) =>
  byte(0x50 + needed) + of.map(key => push(publicKey(key))).join('') + byte(0x50 + of.length) + CHECKMULTISIG

const describe = type => {
  const flags = [[ACP, 'ANYONECANPAY'], [FORKID, 'FORKID'], [CHRONICLE, 'CHRONICLE']]
  const base = NAMES[type & 0x1f] ?? `base ${type & 0x1f}`
  return [base, ...flags.filter(([flag]) => type & flag).map(([, name]) => name)].join('|')
}

// Transactions.

/** Three inputs and two outputs; input 1 spends. `change` may alter the parts. */
const transaction = (change = () => {}) => {
  const tx = new Transaction(1, [1, 2, 3].map(n => ({
    sourceTXID: byte(n).repeat(32),
    sourceOutputIndex: n,
    sequence: 0xffffff00 + n,
    unlockingScript: UnlockingScript.fromHex('')
  })), [1000, 2000].map(satoshis => ({ satoshis, lockingScript: LockingScript.fromHex(p2pkh(bob)) })), 77)
  change(tx)
  return tx
}
const version2 = change => transaction(tx => { tx.version = 2; change?.(tx) })

const parameters = (tx, input, satoshis) => ({
  sourceTXID: tx.inputs[input].sourceTXID,
  sourceOutputIndex: tx.inputs[input].sourceOutputIndex,
  sourceSatoshis: satoshis,
  transactionVersion: tx.version,
  otherInputs: tx.inputs.filter((_, index) => index !== input),
  outputs: tx.outputs,
  inputIndex: input,
  inputSequence: tx.inputs[input].sequence,
  lockTime: tx.lockTime
})

/** A signature in hex, with its hash type: of `input` of `tx`, with `code` as script code. */
const sign = (key, tx, code, { type = ALL | FORKID, input = 1, satoshis = COIN, highS = false, format = 'format' } = {}) => {
  const all = { ...parameters(tx, input, satoshis), subscript: Script.fromHex(code), scope: type }
  const digest = TransactionSignature.usesOtdaSingleBug(all) && format === 'format'
    ? [1, ...new Array(31).fill(0)]
    : Hash.hash256(TransactionSignature[format](all))
  const { r, s } = ECDSA.sign(new BigNumber(digest), key, true)
  const order = new Curve().n
  return Utils.toHex(new TransactionSignature(r, highS ? order.sub(s) : s, type).toChecksigFormat())
}

const cases = []

/** Adds a case: `unlock` makes the unlocking script for a transaction; `tamper` then alters the transaction. */
const add = (name, locking, unlock, { tx = transaction(), input = 1, satoshis = COIN, tamper = () => {} } = {}) => {
  tx.inputs[1].unlockingScript = UnlockingScript.fromHex(unlock(tx))
  // Read back, so that the case is about the bytes.
  const spent = Transaction.fromHex(tx.toHex())
  tamper(spent)
  const bytes = spent.toHex()
  cases.push({ name, tx: bytes, input, locking, satoshis, sdk: judge(bytes, input, locking, satoshis) })
}

const judge = (bytes, input, locking, satoshis) => {
  const tx = Transaction.fromHex(bytes)
  try {
    return new Spend({
      ...parameters(tx, input, satoshis),
      lockingScript: LockingScript.fromHex(locking),
      unlockingScript: tx.inputs[input].unlockingScript
    }).validate()
  } catch (error) {
    if (error.message.startsWith('Script evaluation error')) return false
    throw error
  }
}

// The hash types, whatever they sign and whatever they leave open.

const TAMPERINGS = {
  'version changed': tx => { tx.version = 0 },
  'lock time changed': tx => { tx.lockTime = 78 },
  'own sequence changed': tx => { tx.inputs[1].sequence = 0 },
  'own outpoint changed': tx => { tx.inputs[1].sourceOutputIndex = 9 },
  'sequence of another input changed': tx => { tx.inputs[2].sequence = 0 },
  'outpoint of another input changed': tx => { tx.inputs[0].sourceTXID = 'ee'.repeat(32) },
  'input added behind': tx => { tx.inputs.push({ ...tx.inputs[2], sourceOutputIndex: 8 }) },
  'output of the same index changed': tx => { tx.outputs[1].satoshis = 1999 },
  'script of the same index changed': tx => { tx.outputs[1].lockingScript = LockingScript.fromHex(p2pkh(mallory)) },
  'other output changed': tx => { tx.outputs[0].satoshis = 999 },
  'output added': tx => { tx.outputs.push({ satoshis: 1, lockingScript: LockingScript.fromHex('51') }) },
  'output removed': tx => { tx.outputs.pop() }
}

for (const type of TYPES.map(type => type | FORKID)) {
  const unlock = tx => push(sign(alice, tx, p2pkh(alice), { type })) + push(publicKey(alice))
  add(`P2PKH, ${describe(type)}`, p2pkh(alice), unlock)
  for (const [what, tamper] of Object.entries(TAMPERINGS)) {
    add(`P2PKH, ${describe(type)}, ${what}`, p2pkh(alice), unlock, { tamper })
  }
}
for (const type of [SINGLE | FORKID, SINGLE | ACP | FORKID]) {
  const one = () => transaction(tx => { tx.outputs.pop() })
  const unlock = tx => push(sign(alice, tx, p2pk(alice), { type }))
  add(`P2PK, ${describe(type)} without an output of the index`, p2pk(alice), unlock, { tx: one() })
  const tamper = tx => { tx.outputs[0].satoshis = 1 }
  add(`P2PK, ${describe(type)} without an output of the index, output changed`, p2pk(alice), unlock, { tx: one(), tamper })
}

// Keys, coins and inputs that are others than those signed.

const plain = tx => push(sign(alice, tx, p2pk(alice)))
add('P2PK', p2pk(alice), plain)
add('P2PK, version 2', p2pk(alice), plain, { tx: version2() })
const long = push(uncompressed(alice)) + CHECKSIG
add('P2PK, uncompressed key', long, tx => push(sign(alice, tx, long)))
add('P2PK, signed by another key', p2pk(alice), tx => push(sign(mallory, tx, p2pk(alice))))
add('P2PK, signed for another script', p2pk(alice), tx => push(sign(alice, tx, p2pk(bob))))
add('P2PKH, another key', p2pkh(alice), tx => push(sign(mallory, tx, p2pkh(alice))) + push(publicKey(mallory)))
add('P2PK, amount one more', p2pk(alice), plain, { satoshis: COIN + 1 })
add('P2PK, amount one less', p2pk(alice), plain, { satoshis: COIN - 1 })
add('P2PK, another input of the same script', p2pk(alice), plain, {
  input: 2, tamper: tx => { tx.inputs[2].unlockingScript = tx.inputs[1].unlockingScript }
})
add('P2PK, inputs swapped', p2pk(alice), plain, { input: 0, tamper: tx => { tx.inputs.unshift(...tx.inputs.splice(1, 1)) } })
add('P2PK, unlocking script of another input changed', p2pk(alice), plain, {
  tamper: tx => { tx.inputs[0].unlockingScript = UnlockingScript.fromHex('51') }
})
add('CHECKSIGVERIFY', push(publicKey(alice)) + CHECKSIGVERIFY + '51',
  tx => push(sign(alice, tx, push(publicKey(alice)) + CHECKSIGVERIFY + '51')))
add('CHECKSIGVERIFY, signed by another key', push(publicKey(alice)) + CHECKSIGVERIFY + '51',
  tx => push(sign(mallory, tx, push(publicKey(alice)) + CHECKSIGVERIFY + '51')))

// Encodings.

const altered = (index, bit) => tx => {
  const bytes = Utils.toArray(sign(alice, tx, p2pk(alice)), 'hex')
  bytes[index < 0 ? bytes.length + index : index] ^= bit
  return push(Utils.toHex(bytes))
}
for (const [what, index] of [['r', 10], ['s', -10], ['the length of r', 3], ['the tag', 0]]) {
  add(`P2PK, bit flipped in ${what}`, p2pk(alice), altered(index, 1))
}
for (const [what, bit] of [['ALL for SINGLE', 2], ['ANYONECANPAY', ACP], ['an undefined base', 4], ['FORKID', FORKID]]) {
  add(`P2PK, hash type altered: ${what}`, p2pk(alice), altered(-1, bit))
}
for (const [version, tx] of [[1, transaction], [2, version2]]) {
  add(`P2PK, high S, version ${version}`, p2pk(alice), tx => push(sign(alice, tx, p2pk(alice), { highS: true })), { tx: tx() })
  add(`P2PK, empty signature, version ${version}`, p2pk(alice), () => '00', { tx: tx() })
  add(`CHECKSIG NOT, empty signature, version ${version}`, p2pk(alice) + NOT, () => '00', { tx: tx() })
  add(`CHECKSIG NOT, signature of another key, version ${version}`, p2pk(alice) + NOT,
    tx => push(sign(mallory, tx, p2pk(alice) + NOT)), { tx: tx() })
  add(`P2PK, undefined hash type, version ${version}`, p2pk(alice),
    tx => push(sign(alice, tx, p2pk(alice), { type: 0x44 })), { tx: tx() })
}
add('P2PK, no hash type', p2pk(alice), tx => push(sign(alice, tx, p2pk(alice)).slice(0, -2)))
const hybrid = push('06' + uncompressed(alice).slice(2)) + CHECKSIG
add('P2PK, hybrid key', hybrid, tx => push(sign(alice, tx, hybrid)))
const offCurve = push('02' + 'ff'.repeat(32)) + CHECKSIG + NOT
add('CHECKSIG NOT, empty signature, key off the curve', offCurve, () => '00')

// Multisig.

const signatures = (signers, tx, code, options) => signers.map(key => push(sign(key, tx, code, options))).join('')
const oneOfTwo = multisig(1, [alice, bob])
const twoOfThree = multisig(2, [alice, bob, carol])
const named = { alice, bob, carol, mallory }
for (const signer of ['alice', 'bob', 'mallory']) {
  add(`1 of 2, ${signer}`, oneOfTwo, tx => '00' + signatures([named[signer]], tx, oneOfTwo))
}
for (const pair of ['alice bob', 'alice carol', 'bob carol', 'bob alice', 'carol alice', 'carol bob', 'alice alice', 'alice mallory']) {
  const signers = pair.split(' ').map(name => named[name])
  add(`2 of 3, ${pair}`, twoOfThree, tx => '00' + signatures(signers, tx, twoOfThree))
}
add('2 of 3, one signature empty', twoOfThree, tx => '0000' + signatures([bob], tx, twoOfThree))
add('2 of 3, hash types differ', twoOfThree, tx => '00' +
  signatures([alice], tx, twoOfThree, { type: NONE | FORKID }) + signatures([carol], tx, twoOfThree, { type: SINGLE | ACP | FORKID }))
const notMultisig = multisig(2, [alice, bob]) + NOT
add('CHECKMULTISIG NOT, all empty', notMultisig, () => '000000')
add('CHECKMULTISIG NOT, one not empty', notMultisig, tx => '0000' + signatures([alice], tx, notMultisig))
for (const [version, tx] of [[1, transaction], [2, version2]]) {
  add(`1 of 2, extra item not empty, version ${version}`, oneOfTwo, tx => '51' + signatures([alice], tx, oneOfTwo), { tx: tx() })
}
const zeros = '00' + DROP + oneOfTwo
add('1 of 2, script with a push of nothing', zeros, tx => '00' + signatures([bob], tx, zeros))

// CODESEPARATOR: what is signed is the script from behind the last one that was executed.

const separated = (name, locking, code, options) =>
  add(`CODESEPARATOR ${name}`, locking, tx => push(sign(alice, tx, code, options)), options)
const check = p2pk(alice)
const before = '51' + DROP
separated('behind', before + CODESEPARATOR + check, check)
separated('behind, the separator signed too', before + CODESEPARATOR + check, CODESEPARATOR + check)
separated('behind, the whole script signed', before + CODESEPARATOR + check, before + CODESEPARATOR + check)
separated('first', CODESEPARATOR + check, check)
separated('right before CHECKSIG', push(publicKey(alice)) + CODESEPARATOR + CHECKSIG, CHECKSIG)
separated('two, behind the second', CODESEPARATOR + before + CODESEPARATOR + check, check)
separated('two, behind the first signed', CODESEPARATOR + before + CODESEPARATOR + check, before + CODESEPARATOR + check)
separated('not yet executed stays in', check + CODESEPARATOR, check + CODESEPARATOR)
separated('not yet executed, taken out', check + CODESEPARATOR, check)
const skipped = '0063' + CODESEPARATOR + '68'
separated('in a branch not taken', skipped + check, skipped + check)
separated('in a branch not taken, signed as if taken', skipped + check, '68' + check)
separated('in a branch taken', '5163' + CODESEPARATOR + '68' + check, '68' + check)
const branches = '5163' + CODESEPARATOR + '67' + CODESEPARATOR + '68' + check
separated('in both branches', branches, '67' + CODESEPARATOR + '68' + check)
const returned = CODESEPARATOR + check + RETURN + CODESEPARATOR + '0102'
separated('with RETURN and data behind', returned, returned.slice(2))
separated('with RETURN and data behind, data not signed', returned, returned.slice(2, -8))
const inPush = '01' + CODESEPARATOR + DROP + check
separated('as pushed data is none', inPush, inPush)
const twice = push(publicKey(alice)) + CHECKSIGVERIFY + CODESEPARATOR + p2pk(bob)
add('CODESEPARATOR between two checks', twice, tx => push(sign(bob, tx, p2pk(bob))) + push(sign(alice, tx, twice)))
add('CODESEPARATOR between two checks, both sign the whole', twice,
  tx => push(sign(bob, tx, twice)) + push(sign(alice, tx, twice)))
const separatedMultisig = before + CODESEPARATOR + twoOfThree
add('CODESEPARATOR, 2 of 3', separatedMultisig, tx => '00' + signatures([alice, carol], tx, twoOfThree))
add('CODESEPARATOR, 2 of 3, the whole script signed', separatedMultisig,
  tx => '00' + signatures([alice, carol], tx, separatedMultisig))

// Chronicle: the original digest, and what version 2 allows.

for (const type of TYPES) {
  for (const flags of [0, CHRONICLE, CHRONICLE | FORKID]) {
    const options = { type: type | flags }
    add(`P2PK, version 2, ${describe(type | flags)}`, check, tx => push(sign(alice, tx, check, options)), { tx: version2() })
  }
}
for (const type of [ALL, SINGLE | CHRONICLE | FORKID]) {
  const unlock = tx => push(sign(alice, tx, check, { type }))
  for (const what of ['sequence of another input changed', 'other output changed', 'output of the same index changed']) {
    add(`P2PK, version 2, ${describe(type)}, ${what}`, check, unlock, { tx: version2(), tamper: TAMPERINGS[what] })
  }
  // The amount is not in the original digest.
  add(`P2PK, version 2, ${describe(type)}, amount one more`, check, unlock, { tx: version2(), satoshis: COIN + 1 })
}
for (const type of [SINGLE, SINGLE | ACP | CHRONICLE | FORKID]) {
  const tx = version2(tx => { tx.outputs.pop() })
  add(`P2PK, version 2, ${describe(type)} without an output of the index`, check,
    tx => push(sign(alice, tx, check, { type })), { tx })
}
add('P2PK, version 2, CHRONICLE over the digest of FORKID', check,
  tx => push(sign(alice, tx, check, { type: ALL | CHRONICLE | FORKID, format: 'formatBip143' })), { tx: version2() })
add('P2PK, version 2, FORKID over the original digest', check,
  tx => push(sign(alice, tx, check, { format: 'formatOTDA' })), { tx: version2() })
add('P2PK, version 1, without FORKID', check, tx => push(sign(alice, tx, check, { type: ALL })))
add('P2PK, version 1, CHRONICLE', check, tx => push(sign(alice, tx, check, { type: ALL | CHRONICLE | FORKID })))
separated('not yet executed is not in the original digest', check + CODESEPARATOR, check, { type: ALL, tx: version2() })
separated('behind, original digest', before + CODESEPARATOR + check + '61', check + '61', { type: ALL, tx: version2() })
separated('in pushed data stays in the original digest', inPush, inPush, { type: ALL, tx: version2() })

// A locking script that holds the signature itself.
for (const [type, tx] of [[ALL | FORKID, transaction], [ALL, version2]]) {
  const spending = tx()
  const held = push(sign(alice, spending, DROP + check, { type })) + DROP + check
  add(`P2PK, ${describe(type)}, the signature pushed by the locking script`, held,
    () => held.slice(0, held.indexOf(DROP + check)), { tx: spending })
}
const versioned = VER + '0402000000' + '88' + check
add('VER, version 2', versioned, tx => push(sign(alice, tx, versioned)), { tx: version2() })
for (const [version, tx] of [[1, transaction], [2, version2]]) {
  const own = tx => push(sign(alice, tx, check))
  add(`P2PK, NOP in the unlocking script, version ${version}`, check, tx => own(tx) + '61', { tx: tx() })
  add(`P2PK, an item left over, version ${version}`, check, tx => '51' + own(tx), { tx: tx() })
  add(`P2PK, a push not minimal, version ${version}`, check, tx => '4c' + own(tx), { tx: tx() })
  add(`CHECKSIG in the unlocking script, version ${version}`, '61',
    tx => push(sign(alice, tx, CHECKSIG)) + push(publicKey(alice)) + CODESEPARATOR + CHECKSIG, { tx: tx() })
}

const names = new Set(cases.map(({ name }) => name))
if (names.size !== cases.length) throw new Error('two cases have one name')
const text = '[\n' + cases.map(one => JSON.stringify(one)).join(',\n') + '\n]\n'
const accepted = cases.filter(({ sdk }) => sdk).length
const told = `${cases.length} cases, ${accepted} of them accepted, ${text.length} bytes`
if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== text) {
    console.error('error: tests/data/signature_cases.json is not what this script makes: run it without --check and read the diff')
    process.exit(1)
  }
  console.error(`${told}: as in the file`)
} else {
  writeFileSync(FILE, text)
  console.error(told)
}
