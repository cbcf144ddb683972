//! The hash that a signature signs.
//!
//! Two digests: the one with FORKID (BIP 143's, with the amount of the coin), and the original one,
//! which Chronicle brought back for hash types without FORKID or with the CHRONICLE bit. Both take the
//! script code as the caller cut it; only the original digest drops the CODESEPARATORs left in it.
//!
//! Source: Bitcoin SV node, `SignatureHash` and `CTransactionSignatureSerializer` of `src/script/interpreter.cpp`
//! (read at commit 02048f1a, on the way to Chronicle), `src/script/sighashtype.h` (at 172c8fa3, of 1.2). Which digest
//! 1.2.2 takes was not read there but in what other implementations cite of it, and the SDK's cases agree.

use bitcoin::VarInt;
use bitcoin::consensus::Encodable;
use bitcoin::hashes::{Hash, HashEngine, sha256d};

use super::parse::{self, Token};
use super::spending::Spending;
use super::transaction::Input;
use crate::script::opcode::Opcode;
use crate::script::push;

type Engine = <sha256d::Hash as Hash>::Engine;

/// The last byte of a signature: what of the transaction it signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct HashType(pub(super) u8);

const ALL: u8 = 1;
const NONE: u8 = 2;
const SINGLE: u8 = 3;
const BASE: u8 = 0x1f;
const CHRONICLE: u8 = 0x20;
const FORK_ID: u8 = 0x40;
const ANYONE_CAN_PAY: u8 = 0x80;

impl HashType {
    /// Whether it is one of ALL, NONE and SINGLE, with any of the flags.
    pub(super) fn is_defined(self) -> bool {
        (ALL..=SINGLE).contains(&(self.0 & BASE))
    }

    pub(super) fn has_fork_id(self) -> bool {
        self.0 & FORK_ID != 0
    }

    pub(super) fn has_chronicle(self) -> bool {
        self.0 & CHRONICLE != 0
    }

    fn has_anyone_can_pay(self) -> bool {
        self.0 & ANYONE_CAN_PAY != 0
    }

    fn is_single(self) -> bool {
        self.0 & BASE == SINGLE
    }

    /// Whether the other inputs' sequence numbers stay open.
    fn leaves_sequences(self) -> bool {
        matches!(self.0 & BASE, NONE | SINGLE)
    }

    fn to_bytes(self) -> [u8; 4] {
        u32::from(self.0).to_le_bytes()
    }
}

/// The double SHA-256 of some parts.
pub(super) fn hash<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> [u8; 32] {
    let mut engine = sha256d::Hash::engine();
    parts.into_iter().for_each(|part| engine.input(part.as_ref()));
    finish(engine)
}

fn finish(engine: Engine) -> [u8; 32] {
    sha256d::Hash::from_engine(engine).to_byte_array()
}

/// A count, as the transaction writes it.
fn put_count(engine: &mut Engine, count: usize) {
    VarInt(count as u64).consensus_encode(engine).expect("a hash takes all bytes");
}

/// The digest with FORKID.
pub(super) fn fork_id(spending: &Spending<'_>, script_code: &[u8], hash_type: HashType) -> [u8; 32] {
    const NOTHING: &[u8; 32] = &[0; 32];
    let (transaction, input) = (&spending.transaction, spending.input());
    let alone = hash_type.has_anyone_can_pay();
    let outpoints = if alone { NOTHING } else { spending.hash_outpoints() };
    let sequences = if alone || hash_type.leaves_sequences() { NOTHING } else { spending.hash_sequences() };
    let outputs = match transaction.outputs.get(spending.index) {
        _ if !hash_type.leaves_sequences() => *spending.hash_outputs(),
        Some(output) if hash_type.is_single() => hash([output]),
        _ => *NOTHING,
    };

    let mut engine = sha256d::Hash::engine();
    engine.input(&transaction.version.to_le_bytes());
    engine.input(outpoints);
    engine.input(sequences);
    engine.input(input.outpoint);
    put_count(&mut engine, script_code.len());
    engine.input(script_code);
    engine.input(&spending.satoshis.to_le_bytes());
    engine.input(&input.sequence.to_le_bytes());
    engine.input(&outputs);
    engine.input(&transaction.lock_time.to_le_bytes());
    engine.input(&hash_type.to_bytes());
    finish(engine)
}

/// The digest from before the fork: the transaction itself, with scripts and what is left open taken out.
pub(super) fn original(spending: &Spending<'_>, script_code: &[u8], hash_type: HashType) -> [u8; 32] {
    /// What stands for the outputs that SINGLE leaves open: an amount of -1, no script.
    const OPEN_OUTPUT: [u8; 9] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
    let transaction = &spending.transaction;
    let signed_output = transaction.outputs.get(spending.index);
    if hash_type.is_single() && signed_output.is_none() {
        // The number 1, a fault as old as the digest, and consensus.
        let mut one = [0; 32];
        one[0] = 1;
        return one;
    }
    let mut engine = sha256d::Hash::engine();
    engine.input(&transaction.version.to_le_bytes());
    put_inputs(&mut engine, spending, script_code, hash_type);
    match signed_output {
        Some(output) if hash_type.is_single() => {
            put_count(&mut engine, spending.index + 1);
            (0..spending.index).for_each(|_| engine.input(&OPEN_OUTPUT));
            engine.input(output);
        }
        _ if hash_type.leaves_sequences() => put_count(&mut engine, 0),
        _ => {
            put_count(&mut engine, transaction.outputs.len());
            engine.input(transaction.all_outputs);
        }
    }
    engine.input(&transaction.lock_time.to_le_bytes());
    engine.input(&hash_type.to_bytes());
    finish(engine)
}

/// The inputs for the original digest.
fn put_inputs(engine: &mut Engine, spending: &Spending<'_>, script_code: &[u8], hash_type: HashType) {
    let signed = |engine: &mut Engine, input: &Input<'_>| {
        engine.input(input.outpoint);
        put_script_code(engine, script_code);
        engine.input(&input.sequence.to_le_bytes());
    };
    if hash_type.has_anyone_can_pay() {
        put_count(engine, 1);
        return signed(engine, spending.input());
    }
    put_count(engine, spending.transaction.inputs.len());
    for (index, input) in spending.transaction.inputs.iter().enumerate() {
        if index == spending.index {
            signed(engine, input);
            continue;
        }
        engine.input(input.outpoint);
        put_count(engine, 0);
        engine.input(&if hash_type.leaves_sequences() { [0; 4] } else { input.sequence.to_le_bytes() });
    }
}

/// The script code without its CODESEPARATORs. Of a push that runs past the end, only the opcode and the
/// bytes of its length are hashed, though the length in front counts all: the node's reader stops there.
fn put_script_code(engine: &mut Engine, script_code: &[u8]) {
    let (mut at, mut kept) = (0, Vec::new());
    let mut start = 0;
    while at < script_code.len() {
        let Some((token, next)) = parse::read(script_code, at) else { break };
        if token == Token::Op(Opcode::CODESEPARATOR.byte()) {
            kept.push(&script_code[start..at]);
            start = next;
        }
        at = next;
    }
    put_count(engine, script_code.len() - kept.len());
    kept.push(&script_code[start..at + header_len(&script_code[at..])]);
    kept.iter().for_each(|part| engine.input(part));
}

/// How much of a push that runs past the end the node reads: the opcode, and the length if it is whole.
fn header_len(push: &[u8]) -> usize {
    let length = match push.first() {
        None => return 0,
        Some(&push::PUSHDATA1) => 1,
        Some(&push::PUSHDATA2) => 2,
        Some(&push::PUSHDATA4) => 4,
        Some(_) => 0,
    };
    if push.len() > length { 1 + length } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: [u8; 36] = [7; 36];
    const OUTPUT: [u8; 10] = [5, 0, 0, 0, 0, 0, 0, 0, 1, 0x51];

    /// Version 2, one input of sequence number 9, one output, lock time 3.
    fn transaction() -> Vec<u8> {
        [&[2, 0, 0, 0, 1][..], &INPUT, &[0, 9, 0, 0, 0, 1], &OUTPUT, &[3, 0, 0, 0]].concat()
    }

    #[test]
    fn the_original_digest_leaves_separators_out() {
        let bytes = transaction();
        let spending = Spending::new(&bytes, 0, 0).unwrap();
        // As counted, then as hashed: not the same where a push runs past the end.
        let cases: [(&[u8], u8, &[u8]); 11] = [
            (&[], 0, &[]),
            (&[0xac], 1, &[0xac]),
            (&[0xab], 0, &[]),
            (&[0xab, 0xac, 0xab, 0xab, 0x61], 2, &[0xac, 0x61]),
            (&[1, 0xab, 0xab, 0xac], 3, &[1, 0xab, 0xac]),
            (&[0xac, 0xab, 5, 0xab], 3, &[0xac, 5]),
            (&[0xac, 0x4c], 2, &[0xac, 0x4c]),
            (&[0xac, 0x4c, 5, 0xab], 4, &[0xac, 0x4c, 5]),
            (&[0x4d, 5], 2, &[0x4d]),
            (&[0x4d, 5, 0, 0xab], 4, &[0x4d, 5, 0]),
            (&[0x4e, 5, 0, 0, 0, 1], 6, &[0x4e, 5, 0, 0, 0]),
        ];
        for (code, count, hashed) in cases {
            for hash_type in [HashType(ALL), HashType(ALL | CHRONICLE | FORK_ID)] {
                let parts: [&[u8]; 8] = [
                    &[2, 0, 0, 0, 1],
                    &INPUT,
                    &[count],
                    hashed,
                    &[9, 0, 0, 0, 1],
                    &OUTPUT,
                    &[3, 0, 0, 0],
                    &hash_type.to_bytes(),
                ];
                assert_eq!(spending.digest(code, hash_type), hash(parts), "{code:02x?}");
            }
        }
    }

    #[test]
    fn the_digest_with_fork_id_has_the_amount_and_the_script_as_it_is() {
        let bytes = transaction();
        let spending = Spending::new(&bytes, 0, 0x0102).unwrap();
        let code = [&[0xab; 300][..], &[0x4c]].concat();
        let hash_type = HashType(ALL | FORK_ID);
        let parts: [&[u8]; 11] = [
            &[2, 0, 0, 0],
            &hash([INPUT]),
            &hash([[9, 0, 0, 0]]),
            &INPUT,
            &[0xfd, 0x2d, 1],
            &code,
            &[2, 1, 0, 0, 0, 0, 0, 0],
            &[9, 0, 0, 0],
            &hash([OUTPUT]),
            &[3, 0, 0, 0],
            &[0x41, 0, 0, 0],
        ];
        assert_eq!(spending.digest(&code, hash_type), hash(parts));
    }
}
