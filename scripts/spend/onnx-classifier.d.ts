import type {
  LockingScript,
  MerklePath,
  PrivateKey,
  Script,
  ScriptTemplate,
  ScriptTemplateUnlock,
  Transaction
} from '@bsv/sdk'

/** Numbers in the model's units, nested as its shape or flat, or the very bytes that the contract takes. */
export type ModelInput = Uint8Array | Float32Array | Float64Array | NestedNumbers
export type NestedNumbers = ReadonlyArray<number | bigint | string | NestedNumbers>

export interface SignOptions {
  /** What a signature says about outputs; 'all' unless given. */
  signOutputs?: 'all' | 'none' | 'single'
  /** Whether others may add inputs later. */
  anyoneCanPay?: boolean
  /** What the coin is worth, where the input has no sourceTransaction. */
  sourceSatoshis?: number
  /** The coin's script, where the input has no sourceTransaction; checked to be the contract's. */
  lockingScript?: Script
}

export interface UnlockOptions extends SignOptions {
  /** The payee's key, for contracts made with --pay-to or --commit-reveal. */
  privateKey?: PrivateKey
  /** What `commit` returned, for contracts made with --commit-reveal. */
  commitment?: Commitment | string
  /** What `OnnxClassifier.proof` returned, or a service's TSC proof with whole transaction and headers. */
  proof?: Proof | string
}

/** A commitment, and what opens it. Keep it to yourself until the claim is mined. */
export interface Commitment {
  lockingScriptSha256: string
  input: string
  publicKeyHash: string
  salt: string
  commitment: string
  outputScript: string
}

/** That a transaction is in a block, under further ones. */
export interface Proof {
  /** The whole transaction, in hex. */
  txOrId: string
  index: number
  /** The siblings on its way to the root, last byte first; `*` is a copy of what stands beside it. */
  nodes: string[]
  headers: string[]
}

export type ArtifactInput = {
  name: string
  shape: number[]
  elements: number
  integers: boolean
  bytes: number
  scale: string
  offset: string
  byteOrder: 'little-endian'
} & ({ encoding: 'signMagnitude'; bytesPerElement: number } | { encoding: 'unsigned'; bitsPerElement: number })

/** A way of spending: what an unlocking script pushes, and where the script begins that its signatures hash. */
export interface Method {
  name: string
  scriptCodeStart: number
  pushes: Array<{ name: string; type: string; bytes?: number; value?: number }>
}

/** What `onnx2script MODEL.onnx --artifact FILE` writes; schemas/contract-1.schema.json has all of it. */
export interface Artifact {
  format: 'onnx2script-contract'
  version: 1
  model: { file: string; sha256: string }
  contract: {
    kind: 'claim' | 'expect' | 'class'
    expected?: number
    payTo?: string
    commitReveal?: { blocks: number; bits: string }
    refund?: { keyHash: string; lockUntil: number }
  }
  lockingScript: { hex: string; sha256: string; bytes: number; networkStart: number; networkEnd: number }
  abi: {
    input: ArtifactInput
    answer: { kind: 'class'; classes: number; labels?: string[] } | { kind: 'number'; scale: string }
    methods: Method[]
  }
  limits: {
    unlockingBytes: number
    numberBytes: number
    stackItems: number
    stackBytes: number
    mempoolMicroseconds: number
  }
}

/** What an artifact, an input or a transaction has wrong, in words. */
export class ContractError extends Error {}

/** One refund in 64 cannot be signed as it is: set the input's sequence to this one, and sign all inputs again. */
export class RefundNotSignable extends ContractError {
  sequence: number
}

/** A contract's script template: locks coins to an artifact's script, and spends them. */
export class OnnxClassifier implements ScriptTemplate {
  readonly artifact: Artifact
  /** Reads what `onnx2script MODEL.onnx --artifact FILE` wrote. */
  static fromArtifact(json: string | object): OnnxClassifier
  /** The proof that a commitment's transaction is in the chain; its block's header first. */
  static proof(transaction: Transaction | string, headers: string[], merklePath?: MerklePath): Proof
  constructor(json: string | object)
  lock(): LockingScript
  /** Spends by an input and a claim: a class or its label; of a model that gives a number, that as a bigint. */
  unlock(input: ModelInput, claim?: number | bigint | string, options?: UnlockOptions): ScriptTemplateUnlock
  /** Spends by the refund; tx.lockTime and the input's sequence must allow it. */
  refund(privateKey: PrivateKey, options?: SignOptions): ScriptTemplateUnlock
  /** Commits to an input; the key of this hash (address, hex or bytes) will sign the claim. */
  commit(input: ModelInput, publicKeyHash: string | ArrayLike<number>, salt?: string | ArrayLike<number>): Commitment
  /** The bytes of an input, as the contract takes them. */
  encode(input: ModelInput): Uint8Array
  /** What the network answers: a class, or the integer for a number (a bigint). */
  answer(input: ModelInput, options?: { memoryLimit?: number }): number | bigint
  describe(): string
}
