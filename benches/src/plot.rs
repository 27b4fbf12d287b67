//! The picture of the ratios: bars from 1x, on a logarithmic axis.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Outcome;
use crate::results::Results;

const WIDTH: u32 = 900;
const ROW_HEIGHT: u32 = 26;
const LABELS_WIDTH: u32 = 390;
const AHEAD: RGBColor = RGBColor(46, 125, 90);
const BEHIND: RGBColor = RGBColor(190, 80, 50);

/// A bar: what it is of, and how many times better than the peer.
struct Bar {
    label: String,
    ratio: f64,
}

/// Draws all ratios into the file.
pub(crate) fn draw(file: &Path, results: &Results) -> Outcome {
    let bars = bars(results);
    let rows = bars.len() as i32;
    let low = bars.iter().map(|bar| bar.ratio).fold(0.5, f64::min) * 0.6;
    let high = bars.iter().map(|bar| bar.ratio).fold(2.0, f64::max) * 1.8;
    let area = SVGBackend::new(file, (WIDTH, ROW_HEIGHT * (bars.len() as u32 + 4))).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Times better than the peer (CPU per request, or time to start)", ("sans-serif", 16))
        .margin(10)
        .margin_left(LABELS_WIDTH)
        .x_label_area_size(30)
        .build_cartesian_2d((low..high).log_scale(), 0..rows)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_label_formatter(&|x| format!("{x}x"))
        .draw()?;
    for (bar, row) in bars.iter().zip((0..rows).rev()) {
        let colour = if bar.ratio >= 1.0 { AHEAD } else { BEHIND };
        let mut rectangle = Rectangle::new([(1.0, row), (bar.ratio, row + 1)], colour.filled());
        rectangle.set_margin(4, 4, 0, 0);
        chart.draw_series([rectangle])?;
        let (_, y) = chart.backend_coord(&(1.0, row));
        let (x, _) = chart.backend_coord(&(bar.ratio, row));
        let middle = y - (ROW_HEIGHT / 2) as i32;
        text(&area, &bar.label, (LABELS_WIDTH as i32 - 8, middle), HPos::Right)?;
        let (x, side) = if bar.ratio >= 1.0 { (x + 4, HPos::Left) } else { (x - 4, HPos::Right) };
        text(&area, &format!("{:.2}x", bar.ratio), (x, middle), side)?;
    }
    area.present()?;
    Ok(())
}

fn text(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    text: &str,
    at: (i32, i32),
    side: HPos,
) -> Outcome {
    let style = ("sans-serif", 13).into_text_style(area).pos(Pos::new(side, VPos::Center));
    area.draw_text(text, &style, at)?;
    Ok(())
}

fn bars(results: &Results) -> Vec<Bar> {
    let compared = results.comparisons.iter().map(|one| Bar {
        label: format!("{}, {}c / {}", one.what, one.connections, one.peer),
        ratio: one.cpu.median,
    });
    let started = results.starts.iter().map(|one| Bar {
        label: format!("{} / {}", one.what, one.peer.replace('`', "")),
        ratio: 1.0 / one.ratio(),
    });
    compared.chain(started).collect()
}
