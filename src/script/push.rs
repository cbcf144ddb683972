//! Data pushes: the shortest opcode that puts given bytes on the stack (MINIMALDATA).

use super::opcode::Opcode;

/// First of the three pushes that are followed by a length of one, two or four bytes.
pub const PUSHDATA1: u8 = 0x4c;
/// A push followed by a two-byte length.
pub const PUSHDATA2: u8 = 0x4d;
/// A push followed by a four-byte length.
pub const PUSHDATA4: u8 = 0x4e;

/// The opcode that pushes `data` on its own, where there is one: empty, -1 and 1..=16.
pub fn small(data: &[u8]) -> Option<Opcode> {
    match data {
        [] => Some(Opcode::OP_0),
        [0x81] => Some(Opcode::OP_1NEGATE),
        [n @ 1..=16] => Opcode::small_int(i64::from(*n)),
        _ => None,
    }
}

/// How many script bytes the minimal push of `len` data bytes takes, where no small opcode does it.
pub const fn header_len(len: usize) -> usize {
    match len {
        0..=0x4b => 1,
        0x4c..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 5,
    }
}

/// How many script bytes the minimal push of `data` takes.
pub fn encoded_len(data: &[u8]) -> usize {
    match small(data) {
        Some(_) => 1,
        None => header_len(data.len()) + data.len(),
    }
}

/// Appends the minimal push of `data` to a script.
///
/// # Panics
/// Never for data shorter than 4 GiB, the length of the longest push there is.
pub fn append(script: &mut Vec<u8>, data: &[u8]) {
    match small(data) {
        Some(opcode) => script.push(opcode.byte()),
        None => append_data(script, data),
    }
}

/// Appends a push of `data` that is chosen by its length alone: the opcodes for small integers are not used.
///
/// # Panics
/// Never for data shorter than 4 GiB, the length of the longest push there is.
pub fn append_data(script: &mut Vec<u8>, data: &[u8]) {
    let len = u32::try_from(data.len()).expect("a push is shorter than 4 GiB");
    let length_bytes = len.to_le_bytes();
    match header_len(data.len()) {
        1 => script.push(len as u8),
        2 => script.extend([PUSHDATA1, len as u8]),
        3 => script.extend([PUSHDATA2, length_bytes[0], length_bytes[1]]),
        _ => {
            script.push(PUSHDATA4);
            script.extend(length_bytes);
        }
    }
    script.extend(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_are_minimal_and_of_the_length_told() {
        for len in [0usize, 1, 2, 0x4b, 0x4c, 0xff, 0x100, 0xffff, 0x1_0000] {
            for fill in [0u8, 1, 16, 17, 0x81] {
                let data = vec![fill; len];
                let mut script = Vec::new();
                append(&mut script, &data);
                assert_eq!(script.len(), encoded_len(&data), "{len} bytes of {fill}");
                assert!(script.ends_with(&data) || len <= 1);
            }
        }
    }
}
