use std::fmt::{self, Display, Write};

use crate::{
    case::Answer,
    overhead::{Overhead, Row},
};

/// A bar chart of the instructions that each case adds to a call, as SVG.
pub(crate) struct Chart<'a>(pub(crate) &'a Overhead);

/// Everything but the bars is drawn in what contrasts with the page, be it light or dark.
const STYLE: &str = "
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #8c959f; stroke-opacity: .35 }
  .peer { fill: #8c959f } .ours { fill: #0969da } .pending { fill-opacity: .5 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #4493f8 } }";

const LEFT: f64 = 250.0;
const WIDTH: f64 = 520.0;
const TOP: f64 = 66.0;
const ROW: f64 = 30.0;
const BAR: f64 = 12.0;

impl Display for Chart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |row: &&Row| !row.case.is_bare();
        let ready: Vec<_> = self.0.rows(Answer::Ready).filter(shown).collect();
        let pending: Vec<_> = self.0.rows(Answer::Pending).filter(shown).collect();
        let most = ready.iter().chain(&pending).map(|row| row.added).fold(1.0, f64::max);
        let step = step(most);
        let scale = WIDTH / ((most / step).ceil() * step);
        let bottom = TOP + ROW * ready.len() as f64;
        let (width, height) = (LEFT + WIDTH + 60.0, bottom + 48.0);
        writeln!(f, r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">"#)?;
        writeln!(f, "<title>What a call costs</title>\n<style>{STYLE}\n</style>")?;
        writeln!(f, r#"<text class="title" x="8" y="22">Instructions that each case adds to a call</text>"#)?;
        f.write_str(&legend())?;
        let mut tick = 0.0;
        while tick * scale <= WIDTH {
            let x = LEFT + tick * scale;
            writeln!(f, r#"<path class="grid" d="M{x:.1} {TOP}V{bottom}"/>"#)?;
            writeln!(f, r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{tick}</text>"#, bottom + 16.0)?;
            tick += step;
        }
        let middle = LEFT + WIDTH / 2.0;
        let label = "instructions added per call: less is better";
        writeln!(f, r#"<text x="{middle}" y="{:.1}" text-anchor="middle">{label}</text>"#, bottom + 38.0)?;
        for (at, (ready, pending)) in ready.iter().zip(&pending).enumerate() {
            let y = TOP + ROW * at as f64;
            writeln!(
                f,
                r#"<text x="{}" y="{:.1}" text-anchor="end">{}</text>"#,
                LEFT - 8.0,
                y + 19.0,
                ready.case.name
            )?;
            bar(f, y + 2.0, ready, scale)?;
            bar(f, y + 2.0 + BAR + 1.0, pending, scale)?;
        }
        writeln!(f, "</svg>")
    }
}

fn legend() -> String {
    let mut legend = String::new();
    let marks = [
        ("ours", "trysail, ready"),
        ("ours pending", "pending once"),
        ("peer", "others, ready"),
        ("peer pending", "pending once"),
    ];
    for (at, (class, name)) in marks.into_iter().enumerate() {
        let x = 8 + 140 * at;
        writeln!(legend, r#"<rect class="{class}" x="{x}" y="36" width="12" height="12"/>"#).expect("a string grows");
        writeln!(legend, r#"<text x="{}" y="46">{name}</text>"#, x + 18).expect("a string grows");
    }
    legend
}

fn bar(f: &mut fmt::Formatter<'_>, y: f64, row: &Row, scale: f64) -> fmt::Result {
    let side = if row.case.name.contains("trysail") { "ours" } else { "peer" };
    let state = row.answer.name();
    let width = row.added.max(0.0) * scale;
    writeln!(f, r#"<rect class="{side} {state}" x="{LEFT}" y="{y:.1}" width="{width:.1}" height="{BAR}"/>"#)?;
    writeln!(f, r#"<text x="{:.1}" y="{:.1}">{:.0}</text>"#, LEFT + width + 4.0, y + 10.5, row.added)
}

/// A round number, of which about five make `most`.
fn step(most: f64) -> f64 {
    let power = 10_f64.powf((most / 5.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| most / step <= 6.0).unwrap_or(power)
}
