//! A sample as a picture, where the model's input has the shape of one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::data::PictureLayout;

/// Shorter sides are no picture's.
const SHORTEST: usize = 8;
/// Longer sides are not drawn.
const LONGEST: usize = 1024;

/// The layout that an input's shape is of, where it is worth drawing.
pub(super) fn layout(shape: &[usize]) -> Option<PictureLayout> {
    let sides = SHORTEST..=LONGEST;
    let layout = PictureLayout::of(shape)?;
    (sides.contains(&layout.height) && sides.contains(&layout.width)).then_some(layout)
}

/// The picture as a data URI: the least number (or 0) is black, the largest one white.
pub(super) fn data_uri(layout: &PictureLayout, values: &[f64]) -> Option<String> {
    let (low, high) = bounds(values);
    let byte = |value: &f64| (255.0 * (value - low) / (high - low)).round().clamp(0.0, 255.0) as u8;
    let places = (0..layout.height * layout.width)
        .flat_map(|pixel| (0..layout.channels()).map(move |channel| layout.place(pixel, channel)));
    let pixels: Vec<u8> = places.filter_map(|place| values.get(place)).map(byte).collect();
    let colour = if layout.channels() == 3 { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
    let (width, height) = (u32::try_from(layout.width).ok()?, u32::try_from(layout.height).ok()?);
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(&pixels, width, height, colour).ok()?;
    Some(format!("data:image/png;base64,{}", STANDARD.encode(file)))
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
    use crate::data::Pixels;

    #[test]
    fn what_is_too_small_or_too_large_is_not_drawn() {
        assert!(layout(&[1, 784]).is_some());
        for shape in [&[1, 49][..], &[1, 4], &[1, 4096, 8], &[1, 65]] {
            assert_eq!(layout(shape), None, "{shape:?}");
        }
    }

    #[test]
    fn pixels_are_where_they_were() {
        let layout = PictureLayout { height: 8, width: 8, pixels: Pixels::Planes };
        let values: Vec<f64> = (0..192).map(f64::from).collect();
        let uri = data_uri(&layout, &values).unwrap();
        let file = STANDARD.decode(uri.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        let picture = image::load_from_memory(&file).unwrap().to_rgb8();
        // Red, green and blue of the first pixel lie 64 numbers apart, of 0 to 191.
        assert_eq!(picture.get_pixel(0, 0).0, [0, 85, 171]);
        assert_eq!(bounds(&[2.0, 4.0]), (0.0, 4.0));
        assert_eq!(bounds(&[0.0]), (0.0, 1.0));
    }
}
