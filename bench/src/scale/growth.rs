//! What new objects take, by their number.

use crate::chart::{Point, Quantity};
use crate::meter::Cost;
use crate::statistics::{exponent, number, rounded};
use crate::table::{Row, Unit};

/// From the fewest objects to the most.
#[derive(Default)]
pub(super) struct Growth(Vec<Point>);

impl Growth {
    /// The peak memory is in MiB.
    pub(super) fn add(&mut self, objects: usize, cost: &Cost, peak_memory: f64) {
        self.0.push(Point {
            objects: u32::try_from(objects).unwrap_or(u32::MAX),
            seconds: rounded(cost.seconds),
            calls: u32::try_from(cost.calls.total()).unwrap_or(u32::MAX),
            mebibytes: rounded(peak_memory),
        });
    }

    /// What one of the most objects takes, as a multiple of what one takes of those that are the next fewer; and the exponent of the
    /// curve through all of them: 1 where twice the objects take twice as much.
    pub(super) fn rows(&self) -> Vec<Row> {
        let of: [(&str, f64, Quantity); 3] = [
            ("time", 1.1, |point| point.seconds),
            ("calls of AWS", 1.0, |point| number(point.calls)),
            ("peak memory", 1.0, |point| point.mebibytes),
        ];
        let [.., fewer, most] = self.0.as_slice() else {
            return Vec::new();
        };
        let each = |point: &Point, of: Quantity| of(point) / f64::from(point.objects);
        let steps = of.iter().map(|&(what, limit, of)| {
            let what = format!("{what} for each of {} objects / of {}", most.objects, fewer.objects);
            Row::of(what, each(most, of) / each(fewer, of), Unit::Ratio).at_most(limit)
        });
        let curves = of.iter().map(|&(what, _, of)| {
            let points: Vec<(f64, f64)> =
                self.0.iter().map(|point| (f64::from(point.objects), of(point))).collect();
            Row::of(format!("exponent of the growth: {what}"), exponent(&points), Unit::Ratio)
        });
        steps.chain(curves).collect()
    }

    pub(super) fn points(self) -> Vec<Point> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_faster_than_the_objects_is_missed() {
        let point = |objects, seconds, mebibytes| Point { objects, seconds, calls: objects, mebibytes };
        let growth =
            Growth(vec![point(100, 1.0, 20.0), point(1000, 10.0, 30.0), point(10_000, 120.0, 130.0)]);
        let missed: Vec<bool> = growth.rows().iter().map(Row::is_missed).collect();
        assert_eq!(missed, [true, false, false, false, false, false]);
    }
}
