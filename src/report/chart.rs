//! Line charts as inline SVG, each drawn twice: for a wide screen and for a phone, so that the text stays readable on both.

use super::axis::{Along, AxisTick, value_ticks};
use crate::report::series::{Point, downsampled};
use maud::{Markup, html};
use std::fmt::Write as _;

/// Something drawn over a chart's width.
#[derive(Debug)]
pub(super) enum Layer {
    /// A line.
    Line {
        /// What it looks like.
        class: &'static str,
        /// Its points, however many.
        points: Vec<Point>,
    },
    /// The space between a line and a value.
    Area {
        /// What it looks like.
        class: &'static str,
        /// The line's points.
        points: Vec<Point>,
        /// The value.
        base: f64,
    },
    /// Boxes: from, to, lowest, highest.
    Boxes {
        /// What they look like.
        class: &'static str,
        /// Any number of them, in the order of their beginnings.
        boxes: Vec<[f64; 4]>,
    },
    /// Crosses, each with a text that shows when it is pointed at.
    Crosses {
        /// What they look like.
        class: &'static str,
        /// Where, and the text.
        crosses: Vec<(Point, String)>,
    },
    /// Points, each with a text that shows when it is pointed at.
    Dots {
        /// What they look like.
        class: &'static str,
        /// Where, and the text.
        dots: Vec<(Point, String)>,
        /// What is written beside the first.
        label: &'static str,
        /// Whether it is written below where there is room, not above.
        below: bool,
    },
    /// A line across at a value, with its name.
    Across {
        /// What it looks like.
        class: &'static str,
        /// The value.
        at: f64,
        /// Its name.
        label: String,
    },
    /// A line from top to bottom, with a text that shows when it is pointed at.
    Upright {
        /// What it looks like.
        class: &'static str,
        /// Where along the width.
        at: f64,
        /// The text.
        text: String,
    },
}

/// A chart before it has a size.
#[derive(Debug)]
pub(super) struct Chart {
    /// Unique on the page.
    pub(super) id: String,
    /// Read out in place of the picture.
    pub(super) title: String,
    /// The same at length.
    pub(super) description: String,
    /// What runs along the width.
    pub(super) along: Along,
    /// First and last point of the width.
    pub(super) x: (f64, f64),
    /// Lowest and highest value.
    pub(super) y: (f64, f64),
    /// What follows each value's label.
    pub(super) unit: &'static str,
    /// From back to front.
    pub(super) layers: Vec<Layer>,
    /// Its heights, wide and on a phone.
    pub(super) heights: (f64, f64),
}

/// A canvas: its name in the style sheet, its width, how much is free at its end, how many ticks fit along it, how many points it shows.
struct Canvas {
    class: &'static str,
    width: f64,
    /// What is left free at the right end, for half of a label.
    air: f64,
    height: f64,
    x_ticks: usize,
    points: usize,
}

impl Chart {
    /// Both drawings; the style sheet shows one. They begin where those of the other chart begin.
    pub(super) fn draw(&self, above_or_below: Option<&Self>) -> Markup {
        let drawing = |canvas: &Canvas| {
            let room = |chart: &Self| {
                chart
                    .value_labels(canvas)
                    .iter()
                    .map(|tick| tick.1.chars().count())
                    .max()
                    .unwrap_or_default()
            };
            self.svg(canvas, room(self).max(above_or_below.map_or(0, room)))
        };
        let (wide, narrow) = self.heights;
        html! {
            (drawing(&Canvas { class: "wide", width: 960.0, air: 14.0, height: wide, x_ticks: 8, points: 1_200 }))
            (drawing(&Canvas { class: "narrow", width: 360.0, air: 14.0, height: narrow, x_ticks: 4, points: 480 }))
        }
    }

    /// One drawing, for a place that is narrow on every screen.
    pub(super) fn draw_small(&self) -> Markup {
        let canvas = Canvas {
            class: "small",
            width: 440.0,
            air: 26.0,
            height: self.heights.1,
            x_ticks: 6,
            points: 480,
        };
        let labels = self.value_labels(&canvas);
        let room = labels.iter().map(|tick| tick.1.chars().count()).max();
        self.svg(&canvas, room.unwrap_or_default())
    }

    fn value_labels(&self, canvas: &Canvas) -> Vec<AxisTick> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a few
        let most = ((canvas.height / 45.0) as usize).max(4);
        value_ticks(self.y, most)
            .into_iter()
            .map(|(at, label)| (at, format!("{label}{}", self.unit)))
            .collect()
    }

    /// `room` is that of the longest label, in characters.
    fn svg(&self, canvas: &Canvas, room: usize) -> Markup {
        let y_ticks = self.value_labels(canvas);
        #[allow(clippy::cast_precision_loss)] // characters of a label
        let left = room as f64 * 8.4 + 10.0;
        let frame = Frame {
            left,
            right: canvas.width - canvas.air,
            top: 8.0,
            bottom: canvas.height - 24.0,
            x: self.x,
            y: self.y,
        };
        let x_ticks = self.along.ticks(self.x, canvas.x_ticks);
        let (title_id, description_id) = (
            format!("{}-{}-title", self.id, canvas.class),
            format!("{}-{}-text", self.id, canvas.class),
        );
        html! {
            svg class=(canvas.class) viewBox=(format!("0 0 {} {}", canvas.width, canvas.height)) role="img"
                aria-labelledby=(format!("{title_id} {description_id}")) {
                title id=(title_id) { (self.title) }
                desc id=(description_id) { (self.description) }
                g class="grid" {
                    @for tick in &y_ticks {
                        line x1=(px(frame.left)) x2=(px(frame.right)) y1=(px(frame.y(tick.0))) y2=(px(frame.y(tick.0))) {}
                    }
                }
                @for layer in &self.layers { (draw_layer(layer, &frame, canvas.points)) }
                g class="ticks" {
                    @for tick in &y_ticks {
                        text x=(px(frame.left - 8.0)) y=(px(frame.y(tick.0) + 4.0)) text-anchor="end" { (tick.1) }
                    }
                    line x1=(px(frame.left)) x2=(px(frame.right)) y1=(px(frame.bottom)) y2=(px(frame.bottom)) {}
                    @for tick in &x_ticks {
                        line x1=(px(frame.x(tick.0))) x2=(px(frame.x(tick.0))) y1=(px(frame.bottom)) y2=(px(frame.bottom + 4.0)) {}
                        text x=(px(frame.x(tick.0))) y=(px(frame.bottom + 18.0)) text-anchor=(frame.anchor(tick, canvas.width)) { (tick.1) }
                    }
                }
            }
        }
    }
}

fn draw_layer(layer: &Layer, frame: &Frame, most: usize) -> Markup {
    match layer {
        Layer::Line { class, points } => {
            let points = downsampled(points.iter().copied(), most);
            match points.as_slice() {
                [only] => {
                    html! { circle class=(format!("{class} dot")) cx=(px(frame.x(only.0))) cy=(px(frame.y(only.1))) r="3.5" {} }
                }
                points => html! { path class=(class) d=(path(points, frame)) {} },
            }
        }
        Layer::Area { class, points, base } => {
            let points = downsampled(points.iter().copied(), most);
            let (Some(first), Some(last)) = (points.first(), points.last()) else {
                return Markup::default();
            };
            let floor = px(frame.y(*base));
            let outline = format!(
                "{}L{} {floor}L{} {floor}Z",
                path(&points, frame),
                px(frame.x(last.0)),
                px(frame.x(first.0))
            );
            html! { path class=(class) d=(outline) {} }
        }
        Layer::Boxes { class, boxes } => html! { path class=(class) d=(outlines(boxes, frame)) {} },
        Layer::Crosses { class, crosses } => html! {
            g class=(class) {
                @for ((x, y), text) in crosses {
                    @let (x, y) = (frame.x(*x), frame.y(*y));
                    path d=(format!("M{} {}l8 8m0 -8l-8 8", px(x - 4.0), px(y - 4.0))) { title { (text) } }
                }
            }
        },
        Layer::Dots {
            class,
            dots,
            label,
            below,
        } => html! {
            g class=(class) {
                @for ((x, y), text) in dots {
                    circle cx=(px(frame.x(*x))) cy=(px(frame.y(*y))) r="4.5" { title { (text) } }
                }
                @if let (Some(((x, y), _)), false) = (dots.first(), label.is_empty()) {
                    @let (place, anchor) = frame.beside(*x, label);
                    @let (above, under) = (frame.y(*y) - 9.0, frame.y(*y) + 19.0);
                    @let y = if (*below && under < frame.bottom) || above < frame.top + 10.0 { under } else { above };
                    text x=(px(place)) y=(px(y)) text-anchor=(anchor) { (label) }
                }
            }
        },
        Layer::Across { class, at, label } => html! {
            g class=(class) {
                line x1=(px(frame.left)) x2=(px(frame.right)) y1=(px(frame.y(*at))) y2=(px(frame.y(*at))) {}
                text x=(px(frame.right)) y=(px(frame.y(*at) - 5.0)) text-anchor="end" { (label) }
            }
        },
        Layer::Upright { class, at, text } => html! {
            path class=(class) d=(format!("M{0} {1}V{2}", px(frame.x(*at)), px(frame.top), px(frame.bottom))) { title { (text) } }
        },
    }
}

/// What a line or an area is, in a caption.
pub(super) fn key(class: &str, name: &str, value: &str) -> Markup {
    html! { span class="key" { svg class="swatch" viewBox="0 0 24 8" aria-hidden="true" { path class=(class) d="M1 4H23" {} } (name) " " b { (value) } } }
}

fn path(points: &[Point], frame: &Frame) -> String {
    let mut path = String::with_capacity(points.len() * 13);
    for (i, (x, y)) in points.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(
            path,
            "{}{} {}",
            if i == 0 { 'M' } else { 'L' },
            px(frame.x(*x)),
            px(frame.y(*y))
        );
    }
    path
}

/// Boxes too narrow to be told from the last one drawn are left out.
fn outlines(boxes: &[[f64; 4]], frame: &Frame) -> String {
    let mut path = String::new();
    let mut drawn = f64::NEG_INFINITY;
    for [from, to, low, high] in boxes {
        let (left, right) = (frame.x(*from), frame.x(*to));
        if right - drawn < 0.5 {
            continue;
        }
        drawn = right;
        let (top, bottom) = (frame.y(*high), frame.y(*low));
        let _ = write!(
            path,
            "M{} {}H{}V{}H{}Z",
            px(left),
            px(top),
            px(right.max(left + 0.5)),
            px(bottom),
            px(left)
        );
    }
    path
}

/// From values to places on a canvas.
#[derive(Debug, Clone, Copy)]
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    fn x(&self, value: f64) -> f64 {
        self.left + share(value, self.x) * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - share(value, self.y) * (self.bottom - self.top)
    }

    /// Where a label beside a place begins, and to which side it grows: to the right where it fits.
    fn beside(&self, at: f64, label: &str) -> (f64, &'static str) {
        #[allow(clippy::cast_precision_loss)] // characters of a label
        let length = label.chars().count() as f64 * 7.0 + 8.0;
        let x = self.x(at);
        if x + length > self.right {
            (x - 7.0, "end")
        } else {
            (x + 7.0, "start")
        }
    }

    /// Labels at the right edge grow to the left, so that they are not cut off.
    fn anchor(&self, tick: &AxisTick, width: f64) -> &'static str {
        #[allow(clippy::cast_precision_loss)] // characters of a label
        let half = tick.1.chars().count() as f64 * 4.2;
        if self.x(tick.0) + half > width { "end" } else { "middle" }
    }
}

/// Values beyond the ends stop at them.
fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    if high > low {
        ((value - low) / (high - low)).clamp(0.0, 1.0)
    } else {
        0.5
    }
}

/// A coordinate with one place.
fn px(value: f64) -> String {
    let text = format!("{:.1}", if value.is_finite() { value } else { 0.0 });
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}
