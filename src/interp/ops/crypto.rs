//! The hash opcodes.

use bitcoin::hashes::{Hash, hash160, ripemd160, sha1, sha256, sha256d};

use crate::interp::error::ScriptError;
use crate::interp::item::Item;
use crate::interp::stack::Stack;
use crate::script::opcode::Opcode;

/// Replaces the top by its hash: the one that `opcode` names, or SHA256.
pub(in crate::interp) fn hash(stack: &mut Stack<'_>, opcode: Opcode) -> Result<(), ScriptError> {
    let data = stack.peek(0)?.bytes();
    let digest = match opcode {
        Opcode::RIPEMD160 => ripemd160::Hash::hash(data).to_byte_array().to_vec(),
        Opcode::SHA1 => sha1::Hash::hash(data).to_byte_array().to_vec(),
        Opcode::HASH160 => hash160::Hash::hash(data).to_byte_array().to_vec(),
        Opcode::HASH256 => sha256d::Hash::hash(data).to_byte_array().to_vec(),
        _ => sha256::Hash::hash(data).to_byte_array().to_vec(),
    };
    stack.replace(1, Item::owned(digest))
}
