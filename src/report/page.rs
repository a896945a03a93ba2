//! What the pages share: one file each that opens with no network, on a phone and in the dark.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A page with its title and what it holds: style and drawings inline, no script, nothing loaded from elsewhere. `style` comes after the
/// pages' own.
pub(super) fn page(title: &str, style: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // The browser itself refuses to load or run anything that is not in this file.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(include_str!("page.css"))) (PreEscaped(style)) }
            }
            body {
                main { (body) }
                footer { "plimsoll " (env!("CARGO_PKG_VERSION")) " · this page holds no script and loads nothing" }
            }
        }
    }
}

/// A key figure without a colour, which would promise more than an uncertain figure holds.
pub(super) fn card(name: &str, figure: &str, note: &str) -> Markup {
    html! { div class="card" { h3 { (name) } p class="figure" { (figure) } p class="faint" { (note) } } }
}
