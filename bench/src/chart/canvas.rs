use std::fmt::Write;

/// A drawing whose colours follow the reader's choice of light or dark.
pub(super) struct Canvas(String);

#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

const STYLE: &str = "
  svg { --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #8c959f; --even: #c8ced5;
    --first: #0969da; --second: #6e7781; --third: #bc4c00; --limit: #cf222e; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #f0f6fc; --soft: #9198a1; --line: #656c76; --even: #3d444d;
      --first: #4493f8; --second: #9198a1; --third: #f0883e; --limit: #ff7b72; }
  }
  text { font: 13px system-ui, sans-serif; fill: var(--ink); }
  text.title { font-size: 15px; font-weight: 600; }
  text.value { font-weight: 600; }
  text.soft { font-size: 12px; fill: var(--soft); }
  text.label { font-size: 12px; }
  line.axis { stroke: var(--line); }
  line.even { stroke: var(--even); stroke-width: 2; }
  line.limit { stroke: var(--limit); stroke-width: 2; stroke-dasharray: 5 3; }
  rect.paper { fill: var(--paper); }
  rect.first, circle.first { fill: var(--first); }
  rect.second, circle.second { fill: var(--second); }
  rect.third, circle.third { fill: var(--third); }
  polyline { fill: none; stroke-width: 2; }
  polyline.first { stroke: var(--first); }
  polyline.second { stroke: var(--second); }
  polyline.third { stroke: var(--third); }
";

impl Canvas {
    pub(super) fn new(width: f64, height: f64, about: &str) -> Self {
        let mut canvas = Self(format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">"#
        ));
        let about = escaped(about);
        canvas.add(format_args!("<title>{about}</title>\n<style>{STYLE}</style>"));
        canvas.rectangle((0.0, 0.0), (width, height), "paper");
        canvas
    }

    pub(super) fn text(&mut self, x: f64, y: f64, class: &str, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        self.add(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" class="{class}" text-anchor="{anchor}">{text}</text>"#
        ));
    }

    pub(super) fn rectangle(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str) {
        self.add(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" class="{class}"/>"#
        ));
    }

    pub(super) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.add(format_args!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="{class}"/>"#
        ));
    }

    /// A line through the points, each of them with a dot.
    pub(super) fn curve(&mut self, points: &[(f64, f64)], class: &str) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let path = path.join(" ");
        self.add(format_args!(r#"<polyline points="{path}" class="{class}"/>"#));
        for (x, y) in points {
            self.add(format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" class="{class}"/>"#));
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push_str("\n</svg>\n");
        self.0
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "\n{element}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_the_drawing() {
        let mut canvas = Canvas::new(10.0, 10.0, "a < b & c");
        canvas.text(1.0, 1.0, "label", Anchor::End, "</text><b>&");
        let drawn = canvas.finish();
        let document = roxmltree::Document::parse(&drawn).unwrap();
        assert!(document.descendants().any(|node| node.text() == Some("</text><b>&")));
    }
}
