//! How a model takes a picture, by the shape of its input.

use std::fmt;

/// Where the numbers of a picture lie in a model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLayout {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// What a pixel is.
    pub pixels: Pixels,
}

/// What a pixel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// One number.
    Grey,
    /// All red numbers, then all green ones, then all blue ones.
    Planes,
    /// Red, green and blue of each pixel beside each other.
    Interleaved,
}

impl PictureLayout {
    /// How an input of this shape for one sample is a picture; `None` where it is none. One of a single dimension is
    /// taken as a square.
    pub fn of(shape: &[usize]) -> Option<PictureLayout> {
        let layout = |pixels, height, width| Some(PictureLayout { height, width, pixels });
        match *shape {
            [1, 1, height, width] | [1, height, width, 1] | [1, height, width] => layout(Pixels::Grey, height, width),
            [1, 3, height, width] => layout(Pixels::Planes, height, width),
            [1, height, width, 3] => layout(Pixels::Interleaved, height, width),
            [1, len] | [len] => {
                let side = |pixels: usize| Some(pixels.isqrt()).filter(|side| side * side == pixels);
                match (side(len), side(len / 3)) {
                    (Some(side), _) => layout(Pixels::Grey, side, side),
                    (None, Some(side)) if len % 3 == 0 => layout(Pixels::Planes, side, side),
                    _ => None,
                }
            }
            _ => None,
        }
        .filter(|layout| layout.height > 0 && layout.width > 0)
    }

    /// How many numbers a pixel is.
    pub fn channels(&self) -> usize {
        if self.pixels == Pixels::Grey { 1 } else { 3 }
    }

    /// Which number of the input a channel of a pixel is; pixels are counted row by row.
    pub fn place(&self, pixel: usize, channel: usize) -> usize {
        match self.pixels {
            Pixels::Grey => pixel,
            Pixels::Planes => channel * self.height * self.width + pixel,
            Pixels::Interleaved => 3 * pixel + channel,
        }
    }
}

impl fmt::Display for PictureLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pixels = match self.pixels {
            Pixels::Grey => "in grey",
            Pixels::Planes => "in colour: all red numbers, then all green ones, then all blue ones",
            Pixels::Interleaved => "in colour: red, green and blue of each pixel",
        };
        write!(f, "{} x {} pixels, row by row, {pixels}", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_say_how_pictures_lie() {
        let of = |shape: &[usize]| {
            PictureLayout::of(shape).map(|PictureLayout { height, width, pixels }| (height, width, pixels))
        };
        assert_eq!(of(&[1, 1, 28, 20]), Some((28, 20, Pixels::Grey)));
        assert_eq!(of(&[1, 28, 20, 1]), Some((28, 20, Pixels::Grey)));
        assert_eq!(of(&[1, 28, 20]), Some((28, 20, Pixels::Grey)));
        assert_eq!(of(&[1, 3, 32, 30]), Some((32, 30, Pixels::Planes)));
        assert_eq!(of(&[1, 32, 30, 3]), Some((32, 30, Pixels::Interleaved)));
        assert_eq!(of(&[1, 784]), Some((28, 28, Pixels::Grey)));
        assert_eq!(of(&[784]), Some((28, 28, Pixels::Grey)));
        assert_eq!(of(&[1, 3072]), Some((32, 32, Pixels::Planes)));
        for none in [&[1, 30][..], &[], &[1, 0], &[1, 1, 0, 4], &[1, 4, 28, 28], &[2, 28, 28], &[1, 1, 1, 5, 5]] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }
}
