//! A sample as a picture, where the model's input has the shape of one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Encoder};

/// How a vector of numbers is a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) height: usize,
    pub(super) width: usize,
    /// 1 or 3.
    channels: usize,
    /// Whether the channels of a pixel lie a plane apart, rather than side by side.
    planes: bool,
    /// Whether the model only takes a row of numbers, and the picture is a guess.
    pub(super) guessed: bool,
}

/// Shorter sides are no picture's.
const SHORTEST: usize = 8;
/// Longer sides are not drawn.
const LONGEST: usize = 1024;

impl Layout {
    /// The layout that an input's shape is of.
    pub(super) fn of(shape: &[usize]) -> Option<Layout> {
        let dims: Vec<usize> = shape.iter().copied().filter(|&dim| dim != 1).collect();
        let (height, width, channels, planes, guessed) = match *dims.as_slice() {
            [3, height, width] => (height, width, 3, true, false),
            [height, width, 3] => (height, width, 3, false, false),
            [height, width] => (height, width, 1, false, false),
            [len] => (len.isqrt(), len.isqrt(), 1, false, true),
            _ => return None,
        };
        let sides = SHORTEST..=LONGEST;
        let whole = height * width * channels == shape.iter().product::<usize>();
        let layout = Layout { height, width, channels, planes, guessed };
        (whole && sides.contains(&height) && sides.contains(&width)).then_some(layout)
    }

    /// The picture as a data URI: the least number (or 0) is black, the largest one white.
    pub(super) fn data_uri(&self, values: &[f64]) -> Option<String> {
        let (low, high) = bounds(values);
        let byte = |value: &f64| (255.0 * (value - low) / (high - low)).round().clamp(0.0, 255.0) as u8;
        let pixels: Vec<u8> = self.interleaved(values).map(byte).collect();
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, u32::try_from(self.width).ok()?, u32::try_from(self.height).ok()?);
        encoder.set_color(if self.channels == 3 { ColorType::Rgb } else { ColorType::Grayscale });
        encoder.set_depth(BitDepth::Eight);
        encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels)).ok()?;
        Some(format!("data:image/png;base64,{}", STANDARD.encode(file)))
    }

    /// The numbers, pixel by pixel.
    fn interleaved<'v>(&self, values: &'v [f64]) -> impl Iterator<Item = &'v f64> {
        let (pixels, channels, planes) = (self.height * self.width, self.channels, self.planes);
        let place = move |index: usize| if planes { index % channels * pixels + index / channels } else { index };
        (0..pixels * channels).filter_map(move |index| values.get(place(index)))
    }
}

/// The numbers that are black and white.
pub(super) fn bounds(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(0.0, f64::min);
    let high = values.iter().copied().fold(low, f64::max);
    (low, if high > low { high } else { low + 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_pictures_or_not() {
        let layout = |shape: &[usize]| Layout::of(shape).map(|l| (l.height, l.width, l.channels, l.planes, l.guessed));
        assert_eq!(layout(&[1, 28, 28]), Some((28, 28, 1, false, false)));
        assert_eq!(layout(&[1, 1, 20, 28]), Some((20, 28, 1, false, false)));
        assert_eq!(layout(&[1, 3, 8, 9]), Some((8, 9, 3, true, false)));
        assert_eq!(layout(&[8, 9, 3]), Some((8, 9, 3, false, false)));
        assert_eq!(layout(&[1, 784]), Some((28, 28, 1, false, true)));
        for shape in [&[1usize, 4] as &[usize], &[1, 65], &[49], &[1], &[], &[2, 40], &[2, 3, 8, 8], &[4096, 8]] {
            assert_eq!(layout(shape), None, "{shape:?}");
        }
    }

    #[test]
    fn pixels_are_where_they_were() {
        let layout = Layout { height: 8, width: 8, channels: 3, planes: true, guessed: false };
        let values: Vec<f64> = (0..192).map(f64::from).collect();
        let file = STANDARD.decode(layout.data_uri(&values).unwrap().strip_prefix("data:image/png;base64,").unwrap());
        let mut reader = png::Decoder::new(std::io::Cursor::new(file.unwrap())).read_info().unwrap();
        let mut pixels = vec![0; 192];
        reader.next_frame(&mut pixels).unwrap();
        // Red, green and blue of the first pixel lie 64 numbers apart, of 0 to 191.
        assert_eq!(pixels[..3], [0, 85, 171]);
        assert_eq!(bounds(&[2.0, 4.0]), (0.0, 4.0));
        assert_eq!(bounds(&[0.0]), (0.0, 1.0));
    }
}
