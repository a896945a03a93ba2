use crate::exit::Failure;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use plimsoll_chain::Nodes;
use std::{fmt, str::FromStr};

/// A block by its number, by a date or a time, or by its standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Its number.
    Block(u64),
    /// A day in UTC.
    Day(Date),
    /// Seconds since the Unix epoch.
    Time(i64),
    /// The last final one.
    Finalized,
    /// The head.
    Latest,
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "finalized" => return Ok(Self::Finalized),
            "latest" => return Ok(Self::Latest),
            _ => {}
        }
        if let Ok(number) = text.parse() {
            return Ok(Self::Block(number));
        }
        if let Ok(date) = text.parse::<Date>()
            && text.len() == "2024-01-05".len()
        {
            return Ok(Self::Day(date));
        }
        text.parse::<Timestamp>()
            .map(|time| Self::Time(time.as_second()))
            .map_err(|_| {
                "expected a block number, a date (2024-01-05), a time (2024-01-05T12:00:00Z), finalized or latest"
                    .to_owned()
            })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(number) => write!(f, "{number}"),
            Self::Day(date) => write!(f, "{date}"),
            Self::Time(time) => match Timestamp::from_second(*time) {
                Ok(time) => write!(f, "{time}"),
                Err(_) => write!(f, "{time}"),
            },
            Self::Finalized => f.write_str("finalized"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

impl Moment {
    /// The first block that it means.
    pub(crate) async fn first_block(self, nodes: &Nodes) -> Result<u64, Failure> {
        match self {
            Self::Day(date) => self.first_since(nodes, midnight(date)?).await,
            Self::Time(time) => self.first_since(nodes, time).await,
            other => other.last_block(nodes).await,
        }
    }

    /// The last block that it means: of a day its last one, of a time the last one before it.
    pub(crate) async fn last_block(self, nodes: &Nodes) -> Result<u64, Failure> {
        let end = match self {
            Self::Block(number) => return Ok(number),
            Self::Latest => return Ok(nodes.head().await?),
            Self::Finalized => {
                let finalized = nodes.finalized().await?;
                return finalized.ok_or_else(|| {
                    Failure::usage("the node knows no final block: give the last one by its number, or latest")
                });
            }
            Self::Day(date) => {
                let next = date
                    .tomorrow()
                    .map_err(|_| Failure::usage(format!("{date} is too far away")))?;
                midnight(next)?
            }
            Self::Time(time) => time,
        };
        let after = nodes.first_block_at(u64::try_from(end).unwrap_or_default()).await?;
        let Some(after) = after else {
            return Err(Failure::usage(format!(
                "{self} has not ended on the chain yet: use finalized"
            )));
        };
        after
            .checked_sub(1)
            .ok_or_else(|| Failure::usage(format!("{self} lies before the chain's first block")))
    }

    async fn first_since(self, nodes: &Nodes, time: i64) -> Result<u64, Failure> {
        let first = nodes.first_block_at(u64::try_from(time).unwrap_or_default()).await?;
        first.ok_or_else(|| Failure::usage(format!("{self} lies after the chain's head")))
    }
}

fn midnight(date: Date) -> Result<i64, Failure> {
    let time = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0));
    time.map(Timestamp::as_second)
        .map_err(|_| Failure::usage(format!("{date} is too far away")))
}
