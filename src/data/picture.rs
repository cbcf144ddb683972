//! PNG and JPEG: one picture is one sample, in bytes, as the model's input is laid out.
//!
//! What a file claims of its size is held against limits before anything is allocated for it. A picture's
//! transparency is flattened on white, 16-bit channels are rounded to 8 bits, and the way up is what its EXIF data say.

use std::io::Cursor;

use anyhow::{Context, anyhow, bail, ensure};
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage, Rgba};

use super::layout::{PictureLayout, Pixels};
use super::{Elements, Loaded, Samples};
use crate::fence::fence;

/// Most pixels of a picture that is read.
const MOST_PIXELS: u64 = 1 << 25;
/// Most memory that a decoder may take: what so many pixels of four 16-bit channels need.
const MOST_BYTES: u64 = 8 * MOST_PIXELS;

/// Reads a picture for a model whose input has this shape.
pub(super) fn read(bytes: &[u8], kind: ImageFormat, shape: &[usize]) -> anyhow::Result<Loaded> {
    let layout = PictureLayout::of(shape).with_context(|| {
        format!(
            "it is a picture, but the model's input of shape {shape:?} is none: pictures go to inputs of [1, 1 or 3, \
             height, width], [1, height, width, 1 or 3], [1, height, width], or as many numbers as a square has pixels"
        )
    })?;
    if layout.width.saturating_mul(layout.height) as u64 > MOST_PIXELS {
        bail!(
            "the model takes pictures of {} x {} pixels; at most {MOST_PIXELS} in all are made",
            layout.width,
            layout.height
        );
    }
    let picture = fence("reading the picture", || decode(bytes, kind).map_err(|error| error.to_string()));
    let picture = flatten(picture.map_err(|error| anyhow!(error))?);
    let (width, height) = picture.dimensions();
    let sized = (layout.width.try_into()?, layout.height.try_into()?);
    let warning = format!("the picture is resized from {width} x {height} to {} x {} pixels", sized.0, sized.1);
    let samples = Samples::new(&[1, shape.iter().product()], Elements::Bytes(lay_out(picture, sized, layout.pixels)))?;
    let warnings = ((width, height) != sized).then_some(warning).into_iter().collect();
    Ok(Loaded { samples, notes: vec![format!("the model takes the picture as {layout}")], warnings })
}

fn decode(bytes: &[u8], kind: ImageFormat) -> anyhow::Result<DynamicImage> {
    ensure!(kind != ImageFormat::Jpeg || jpeg_ends(bytes), "the JPEG picture is cut off or damaged");
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        bail!("the picture claims {width} x {height} pixels; at most {MOST_PIXELS} in all are read");
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Whether all segments and scans of a JPEG file are there, up to its end marker: the decoder makes up what is missing.
fn jpeg_ends(bytes: &[u8]) -> bool {
    const END: u8 = 0xd9;
    // Within a scan, 0xff is followed by 0, by a restart marker, or by more of itself.
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 1 | 0xd0..=0xd8 | 0xff);
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(is_marker) {
        let (length, skipped) = match rest[at + 1..] {
            [END, ..] => return true,
            [_, high, low, ..] => (usize::from(u16::from_be_bytes([high, low])), at + 2),
            _ => return false,
        };
        rest = rest.get(skipped + length..).unwrap_or_default();
    }
    false
}

/// A picture on white ground.
fn flatten(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let Rgba([red, green, blue, alpha]) = *picture.get_pixel(x, y);
        Rgb([red, green, blue].map(|channel| on_white(channel, alpha)))
    })
}

fn on_white(channel: u8, alpha: u8) -> u8 {
    let (channel, alpha, white) = (u32::from(channel), u32::from(alpha), u32::from(u8::MAX));
    ((channel * alpha + white * (white - alpha) + white / 2) / white) as u8
}

/// The bytes of a picture resized to (width, height), in the model's order.
fn lay_out(picture: RgbImage, (width, height): (u32, u32), pixels: Pixels) -> Vec<u8> {
    let picture = match pixels {
        Pixels::Grey => DynamicImage::ImageRgb8(picture).into_luma8().into(),
        Pixels::Planes | Pixels::Interleaved => DynamicImage::ImageRgb8(picture),
    };
    let fits = (picture.width(), picture.height()) == (width, height);
    let picture = if fits { picture } else { picture.resize_exact(width, height, FilterType::Triangle) };
    let bytes = picture.into_bytes();
    match pixels {
        Pixels::Grey | Pixels::Interleaved => bytes,
        Pixels::Planes => (0..3).flat_map(|channel| bytes.iter().skip(channel).step_by(3).copied()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Luma, LumaA};

    use super::*;

    fn file(picture: impl Into<DynamicImage>, kind: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        picture.into().write_to(&mut file, kind).unwrap();
        file.into_inner()
    }

    fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
        file(picture, ImageFormat::Png)
    }

    fn bytes(file: &[u8], shape: &[usize]) -> Vec<u8> {
        let loaded = read(file, image::guess_format(file).unwrap(), shape).unwrap();
        assert_eq!(loaded.samples.len(), 1);
        let Elements::Bytes(bytes) = loaded.samples.elements else { panic!("a picture is bytes") };
        bytes
    }

    fn refusal(file: &[u8], shape: &[usize]) -> String {
        format!("{:#}", read(file, image::guess_format(file).unwrap(), shape).unwrap_err())
    }

    /// Two rows of two pixels: red 10 to 13, green 20 to 23, blue 30 to 33.
    fn colours() -> Vec<u8> {
        png(RgbImage::from_raw(2, 2, (0..4).flat_map(|pixel| [10, 20, 30].map(|channel| channel + pixel)).collect())
            .unwrap())
    }

    #[test]
    fn the_model_s_shape_says_how_pixels_lie() {
        assert_eq!(bytes(&colours(), &[1, 3, 2, 2]), [10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33]);
        assert_eq!(bytes(&colours(), &[1, 2, 2, 3]), [10, 20, 30, 11, 21, 31, 12, 22, 32, 13, 23, 33]);
        assert_eq!(bytes(&colours(), &[1, 12]), bytes(&colours(), &[1, 3, 2, 2]));
        let grey = png(ImageBuffer::<Luma<u8>, _>::from_raw(2, 2, vec![0, 1, 128, 255]).unwrap());
        for shape in [&[1, 1, 2, 2][..], &[1, 2, 2, 1], &[1, 2, 2], &[1, 4], &[4]] {
            assert_eq!(bytes(&grey, shape), [0, 1, 128, 255], "{shape:?}");
        }
        assert_eq!(bytes(&grey, &[1, 12]), [0, 1, 128, 255].repeat(3));
        let luma = bytes(&png(RgbImage::from_raw(1, 1, vec![255, 0, 0]).unwrap()), &[1, 1, 1, 1]);
        assert_eq!(luma, [54], "a share of 0.2126 of red");
        assert!(refusal(&grey, &[1, 1, 1 << 20, 1 << 20]).contains("at most"));
        let refusal = refusal(&grey, &[1, 30]);
        assert!(refusal.contains("of shape [1, 30] is none"), "{refusal}");
    }

    #[test]
    fn deep_and_transparent_pictures_become_bytes_on_white() {
        let deep = png(ImageBuffer::<Luma<u16>, _>::from_raw(2, 2, vec![0, 257, 32896, 65535]).unwrap());
        assert_eq!(bytes(&deep, &[1, 4]), [0, 1, 128, 255]);
        let alpha = png(ImageBuffer::<LumaA<u8>, _>::from_raw(4, 1, vec![0, 0, 0, 255, 0, 128, 200, 255]).unwrap());
        assert_eq!(bytes(&alpha, &[1, 1, 1, 4]), [255, 0, 127, 200]);
    }

    #[test]
    fn other_sizes_are_resized_with_a_warning() {
        let large = png(ImageBuffer::from_fn(40, 20, |x, _| Luma([if x < 20 { 0u8 } else { 200 }])));
        let loaded = read(&large, ImageFormat::Png, &[1, 16]).unwrap();
        assert_eq!(loaded.warnings, ["the picture is resized from 40 x 20 to 4 x 4 pixels"]);
        let resized = bytes(&large, &[1, 16]);
        assert!(resized.chunks(4).all(|row| row[0] == 0 && row[3] == 200), "{resized:?}");
        assert!(read(&colours(), ImageFormat::Png, &[1, 3, 2, 2]).unwrap().warnings.is_empty());
    }

    #[test]
    fn damaged_files_are_refused() {
        let grey = ImageBuffer::from_fn(64, 64, |x, y| Luma([(x * y) as u8]));
        for kind in [ImageFormat::Png, ImageFormat::Jpeg] {
            let whole = file(grey.clone(), kind);
            assert_eq!(bytes(&whole, &[1, 64, 64]).len(), 4096);
            for cut in [12, whole.len() / 2, whole.len() - 20] {
                assert!(read(&whole[..cut], kind, &[1, 64, 64]).is_err(), "{kind:?} of {cut} bytes");
            }
        }
    }

    /// A file of a few bytes must not make the reader allocate what it claims.
    #[test]
    fn huge_claims_are_refused() {
        let mut claim = png(ImageBuffer::<Luma<u8>, _>::new(1, 1));
        claim[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let mut crc = flate2::Crc::new();
        crc.update(&claim[12..29]);
        claim[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        let refused = refusal(&claim, &[1, 4]);
        assert!(refused.contains("65536 x 65536") || refused.contains("limit"), "{refused}");
        let mut claim = file(ImageBuffer::<Luma<u8>, _>::new(8, 8), ImageFormat::Jpeg);
        let frame = claim.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        claim[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
        let refused = refusal(&claim, &[1, 4]);
        assert!(refused.contains("65535 x 65535"), "{refused}");
    }
}
