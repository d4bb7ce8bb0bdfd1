//! What is made of many values.

/// The value at or below which so many hundredths lie; 0 of none.
pub(crate) fn percentile(values: &[f64], hundredths: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() * hundredths).div_ceil(100).max(1) - 1;
    sorted.get(at).copied().unwrap_or_default()
}

/// The exponent `b` of the curve `a * x^b` that lies closest to the points, all of them above 0: the slope of the line through their
/// logarithms by least squares.
pub(crate) fn exponent(points: &[(f64, f64)]) -> f64 {
    let logarithms: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count: f64 = logarithms.iter().map(|_| 1.0).sum();
    let mean_x = logarithms.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logarithms.iter().map(|(_, y)| y).sum::<f64>() / count;
    let slope: f64 = logarithms.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    slope / logarithms.iter().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>()
}

/// As a number to compute with; what is counted here is below 2^32.
pub(crate) fn number(count: impl TryInto<u32>) -> f64 {
    count.try_into().map_or(f64::INFINITY, f64::from)
}

/// To thousandths: more is noise, and changes a file at every run.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=30).rev().map(f64::from).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (15.0, 30.0));
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (100.0, 198.0));
        assert!((percentile(&[7.0], 1) - 7.0).abs() < f64::EPSILON);
        assert!(percentile(&[], 50).abs() < f64::EPSILON);
    }

    #[test]
    fn the_exponent_of_a_power_is_found_and_lies_between_those_of_two() {
        let curve = |exponent: f64| [100.0, 1000.0, 10_000.0].map(|x: f64| (x, 3.0 * x.powf(exponent)));
        for expected in [0.0, 0.5, 1.0, 2.0] {
            assert!((exponent(&curve(expected)) - expected).abs() < 1e-9);
        }
        let [small, medium, _] = curve(1.0);
        let [.., large] = curve(2.0);
        let fitted = exponent(&[small, medium, large]);
        assert!(fitted > 1.0 && fitted < 3.0, "{fitted}");
    }

    #[test]
    fn a_count_is_a_number() {
        assert!((number(12_345_usize) - 12_345.0).abs() < f64::EPSILON);
    }
}
