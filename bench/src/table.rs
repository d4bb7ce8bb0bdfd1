use serde_json::{Value, json};

use crate::statistics::rounded;

/// One thing that was measured.
pub(crate) struct Row {
    what: String,
    value: f64,
    unit: Unit,
    limit: Option<Limit>,
}

#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Mebibytes,
    Megabytes,
    Seconds,
    Count,
    Ratio,
}

#[derive(Clone, Copy)]
enum Limit {
    AtMost(f64),
    Exactly(f64),
}

impl Row {
    /// A value without a limit.
    pub(crate) fn of(what: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self { what: what.into(), value, unit, limit: None }
    }

    pub(crate) fn at_most(self, limit: f64) -> Self {
        Self { limit: Some(Limit::AtMost(limit)), ..self }
    }

    pub(crate) fn exactly(self, limit: f64) -> Self {
        Self { limit: Some(Limit::Exactly(limit)), ..self }
    }

    pub(crate) fn is_missed(&self) -> bool {
        self.limit.is_some_and(|limit| match limit {
            Limit::AtMost(limit) => self.value > limit,
            Limit::Exactly(limit) => (self.value - limit).abs() > f64::EPSILON,
        })
    }

    /// For programs: the limit is a number, and whether it has to be met exactly.
    pub(crate) fn json(&self) -> Value {
        let (limit, is_exact) = match self.limit {
            Some(Limit::AtMost(limit)) => (Some(limit), false),
            Some(Limit::Exactly(limit)) => (Some(limit), true),
            None => (None, false),
        };
        let mut row = json!({
            "what": self.what, "value": rounded(self.value), "unit": self.unit.name(), "limit": limit,
        });
        if limit.is_some() {
            row["isExact"] = is_exact.into();
            row["isMet"] = (!self.is_missed()).into();
        }
        row
    }

    fn cells(&self) -> [String; 4] {
        let limit = match self.limit {
            Some(Limit::AtMost(limit)) => format!("at most {}", self.unit.whole(limit)),
            Some(Limit::Exactly(limit)) => format!("exactly {}", self.unit.whole(limit)),
            None => String::new(),
        };
        let verdict = match self.limit {
            Some(_) if self.is_missed() => "FAIL",
            Some(_) => "pass",
            None => "",
        };
        [self.what.clone(), self.unit.measured(self.value), limit, verdict.to_owned()]
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Mebibytes => "MiB",
            Self::Megabytes => "MB",
            Self::Seconds => "s",
            Self::Count | Self::Ratio => "",
        }
    }

    fn measured(self, value: f64) -> String {
        match self {
            Self::Mebibytes => format!("{value:.1} MiB"),
            Self::Megabytes => format!("{value:.1} MB"),
            Self::Seconds => format!("{value:.2} s"),
            Self::Count => format!("{value}"),
            Self::Ratio => format!("{value:.2}"),
        }
    }

    fn whole(self, limit: f64) -> String {
        match self {
            Self::Mebibytes => format!("{limit} MiB"),
            Self::Megabytes => format!("{limit} MB"),
            Self::Seconds => format!("{limit} s"),
            Self::Count | Self::Ratio => format!("{limit}"),
        }
    }
}

/// The rows as a table that reads well on a terminal and as Markdown.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let head = ["", "measured", "limit", ""].map(str::to_owned).to_vec();
    let lines: Vec<Vec<String>> =
        std::iter::once(head).chain(rows.iter().map(|row| row.cells().to_vec())).collect();
    grid(&lines)
}

/// The first line is the head; of each line the first cell is text, and the others are numbers.
pub(crate) fn grid(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut drawn: Vec<String> = lines
        .iter()
        .map(|cells| {
            let cells = cells.iter().zip(&widths).enumerate();
            let cells = cells.map(|(column, (cell, &width))| {
                if column == 0 { format!(" {cell:width$} |") } else { format!(" {cell:>width$} |") }
            });
            std::iter::once("|".to_owned()).chain(cells).collect()
        })
        .collect();
    let rules = widths.iter().enumerate().map(|(column, width)| {
        let (line, end) = ("-".repeat(width + 1), if column == 0 { "-|" } else { ":|" });
        format!("{line}{end}")
    });
    drawn.insert(1, std::iter::once("|".to_owned()).chain(rules).collect());
    drawn.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_missed_only_beyond_it() {
        let memory = |value| Row::of("memory", value, Unit::Mebibytes).at_most(64.0);
        assert!(!memory(64.0).is_missed());
        assert!(memory(64.01).is_missed());
        let calls = |value| Row::of("calls", value, Unit::Count).exactly(10.0);
        assert!(!calls(10.0).is_missed());
        assert!(calls(9.0).is_missed() && calls(11.0).is_missed());
        assert!(!Row::of("time", 1e9, Unit::Seconds).is_missed());
    }

    #[test]
    fn the_table_shows_each_value_next_to_its_limit() {
        let rows = [
            Row::of("peak", 36.84, Unit::Mebibytes).at_most(64.0),
            Row::of("calls", 11.0, Unit::Count).exactly(10.0),
            Row::of("took", 9.207, Unit::Seconds),
        ];
        let expected = "\
|       | measured |          limit |      |
|-------|---------:|---------------:|-----:|
| peak  | 36.8 MiB | at most 64 MiB | pass |
| calls |       11 |     exactly 10 | FAIL |
| took  |   9.21 s |                |      |";
        assert_eq!(markdown(&rows), expected);
    }
    #[test]
    fn a_row_tells_programs_its_value_its_limit_and_whether_that_is_met() {
        let row = Row::of("peak", 70.123_456, Unit::Mebibytes).at_most(64.0);
        let expected = json!({
            "what": "peak", "value": 70.123, "unit": "MiB", "limit": 64.0, "isExact": false, "isMet": false,
        });
        assert_eq!(row.json(), expected);
        assert_eq!(Row::of("took", 1.0, Unit::Seconds).json().get("isMet"), None);
    }
}
