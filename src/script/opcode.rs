//! The opcode table: one name and one byte for each opcode a BSV script may use.
//!
//! Names follow the node, not rust-bitcoin, which still calls some bytes by the meaning they had
//! before they were disabled in 2010 (0x7f is SPLIT here, SUBSTR there). Data pushes (0x01..=0x4e)
//! are not opcodes of this table: see [`crate::script::push`].
//!
//! Source: Bitcoin SV node 1.2.2, `src/script/opcodes.h`.

use std::fmt;

macro_rules! opcodes {
    ($($name:ident = $byte:literal),+ $(,)?) => {
        /// An opcode, as its byte in a script.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        #[allow(missing_docs, non_camel_case_types)]
        pub enum Opcode { $($name = $byte),+ }

        impl Opcode {
            /// Every opcode of the table, by ascending byte.
            pub const ALL: &'static [Opcode] = &[$(Opcode::$name),+];

            /// The opcode that a byte stands for; `None` for pushes and unassigned bytes.
            pub const fn from_byte(byte: u8) -> Option<Opcode> {
                match byte { $($byte => Some(Opcode::$name),)+ _ => None }
            }

            /// The node's name, without the `OP_` in front.
            pub const fn name(self) -> &'static str {
                match self { $(Opcode::$name => Self::strip(stringify!($name)),)+ }
            }
        }
    };
}

opcodes! {
    OP_0 = 0x00, OP_1NEGATE = 0x4f, OP_RESERVED = 0x50,
    OP_1 = 0x51, OP_2 = 0x52, OP_3 = 0x53, OP_4 = 0x54, OP_5 = 0x55, OP_6 = 0x56, OP_7 = 0x57, OP_8 = 0x58,
    OP_9 = 0x59, OP_10 = 0x5a, OP_11 = 0x5b, OP_12 = 0x5c, OP_13 = 0x5d, OP_14 = 0x5e, OP_15 = 0x5f, OP_16 = 0x60,
    NOP = 0x61, VER = 0x62, IF = 0x63, NOTIF = 0x64, VERIF = 0x65, VERNOTIF = 0x66, ELSE = 0x67, ENDIF = 0x68,
    VERIFY = 0x69, RETURN = 0x6a,
    TOALTSTACK = 0x6b, FROMALTSTACK = 0x6c, OP_2DROP = 0x6d, OP_2DUP = 0x6e, OP_3DUP = 0x6f, OP_2OVER = 0x70,
    OP_2ROT = 0x71, OP_2SWAP = 0x72, IFDUP = 0x73, DEPTH = 0x74, DROP = 0x75, DUP = 0x76, NIP = 0x77, OVER = 0x78,
    PICK = 0x79, ROLL = 0x7a, ROT = 0x7b, SWAP = 0x7c, TUCK = 0x7d,
    CAT = 0x7e, SPLIT = 0x7f, NUM2BIN = 0x80, BIN2NUM = 0x81, SIZE = 0x82,
    INVERT = 0x83, AND = 0x84, OR = 0x85, XOR = 0x86, EQUAL = 0x87, EQUALVERIFY = 0x88,
    RESERVED1 = 0x89, RESERVED2 = 0x8a,
    OP_1ADD = 0x8b, OP_1SUB = 0x8c, OP_2MUL = 0x8d, OP_2DIV = 0x8e, NEGATE = 0x8f, ABS = 0x90, NOT = 0x91,
    OP_0NOTEQUAL = 0x92, ADD = 0x93, SUB = 0x94, MUL = 0x95, DIV = 0x96, MOD = 0x97, LSHIFT = 0x98, RSHIFT = 0x99,
    BOOLAND = 0x9a, BOOLOR = 0x9b, NUMEQUAL = 0x9c, NUMEQUALVERIFY = 0x9d, NUMNOTEQUAL = 0x9e, LESSTHAN = 0x9f,
    GREATERTHAN = 0xa0, LESSTHANOREQUAL = 0xa1, GREATERTHANOREQUAL = 0xa2, MIN = 0xa3, MAX = 0xa4, WITHIN = 0xa5,
    RIPEMD160 = 0xa6, SHA1 = 0xa7, SHA256 = 0xa8, HASH160 = 0xa9, HASH256 = 0xaa, CODESEPARATOR = 0xab,
    CHECKSIG = 0xac, CHECKSIGVERIFY = 0xad, CHECKMULTISIG = 0xae, CHECKMULTISIGVERIFY = 0xaf,
    NOP1 = 0xb0, CHECKLOCKTIMEVERIFY = 0xb1, CHECKSEQUENCEVERIFY = 0xb2,
    SUBSTR = 0xb3, LEFT = 0xb4, RIGHT = 0xb5, LSHIFTNUM = 0xb6, RSHIFTNUM = 0xb7,
    NOP9 = 0xb8, NOP10 = 0xb9,
}

impl Opcode {
    /// The byte that stands for this opcode.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// The opcode that pushes the small integer `n`, for `n` in -1..=16.
    pub const fn small_int(n: i64) -> Option<Opcode> {
        match n {
            0 => Some(Opcode::OP_0),
            -1 => Some(Opcode::OP_1NEGATE),
            1..=16 => Opcode::from_byte(0x50 + n as u8),
            _ => None,
        }
    }

    const fn strip(name: &'static str) -> &'static str {
        match name.as_bytes() {
            [b'O', b'P', b'_', ..] => name.split_at(3).1,
            _ => name,
        }
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_opcodes_correspond() {
        for &opcode in Opcode::ALL {
            assert_eq!(Opcode::from_byte(opcode.byte()), Some(opcode));
        }
        assert_eq!(Opcode::from_byte(0x05), None);
        assert_eq!(Opcode::from_byte(0xba), None);
        assert_eq!(Opcode::OP_2DUP.name(), "2DUP");
        assert_eq!(Opcode::SPLIT.name(), "SPLIT");
        assert_eq!(Opcode::small_int(16), Some(Opcode::OP_16));
        assert_eq!(Opcode::small_int(17), None);
    }
}
