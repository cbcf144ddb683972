// How long npm @bsv/sdk's `Spend` takes over one spend; prints what examples/race.rs prints, but for counts it does not
// make. The SDK is the one that scripts/spend pins. Scripts are parsed before the clock starts, once.
//
//     node sdk_race.mjs UNLOCK.HEX LOCK.HEX SECONDS

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { performance } from 'node:perf_hooks'

const { LockingScript, Spend, UnlockingScript, Utils } = createRequire(
  new URL('../spend/package.json', import.meta.url)
)('@bsv/sdk')

/** However short one is: a median of more says no more. */
const MOST_RUNS = 1000
/** More than any script of the race takes: a node's operator sets it. */
const STACK_MEMORY = 1_000_000_000

const [unlockingFile, lockingFile, seconds] = process.argv.slice(2)
const unlockingScript = UnlockingScript.fromHex(readFileSync(unlockingFile, 'utf8').trim())
const lockingScript = LockingScript.fromHex(readFileSync(lockingFile, 'utf8').trim())
// Asked for, so that what is parsed at first use is parsed now.
unlockingScript.chunks.length + lockingScript.chunks.length

/** A block's rules for a Genesis coin: what it leaves on the stack, or the error. */
function run() {
  const spend = new Spend({
    sourceTXID: '00'.repeat(32),
    sourceOutputIndex: 0,
    sourceSatoshis: 1,
    lockingScript,
    transactionVersion: 1,
    otherInputs: [],
    outputs: [],
    inputIndex: 0,
    unlockingScript,
    inputSequence: 0xffffffff,
    lockTime: 0,
    memoryLimit: STACK_MEMORY,
    verifyFlags: ['UTXO_AFTER_GENESIS', 'SIGPUSHONLY']
  })
  try {
    return spend.validate() ? ['OK', Utils.toHex(spend.stack.at(-1))] : ['EVAL_FALSE', '']
  } catch (error) {
    return [error.message.replaceAll(/\s+/g, ' '), '']
  }
}

const said = run()
const times = []
const started = performance.now()
while (times.length === 0 || (performance.now() - started < seconds * 1000 && times.length < MOST_RUNS)) {
  const begun = performance.now()
  run()
  times.push((performance.now() - begun) * 1000)
}
times.sort((one, other) => one - other)
const shown = [times[0], times[times.length >> 1]].map(each => each.toFixed(1))
console.log([...said, '', '', times.length, ...shown, process.resourceUsage().maxRSS].join('\t'))
