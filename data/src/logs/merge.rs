use super::{LogReader, order::Order};
use crate::DataError;
use plimsoll_protocols::RawLog;
use std::path::PathBuf;

/// Logs of several files as one stream in the order of the chain. A place that two files claim is an error.
#[derive(Debug)]
pub struct MergedLogs {
    readers: Vec<LogReader>,
    heads: Vec<Option<RawLog>>,
    order: Order,
    started: bool,
    done: bool,
}

/// Merges files, each in the order of the chain.
pub fn merge(readers: Vec<LogReader>) -> MergedLogs {
    let heads = vec![None; readers.len()];
    MergedLogs {
        readers,
        heads,
        order: Order::default(),
        started: false,
        done: false,
    }
}

impl MergedLogs {
    fn refill(&mut self, index: usize) -> Result<(), DataError> {
        self.heads[index] = self.readers[index].next().transpose()?;
        Ok(())
    }

    fn take(&mut self) -> Result<Option<RawLog>, DataError> {
        if !self.started {
            self.started = true;
            (0..self.readers.len()).try_for_each(|index| self.refill(index))?;
        }
        let place = |(index, head): (usize, &Option<RawLog>)| {
            head.as_ref().map(|log| (log.at.block_number, log.at.log_index, index))
        };
        let Some((.., first)) = self.heads.iter().enumerate().filter_map(place).min() else {
            return Ok(None);
        };
        let log = self.heads[first].take();
        self.refill(first)?;
        if let Some(log) = &log {
            let path: PathBuf = self.readers[first].path().to_owned();
            self.order.check(&path, self.readers[first].rows_read(), log)?;
        }
        Ok(log)
    }
}

impl Iterator for MergedLogs {
    type Item = Result<RawLog, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.take().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}
