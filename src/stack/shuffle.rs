//! What the stack opcodes do, for items of any kind: symbols in the checker, names in a listing.

use crate::script::opcode::Opcode;

/// Two stacks of anything, top last.
#[derive(Debug, Clone, Default)]
pub struct Stacks<T> {
    /// The main stack.
    pub main: Vec<T>,
    /// The alt stack.
    pub alt: Vec<T>,
}

impl<T: Clone> Stacks<T> {
    /// Takes the top off the main stack.
    ///
    /// # Errors
    /// When there is none.
    pub fn pop(&mut self) -> Result<T, String> {
        self.main.pop().ok_or_else(|| "an item that is not there".to_owned())
    }

    /// Performs an opcode that only moves, copies or drops items; `false` for any other. PICK and ROLL
    /// are [`Stacks::copy`] and [`Stacks::raise`] once their index is known.
    ///
    /// # Errors
    /// When an item is not there.
    pub fn shuffle(&mut self, opcode: Opcode) -> Result<bool, String> {
        use Opcode as O;
        match opcode {
            O::NOP => {}
            O::DUP => self.copy(0)?,
            O::OVER => self.copy(1)?,
            O::OP_2DUP => self.copies(1, 2)?,
            O::OP_3DUP => self.copies(2, 3)?,
            O::OP_2OVER => self.copies(3, 2)?,
            O::SWAP => self.raise(1)?,
            O::ROT => self.raise(2)?,
            O::OP_2SWAP => self.raises(3, 2)?,
            O::OP_2ROT => self.raises(5, 2)?,
            O::TUCK => self.raise(1).and_then(|()| self.copy(1))?,
            O::NIP => self.raise(1).and_then(|()| self.pop().map(drop))?,
            O::DROP => drop(self.pop()?),
            O::OP_2DROP => self.pop().and_then(|_| self.pop()).map(drop)?,
            O::TOALTSTACK => {
                let top = self.pop()?;
                self.alt.push(top);
            }
            O::FROMALTSTACK => {
                let top = self.alt.pop().ok_or("an alt item that is not there")?;
                self.main.push(top);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Copies the item at a depth to the top, 0 being the top.
    ///
    /// # Errors
    /// When it is not there.
    pub fn copy(&mut self, depth: usize) -> Result<(), String> {
        let index = self.at(depth)?;
        self.main.push(self.main[index].clone());
        Ok(())
    }

    /// Moves the item at a depth to the top.
    ///
    /// # Errors
    /// When it is not there.
    pub fn raise(&mut self, depth: usize) -> Result<(), String> {
        let index = self.at(depth)?;
        let item = self.main.remove(index);
        self.main.push(item);
        Ok(())
    }

    fn copies(&mut self, depth: usize, times: usize) -> Result<(), String> {
        (0..times).try_for_each(|_| self.copy(depth))
    }

    fn raises(&mut self, depth: usize, times: usize) -> Result<(), String> {
        (0..times).try_for_each(|_| self.raise(depth))
    }

    fn at(&self, depth: usize) -> Result<usize, String> {
        self.main.len().checked_sub(depth + 1).ok_or_else(|| "an item that is not there".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every stack opcode, as the node's `script_tests.json` describes it.
    #[test]
    fn opcodes_move_items_as_a_node_does() {
        let after = |opcode: Opcode| {
            let mut stacks = Stacks { main: "abcdef".chars().collect(), alt: vec!['z'] };
            assert!(stacks.shuffle(opcode).unwrap());
            (stacks.main.iter().collect::<String>(), stacks.alt.iter().collect::<String>())
        };
        for (opcode, main, alt) in [
            (Opcode::DUP, "abcdeff", "z"),
            (Opcode::OVER, "abcdefe", "z"),
            (Opcode::OP_2DUP, "abcdefef", "z"),
            (Opcode::OP_3DUP, "abcdefdef", "z"),
            (Opcode::OP_2OVER, "abcdefcd", "z"),
            (Opcode::SWAP, "abcdfe", "z"),
            (Opcode::ROT, "abcefd", "z"),
            (Opcode::OP_2SWAP, "abefcd", "z"),
            (Opcode::OP_2ROT, "cdefab", "z"),
            (Opcode::TUCK, "abcdfef", "z"),
            (Opcode::NIP, "abcdf", "z"),
            (Opcode::DROP, "abcde", "z"),
            (Opcode::OP_2DROP, "abcd", "z"),
            (Opcode::TOALTSTACK, "abcde", "zf"),
            (Opcode::FROMALTSTACK, "abcdefz", ""),
        ] {
            assert_eq!(after(opcode), (main.to_owned(), alt.to_owned()), "{opcode}");
        }
        assert!(!Stacks::<char>::default().shuffle(Opcode::ADD).unwrap());
        assert!(Stacks::<char>::default().shuffle(Opcode::DUP).is_err());
    }
}
