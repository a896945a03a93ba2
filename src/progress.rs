use crate::Terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plimsoll_runtime::{Block, Observer};

/// Blocks done on stderr, with their rate and, where the end is known, the time left. Silent unless stderr is a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    first: Option<u64>,
    read: Option<(u64, u64)>,
}

impl Progress {
    /// A bar up to a range's last block, or a counter.
    pub(crate) fn new(terminal: Terminal, blocks: Option<(u64, u64)>) -> Self {
        let bar = match blocks {
            Some((from, to)) => ProgressBar::new(to.saturating_sub(from) + 1).with_style(style(
                "{wide_bar:.cyan/dim} {human_pos}/{human_len} blocks  {per_sec}  {eta} left",
            )),
            None => ProgressBar::no_length().with_style(style("{spinner} {human_pos} blocks  {per_sec}  {elapsed}")),
        };
        if terminal.quiet {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self {
            bar,
            first: blocks.map(|(from, _)| from),
            read: None,
        }
    }

    /// Done up to this block.
    pub(crate) fn at(&mut self, block: u64) {
        let first = *self.first.get_or_insert(block);
        self.read = Some((self.read.map_or(block, |(first, _)| first), block));
        self.bar.set_position(block.saturating_sub(first));
    }

    /// First and last block that were read.
    pub(crate) fn blocks(&self) -> Option<(u64, u64)> {
        self.read
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Observer for Progress {
    fn read(&mut self, block: &Block) {
        self.at(block.at.number);
    }
}
