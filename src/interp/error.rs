//! Why a spend fails: the node's errors, by the node's names.
//!
//! Only errors a post-Genesis spend can reach are here; the node's P2SH, lock-time and opcode-count
//! errors belong to coins from before Genesis.
//!
//! Source: Bitcoin SV node 1.2.2, `src/script/script_error.h`.

use std::fmt;

macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal),+ $(,)?) => {
        /// The error that ended a script.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
        pub enum ScriptError { $($(#[doc = $doc])+ $variant),+ }

        impl ScriptError {
            /// Every error, in the order of the node's header.
            pub const ALL: &'static [ScriptError] = &[$(ScriptError::$variant),+];

            /// The node's name, without the `SCRIPT_ERR_` in front.
            pub const fn name(&self) -> &'static str {
                match self { $(ScriptError::$variant => $name),+ }
            }
        }
    };
}

errors! {
    /// The script ran to its end but left a false value, or nothing, on top.
    EvalFalse = "EVAL_FALSE",
    /// A script is longer than the target allows.
    ScriptSize = "SCRIPT_SIZE",
    /// NUM2BIN was asked for a negative size or one over 2^31 - 1.
    PushSize = "PUSH_SIZE",
    /// Both stacks together take more memory than the target allows.
    StackSize = "STACK_SIZE",
    /// CHECKMULTISIG with a negative number of signatures, or more signatures than keys.
    SigCount = "SIG_COUNT",
    /// CHECKMULTISIG with a negative number of keys.
    PubkeyCount = "PUBKEY_COUNT",
    /// AND, OR or XOR of operands of different lengths.
    InvalidOperandSize = "INVALID_OPERAND_SIZE",
    /// A number outside the range an opcode takes.
    InvalidNumberRange = "INVALID_NUMBER_RANGE",
    /// NUM2BIN of a number that does not fit the size.
    ImpossibleEncoding = "IMPOSSIBLE_ENCODING",
    /// SPLIT at a position outside the string.
    InvalidSplitRange = "INVALID_SPLIT_RANGE",
    /// A number, operand or result, longer than the target allows.
    ScriptnumOverflow = "SCRIPTNUM_OVERFLOW",
    /// Policy: a number that is not encoded as shortly as it could be.
    ScriptnumMinencode = "SCRIPTNUM_MINENCODE",
    /// VERIFY of a false value.
    Verify = "VERIFY",
    /// EQUALVERIFY of different strings.
    EqualVerify = "EQUALVERIFY",
    /// CHECKMULTISIGVERIFY that failed.
    CheckMultisigVerify = "CHECKMULTISIGVERIFY",
    /// CHECKSIGVERIFY that failed.
    CheckSigVerify = "CHECKSIGVERIFY",
    /// NUMEQUALVERIFY of different numbers.
    NumEqualVerify = "NUMEQUALVERIFY",
    /// An unassigned or reserved opcode, or a push that runs past the end of the script.
    BadOpcode = "BAD_OPCODE",
    /// 2MUL or 2DIV on a coin from before Chronicle.
    DisabledOpcode = "DISABLED_OPCODE",
    /// The main stack holds fewer items than an opcode takes.
    InvalidStackOperation = "INVALID_STACK_OPERATION",
    /// FROMALTSTACK with an empty alt stack.
    InvalidAltstackOperation = "INVALID_ALTSTACK_OPERATION",
    /// IF without a value or an ENDIF, ELSE or ENDIF without an IF, or a second ELSE.
    UnbalancedConditional = "UNBALANCED_CONDITIONAL",
    /// DIV by zero.
    DivByZero = "DIV_BY_ZERO",
    /// MOD by zero.
    ModByZero = "MOD_BY_ZERO",
    /// A signature with an undefined hash type.
    SigHashtype = "SIG_HASHTYPE",
    /// A signature that is not strict DER.
    SigDer = "SIG_DER",
    /// Policy: a push that a shorter opcode could have made.
    MinimalData = "MINIMALDATA",
    /// An unlocking script that holds anything but pushes.
    SigPushOnly = "SIG_PUSHONLY",
    /// A signature whose S is over half the order of the group.
    SigHighS = "SIG_HIGH_S",
    /// Policy: CHECKMULTISIG's extra item is not empty.
    SigNullDummy = "SIG_NULLDUMMY",
    /// A public key that is neither compressed nor uncompressed.
    PubkeyType = "PUBKEYTYPE",
    /// Policy: more than one item is left.
    CleanStack = "CLEANSTACK",
    /// A failed CHECKSIG or CHECKMULTISIG with a signature that is not empty.
    SigNullFail = "SIG_NULLFAIL",
    /// Policy: a NOP that a later upgrade may give a meaning.
    DiscourageUpgradableNops = "DISCOURAGE_UPGRADABLE_NOPS",
    /// Before Chronicle: a signature without the FORKID flag.
    MustUseForkid = "MUST_USE_FORKID",
    /// Before Chronicle: a signature with the CHRONICLE flag.
    IllegalChronicle = "ILLEGAL_CHRONICLE",
    /// A shift count beyond what the node's big integers take.
    BigInt = "BIG_INT",
    /// Not the node's: the script checks a signature, which takes a transaction, and none was given.
    TransactionNeeded = "TRANSACTION_NEEDED",
    /// Not the node's: the script takes more work than whoever runs it allowed.
    WorkLimit = "WORK_LIMIT",
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for ScriptError {}
