//! A sample as a picture in a terminal: two rows of pixels in a line of half blocks, or characters of different
//! density where there are no colours.

use onnx2script::data::PictureLayout;

use super::color::Palette;

/// Most characters of a line.
const WIDEST: usize = 96;
/// Fewest pixels of a side, where nothing but the number of inputs says that it is a picture.
const LEAST_SIDE: usize = 5;
/// From black to white.
const DENSITIES: &[u8] = b" .:-=+*#%@";

/// The numbers of a sample, drawn where the model's input of this shape is a picture; their least is black.
pub(crate) fn draw(numbers: &[f64], shape: &[usize], palette: Palette) -> Option<String> {
    let layout = PictureLayout::of(shape)?;
    let guessed = shape.len() < 3;
    if guessed && layout.width < LEAST_SIDE || layout.width * layout.height * layout.channels() != numbers.len() {
        return None;
    }
    let columns = if palette == Palette::None { 2 } else { 1 };
    let step = (columns * layout.width).div_ceil(WIDEST);
    let picture = Picture { layout, bytes: bytes(numbers), step };
    Some(if palette == Palette::None { picture.dense() } else { picture.coloured(palette) })
}

/// Numbers as bytes, the least 0 and the largest 255.
fn bytes(numbers: &[f64]) -> Vec<u8> {
    let (low, high) = numbers.iter().fold((f64::MAX, f64::MIN), |(low, high), &n| (low.min(n), high.max(n)));
    let span = if high > low { high - low } else { 1.0 };
    numbers.iter().map(|number| (255.0 * (number - low) / span).round() as u8).collect()
}

/// A picture of which every `step`-th pixel is shown.
struct Picture {
    layout: PictureLayout,
    bytes: Vec<u8>,
    step: usize,
}

impl Picture {
    fn pixel(&self, row: usize, column: usize) -> [u8; 3] {
        let at = row * self.layout.width + column;
        [0, 1, 2].map(|channel| self.bytes[self.layout.place(at, channel)])
    }

    fn row(&self, row: usize) -> Vec<[u8; 3]> {
        (0..self.layout.width).step_by(self.step).map(|column| self.pixel(row, column)).collect()
    }

    fn rows(&self) -> Vec<Vec<[u8; 3]>> {
        (0..self.layout.height).step_by(self.step).map(|row| self.row(row)).collect()
    }

    /// Two characters a pixel: a character is about twice as high as wide.
    fn dense(&self) -> String {
        let character = |pixel: &[u8; 3]| {
            let sum: usize = pixel.iter().map(|&channel| usize::from(channel)).sum();
            char::from(DENSITIES[(sum * (DENSITIES.len() - 1) + 382) / 765])
        };
        let line = |row: &Vec<[u8; 3]>| row.iter().flat_map(|pixel| [character(pixel); 2]).collect::<String>();
        self.rows().iter().map(|row| format!("  {}\n", line(row).trim_end())).collect()
    }

    /// Half blocks: the upper row in the text's colour, the lower one in that of the ground.
    fn coloured(&self, palette: Palette) -> String {
        let rows = self.rows();
        let pair = |pair: &[Vec<[u8; 3]>]| {
            let mut line = "  ".to_owned();
            for (column, &upper) in pair[0].iter().enumerate() {
                let lower = pair.get(1).map(|row| palette.colour(true, row[column]));
                let style = [Some(palette.colour(false, upper)), lower].into_iter().flatten().collect::<Vec<_>>();
                line += &format!("\x1b[{}m▀", style.join(";"));
            }
            line + "\x1b[0m\n"
        };
        rows.chunks(2).map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_drawn_as_the_shape_says() {
        let numbers = [0.0, 1.0, 0.5, 1.0];
        assert_eq!(draw(&numbers, &[1, 1, 2, 2], Palette::None).unwrap(), "    @@\n  ++@@\n");
        let colours = draw(&numbers, &[1, 2, 2], Palette::Full).unwrap();
        assert_eq!(colours, "  \x1b[38;2;0;0;0;48;2;128;128;128m▀\x1b[38;2;255;255;255;48;2;255;255;255m▀\x1b[0m\n");
        let red = draw(&[1.0, 0.0, 0.0, 0.0, 0.0, 1.0], &[1, 3, 1, 2], Palette::Indexed).unwrap();
        assert_eq!(red, "  \x1b[38;5;196m▀\x1b[38;5;21m▀\x1b[0m\n");
        assert_eq!(draw(&numbers, &[1, 4], Palette::None), None);
        assert_eq!(draw(&[0.0; 30], &[1, 30], Palette::None), None);
        assert_eq!(draw(&[0.0; 784], &[1, 784], Palette::None).unwrap().lines().count(), 28);
    }
}
