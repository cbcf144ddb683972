//! Smooth functions as few straight pieces: the fewest between points of a fine grid that stay within an error.
//!
//! The function is sampled at integers of its operand, where it bends, by halving what a chord does not follow. Pieces
//! begin and end at such points, at one of a few levels within the error; a dynamic program finds the fewest. Then slopes
//! become integers, finer and finer until what they give, at every point and at many others, is within the error too.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};

use super::decimal;
use crate::graph::Function;
use crate::ir::{Bend, Curve, Interval};

/// Most points at which a function is looked at.
const MOST_POINTS: usize = 16_384;
/// Most pieces: a function that needs more is none for a script.
const MOST_PIECES: u32 = 256;
/// Levels of a piece's ends, as shares of the error.
const LEVELS: [f64; 5] = [0.0, -0.5, 0.5, -1.0, 1.0];
/// What chords between points may be off by, as a share of the error.
const CHORD: f64 = 1.0 / 64.0;
/// What pieces may be off by at points; the rest is for chords, for the operand's own steps and for rounded slopes.
const PIECE: f64 = 0.93;
/// Finest unit of slopes: two to the minus this.
const FINEST: u32 = 48;
/// Integers, evenly over the operand's, at which a curve is held against its function in the end.
const SAMPLES: u32 = 2048;

/// A point of a function, at an integer of its operand.
#[derive(Debug, Clone)]
struct Point {
    v: BigInt,
    x: f64,
    y: f64,
}

/// A function over an interval of integers at a scale, to within an error; with it what a step of a slope is worth.
///
/// # Errors
/// Why it cannot be done: the function jumps, or is infinite somewhere, or takes too many pieces.
pub(super) fn fit(
    function: &Function,
    interval: &Interval,
    scale: &BigRational,
    error: f64,
) -> Result<(Curve, BigRational), String> {
    let sampled = Sampled { function, scale };
    let points = sampled.points(interval, error)?;
    let knots = fewest_pieces(&points, PIECE * error)?;
    let mut finer = (-error.log2()).ceil().clamp(2.0, f64::from(FINEST)) as u32;
    let mut others: Option<Vec<Point>> = None;
    while finer <= FINEST {
        let unit = BigRational::new(BigInt::one(), BigInt::one() << finer);
        let curve = integer_curve(&knots, scale, &unit).ok_or("takes numbers beyond floats")?;
        if is_within(error * (1.0 - CHORD), &curve, &points, scale, &unit) {
            let others = match &mut others {
                Some(others) => others,
                none => none.insert(sampled.evenly(interval)?),
            };
            if is_within(error, &curve, others, scale, &unit) {
                return Ok((curve, unit));
            }
        }
        finer += 1;
    }
    Err(format!("cannot be followed to within {error} by straight pieces"))
}

/// A function at the integers of its operand.
struct Sampled<'a> {
    function: &'a Function,
    scale: &'a BigRational,
}

impl Sampled<'_> {
    fn at(&self, v: BigInt) -> Result<Point, String> {
        // Not reduced: that would take most of the time, and change nothing.
        let x = BigRational::new_raw(self.scale.numer() * &v, self.scale.denom().clone());
        let x = x.to_f64().filter(|x| x.is_finite()).ok_or("takes numbers beyond floats")?;
        Ok(Point { y: self.finite(x)?, v, x })
    }

    fn finite(&self, x: f64) -> Result<f64, String> {
        let y = self.function.at(x);
        if y.is_finite() { Ok(y) } else { Err(format!("is not finite at {x}, which its operand can be")) }
    }

    /// Points between which the function is a line, near enough.
    fn points(&self, interval: &Interval, error: f64) -> Result<Vec<Point>, String> {
        let mut points = vec![self.at(interval.low.clone())?];
        for v in self.marks(interval)? {
            let mut open = vec![self.at(v)?];
            // The part from the last point to the nearest open end is halved until a chord follows it.
            while let (Some(from), Some(to)) = (points.last(), open.last()) {
                match self.middle(from, to, error)? {
                    None => points.extend(open.pop()),
                    Some(middle) => open.push(middle),
                }
                if points.len() + open.len() > MOST_POINTS {
                    let (low, high) = (points[0].x, open[0].x);
                    return Err(format!("bends too much between {low} and {high}, which its operand can be"));
                }
            }
        }
        Ok(points)
    }

    /// The point in the middle of two, if the chord between them does not follow the function.
    fn middle(&self, from: &Point, to: &Point, error: f64) -> Result<Option<Point>, String> {
        let gap = &to.v - &from.v;
        if gap.is_one() {
            return self.demand_no_jump(from, to, error).map(|()| None);
        }
        let mut off = 0.0f64;
        let mut middle = None;
        for quarter in [1u8, 3, 2] {
            let inner = self.at(&from.v + &gap * quarter / 4u8)?;
            let chord = from.y + (to.y - from.y) * ((inner.x - from.x) / (to.x - from.x));
            off = off.max((inner.y - chord).abs());
            middle = Some(inner);
        }
        Ok(middle.filter(|_| off > CHORD * error))
    }

    /// Between two integers a function may be steep, but where it jumps, what its operand's rounding does to it has no
    /// bound.
    fn demand_no_jump(&self, from: &Point, to: &Point, error: f64) -> Result<(), String> {
        /// Relative errors of sums and products of floats.
        const NOISE: f64 = 1e-12;
        let ((mut low, mut below), (mut high, mut above)) = ((from.x, from.y), (to.x, to.y));
        while (above - below).abs() > error + NOISE * (above.abs() + below.abs()) {
            let middle = low + (high - low) / 2.0;
            if middle <= low || high <= middle {
                return Err(format!("jumps at {middle}, which its operand can be next to"));
            }
            let y = self.finite(middle)?;
            if (y - below).abs() > (above - y).abs() { (high, above) = (middle, y) } else { (low, below) = (middle, y) }
        }
        Ok(())
    }

    /// Where to begin to look: evenly, and closer and closer around zero, where activations bend.
    fn marks(&self, interval: &Interval) -> Result<Vec<BigInt>, String> {
        const EVENLY: i32 = 64;
        let Interval { low, high } = interval;
        let evenly = (1..EVENLY).map(|part| low + (high - low) * part / EVENLY);
        let powers = (-6..=24).flat_map(|power| [2f64.powi(power), -(2f64.powi(power))]);
        let near_zero = powers.chain([0.0]).filter_map(|x| decimal::steps(x, self.scale));
        let mut marks: Vec<BigInt> =
            evenly.chain(near_zero).chain([high.clone()]).filter(|v| low < v && v <= high).collect();
        marks.sort();
        marks.dedup();
        Ok(marks)
    }

    /// Points all over an interval, both ends among them.
    fn evenly(&self, interval: &Interval) -> Result<Vec<Point>, String> {
        let width = &interval.high - &interval.low;
        let count = width.to_u32().map_or(SAMPLES, |width| width.clamp(1, SAMPLES));
        (0..=count).map(|part| self.at(&interval.low + &width * part / count)).collect()
    }
}

/// The ends of the fewest pieces that pass every point within an error.
fn fewest_pieces(points: &[Point], error: f64) -> Result<Vec<Point>, String> {
    let level = |index: usize, level: usize| points[index].y + LEVELS[level] * error;
    // For each point and level: pieces so far, and where the last one begins. Levels are in order of preference.
    let mut best: Vec<[Option<(u32, usize, usize)>; LEVELS.len()]> = vec![[None; LEVELS.len()]; points.len()];
    best[0] = [Some((0, 0, 0)); LEVELS.len()];
    for from in 0..points.len() {
        for start in 0..LEVELS.len() {
            let Some((pieces, ..)) = best[from][start] else { continue };
            let begin = Point { y: level(from, start), ..points[from].clone() };
            let (mut least, mut most) = (f64::NEG_INFINITY, f64::INFINITY);
            for to in from + 1..points.len() {
                let width = points[to].x - begin.x;
                for (end, known) in best[to].iter_mut().enumerate() {
                    let slope = (level(to, end) - begin.y) / width;
                    let fewer = known.is_none_or(|(known, ..)| pieces + 1 < known);
                    if fewer && (least..=most).contains(&slope) {
                        *known = Some((pieces + 1, from, start));
                    }
                }
                least = least.max((points[to].y - error - begin.y) / width);
                most = most.min((points[to].y + error - begin.y) / width);
                if least > most {
                    break;
                }
            }
        }
    }
    let mut at = points.len() - 1;
    let reached = (0..LEVELS.len()).filter_map(|end| best[at][end].map(|(pieces, ..)| (pieces, end)));
    let (pieces, mut end) = reached.min().ok_or("takes numbers too far apart for floats")?;
    if pieces > MOST_PIECES {
        return Err(format!("takes {pieces} straight pieces"));
    }
    let mut knots = Vec::new();
    loop {
        knots.push(Point { y: level(at, end), ..points[at].clone() });
        match best[at][end] {
            Some((1.., from, start)) => (at, end) = (from, start),
            _ => break,
        }
    }
    knots.reverse();
    Ok(knots)
}

/// Pieces between knots in integers. Each slope leads to the next knot from where the pieces before it really end.
fn integer_curve(knots: &[Point], scale: &BigRational, unit: &BigRational) -> Option<Curve> {
    let step = scale * unit;
    let mut at = knots.first()?.v.clone();
    let mut value = decimal::steps(knots.first()?.y, &step)?;
    let mut curve = Curve { slope: BigInt::zero(), offset: value.clone(), bends: vec![] };
    let mut slope: Option<BigInt> = None;
    for knot in &knots[1..] {
        let (next, wanted) = (knot.v.clone(), decimal::steps(knot.y, &step)?);
        let width = &next - &at;
        let steep = decimal::round(&BigRational::new(&wanted - &value, width.clone()));
        match &slope {
            None => {
                curve.offset = &value - &steep * &at;
                curve.slope = steep.clone();
            }
            Some(before) if *before != steep => {
                curve.bends.push(Bend { at: at.clone(), change: &steep - before });
            }
            Some(_) => {}
        }
        value += &steep * &width;
        (at, slope) = (next, Some(steep));
    }
    Some(curve)
}

/// Whether a curve is that near to its function at points in ascending order.
fn is_within(error: f64, curve: &Curve, points: &[Point], scale: &BigRational, unit: &BigRational) -> bool {
    let step = (scale * unit).to_f64().unwrap_or(f64::INFINITY);
    let (mut slope, mut offset) = (curve.slope.clone(), curve.offset.clone());
    let mut bends = curve.bends.iter().peekable();
    points.iter().all(|point| {
        while let Some(bend) = bends.next_if(|bend| bend.at <= point.v) {
            slope += &bend.change;
            offset -= &bend.change * &bend.at;
        }
        let value = (&slope * &point.v + &offset).to_f64().map(|value| value * step);
        value.is_some_and(|value| (value - point.y).abs() <= error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::named;

    /// Functions, and where they are tried: from, to.
    const FUNCTIONS: [(&str, f64, f64); 16] = [
        ("Sigmoid", -12.0, 12.0),
        ("Tanh", -8.0, 8.0),
        ("Gelu", -8.0, 8.0),
        ("GeluByTanh", -8.0, 8.0),
        ("QuickGelu", -8.0, 8.0),
        ("Elu", -10.0, 10.0),
        ("Selu", -10.0, 10.0),
        ("Celu", -10.0, 10.0),
        ("Softplus", -12.0, 12.0),
        ("Softsign", -20.0, 20.0),
        ("Swish", -12.0, 12.0),
        ("Mish", -12.0, 12.0),
        ("HardSwish", -5.0, 5.0),
        ("Square", -3.0, 3.0),
        ("Reciprocal", 0.25, 8.0),
        ("Sqrt", 0.0, 9.0),
    ];
    /// Pieces that they take within 1e-3: a change for the worse is seen.
    const MOST: [usize; 16] = [21, 29, 26, 26, 25, 18, 24, 18, 27, 37, 32, 29, 32, 73, 40, 29];

    fn scales() -> [BigRational; 4] {
        let ratio = |above: i64, below: i64| BigRational::new(above.into(), below.into());
        [ratio(1, 8000), ratio(3, 1_000_003), ratio(1, 100_000_000), ratio(1, 20)]
    }

    fn interval(low: f64, high: f64, scale: &BigRational) -> Interval {
        let steps = |x: f64| decimal::steps(x, scale).unwrap();
        Interval::new(steps(low), steps(high))
    }

    /// How far a curve is from a function, at every integer or at many of them.
    fn error_of(name: &str, interval: &Interval, scale: &BigRational, curve: &Curve, unit: &BigRational) -> f64 {
        let function = named(name);
        let width = &interval.high - &interval.low;
        let count = width.to_u32().unwrap_or(u32::MAX).clamp(1, 503);
        let step = scale * unit;
        let off = |part: u32| {
            let v = &interval.low + &width * part / count;
            let x = (scale * &v).to_f64().unwrap();
            ((&step * curve.at(&v)).to_f64().unwrap() - function.at(x)).abs()
        };
        (0..=count).map(off).fold(0.0, f64::max)
    }

    #[test]
    fn curves_are_within_their_error() {
        for (name, low, high) in FUNCTIONS {
            let function = named(name);
            let middle = (low + high) / 2.0 + 0.1;
            let parts = [(low, high), (low, middle), (middle, high), (middle, middle + 0.01), (middle, middle)];
            for scale in scales() {
                for (low, high) in parts {
                    for error in [1e-1, 1e-3, 1e-4] {
                        let interval = interval(low, high, &scale);
                        let context = || format!("{name} from {low} to {high} at {scale} within {error}");
                        let (curve, unit) = fit(&function, &interval, &scale, error)
                            .unwrap_or_else(|reason| panic!("{}: {reason}", context()));
                        assert!(curve.is_sound(), "{}", context());
                        assert!(unit <= BigRational::one(), "{}", context());
                        let ends = curve.bends.iter().all(|bend| interval.low < bend.at && bend.at < interval.high);
                        assert!(ends, "{}", context());
                        let off = error_of(name, &interval, &scale, &curve, &unit);
                        assert!(off <= error, "{}: off by {off}", context());
                    }
                }
            }
        }
    }

    #[test]
    fn wide_intervals_and_small_errors() {
        let scale = BigRational::new(1.into(), 1_000_000.into());
        for (name, low, high) in FUNCTIONS {
            let interval = interval(low, high, &scale);
            match fit(&named(name), &interval, &scale, 1e-5) {
                Ok((curve, unit)) => assert!(error_of(name, &interval, &scale, &curve, &unit) <= 1e-5, "{name}"),
                Err(reason) => assert!(reason.ends_with("straight pieces"), "{name}: {reason}"),
            }
        }
        let line = ["Sigmoid", "Tanh", "Gelu", "Elu", "Selu", "Softplus", "Swish", "Mish", "HardSwish"];
        for name in line {
            let interval = interval(-1e6, 3e7, &scale);
            let (curve, unit) = fit(&named(name), &interval, &scale, 1e-3).unwrap();
            assert!(error_of(name, &interval, &scale, &curve, &unit) <= 1e-3, "{name}");
            assert!(curve.bends.len() <= 40, "{name}: {}", curve.bends.len());
        }
    }

    #[test]
    fn pieces_are_few() {
        let scale = BigRational::new(1.into(), 8000.into());
        let mut counts = Vec::new();
        for (name, low, high) in FUNCTIONS {
            let (curve, _) = fit(&named(name), &interval(low, high, &scale), &scale, 1e-3).unwrap();
            counts.push(curve.bends.len() + 1);
        }
        assert!(counts.iter().zip(MOST).all(|(count, most)| *count <= most), "{counts:?}");
    }

    #[test]
    fn jumps_and_infinities_are_refused() {
        for (name, low, high, said) in [
            ("Sign", -1.0, 1.0, " at 0.3"),
            ("Pole", -1.0, 1.0, ""),
            ("Reciprocal", -1.0, 1.0, "is not finite at 0"),
            ("Reciprocal", 0.0, 1.0, "is not finite at 0"),
            ("Log", 0.0, 1.0, "is not finite at 0"),
            ("Sqrt", -1.0, 1.0, "is not finite at -"),
            ("Exp", 0.0, 1000.0, ""),
        ] {
            for scale in scales() {
                let reason = fit(&named(name), &interval(low, high, &scale), &scale, 1e-3).unwrap_err();
                assert!(reason.contains(said), "{name}: {reason}");
            }
        }
        // Steep is no jump: every integer has its value.
        for scale in scales() {
            let interval = interval(-1.0, 1.0, &scale);
            for name in ["Steep", "Bump"] {
                let (curve, unit) = fit(&named(name), &interval, &scale, 1e-3).unwrap();
                assert!(error_of(name, &interval, &scale, &curve, &unit) <= 1e-3, "{name}");
            }
        }
    }
}
