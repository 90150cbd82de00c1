//! Rows of marks on logarithmic axes, as SVG that is legible on light and dark and asks for no font.
//!
//! Owns every line that is drawn. It knows nothing of what the numbers mean.

use crate::report::float;

/// Widths and heights, in pixels.
const WIDTH: f64 = 1_040.0;
const NAMES: f64 = 196.0;
const EDGE: f64 = 22.0;
const GAP: f64 = 38.0;
const ROW: f64 = 26.0;
const TOP: f64 = 78.0;
const BOTTOM: f64 = 46.0;
/// A label that would begin beyond this part of a panel stands left of its mark.
const LABEL_TURNS: f64 = 0.78;

const STYLE: &str = "\
svg{font:12px system-ui,-apple-system,'Segoe UI',sans-serif}\
.page{fill:#fff}.text{fill:#1f2328}.faint{fill:#59636e}.grid{stroke:#d8dee4}.row{stroke:#eaeef2}\
.own{fill:#b93a00;stroke:#b93a00}.peer{fill:#3f5c7a;stroke:#3f5c7a}.name-own{fill:#b93a00;font-weight:600}.ring{fill:#fff}\
text{stroke:none}\
@media(prefers-color-scheme:dark){\
.page{fill:#0d1117}.text{fill:#e6edf3}.faint{fill:#9198a1}.grid{stroke:#30363d}.row{stroke:#1c2128}\
.own{fill:#ff9a5c;stroke:#ff9a5c}.peer{fill:#8fb4dc;stroke:#8fb4dc}.name-own{fill:#ff9a5c}.ring{fill:#0d1117}}";

/// How a mark looks.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Dot,
    Small,
    Hollow,
    Tick,
}

pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) kind: Kind,
    pub(super) label: String,
}

pub(super) struct Panel {
    pub(super) title: String,
    pub(super) low: f64,
    pub(super) high: f64,
    /// The marks of each row.
    pub(super) rows: Vec<Vec<Mark>>,
    /// Stands in a row without marks.
    pub(super) absent: &'static str,
}

pub(super) struct Drawing {
    pub(super) title: &'static str,
    pub(super) note: &'static str,
    /// The name of each row, and whether it is ours.
    pub(super) names: Vec<(String, bool)>,
    pub(super) panels: Vec<Panel>,
}

impl Drawing {
    pub(super) fn svg(&self) -> String {
        let count = float(self.panels.len().max(1) as u64);
        let wide = (WIDTH - NAMES - EDGE) / count - GAP;
        let height = TOP + float(self.names.len() as u64) * ROW + BOTTOM;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" width=\"{WIDTH:.0}\" \
             height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title><desc>{note}</desc>\
             <style>{STYLE}</style><rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"6\"/>\n",
            title = escaped(self.title),
            note = escaped(self.note),
        );
        svg.push_str(
            &text(EDGE, 26.0, ("text", "start"), self.title)
                .replace("<text", "<text style=\"font-size:15px;font-weight:600\""),
        );
        for (row, (name, is_own)) in self.names.iter().enumerate() {
            let class = if *is_own { "name-own" } else { "text" };
            svg.push_str(&text(NAMES + EDGE / 2.0, middle(row) + 4.0, (class, "end"), name));
        }
        for (at, panel) in self.panels.iter().enumerate() {
            let left = NAMES + GAP + float(at as u64) * (wide + GAP);
            svg.push_str(&panel.svg(Place { left, wide }, &self.names));
        }
        svg.push_str(&text(EDGE, height - 12.0, ("faint", "start"), self.note));
        svg + "</svg>\n"
    }
}

/// Where a panel is.
#[derive(Clone, Copy)]
struct Place {
    left: f64,
    wide: f64,
}

impl Panel {
    fn svg(&self, place: Place, names: &[(String, bool)]) -> String {
        let bottom = middle(self.rows.len()) - ROW / 2.0;
        let mut svg = text(place.left, TOP - 24.0, ("text", "start"), &self.title);
        for row in 0..self.rows.len() {
            svg.push_str(&line("row", (place.left, middle(row)), (place.left + place.wide, middle(row))));
        }
        let mut at = self.low;
        while at <= self.high * 1.001 {
            let x = self.x(place, at);
            svg.push_str(&line("grid", (x, TOP - 4.0), (x, bottom)));
            svg.push_str(&text(x, TOP - 8.0, ("faint", "middle"), &step(at)));
            at *= 10.0;
        }
        for (row, marks) in self.rows.iter().enumerate() {
            let class = if names.get(row).is_some_and(|(_, is_own)| *is_own) { "own" } else { "peer" };
            svg.push_str(&self.joined(class, place, row));
            svg.extend(marks.iter().map(|mark| self.mark(mark, class, (place, middle(row)))));
            if marks.is_empty() {
                svg.push_str(&text(place.left + 4.0, middle(row) + 4.0, ("faint", "start"), self.absent));
            }
        }
        svg
    }

    /// A thin line from the first mark of a row to its last.
    fn joined(&self, class: &str, place: Place, row: usize) -> String {
        let at = |fold: fn(f64, f64) -> f64, from| self.rows[row].iter().map(|mark| mark.at).fold(from, fold);
        if self.rows[row].len() < 2 {
            return String::new();
        }
        let (low, high) = (at(f64::min, f64::MAX), at(f64::max, 0.0));
        line(class, (self.x(place, low), middle(row)), (self.x(place, high), middle(row)))
    }

    fn mark(&self, mark: &Mark, class: &str, (place, y): (Place, f64)) -> String {
        let x = self.x(place, mark.at);
        let shape = match mark.kind {
            Kind::Dot => format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>\n"),
            Kind::Small => format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"/>\n"),
            Kind::Hollow => format!(
                "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>\
                 <circle class=\"ring\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.8\"/>\n"
            ),
            Kind::Tick => line(class, (x, y - 5.0), (x, y + 5.0)),
        };
        if mark.label.is_empty() {
            return shape;
        }
        let turns = (x - place.left) / place.wide > LABEL_TURNS;
        let (at, anchor) = if turns { (x - 8.0, "end") } else { (x + 8.0, "start") };
        shape + &text(at, y - 5.0, ("text", anchor), &mark.label)
    }

    /// What lies outside stands at the edge.
    fn x(&self, place: Place, at: f64) -> f64 {
        let part = (at.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln();
        place.left + place.wide * part.clamp(0.0, 1.02)
    }
}

fn middle(row: usize) -> f64 {
    TOP + ROW * (float(row as u64) + 0.5)
}

fn line(class: &str, (x, y): (f64, f64), (to_x, to_y): (f64, f64)) -> String {
    format!("<path class=\"{class}\" d=\"M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}\"/>\n")
}

fn text(x: f64, y: f64, (class, anchor): (&str, &str), text: &str) -> String {
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>\n", escaped(text))
}

/// A step of the axis.
fn step(at: f64) -> String {
    match at {
        at if at >= 1e6 => format!("{:.0} M", at / 1e6),
        at if at >= 1e3 => format!("{:.0} k", at / 1e3),
        at if at >= 0.99 => format!("{at:.0}"),
        at => format!("{at:.3}").trim_end_matches('0').to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(at: &[f64]) -> Panel {
        let marks = at.iter().map(|at| Mark { at: *at, kind: Kind::Dot, label: String::new() }).collect();
        Panel { title: "one".into(), low: 0.01, high: 1.0, rows: vec![marks], absent: "none" }
    }

    #[test]
    fn each_step_of_the_axis_is_ten_times_the_last() {
        let panel = panel(&[]);
        let place = Place { left: 0.0, wide: 200.0 };
        let near = |at, x: f64| (panel.x(place, at) - x).abs() < 1e-6;
        assert!(near(0.01, 0.0) && near(0.1, 100.0) && near(1.0, 200.0));
        assert!(near(0.0001, 0.0), "what lies below stands at the edge");
    }

    #[test]
    fn a_name_cannot_break_the_drawing() {
        let names = vec![("<b> & \"c\"".to_owned(), true)];
        let drawing = Drawing { title: "t", note: "n", names, panels: vec![panel(&[0.5])] };
        let svg = drawing.svg();
        assert!(svg.contains("&lt;b> &amp; &quot;c&quot;") && !svg.contains("<b>"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }
}
