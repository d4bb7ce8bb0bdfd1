use std::fmt::{Display, Write};

use crate::Counts;

/// What was done and what was found, line by line.
pub(crate) struct Table {
    title: &'static str,
    lines: Vec<(String, String)>,
}

impl Table {
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, lines: Vec::new() }
    }

    pub(crate) fn row(&mut self, what: &str, value: &dyn Display) {
        self.lines.push((what.to_owned(), value.to_string()));
    }

    pub(crate) fn rows(&mut self, prefix: &str, counts: &Counts) {
        for (what, value) in counts {
            self.row(&format!("{prefix}{what}"), value);
        }
    }

    /// Reads well on a terminal and as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let width = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| text.chars().count()).max().unwrap_or_default()
        };
        let left = width(&mut self.lines.iter().map(|(what, _)| what)).max(self.title.len());
        let right = width(&mut self.lines.iter().map(|(_, value)| value));
        let mut text =
            format!("| {:left$} | {:>right$} |\n|-{:-<left$}-|-{:->right$}:|", self.title, "", "", "");
        for (what, value) in &self.lines {
            let _ = write!(text, "\n| {what:left$} | {value:>right$} |");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_as_wide_as_the_widest() {
        let mut table = Table::new("t");
        table.row("seed", &12);
        table.rows("fault: ", &Counts::from([("Hang".to_owned(), 3)]));
        let expected = "\
| t           |    |
|-------------|---:|
| seed        | 12 |
| fault: Hang |  3 |";
        assert_eq!(table.markdown(), expected);
    }
}
