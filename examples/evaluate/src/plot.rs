use std::{error::Error, ops::Range, path::Path};

use plotters::prelude::*;

/// Lines over one axis, as SVG.
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    pub(crate) across: &'a str,
    pub(crate) up: &'a str,
    pub(crate) x: Range<f64>,
    pub(crate) y: Range<f64>,
    /// Where there is room to say which line is which.
    pub(crate) names: SeriesLabelPosition,
    /// The first is drawn above the others.
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Plot<'_> {
    pub(crate) fn write(&self, file: &Path) -> Result<(), String> {
        self.draw(file).map_err(|error| format!("cannot draw {}: {error}", file.display()))
    }

    fn draw(&self, file: &Path) -> Result<(), Box<dyn Error + '_>> {
        // It is shown on dark pages, too.
        let area = SVGBackend::new(file, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        chart.configure_mesh().light_line_style(WHITE).x_desc(self.across).y_desc(self.up).draw()?;
        for (line, colour) in self.lines.iter().zip(COLOURS).rev() {
            let style = ShapeStyle { color: colour.to_rgba(), filled: true, stroke_width: 2 };
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), style))?
                .label(&*line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        chart
            .configure_series_labels()
            .position(self.names.clone())
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        area.present()?;
        Ok(())
    }
}

const SIZE: (u32, u32) = (760, 380);
/// Ours first; told apart by those who see no red or green (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];
