//! Smooth functions as few straight pieces: the fewest between points of a fine grid that stay within an error.
//!
//! The function is sampled where it bends, by halving what a chord does not follow. Pieces begin and end at such points,
//! at one of a few levels within the error; a dynamic program finds the fewest. Then breaks and slopes become integers,
//! finer and finer until what they give, measured at every point, is within the error too.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};

use super::decimal;
use crate::graph::Function;
use crate::ir::{Bend, Curve, Interval};

/// Most points at which a function is looked at.
const MOST_POINTS: usize = 4096;
/// Most pieces: a function that needs more is none for a script.
const MOST_PIECES: u32 = 256;
/// Levels of a piece's ends, as shares of the error.
const LEVELS: [f64; 5] = [0.0, -0.5, 0.5, -1.0, 1.0];
/// What chords between points may be off by, as a share of the error.
const CHORD: f64 = 1.0 / 16.0;
/// What pieces may be off by at points; the rest is for chords, for the operand's own steps and for rounded slopes.
const PIECE: f64 = 0.75;
/// Finest unit of slopes: two to the minus this.
const FINEST: u32 = 48;

/// A point of a function.
#[derive(Debug, Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
}

/// A function over an interval of integers at a scale, to within an error; with it what a step of a slope is worth.
///
/// # Errors
/// Why it cannot be done: the function is infinite somewhere, or takes too many pieces.
pub(super) fn fit(
    function: &Function,
    interval: &Interval,
    scale: &BigRational,
    error: f64,
) -> Result<(Curve, BigRational), String> {
    let real = |steps: &BigInt| (scale * steps).to_f64().filter(|x| x.is_finite()).ok_or("takes numbers beyond floats");
    let points = points(function, real(&interval.low)?, real(&interval.high)?, error)?;
    let knots = fewest_pieces(&points, PIECE * error)?;
    let mut finer = (-error.log2()).ceil().clamp(2.0, f64::from(FINEST)) as u32;
    loop {
        let unit = BigRational::new(BigInt::one(), BigInt::one() << finer);
        let curve = integer_curve(&knots, scale, &unit).ok_or("takes numbers beyond floats")?;
        if finer >= FINEST || worst(&curve, &points, function, scale, &unit) <= error * (1.0 - CHORD) {
            return Ok((curve, unit));
        }
        finer += 1;
    }
}

/// Points between which the function is a line, near enough.
fn points(function: &Function, low: f64, high: f64, error: f64) -> Result<Vec<Point>, String> {
    let at = |x: f64| {
        let y = function.at(x);
        if y.is_finite() { Ok(Point { x, y }) } else { Err(format!("is not finite at {x}, which its operand can be")) }
    };
    let mut points = vec![at(low)?];
    for x in marks(low, high) {
        let end = at(x)?;
        let mut open = vec![end];
        // The part from the last point to the nearest open end is halved until a chord follows it.
        while let (Some(&from), Some(&to)) = (points.last(), open.last()) {
            let inner = [0.25, 0.5, 0.75].map(|share| at(from.x + (to.x - from.x) * share));
            let mut off = 0.0f64;
            for (point, share) in inner.iter().zip([0.25, 0.5, 0.75]) {
                let point = point.as_ref().map_err(Clone::clone)?;
                off = off.max((point.y - (from.y + (to.y - from.y) * share)).abs());
            }
            let [_, middle, _] = inner;
            if off <= CHORD * error || to.x - from.x <= 1e-9 * (1.0 + from.x.abs()) {
                points.extend(open.pop());
            } else {
                open.push(middle?);
            }
            if points.len() + open.len() > MOST_POINTS {
                return Err(format!("bends too much between {low} and {high}, which its operand can be"));
            }
        }
    }
    Ok(points)
}

/// Where to begin to look: evenly, and closer and closer around zero, where activations bend.
fn marks(low: f64, high: f64) -> Vec<f64> {
    const EVENLY: i32 = 64;
    let evenly = (1..EVENLY).map(|part| low + (high - low) * f64::from(part) / f64::from(EVENLY));
    let powers = (-6..=24).flat_map(|power| [2f64.powi(power), -(2f64.powi(power))]);
    let mut marks: Vec<f64> =
        evenly.chain(powers).chain([0.0]).filter(|&x| low < x && x < high).chain([high]).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    marks.retain(|&x| x > low);
    marks
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
            let begin = Point { x: points[from].x, y: level(from, start) };
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
        knots.push(Point { x: points[at].x, y: level(at, end) });
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
    let mut at = decimal::steps(knots.first()?.x, scale)?;
    let mut value = decimal::steps(knots.first()?.y, &step)?;
    let mut curve = Curve { slope: BigInt::zero(), offset: value.clone(), bends: vec![] };
    let mut slope: Option<BigInt> = None;
    for knot in &knots[1..] {
        let (next, wanted) = (decimal::steps(knot.x, scale)?, decimal::steps(knot.y, &step)?);
        let width = &next - &at;
        if width.is_zero() {
            continue;
        }
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

/// How far a curve is from its function at the points.
fn worst(curve: &Curve, points: &[Point], function: &Function, scale: &BigRational, unit: &BigRational) -> f64 {
    let step = scale * unit;
    let off = |point: &Point| {
        let v = decimal::steps(point.x, scale)?;
        let x = (scale * &v).to_f64()?;
        let y = (&step * curve.at(&v)).to_f64()?;
        Some((y - function.at(x)).abs())
    };
    points.iter().map(|point| off(point).unwrap_or(f64::INFINITY)).fold(0.0, f64::max)
}
