use super::{LogReader, order::Order};
use crate::DataError;
use plimsoll_protocols::RawLog;
use std::{cell::Cell, fmt, path::PathBuf, rc::Rc};

/// Logs of several files as one stream in the order of the chain. A place that two files claim is an error.
#[derive(Debug)]
pub struct MergedLogs {
    readers: Vec<LogReader>,
    /// The next log of each reader, with its row.
    heads: Vec<Option<(RawLog, u64)>>,
    order: Order,
    origin: Origin,
    started: bool,
    done: bool,
}

/// The file and row of the log that a stream gave last; it stays up to date while the stream is read elsewhere.
#[derive(Debug, Clone)]
pub struct Origin {
    files: Rc<[PathBuf]>,
    at: Rc<Cell<(usize, u64)>>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, row) = self.at.get();
        match self.files.get(file) {
            Some(path) => write!(f, "{}: row {row}", path.display()),
            None => f.write_str("no file"),
        }
    }
}

/// Merges files, each in the order of the chain.
pub fn merge(readers: Vec<LogReader>) -> MergedLogs {
    let files = readers.iter().map(|reader| reader.path().to_owned()).collect();
    let origin = Origin {
        files,
        at: Rc::default(),
    };
    let heads = readers.iter().map(|_| None).collect();
    MergedLogs {
        readers,
        heads,
        order: Order::default(),
        origin,
        started: false,
        done: false,
    }
}

impl MergedLogs {
    /// Where the last log came from.
    pub fn origin(&self) -> Origin {
        self.origin.clone()
    }

    fn refill(&mut self, index: usize) -> Result<(), DataError> {
        let reader = &mut self.readers[index];
        self.heads[index] = reader.next().transpose()?.map(|log| (log, reader.rows_read()));
        Ok(())
    }

    fn take(&mut self) -> Result<Option<RawLog>, DataError> {
        if self.started {
            // Only now is the last one's successor read, so that an error there does not swallow a good row.
            self.refill(self.origin.at.get().0)?;
        } else {
            self.started = true;
            (0..self.readers.len()).try_for_each(|index| self.refill(index))?;
        }
        let place = |(index, head): (usize, &Option<(RawLog, u64)>)| {
            head.as_ref()
                .map(|(log, _)| (log.at.block_number, log.at.log_index, index))
        };
        let first = self.heads.iter().enumerate().filter_map(place).min();
        let Some((log, row, index)) =
            first.and_then(|(.., index)| self.heads[index].take().map(|(log, row)| (log, row, index)))
        else {
            return Ok(None);
        };
        self.order.check(self.readers[index].path(), row, &log)?;
        self.origin.at.set((index, row));
        Ok(Some(log))
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
