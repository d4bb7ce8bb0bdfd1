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
    fn measured(self, value: f64) -> String {
        match self {
            Self::Mebibytes => format!("{value:.1} MiB"),
            Self::Megabytes => format!("{value:.1} MB"),
            Self::Seconds => format!("{value:.2} s"),
            Self::Count => format!("{value}"),
            Self::Ratio => format!("{value:.1}"),
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
    let head = ["", "measured", "limit", ""].map(str::to_owned);
    let body: Vec<[String; 4]> = rows.iter().map(Row::cells).collect();
    let all = || std::iter::once(&head).chain(&body);
    let width = |column: usize| all().map(|cells| cells[column].chars().count()).max().unwrap_or_default();
    let [a, b, c, d] = [0, 1, 2, 3].map(width);
    let line = |[what, measured, limit, verdict]: &[String; 4]| {
        format!("| {what:a$} | {measured:>b$} | {limit:>c$} | {verdict:d$} |")
    };
    let [left, right, more, last] = [a, b, c, d].map(|width| "-".repeat(width + 1));
    let rule = format!("|{left}-|{right}:|{more}:|{last}-|");
    let mut lines = vec![line(&head), rule];
    lines.extend(body.iter().map(line));
    lines.join("\n")
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
|-------|---------:|---------------:|------|
| peak  | 36.8 MiB | at most 64 MiB | pass |
| calls |       11 |     exactly 10 | FAIL |
| took  |   9.21 s |                |      |";
        assert_eq!(markdown(&rows), expected);
    }
}
