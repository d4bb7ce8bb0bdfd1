//! The figures drawn: the operator beside the floor, and what grows with the number of objects.

mod canvas;

use serde::{Deserialize, Serialize};

use crate::statistics::exponent;
use canvas::{Anchor, Canvas};

/// The mean seconds of the operator and of the floor where every call of AWS takes so long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bars {
    pub(crate) latency_milliseconds: u64,
    pub(crate) operator: f64,
    pub(crate) floor: f64,
    pub(crate) limit: f64,
}

/// What so many new objects took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) objects: u32,
    pub(crate) seconds: f64,
    pub(crate) calls: u32,
    pub(crate) mebibytes: f64,
}

/// One of the things that a point tells.
pub(crate) type Quantity = fn(&Point) -> f64;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 390.0;

/// Where both panels have their axes.
const TOP: f64 = 80.0;
const BOTTOM: f64 = 300.0;

/// From the left edge to the right one of each panel.
const BARS: (f64, f64) = (40.0, 400.0);
const GROWTH: (f64, f64) = (500.0, 840.0);

/// Either panel stays empty while its run has found nothing.
pub(crate) fn svg(bars: &[Bars], growth: &[Point]) -> String {
    let mut canvas =
        Canvas::new(WIDTH, HEIGHT, "What bedrock-access takes, beside the least that it can take");
    draw_bars(&mut canvas, bars);
    draw_growth(&mut canvas, growth);
    canvas.finish()
}

fn draw_bars(canvas: &mut Canvas, bars: &[Bars]) {
    let (left, right) = BARS;
    canvas.text(left, 30.0, "title", Anchor::Start, "1,000 new objects Ready, seconds");
    canvas.text(left, 50.0, "soft", Anchor::Start, "beside the same requests alone, and the most wanted");
    canvas.line((left, BOTTOM), (right, BOTTOM), "axis");
    if bars.is_empty() {
        canvas.text(f64::midpoint(left, right), 190.0, "soft", Anchor::Middle, "run `make bench`");
        return;
    }
    let highest = bars.iter().flat_map(|bars| [bars.operator, bars.floor * bars.limit]).fold(0.0, f64::max);
    let y = |seconds: f64| BOTTOM - (BOTTOM - TOP) * seconds / highest;
    let count: f64 = bars.iter().map(|_| 1.0).sum();
    let group = (right - left) / count;
    let bar = (group * 0.3).min(70.0);
    let mut middle = left + group / 2.0;
    for bars in bars {
        for (x, seconds, class) in
            [(middle - bar - 4.0, bars.operator, "first"), (middle + 4.0, bars.floor, "second")]
        {
            canvas.rectangle((x, y(seconds)), (bar, BOTTOM - y(seconds)), class);
            let what = format!("{seconds:.1} s");
            canvas.text(x + bar / 2.0, y(seconds) - 6.0, "value", Anchor::Middle, &what);
        }
        let most = y(bars.floor * bars.limit);
        canvas.line((middle - bar - 10.0, most), (middle + bar + 10.0, most), "limit");
        canvas.text(middle - bar / 2.0 - 4.0, BOTTOM + 18.0, "label", Anchor::Middle, "operator");
        canvas.text(middle + bar / 2.0 + 4.0, BOTTOM + 18.0, "label", Anchor::Middle, "floor");
        let each =
            format!("{} ms a call, {:.2} times", bars.latency_milliseconds, bars.operator / bars.floor);
        canvas.text(middle, BOTTOM + 38.0, "soft", Anchor::Middle, &each);
        middle += group;
    }
}

/// Each curve begins at 1 with the fewest objects. Both axes are logarithmic, so that what grows as the objects do is a straight line.
fn draw_growth(canvas: &mut Canvas, growth: &[Point]) {
    let (left, right) = GROWTH;
    canvas.text(left, 30.0, "title", Anchor::Start, "Growth with the number of objects");
    canvas.line((left, BOTTOM), (right, BOTTOM), "axis");
    canvas.line((left, BOTTOM), (left, TOP), "axis");
    let (Some(first), Some(last)) = (growth.first(), growth.last()) else {
        canvas.text(f64::midpoint(left, right), 190.0, "soft", Anchor::Middle, "run `make scale`");
        return;
    };
    let about = format!("as multiples of what {} take; grey: as many times more", thousands(first.objects));
    canvas.text(left, 50.0, "soft", Anchor::Start, &about);
    let range = (f64::from(last.objects) / f64::from(first.objects)).ln().max(f64::EPSILON);
    let curves: [(&str, &str, Quantity); 3] = [
        ("time", "first", |point| point.seconds),
        ("calls of AWS", "second", |point| f64::from(point.calls)),
        ("peak memory", "third", |point| point.mebibytes),
    ];
    let x =
        |objects: u32| left + (right - left) * (f64::from(objects) / f64::from(first.objects)).ln() / range;
    let multiples = growth.iter().flat_map(|point| curves.map(|(_, _, of)| of(point) / of(first)));
    let highest = multiples.fold(range.exp(), f64::max).ln();
    let y = |multiple: f64| BOTTOM - (BOTTOM - TOP) * multiple.max(1.0).ln() / highest;
    canvas.line((left, BOTTOM), (right, y(range.exp())), "even");
    for point in growth {
        canvas.text(x(point.objects), BOTTOM + 18.0, "label", Anchor::Middle, &thousands(point.objects));
        let multiple = f64::from(point.objects) / f64::from(first.objects);
        canvas.text(left - 8.0, y(multiple) + 4.0, "label", Anchor::End, &format!("{multiple:.0}"));
    }
    let mut legend = BOTTOM + 42.0;
    for (name, class, of) in curves {
        let points: Vec<(f64, f64)> =
            growth.iter().map(|point| (x(point.objects), y(of(point) / of(first)))).collect();
        canvas.curve(&points, class);
        canvas.rectangle((left, legend - 9.0), (10.0, 10.0), class);
        let fitted: Vec<(f64, f64)> =
            growth.iter().map(|point| (f64::from(point.objects), of(point))).collect();
        let what = format!("{name}: exponent {:.2}", exponent(&fitted));
        canvas.text(left + 16.0, legend, "label", Anchor::Start, &what);
        legend += 20.0;
    }
}

fn thousands(objects: u32) -> String {
    if objects < 1000 { objects.to_string() } else { format!("{},{:03}", objects / 1000, objects % 1000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> (Vec<Bars>, Vec<Point>) {
        let bars =
            |latency_milliseconds, operator| Bars { latency_milliseconds, operator, floor: 8.0, limit: 1.25 };
        let point = |objects, seconds, mebibytes| Point { objects, seconds, calls: 4 * objects, mebibytes };
        let growth = vec![point(100, 0.9, 25.0), point(1000, 8.0, 36.0), point(10_000, 130.0, 60.0)];
        (vec![bars(0, 9.0), bars(20, 12.0)], growth)
    }

    #[test]
    fn the_drawing_is_well_formed_and_shows_every_figure() {
        let (bars, growth) = some();
        let drawn = svg(&bars, &growth);
        let document = roxmltree::Document::parse(&drawn).unwrap();
        assert_eq!(document.root_element().tag_name().namespace(), Some("http://www.w3.org/2000/svg"));
        let texts: Vec<&str> = document.descendants().filter_map(|node| node.text()).collect();
        for expected in
            ["9.0 s", "8.0 s", "12.0 s", "20 ms a call, 1.50 times", "10,000", "calls of AWS: exponent 1.00"]
        {
            assert!(texts.contains(&expected), "{expected} is not among {texts:?}");
        }
    }

    #[test]
    fn what_was_not_measured_is_asked_for() {
        let drawn = svg(&[], &[]);
        roxmltree::Document::parse(&drawn).unwrap();
        assert!(drawn.contains("run `make bench`") && drawn.contains("run `make scale`"));
    }

    #[test]
    fn everything_lies_within_the_drawing() {
        let (bars, growth) = some();
        let drawn = svg(&bars, &growth);
        let document = roxmltree::Document::parse(&drawn).unwrap();
        for node in document.descendants() {
            for (name, most) in [
                ("x", WIDTH),
                ("x1", WIDTH),
                ("x2", WIDTH),
                ("y", HEIGHT),
                ("y1", HEIGHT),
                ("y2", HEIGHT),
                ("cx", WIDTH),
                ("cy", HEIGHT),
            ] {
                let at = node.attribute(name).map(|at| at.parse::<f64>().unwrap());
                assert!(at.is_none_or(|at| (0.0..=most).contains(&at)), "{node:?}");
            }
        }
    }
}
