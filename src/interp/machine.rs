//! The loop over a script, and which opcode does what.
//!
//! Source: Bitcoin SV node 1.2.2, `src/script/interpreter.cpp`, `EvalScript`.

use super::control::Conditions;
use super::error::ScriptError;
use super::item::Item;
use super::number::{Number, NumberRules};
use super::ops::signature::Verifier;
use super::ops::{arith, bitwise, crypto, shuffle, signature, splice, verify};
use super::parse::{self, Token};
use super::spending::Context;
use super::stack::Stack;
use super::step::{Instruction, ScriptKind, Step};
use super::work::Work;
use crate::script::opcode::Opcode;
use crate::target::{Era, Rules};

/// Called before each instruction.
pub(super) type Tracer<'t> = &'t mut dyn FnMut(&Step<'_>);

const ONE: Number<'static> = Number::Small(1);
const TWO: Number<'static> = Number::Small(2);

/// What an instruction does to the flow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    /// RETURN outside any IF: the script ends, whatever follows.
    End,
    /// CODESEPARATOR: signatures sign what follows.
    Separate,
}

/// The state that the scripts of a spend share.
pub(super) struct Machine<'s, 't> {
    pub(super) stack: Stack<'s>,
    pub(super) instructions: u64,
    context: Context<'s>,
    rules: NumberRules,
    verifier: Verifier<'s>,
    tracer: Option<Tracer<'t>>,
    /// None where nobody limits it.
    work: Option<Work>,
}

impl<'s, 't> Machine<'s, 't> {
    pub(super) fn new(context: Context<'s>, work: Option<u64>, tracer: Option<Tracer<'t>>) -> Self {
        Machine {
            stack: Stack::new(&context.target),
            instructions: 0,
            context,
            rules: NumberRules::new(&context),
            verifier: Verifier::new(context),
            tracer,
            work: work.map(Work::new),
        }
    }

    /// Runs one script on the stack as it is.
    pub(super) fn eval(&mut self, script: &'s [u8], kind: ScriptKind) -> Result<(), ScriptError> {
        if script.len() > self.context.target.max_script_bytes() {
            return Err(ScriptError::ScriptSize);
        }
        self.stack.clear_alt();
        self.verifier.begin(script);
        let mut conditions = Conditions::default();
        // After RETURN within an IF nothing is executed, but the IFs must still balance.
        let mut returned = false;
        let mut at = 0;
        while at < script.len() {
            let (token, next) = parse::read(script, at).ok_or(ScriptError::BadOpcode)?;
            let executing = conditions.active() && (!returned || token == Token::Op(Opcode::RETURN.byte()));
            if executing || is_conditional(&token) {
                self.instructions += 1;
                if self.tracer.is_some() {
                    self.trace(script, kind, at, &token);
                }
                match token {
                    Token::Push(data) => {
                        if self.rules.minimal && !parse::is_minimal(script, at, &data) {
                            return Err(ScriptError::MinimalData);
                        }
                        self.stack.push(Item::pushed(script, data))?;
                    }
                    Token::Op(byte) => {
                        let opcode = Opcode::from_byte(byte).ok_or(ScriptError::BadOpcode)?;
                        if let Some(work) = &mut self.work {
                            work.charge(opcode, &self.stack, &self.rules)?;
                        }
                        match self.execute(opcode, executing, &mut conditions, &mut returned)? {
                            Flow::Next => {}
                            Flow::End => return Ok(()),
                            Flow::Separate => self.verifier.begin(&script[next..]),
                        }
                    }
                }
            }
            at = next;
        }
        if conditions.is_empty() { Ok(()) } else { Err(ScriptError::UnbalancedConditional) }
    }

    #[cold]
    fn trace(&mut self, script: &'s [u8], kind: ScriptKind, offset: usize, token: &Token) {
        let instruction = match token {
            Token::Push(data) => Instruction::Push(&script[data.clone()]),
            Token::Op(byte) => Opcode::from_byte(*byte).map_or(Instruction::Unknown(*byte), Instruction::Opcode),
        };
        let step = Step { script: kind, offset, instruction, main: self.stack.main(), alt_depth: self.stack.alt_len() };
        if let Some(tracer) = &mut self.tracer {
            tracer(&step);
        }
    }

    /// Executes one opcode; where `executing` is false, it is a conditional that is only to nest.
    #[inline(always)]
    fn execute(
        &mut self,
        opcode: Opcode,
        executing: bool,
        conditions: &mut Conditions,
        returned: &mut bool,
    ) -> Result<Flow, ScriptError> {
        use Opcode::*;
        let (stack, rules) = (&mut self.stack, &self.rules);
        match opcode {
            OP_0 => stack.push(Item::EMPTY)?,
            OP_1NEGATE => stack.push(Item::byte(0x81))?,
            OP_1 | OP_2 | OP_3 | OP_4 | OP_5 | OP_6 | OP_7 | OP_8 | OP_9 | OP_10 | OP_11 | OP_12 | OP_13 | OP_14
            | OP_15 | OP_16 => stack.push(Item::byte(opcode.byte() - (OP_1.byte() - 1)))?,

            NOP => {}
            CODESEPARATOR => return Ok(Flow::Separate),
            NOP1 | CHECKLOCKTIMEVERIFY | CHECKSEQUENCEVERIFY | NOP9 | NOP10 => self.upgradable_nop()?,
            IF | NOTIF | VERIF | VERNOTIF => self.open(opcode, executing, conditions)?,
            ELSE => conditions.invert()?,
            ENDIF => conditions.close()?,
            VERIFY => verify(stack, ScriptError::Verify)?,
            RETURN if conditions.is_empty() => return Ok(Flow::End),
            RETURN => *returned = true,
            OP_RESERVED | RESERVED1 | RESERVED2 => return Err(ScriptError::BadOpcode),

            TOALTSTACK => stack.move_to_alt()?,
            FROMALTSTACK => stack.move_from_alt()?,
            DROP => shuffle::drop(stack, 1)?,
            OP_2DROP => shuffle::drop(stack, 2)?,
            DUP => shuffle::copy(stack, 1, 0)?,
            OP_2DUP => shuffle::copy(stack, 2, 0)?,
            OP_3DUP => shuffle::copy(stack, 3, 0)?,
            OVER => shuffle::copy(stack, 1, 1)?,
            OP_2OVER => shuffle::copy(stack, 2, 2)?,
            SWAP => stack.swap(0, 1)?,
            OP_2SWAP => shuffle::rotate(stack, 2, 3)?,
            ROT => shuffle::rotate(stack, 1, 2)?,
            OP_2ROT => shuffle::rotate(stack, 2, 5)?,
            TUCK => stack.tuck()?,
            NIP => shuffle::nip(stack)?,
            IFDUP => shuffle::ifdup(stack)?,
            DEPTH => shuffle::depth(stack)?,
            PICK => shuffle::pick(stack, rules)?,
            ROLL => shuffle::roll(stack, rules)?,

            CAT => splice::cat(stack)?,
            SPLIT => splice::split(stack, rules)?,
            SIZE => splice::size(stack)?,
            NUM2BIN => splice::num2bin(stack, rules)?,
            BIN2NUM => splice::bin2num(stack, rules)?,

            INVERT => bitwise::invert(stack)?,
            AND => bitwise::logic(stack, |a, b| a & b)?,
            OR => bitwise::logic(stack, |a, b| a | b)?,
            XOR => bitwise::logic(stack, |a, b| a ^ b)?,
            LSHIFT => bitwise::shift(stack, rules, bitwise::left)?,
            RSHIFT => bitwise::shift(stack, rules, bitwise::right)?,
            EQUAL => bitwise::equal(stack)?,
            EQUALVERIFY => {
                bitwise::equal(stack)?;
                verify(stack, ScriptError::EqualVerify)?;
            }

            OP_1ADD => arith::unary(stack, rules, |rules, a| arith::add(rules, a, ONE))?,
            OP_1SUB => arith::unary(stack, rules, |rules, a| arith::sub(rules, a, ONE))?,
            NEGATE => arith::unary(stack, rules, arith::negate)?,
            ABS => arith::unary(stack, rules, arith::abs)?,
            NOT => arith::unary(stack, rules, |_, a| Ok(Item::bool(a.is_zero())))?,
            OP_0NOTEQUAL => arith::unary(stack, rules, |_, a| Ok(Item::bool(!a.is_zero())))?,
            ADD => arith::binary(stack, rules, arith::add)?,
            SUB => arith::binary(stack, rules, arith::sub)?,
            MUL => arith::binary(stack, rules, arith::mul)?,
            DIV => arith::binary(stack, rules, arith::div)?,
            MOD => arith::binary(stack, rules, arith::rem)?,
            MIN => arith::binary(stack, rules, arith::min)?,
            MAX => arith::binary(stack, rules, arith::max)?,
            BOOLAND => arith::binary(stack, rules, |_, a, b| Ok(Item::bool(!a.is_zero() && !b.is_zero())))?,
            BOOLOR => arith::binary(stack, rules, |_, a, b| Ok(Item::bool(!a.is_zero() || !b.is_zero())))?,
            NUMEQUAL => arith::compare(stack, rules, |order| order.is_eq())?,
            NUMEQUALVERIFY => {
                arith::compare(stack, rules, |order| order.is_eq())?;
                verify(stack, ScriptError::NumEqualVerify)?;
            }
            NUMNOTEQUAL => arith::compare(stack, rules, |order| order.is_ne())?,
            LESSTHAN => arith::compare(stack, rules, |order| order.is_lt())?,
            GREATERTHAN => arith::compare(stack, rules, |order| order.is_gt())?,
            LESSTHANOREQUAL => arith::compare(stack, rules, |order| order.is_le())?,
            GREATERTHANOREQUAL => arith::compare(stack, rules, |order| order.is_ge())?,
            WITHIN => arith::within(stack, rules)?,

            RIPEMD160 | SHA1 | SHA256 | HASH160 | HASH256 => crypto::hash(stack, opcode)?,
            CHECKSIG => signature::check_sig(stack, &mut self.verifier)?,
            CHECKSIGVERIFY => {
                signature::check_sig(stack, &mut self.verifier)?;
                verify(stack, ScriptError::CheckSigVerify)?;
            }
            CHECKMULTISIG => signature::check_multisig(stack, rules, &mut self.verifier)?,
            CHECKMULTISIGVERIFY => {
                signature::check_multisig(stack, rules, &mut self.verifier)?;
                verify(stack, ScriptError::CheckMultisigVerify)?;
            }

            OP_2MUL | OP_2DIV | VER | SUBSTR | LEFT | RIGHT | LSHIFTNUM | RSHIFTNUM => self.chronicle(opcode)?,
        }
        Ok(Flow::Next)
    }

    /// The opcodes that Chronicle brought, and what stood for them before.
    fn chronicle(&mut self, opcode: Opcode) -> Result<(), ScriptError> {
        let (stack, rules) = (&mut self.stack, &self.rules);
        match (self.context.target.era, opcode) {
            (Era::Genesis, Opcode::OP_2MUL | Opcode::OP_2DIV) => Err(ScriptError::DisabledOpcode),
            (Era::Genesis, Opcode::VER) => Err(ScriptError::BadOpcode),
            (Era::Genesis, _) => self.upgradable_nop(),
            (Era::Chronicle, Opcode::OP_2MUL) => arith::unary(stack, rules, |rules, a| arith::add(rules, a, a)),
            (Era::Chronicle, Opcode::OP_2DIV) => arith::unary(stack, rules, |rules, a| arith::div(rules, a, TWO)),
            (Era::Chronicle, Opcode::VER) => stack.push(Item::owned(self.context.version().to_le_bytes().to_vec())),
            (Era::Chronicle, Opcode::SUBSTR) => splice::substr(stack, rules),
            (Era::Chronicle, Opcode::LEFT) => splice::end(stack, rules, splice::End::Left),
            (Era::Chronicle, Opcode::RIGHT) => splice::end(stack, rules, splice::End::Right),
            (Era::Chronicle, Opcode::LSHIFTNUM) => arith::shift_up(stack, rules),
            (Era::Chronicle, Opcode::RSHIFTNUM) => arith::shift_down(stack, rules),
            (Era::Chronicle, _) => Err(ScriptError::BadOpcode),
        }
    }

    /// A NOP that policy keeps free for later.
    fn upgradable_nop(&self) -> Result<(), ScriptError> {
        match self.context.target.rules {
            Rules::Policy => Err(ScriptError::DiscourageUpgradableNops),
            Rules::Consensus => Ok(()),
        }
    }

    /// IF, NOTIF, VERIF and VERNOTIF.
    fn open(&mut self, opcode: Opcode, executing: bool, conditions: &mut Conditions) -> Result<(), ScriptError> {
        let on_version = matches!(opcode, Opcode::VERIF | Opcode::VERNOTIF);
        if on_version && self.context.target.era == Era::Genesis {
            return if executing { Err(ScriptError::BadOpcode) } else { Ok(()) };
        }
        if !executing {
            conditions.open(false);
            return Ok(());
        }
        if self.stack.len() == 0 {
            return Err(ScriptError::UnbalancedConditional);
        }
        let item = self.stack.pop()?;
        let value = if on_version { item.bytes() == self.context.version().to_le_bytes() } else { item.is_true() };
        conditions.open(value != matches!(opcode, Opcode::NOTIF | Opcode::VERNOTIF));
        Ok(())
    }
}

/// Whether an instruction counts even in a branch not taken.
#[inline]
fn is_conditional(token: &Token) -> bool {
    matches!(token, Token::Op(byte) if (Opcode::IF.byte()..=Opcode::ENDIF.byte()).contains(byte))
}
