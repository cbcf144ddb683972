// What @bsv/sdk's `Spend` says of spends: one a line on standard input, as crosscheck.py writes them
// (era, rules, unlocking script, locking script, separated by tabs), and one verdict a line on standard output.
//
// The SDK is the one that scripts/spend pins: `npm ci --prefix scripts/spend` first.

import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const { LockingScript, Spend, UnlockingScript, Utils } = createRequire(
  new URL('../spend/package.json', import.meta.url)
)('@bsv/sdk')

const ERAS = { genesis: ['UTXO_AFTER_GENESIS'], chronicle: ['UTXO_AFTER_GENESIS', 'UTXO_AFTER_CHRONICLE'] }
const RULES = {
  consensus: ['SIGPUSHONLY'],
  policy: ['SIGPUSHONLY', 'MINIMALDATA', 'CLEANSTACK', 'DISCOURAGE_UPGRADABLE_NOPS', 'NULLDUMMY']
}
/** A node's, in bytes. */
const STACK_MEMORY = 100_000_000

const bytes = (/** @type {string} */ field) => (field === '-' ? '' : field)

/** A transaction of version 1 with one input and no outputs: no script here checks signatures. */
function judge(era, rules, unlocking, locking) {
  const spend = new Spend({
    sourceTXID: '00'.repeat(32),
    sourceOutputIndex: 0,
    sourceSatoshis: 1,
    lockingScript: LockingScript.fromHex(bytes(locking)),
    transactionVersion: 1,
    otherInputs: [],
    outputs: [],
    inputIndex: 0,
    unlockingScript: UnlockingScript.fromHex(bytes(unlocking)),
    inputSequence: 0xffffffff,
    lockTime: 0,
    memoryLimit: STACK_MEMORY,
    verifyFlags: [...ERAS[era], ...RULES[rules]]
  })
  return spend.validate() ? ['OK', Utils.toHex(spend.stack.at(-1)), ''] : ['no', '', 'false']
}

for await (const line of createInterface({ input: process.stdin })) {
  let verdict
  try {
    verdict = judge(...line.split('\t'))
  } catch (error) {
    verdict = ['no', '', error.message.split('\n')[0].replaceAll('\t', ' ')]
  }
  process.stdout.write(verdict.join('\t') + '\n')
}
