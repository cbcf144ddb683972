//! Reading a script one instruction at a time.

use std::ops::Range;

use crate::script::opcode::Opcode;
use crate::script::push;

/// One instruction of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// A push of the script bytes in this range; OP_0 is one of no bytes.
    Push(Range<usize>),
    /// Any other byte.
    Op(u8),
}

/// The instruction at `at` and where the next one begins; `None` where a push runs past the end.
/// `at` must lie within the script.
#[inline]
pub(super) fn read(script: &[u8], at: usize) -> Option<(Token, usize)> {
    let byte = script[at];
    let start = at + 1;
    if byte > push::PUSHDATA4 {
        return Some((Token::Op(byte), start));
    }
    let (start, len) = match byte {
        push::PUSHDATA1 => (start + 1, usize::from(*script.get(start)?)),
        push::PUSHDATA2 => (start + 2, usize::from(u16::from_le_bytes(*script.get(start..)?.first_chunk()?))),
        push::PUSHDATA4 => (start + 4, u32::from_le_bytes(*script.get(start..)?.first_chunk()?) as usize),
        direct => (start, usize::from(direct)),
    };
    // The lengths are subtracted, not added: a sum could overflow where addresses have 32 bits.
    (len <= script.len() - start).then(|| (Token::Push(start..start + len), start + len))
}

/// Whether a script is nothing but pushes. The node counts OP_RESERVED as one.
pub(super) fn is_push_only(script: &[u8]) -> bool {
    let mut at = 0;
    while at < script.len() {
        match read(script, at) {
            Some((Token::Op(byte), _)) if byte > Opcode::OP_16.byte() => return false,
            Some((_, next)) => at = next,
            None => return false,
        }
    }
    true
}

/// Whether the push of `data`, which begins at `at`, is the shortest there is.
#[inline]
pub(super) fn is_minimal(script: &[u8], at: usize, data: &Range<usize>) -> bool {
    // The longest direct pushes are minimal whatever they hold: save the common case a look inside.
    let header = data.start - at;
    if header == 1 && data.len() > 1 {
        return true;
    }
    if script[at] == Opcode::OP_0.byte() {
        return true;
    }
    push::small(&script[data.clone()]).is_none() && header == push::header_len(data.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn truncated_pushes_are_not_read() {
        for script in
            [&[1][..], &[0x4b, 0], &[0x4c], &[0x4c, 1], &[0x4d, 0], &[0x4d, 1, 0], &[0x4e, 0, 0, 0], &[0x4e; 5]]
        {
            assert_eq!(read(script, 0), None, "{script:02x?}");
            assert!(!is_push_only(script));
        }
        assert_eq!(read(&[0x4c, 0], 0), Some((Token::Push(2..2), 2)));
        assert_eq!(read(&[0], 0), Some((Token::Push(1..1), 1)));
    }

    #[test]
    fn reserved_counts_as_a_push_and_nop_does_not() {
        assert!(is_push_only(&[0, 0x4f, 0x50, 0x51, 0x60, 1, 0xff]));
        assert!(!is_push_only(&[0x61]));
    }

    proptest! {
        #[test]
        fn exactly_one_push_of_each_string_is_minimal(data in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut minimal = Vec::new();
            push::append(&mut minimal, &data);
            let len = data.len();
            let mut headers = vec![vec![0x4d, len as u8, (len >> 8) as u8], vec![0x4e, len as u8, (len >> 8) as u8, 0, 0]];
            headers.extend((len <= 0xff).then(|| vec![0x4c, len as u8]));
            headers.extend((len <= 0x4b).then(|| vec![len as u8]));
            for header in headers {
                let script = [&header[..], &data].concat();
                prop_assert_eq!(read(&script, 0), Some((Token::Push(header.len()..script.len()), script.len())));
                prop_assert_eq!(is_minimal(&script, 0, &(header.len()..script.len())), script == minimal);
            }
        }
    }
}
