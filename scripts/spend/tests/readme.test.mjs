// The README's code, run as it stands there.

import { strict as assert } from 'node:assert'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { compile, hashOf, madeUpCoin, person, samples, scratchFile, verdict } from '../playground.mjs'

const [funder, payee] = ['funder', 'payee'].map(person)
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test("the README's code funds, claims and gets a refund", async () => {
  const options = /u8:1\/255 --weights int8/.exec(readme)[0].split(' ')
  const terms = ['--pay-to', hashOf(payee), '--lock-until', '950000', '--refund', hashOf(funder)]
  const { file, json } = compile('mnist_784_64_10', '--input', ...options, ...terms)
  const code = /```js\n([^]*?)```/.exec(readme)[1]
  const resolved = code.replace(
    /from '([^n][^']*)'/g,
    (_, name) => `from '${import.meta.resolve(name.replace(/^\.\//, '../'))}'`
  )
  const script = scratchFile('readme.mjs')
  writeFileSync(script, resolved.replace("'contract.json'", JSON.stringify(file)))
  const { fund, claim, refund } = await import(pathToFileURL(script).href)
  const locked = await fund(madeUpCoin(funder, 100_000), funder, 20_000)
  assert.equal(locked.outputs[0].lockingScript.toHex(), JSON.parse(json).lockingScript.hex)
  assert.equal(verdict(locked), 'OK')
  assert.equal(verdict(await claim(locked, samples('mnist')[0], payee)), 'OK')
  // One refund in 64 cannot be signed: that of another coin will be.
  const other = () => fund(madeUpCoin(funder, 100_000), funder, 30_000)
  const refunded = await refund(locked, funder).catch(async () => refund(await other(), funder))
  assert.equal(verdict(refunded), 'OK')
})

test("the README's figure is the artifact's", () => {
  const { limits } = compile('mnist_784_64_10', '--input', 'u8:1/255', '--weights', 'int8').classifier.artifact
  assert.ok(readme.includes(`whose artifact says ${limits.stackBytes.toLocaleString('en')}`), `${limits.stackBytes}`)
})
