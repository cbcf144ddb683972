// Artifacts of every kind of contract: described by the schema, read, and refused where they are broken.

import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import Ajv from 'ajv/dist/2020.js'
import { ContractError, OnnxClassifier } from '../onnx-classifier.js'
import { compile, hashOf, person, scratchFile } from '../playground.mjs'

const schema = JSON.parse(readFileSync(new URL('../../../schemas/contract-1.schema.json', import.meta.url), 'utf8'))
const validate = new Ajv({ allErrors: true }).compile(schema)
const owner = hashOf(person('owner'))
const REFUND = ['--lock-until', '900000', '--refund', owner]

const CONTRACTS = {
  claim: ['toy_2-2-2'],
  expect: ['iris_4-8-3', '--contract', 'expect:2', '--labels', 'setosa,versicolor,virginica'],
  class: ['toy_2-2-2', '--contract', 'class'],
  number: ['diabetes_10-16-1'],
  bytes: ['digits_64_32_10', '--input', 'u4:1', '--weights', 'int8'],
  payTo: ['toy_2-2-2', '--pay-to', owner],
  refund: ['toy_2-2-2', ...REFUND],
  commitReveal: ['toy_2-2-2', '--commit-reveal', '3:207fffff'],
  all: ['toy_2-2-2', '--contract', 'expect:1', '--commit-reveal', '3:207fffff', ...REFUND]
}

for (const [name, options] of Object.entries(CONTRACTS)) {
  test(`the artifact of a contract of kind ${name} fits the schema, and is locked as it says`, () => {
    const { json, classifier } = compile(...options)
    const artifact = JSON.parse(json)
    assert.ok(validate(artifact), JSON.stringify(validate.errors))
    assert.equal(classifier.lock().toHex(), artifact.lockingScript.hex)
    assert.equal(classifier.lock().chunks.length, artifact.lockingScript.instructions)
    assert.ok(classifier.describe().includes(artifact.lockingScript.sha256))
  })
}

test('the schema refuses what is no artifact', () => {
  const artifact = () => JSON.parse(compile(...CONTRACTS.all).json)
  for (const spoil of [
    a => {
      a.version = 2
    },
    a => {
      a.format = 'contract'
    },
    a => {
      delete a.lockingScript
    },
    a => {
      a.contract.kind = 'guess'
    },
    a => {
      a.abi.input.bytesPerElement = '5'
    },
    a => {
      a.abi.methods[0].pushes[0].type = 'anything'
    },
    a => {
      a.abi.methods[1].scriptCodeStart = -1
    }
  ]) {
    const spoiled = artifact()
    spoil(spoiled)
    assert.ok(!validate(spoiled), String(spoil))
  }
})

test('what is no artifact is refused in words', () => {
  const { json } = compile(...CONTRACTS.all)
  const spoiled = spoil => {
    const artifact = JSON.parse(json)
    spoil(artifact)
    return artifact
  }
  const refused = (artifact, words) =>
    assert.throws(
      () => OnnxClassifier.fromArtifact(artifact),
      error => error instanceof ContractError && words.test(error.message)
    )
  assert.ok(OnnxClassifier.fromArtifact(JSON.parse(json)) instanceof OnnxClassifier)
  refused(scratchFile('contract.json'), /its content, not its file/)
  refused('null', /no contract artifact/)
  refused({}, /no contract artifact/)
  refused(
    spoiled(a => {
      a.version = 2
    }),
    /version 2/
  )
  refused(
    spoiled(a => {
      a.lockingScript.hex = a.lockingScript.hex.replace(/^../, '51')
    }),
    /SHA-256/
  )
  refused(
    spoiled(a => {
      a.lockingScript.hex = 'xy'
    }),
    /not in hex/
  )
  refused(
    spoiled(a => {
      a.lockingScript.networkEnd = 1e6
    }),
    /does not lie/
  )
  refused(
    spoiled(a => {
      a.abi.methods[1].scriptCodeStart++
    }),
    /CODESEPARATOR/
  )
  refused(
    spoiled(a => {
      a.contract.kind = 'guess'
    }),
    /guess/
  )
  refused(
    spoiled(a => {
      a.abi.input.elements++
    }),
    /do not fit together/
  )
  refused(
    spoiled(a => {
      a.abi.input.encoding = 'float'
    }),
    /unknown here/
  )
  refused(
    spoiled(a => {
      a.abi.input.scale = '0'
    }),
    /not positive/
  )
  refused(
    spoiled(a => {
      a.abi.methods[0].pushes[0].name = 'password'
    }),
    /asks for password/
  )
  refused(
    spoiled(a => {
      delete a.abi
    }),
    /missing/
  )
})

test("a changed locking script does not change the template's", () => {
  const { classifier } = compile(...CONTRACTS.claim)
  const script = classifier.lock()
  const before = script.toHex()
  script.chunks.length = 0
  assert.equal(classifier.lock().toHex(), before)
})
