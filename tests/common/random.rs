//! Inputs worth trying, the same on every run.

/// SplitMix64: small, and good enough to vary tests.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Inputs of `len` bytes at the ends of every interval: for elements of `width` bytes, all zeros, all
/// ones, largest, smallest, negative zeros, signs and bytes that alternate.
pub(crate) fn extremes(len: usize, width: usize) -> Vec<Vec<u8>> {
    let fill = |byte: u8| vec![byte; len];
    let elements = |element: &dyn Fn(usize) -> (u8, u8)| -> Vec<u8> {
        (0..len)
            .map(|at| {
                let (below, top) = element(at / width);
                if at % width + 1 == width { top } else { below }
            })
            .collect()
    };
    let alternating = |first: u8, second: u8| (0..len).map(|at| if at % 2 == 0 { first } else { second }).collect();
    vec![
        fill(0x00),
        fill(0xff),
        fill(0x7f),
        fill(0x80),
        fill(0x01),
        elements(&|_| (0xff, 0x7f)),
        elements(&|_| (0x00, 0x80)),
        elements(&|index| (0xff, if index % 2 == 0 { 0x7f } else { 0xff })),
        elements(&|index| (0xff, if index % 2 == 0 { 0xff } else { 0x7f })),
        elements(&|index| if index == 0 { (0xff, 0x7f) } else { (0, 0) }),
        alternating(0x00, 0xff),
        alternating(0xff, 0x00),
        alternating(0x7f, 0x80),
    ]
}

/// [`extremes`], then `count` random inputs.
pub(crate) fn inputs(len: usize, width: usize, count: usize) -> Vec<Vec<u8>> {
    let mut random = Random(len as u64);
    let mut inputs = extremes(len, width);
    inputs.extend((0..count).map(|_| random.bytes(len)));
    inputs
}
