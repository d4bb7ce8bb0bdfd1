use std::fmt::Write;

/// A drawing whose colours follow the reader's choice of light or dark.
pub(super) struct Canvas(String);

#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The dark colours come last; plain rules rather than variables, which not every viewer knows.
const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  text.title { font-size: 15px; font-weight: 600; }
  text.value { font-weight: 600; }
  text.soft { font-size: 12px; fill: #59636e; }
  text.label { font-size: 12px; }
  line.axis { stroke: #8c959f; }
  line.even { stroke: #c8ced5; stroke-width: 2; }
  line.limit { stroke: #cf222e; stroke-width: 2; stroke-dasharray: 5 3; }
  rect.paper { fill: #ffffff; }
  rect.first, circle.first { fill: #0969da; }
  rect.second, circle.second { fill: #6e7781; }
  rect.third, circle.third { fill: #bc4c00; }
  polyline { fill: none; stroke-width: 2; }
  polyline.first { stroke: #0969da; }
  polyline.second { stroke: #6e7781; }
  polyline.third { stroke: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    text.soft { fill: #9198a1; }
    line.axis { stroke: #656c76; }
    line.even { stroke: #3d444d; }
    line.limit { stroke: #ff7b72; }
    rect.paper { fill: #0d1117; }
    rect.first, circle.first { fill: #4493f8; }
    rect.second, circle.second { fill: #9198a1; }
    rect.third, circle.third { fill: #f0883e; }
    polyline.first { stroke: #4493f8; }
    polyline.second { stroke: #9198a1; }
    polyline.third { stroke: #f0883e; }
  }
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
